"""The program that builds the bundled index, on small folders, and on the real cards where they are at hand."""

from __future__ import annotations

import lzma
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hubclient.bundled import INDEX
from hubclient.catalog.bundle import read_bundle
from tests.cards.shared import CORPUS, ROOT, archive, card_text
from tools.build_index import main

PROSE = ["It classifies.", "A result.", "A source.", "A table.", "A reference.", "A note.", "A person", "print("]
MORE = """\
## Results

A result.

## Data Source

A source.

## Benchmarking

A table.

## References

A reference.

## Another

A note.
"""


def card(name: str, *, title: str = "A title", more: str = "", file: str | None = None) -> str:
    front = {"name": name, "title": title, "author": "A person"}
    return card_text(front=front, more=more, file=archive(name) if file is None else file)


def folder(path: Path, **cards: str) -> Path:
    for name, text in cards.items():
        (path / "sub").mkdir(parents=True, exist_ok=True)
        (path / "sub" / f"{name}.md").write_text(text, "utf-8")
    return path


def titles(built: Path) -> dict[str, str]:
    return {entry.file: entry.facts()["title"] for entry in read_bundle(built.read_bytes()).cards}


def test_it_is_a_program(tmp_path: Path) -> None:
    built = tmp_path / "built.xz"
    cards = folder(tmp_path / "cards", one=card("one"), README="No card.")
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "build_index.py", cards, "-o", built, "--origin", "mine"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout == ""
    assert run.stderr == f"1 cards in {built}, 0 outranked, 0 problems\n"
    assert read_bundle(built.read_bytes()).origin == "mine"
    assert titles(built) == {"sub/one.md": "A title"}


def test_it_takes_facts_and_no_prose(tmp_path: Path) -> None:
    built = tmp_path / "built.xz"
    text = card("one", more=MORE)
    assert main([str(folder(tmp_path / "cards", one=text)), "-o", str(built)]) == 0
    content = lzma.decompress(built.read_bytes()).decode()
    assert [prose for prose in PROSE if prose not in text] == []
    assert [prose for prose in PROSE if prose in content] == []
    assert all(fact in content for fact in ("neg", "pos", "406.6 MB", "BertForSequenceClassification", "en.classify.small"))


def test_the_name_of_a_table_of_scores_is_a_fact_and_a_sentence_is_not(tmp_path: Path) -> None:
    built = tmp_path / "built.xz"
    table = "```\n{}\n   precision  recall  f1-score  support\nneg  0.9  0.8  0.85  10\n```\n"
    sentence = "It was measured on a hundred texts that nobody had seen."
    more = "## Benchmarking\n\n" + table.format("lang: en") + table.format(sentence)
    assert main([str(folder(tmp_path / "cards", one=card("one", more=more))), "-o", str(built)]) == 0
    (entry,) = read_bundle(built.read_bytes()).cards
    score = {"label": "neg", "precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 10}
    assert entry.facts()["benchmarks"] == [{"scores": [score], "title": "lang: en"}, {"scores": [score]}]


def test_a_later_folder_outranks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = tmp_path / "built.xz"
    early = folder(tmp_path / "early", a=card("one", title="early"), b=card("two", title="early"))
    late = folder(tmp_path / "late", c=card("one", title="late"))
    assert main([str(early), str(late), "-o", str(built)]) == 0
    assert titles(built) == {"sub/b.md": "early", "sub/c.md": "late"}
    assert "2 cards" in (said := capsys.readouterr().err)
    assert "1 outranked" in said
    assert main([str(late), str(early), "-o", str(built)]) == 0
    assert titles(built) == {"sub/a.md": "early", "sub/b.md": "early"}


def test_a_card_that_is_called_as_its_archive_is_outranks_in_its_folder(tmp_path: Path) -> None:
    built = tmp_path / "built.xz"
    cards = folder(tmp_path / "cards", a=card("one"), b=card("another", file=archive("one")))
    assert main([str(cards), "-o", str(built)]) == 0
    assert titles(built) == {"sub/a.md": "A title"}


def test_the_same_cards_give_the_same_bytes(tmp_path: Path) -> None:
    texts = {name: card(name) for name in ("one", "two", "three")}
    forth, back = folder(tmp_path / "forth", **texts), folder(tmp_path / "back", **dict(reversed(texts.items())))
    with zipfile.ZipFile(tmp_path / "cards.zip", "w") as zipped:
        for name, text in texts.items():
            zipped.writestr(f"sub/{name}.md", text)
    built = [tmp_path / "1.xz", tmp_path / "2.xz", tmp_path / "3.xz"]
    for source, file in zip((forth, back, tmp_path / "cards.zip"), built, strict=True):
        assert main([str(source), "-o", str(file)]) == 0
    assert len({file.read_bytes() for file in built}) == 1


def test_a_broken_card_stops_it_unless_it_may_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = tmp_path / "built.xz"
    cards = folder(tmp_path / "cards", good=card("good"), bad="---\nname: bad\nlanguage: [\n---\n")
    assert main([str(cards), "-o", str(built)]) == 1
    assert f"where: {cards / 'sub' / 'bad.md'}:" in (said := capsys.readouterr().err)
    assert "nothing was written" in said
    assert not built.exists()
    assert main([str(cards), "-o", str(built), "--skip-broken"]) == 0
    assert f"where: {cards / 'sub' / 'bad.md'}:" in capsys.readouterr().err
    assert titles(built) == {"sub/good.md": "A title"}


def test_a_card_in_a_zip_is_told_by_its_path_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "cards.zip", "w") as zipped:
        zipped.writestr("sub/bad.md", "---\nname: [\n---\n")
    assert main([str(tmp_path / "cards.zip"), "-o", str(tmp_path / "built.xz")]) == 1
    assert f"where: {tmp_path / 'cards.zip' / 'sub' / 'bad.md'}:" in capsys.readouterr().err


def test_without_cards_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty"), "-o", str(tmp_path / "built.xz")]) == 1
    assert "no card was found" in capsys.readouterr().err
    assert not (tmp_path / "built.xz").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cards = folder(tmp_path / "cards", one=card("one"))
    assert main([str(cards), "-o", str(tmp_path / "nowhere" / "built.xz")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_what_is_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "missing")])
    assert ended.value.code == 2
    assert "neither a folder nor a zip" in capsys.readouterr().err


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
def test_the_real_cards_give_what_ships(tmp_path: Path) -> None:
    # The content, since another version of liblzma may well compress it to other bytes.
    built = tmp_path / "built.xz"
    assert main([str(CORPUS / "cards.zip"), "-o", str(built)]) == 0
    assert lzma.decompress(built.read_bytes()) == lzma.decompress(INDEX.read_bytes()), "run tools/build_index.py: index/README.md"
