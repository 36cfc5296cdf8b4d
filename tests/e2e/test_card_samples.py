"""The Python that the shipped cards show runs, on stand-ins for the large models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubclient.bundled import CARDS
from hubclient.cards import parse_card
from tests.e2e.material import DEMO, DEMO_ZIP, IMDB, IMDB_KEY, PUBMED, PUBMED_KEY, PUBMED_ZIP, make_mirror


@pytest.mark.parametrize(
    ("name", "printed"),
    [(IMDB, r"pos 0\.\d+"), (PUBMED, r"\(('.+',?)*\)"), (DEMO, "pos")],
)
def test_it_prints_an_answer(
    name: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = make_mirror(tmp_path / "mirror", {IMDB_KEY: DEMO_ZIP, PUBMED_KEY: PUBMED_ZIP})
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(mirror))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
    card = parse_card((CARDS / f"{name}_en.md").read_text(encoding="utf-8"))
    exec(compile(card.how_to_use["python"], name, "exec"), {})
    assert re.fullmatch(printed, capsys.readouterr().out.strip())
