"""The Python on the page runs, in its order, and prints what is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.material import ROOT

if TYPE_CHECKING:
    import pytest

PAGE = ROOT / "docs" / "spark.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def shown(text: str) -> list[str]:
    """The lines without what depends on the digits of a score: its last ones, and the width of its column."""
    short = re.sub(r"\d\.\d{4,}", lambda match: f"{float(match[0]):.4f}", text)
    return [re.sub(r"-{2,}", "--", re.sub(r" +\|", "|", line)) for line in short.strip().splitlines()]


def test_the_page_runs(spark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 4
    names: dict[str, Any] = {}
    for code, output in blocks:
        capsys.readouterr()
        exec(compile(code, str(PAGE), "exec"), names)
        assert shown(capsys.readouterr().out) == shown(output), code


def test_every_parameter_is_on_the_page(spark: Any) -> None:
    from hubclient.spark import Classifier

    page = PAGE.read_text(encoding="utf-8")
    assert [param.name for param in Classifier().params if param.name != "reference" and f"`{param.name}`" not in page] == []
