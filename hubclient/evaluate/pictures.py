"""Pictures of an evaluation, as SVG that stands in a page: lines and letters have the page's colour, in light and in dark.

The names of labels are whatever somebody called them: they are drawn as plain text, never as formulas, and cut where they are long.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hubclient.errors import MissingExtra
from hubclient.evaluate.evaluation import Evaluation
from hubclient.evaluate.tally import BINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stands for the page's own colour, which matplotlib does not know.
_INK = "#010203"
# What matplotlib calls the parts of each picture alike: in one page, these would stand there several times.
_NAMES = re.compile(r' id="(?:figure|axes|patch|text|line2d|xtick|ytick|PathCollection|matplotlib\.axis|legend)_\d+"')
_HIT, _MISS = "#2a7ab8", "#c8553d"
_MOST_LABELS = 30  # in a confusion matrix that can be read
_LONGEST = 24  # characters of a label
_GROUPS = 6  # of lengths
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hubclient",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
}


def confusion(evaluation: Evaluation) -> str | None:
    """Rows are what is there, columns what was found; None of texts with several labels, and of more labels than can be shown."""
    if evaluation.multi_label or len(evaluation.labels) > _MOST_LABELS:
        return None
    table, names = evaluation.tally.confusion, [_short(label) for label in evaluation.labels]
    side = 2.2 + 0.62 * len(names)

    def draw(axes: Axes) -> None:
        totals = table.sum(axis=1, keepdims=True)
        for there, row in enumerate(table.tolist()):
            for found, count in enumerate(row):
                share = count / max(1, int(totals[there, 0]))
                axes.add_patch(_square(found, there, _HIT if there == found else _MISS, 0.7 * share))
                if count:
                    axes.text(found, there, f"{count:,}", ha="center", va="center", fontsize=9)
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5), aspect="equal", xlabel="found", ylabel="there")
        steep = len(names) > 3 or max(map(len, names)) > 8
        axes.set_xticks(range(len(names)), names, rotation=45 if steep else 0, ha="right" if steep else "center")
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)

    return _drawn(side + 0.6, side, draw, "Confusion matrix")


def by_label(evaluation: Evaluation) -> str | None:
    """F1 of each label with its interval; None of too many."""
    scores = evaluation.figures.table.scores
    if len(scores) > _MOST_LABELS:
        return None

    def draw(axes: Axes) -> None:
        for place, score in enumerate(scores):
            axes.barh(place, score.f1 or 0.0, color=_HIT, alpha=0.55, height=0.62)
            if between := evaluation.f1_intervals[score.label]:
                axes.plot(between, (place, place), color=_INK, linewidth=1.4)
        axes.set(xlim=(0, 1), ylim=(len(scores) - 0.4, -0.6), xlabel="F1, with the middle 95 % of the resamples")
        axes.set_yticks(range(len(scores)), [_short(score.label) for score in scores])
        axes.tick_params(axis="y", length=0)

    return _drawn(5.6, 1.1 + 0.34 * len(scores), draw, "F1 by label")


def calibration(evaluation: Evaluation) -> str | None:
    """How often scores are right; None where they are no probabilities."""
    if not evaluation.probable:
        return None
    bins = [(said / count, right / count, count) for count, said, right in evaluation.tally.calibration.tolist() if count]
    most = max(count for _, _, count in bins)

    def draw(axes: Axes) -> None:
        axes.plot((0, 1), (0, 1), color=_INK, linewidth=0.8, linestyle=(0, (4, 4)))
        axes.plot([said for said, _, _ in bins], [right for _, right, _ in bins], color=_HIT, linewidth=1.2, alpha=0.7)
        for said, right, count in bins:
            axes.scatter(said, right, s=18 + 160 * count / most, color=_HIT, alpha=0.75, linewidths=0)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal", xlabel=f"score ({BINS} equal bins)", ylabel="share that is right")

    return _drawn(4.4, 4.2, draw, "Calibration")


def lengths(evaluation: Evaluation) -> str:
    """Accuracy of short and of long texts."""
    groups = list(length_groups(evaluation.tally.lengths))

    def draw(axes: Axes) -> None:
        for place, (_, count, right) in enumerate(groups):
            axes.bar(place, right / count, color=_HIT, alpha=0.55, width=0.66)
            axes.text(place, right / count + 0.015, f"{count:,}", ha="center", va="bottom", fontsize=8)
        axes.set(ylim=(0, 1.08), xlabel="words (above the bars: texts)", ylabel="accuracy")
        axes.set_xticks(range(len(groups)), [name for name, _, _ in groups])

    return _drawn(5.2, 3.4, draw, "Accuracy by length")


def length_groups(lengths: dict[int, list[int]]) -> Iterator[tuple[str, int, int]]:
    """Neighbouring numbers of words, about equally many texts in each group: its name, its texts, how many of them are right."""
    total, done = sum(count for count, _ in lengths.values()), 0
    first, texts, right = None, 0, 0
    numbers = sorted(lengths)
    for place, words in enumerate(numbers):
        first = words if first is None else first
        texts, right, done = texts + lengths[words][0], right + lengths[words][1], done + lengths[words][0]
        if place == len(numbers) - 1 or texts * _GROUPS >= total:
            yield (str(first) if first == words else f"{first} to {words}"), texts, right
            first, texts, right = None, 0, 0


def _square(column: int, row: int, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor=colour, alpha=alpha, linewidth=0)


def _drawn(width: float, height: float, draw: Callable[[Axes], None], title: str) -> str:
    with _settings() as figure_class:
        figure: Figure = figure_class(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        file = io.StringIO()
        # No date, so that the same figures give the same file.
        figure.savefig(file, format="svg", metadata={"Date": None, "Title": title})
    return _inline(file.getvalue(), title, round(96 * width))


@contextmanager
def _settings() -> Iterator[type[Figure]]:
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("evaluate", "a report with pictures") from error
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        # Letters that matplotlib's own font lacks are drawn with the reader's.
        warnings.filterwarnings("ignore", message=r"(?s)Glyph \d+|.*missing from font")
        yield Figure


def _inline(svg: str, title: str, pixels: int) -> str:
    """The element alone, at most so wide, told to those who cannot see it."""
    element = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    element = _NAMES.sub("", element).replace(_INK, "currentColor")
    opening = rf'<svg viewBox="\1" style="max-width: {pixels}px" role="img" aria-label="{title}">'
    return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', opening, element, count=1)


def _short(label: str) -> str:
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", label)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
