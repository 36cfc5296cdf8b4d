"""Figures as bars, drawn by matplotlib."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

_OURS = "hubclient"


def save_bars(path: Path, title: str, values: Mapping[str, float]) -> None:
    """The highest on top; ours stand out. Without matplotlib, there is no picture."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("a picture takes matplotlib, which is not installed")
    names = sorted(values, key=values.__getitem__)
    figure = Figure(figsize=(8, 0.9 + 0.42 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(names, [values[name] for name in names], color=["#d97706" if name.startswith(_OURS) else "#94a3b8" for name in names])
    axes.bar_label(bars, fmt="{:,.0f}", padding=4)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xticks([])
    axes.margins(x=0.12)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
