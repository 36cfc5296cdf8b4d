"""One section of a card is written anew, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient import bundled, parse_card
from hubclient.authoring.file import write, write_section
from hubclient.authoring.section import with_section
from hubclient.errors import CardError, UsageError

CARDS = sorted(bundled.CARDS.glob("*_en.md"))
BODY = "```bash\nnew\n```\n\nWords."
FRONT = "---\nname: a\nlanguage: en\n---\n"


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("title", ["Description", "Benchmarking", "Results", "Data Source", "Predicted Entities", "Further"])
def test_nothing_else_changes(card: Path, title: str) -> None:
    text = card.read_text("utf-8")
    written = with_section(text, title, BODY)
    before, after = parse_card(text).to_dict(), parse_card(written).to_dict()
    said = {"Data Source": "data_source", "Further": None}.get(title, title.lower())
    if said in after and said != "predicted entities":
        assert after.pop(said) == BODY
        before.pop(said)
    else:
        assert f"## {title}\n\n{BODY}" in written
    for name in ("benchmarks", "labels", "labels_verbatim", "labels_form", "other_sections"):
        before.pop(name)
        after.pop(name)
    assert after == before
    assert with_section(written, title, BODY) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("## Benchmarking\n", f"## Benchmarking\n\n{BODY}\n"),
        ("## Benchmarking", f"## Benchmarking\n\n{BODY}\n"),
        ("## Benchmarking\nold\n## Results\nx\n", f"## Benchmarking\n\n{BODY}\n\n## Results\nx\n"),
        ("## Benchmarking\n\nold\n\n{:.model-param}\n## Results\nx\n", f"## Benchmarking\n\n{BODY}\n\n{{:.model-param}}\n## Results\nx\n"),
        ("## Benchmarking\n{:.model-param}\n## Results\nx\n", f"## Benchmarking\n\n{BODY}\n{{:.model-param}}\n## Results\nx\n"),
        ("## benchmarking:\nold old\n", f"## benchmarking:\n\n{BODY}\n"),
        ("words", f"words\n\n## Benchmarking\n\n{BODY}\n"),
    ],
)
def test_where_it_stands(text: str, written: str) -> None:
    assert with_section(FRONT + text, "Benchmarking", BODY) == FRONT + written


def test_line_ends_and_mark_stay() -> None:
    text = "\ufeff" + (FRONT + "## Benchmarking\nold\n## Results\n").replace("\n", "\r\n")
    written = with_section(text, "Benchmarking", "new")
    assert written == "\ufeff" + (FRONT + "## Benchmarking\n\nnew\n\n## Results\n").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "told"), [("## Benchmarking", "does not begin with"), (f"{FRONT}## Benchmarking\n" * 2, "several sections")]
)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(CardError) as caught:
        with_section(text, "Benchmarking", BODY)
    assert told in str(caught.value)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    write(path, FRONT + "## Benchmarking\r\nold\r\n")
    with pytest.raises(UsageError, match="there is a file already"):
        write(path, "")
    write_section(path, "Benchmarking", "new")
    assert path.read_bytes() == (FRONT + "## Benchmarking\n\nnew\n").encode()
    assert [file.name for file in tmp_path.iterdir()] == ["a.md"]
    path.write_bytes(b"\xff")
    with pytest.raises(CardError, match="not UTF-8"):
        write_section(path, "Benchmarking", "new")
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "missing" / "a.md", "")
