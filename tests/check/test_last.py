"""The last check is kept for whoever shows it, and a damaged record is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubclient.check import rules
from hubclient.check.finding import Finding, Place, Subject
from hubclient.check.last import FILE, Checked, keep_last, read_last
from hubclient.check.report import Report

WHEN = datetime(2026, 11, 23, 1, 2, tzinfo=UTC)


def report() -> Report:
    found = Finding(rules.AVAILABLE, Subject("en/one"), "there")
    gone = Finding(rules.GONE, Subject("en/two", Place("a.py", 1)), "no such object")
    here = replace(gone, rule=rules.AVAILABLE, subject=Subject("en/two", Place("b.py", 1)), message="there")
    return Report.of([found, here, gone], level="exists", started=WHEN, seconds=1.0)


def test_it_is_read_back_with_the_worst_of_each(tmp_path: Path) -> None:
    keep_last(report(), tmp_path / "new")
    last = read_last(tmp_path / "new")
    assert last is not None
    assert (last.started, last.level) == (WHEN, "exists")
    assert last.checked == (Checked("en/one", "available", "there"), Checked("en/two", "gone", "no such object"))
    assert last.counts == {"available": 1, "gone": 1}
    assert [file.name for file in (tmp_path / "new").iterdir()] == [FILE]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "started": "x", "level": 1, "checked": [1]}', "[" * 100_000]
)
def test_what_is_none(text: str, tmp_path: Path) -> None:
    assert read_last(tmp_path) is None
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_last(tmp_path) is None


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    keep_last(report(), tmp_path / "file" / "below")
