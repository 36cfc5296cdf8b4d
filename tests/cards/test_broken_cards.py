"""Cards that are not cards: a CardError that names the line, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hubclient.cards import parse_card
from hubclient.catalog.folder import card_from
from hubclient.errors import CardError
from tests.cards.shared import card_text

BOMB = "a: &a [x]\n" + "\n".join(f"{new}: &{new} [*{old}, *{old}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "does not begin with front matter"),
        ("\n---\nname: a\n---\n", 1, "does not begin with front matter"),
        ("# Title\n", 1, "does not begin with front matter"),
        ("---\nname: a\n", 3, "has no end"),
        (card_text().replace("\n---\n", "\n", 1), None, "has no end"),
        ("---\nname: [a\nlanguage: en\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a\n\tlanguage: en\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a: b\n---\n", 2, "YAML cannot be read"),
        ("---\nname: 'a\n---\n", 3, "YAML cannot be read"),
        ("---\nname: `a`\n---\n", 2, "YAML cannot be read"),
        ("---\nname: a\n  b: c\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a\n%YAML 1.2\n---\n", 4, "YAML cannot be read"),
        ("---\nname: a\n--- b\n---\n", 3, "one mapping"),
        ("---\nname: a\nlanguage: en\nspark_version: {a: b}\n---\n", 4, "'spark_version' is neither a text nor a list"),
        ("---\nname: a\nlanguage: en\ntags: [a, null]\n---\n", 4, "'tags' is neither a text nor a list"),
        ("---\n<<: *b\nname: a\n---\n", 2, "anchors and aliases"),
        ("---\nname: !<tag:yaml.org,2002:python/object/new:os.system> [x]\n---\n", 2, "tag"),
        ("---\nname: a\nx: !local y\n---\n", 3, "the YAML tag '!local'"),
        ("---\nname: a\nlanguage: e\x01n\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a\nlanguage: \ud800\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a\nlanguage: en\nname: b\n---\n", 4, "'name' stands twice"),
        ("---\nname: a\nx:\n  y: 1\n  y: 2\n---\n", 5, "'y' stands twice"),
        ("---\nname: !!python/object/apply:os.system [x]\n---\n", 2, "tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
        ("---\nname: !!int 3\n---\n", 2, "tag"),
        ("---\n!!python/name:os.system name: a\n---\n", 2, "tag"),
        (f"---\n{BOMB}\n---\n", 2, "anchors and aliases"),
        ("---\na: *b\n---\n", 2, "anchors and aliases"),
        ("---\n*b : 1\n---\n", 2, "a key is not plain text"),
        ("---\n[a]: 1\n---\n", 2, "a key is not plain text"),
        ("---\n- a\n- b\n---\n", 2, "one mapping"),
        ("---\njust text\n---\n", 2, "one mapping"),
        ("---\n---\n", 1, "has no 'name'"),
        ("---\nname: a\n--- \nlanguage: en", 1, "has no 'language'"),
        ("---\nlanguage: en\nname:\n---\n", 3, "has no 'name'"),
        ("---\nx: 1\nname: [a, b]\nlanguage: en\n---\n", 3, "'name' is not a text"),
        (card_text(front={"tags": "{a: b}"}), 7, "'tags' is neither a text nor a list"),
        (card_text(front={"tags": "[[a], b]"}), 7, "'tags' is neither a text nor a list"),
        (card_text(front={"supported": "perhaps"}), 12, "'supported' is neither true nor false"),
        (card_text(front={"date": "soon"}), 6, "'date' is not a date"),
        (card_text(front={"date": "2022-02-30"}), 6, "'date' is not a date"),
        ("---\na: " + "[" * 5000 + "\n---\n", 2, "nested deeper"),
        ("---\na: " + "- " * 5000 + "\n---\n", 2, ""),
        ("---\nname: a\nlanguage: en\n---\n\n[Copy S3 URI](s3://x)\n", 6, "not the address of an S3 object"),
        ("---\nname: a\nlanguage: en\n---\n\n[Copy S3 URI](https://x/y/z.zip)\n", 6, "not the address of an S3 object"),
    ],
)
def test_broken_cards(text: str, line: int | None, what: str) -> None:
    with pytest.raises(CardError) as caught:
        parse_card(text, path="some/card.md")
    assert what in caught.value.what
    assert caught.value.where is not None
    file, _, at = caught.value.where.partition(":")
    assert file == "some/card.md"
    assert int(at) == line or line is None


def test_a_text_without_a_path_has_a_line_all_the_same() -> None:
    with pytest.raises(CardError, match="no end") as caught:
        parse_card("---\na: 1")
    assert caught.value.where == "<card>:2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\nname: 'a\nlanguage: en\n---\n", "a quoted scalar that begins on line 2"),
        ("---\nname: @a\n---\n", "found character that cannot start any token"),
        ("---\nname: a\nlanguage: \ud800\n---\n", "U+D800"),
        ("---\nname: \x00\n---\n", "U+0000"),
        ("---\nname: \ufeff\n---\n", "U+FEFF"),
    ],
)
def test_why_the_yaml_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(CardError) as caught:
        parse_card(text)
    assert why in (caught.value.why or "")


@pytest.mark.parametrize(
    "bend", [str, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\r")]
)
@pytest.mark.parametrize(("broken", "told"), [("date: soon", 7), ("task: [a", 8), ("name: again", 7)])
def test_the_line_is_that_of_the_file_whatever_the_line_ends(bend: Callable[[str], str], broken: str, told: int) -> None:
    lines = card_text(front={"date": None, "title": "'\u2028, \x85 and \u2029 are line breaks in YAML alone'"}).split("\n")
    lines[6] = broken
    with pytest.raises(CardError) as caught:
        parse_card(bend("\n".join(lines)), path="a.md")
    assert caught.value.where == f"a.md:{told}"


def test_a_language_that_is_no_is_norwegian() -> None:
    assert parse_card(card_text(front={"language": "no"})).language == "no"
    assert parse_card(card_text(front={"language": "no", "title": "'é'"})).language == "no"


def test_truncated_at_every_byte() -> None:
    text = card_text(front={"title": "Ein schönes Modell 🙂"}, labels="`größer`, `naïve`", more="## Results\n\n```bash\nx\n```\n")
    whole, data = parse_card(text, path="a.md"), text.encode()
    assert card_from(data[:-1], Path("a.md")) == whole
    read = 0
    for end in range(len(data)):
        try:
            card = card_from(data[:end], Path("a.md"))
        except CardError as error:
            file, _, line = (error.where or "").partition(":")
            assert (file, 1 <= int(line) <= data.count(b"\n", 0, end) + 1) == ("a.md", True)
        else:
            read += 1
            assert (card.name, card.language) == ("small_model", "en")
    assert 0 < read < len(data)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"---\nname: a\nlanguage: en\n---\n\nab\xffc\n", 6),
        ("---\nname: é\n---\n".encode("latin-1"), 2),
        ("---\nname: a\n---\n".encode("utf-16"), 1),
        (b"---\nname: \xed\xa0\x80\n---\n", 2),
    ],
)
def test_what_is_not_utf_8(data: bytes, line: int) -> None:
    with pytest.raises(CardError, match="not UTF-8") as caught:
        card_from(data, Path("a.md"))
    assert caught.value.where == f"a.md:{line}"


LONG = "x" * 50_000_000


def test_fifty_megabytes_in_a_line() -> None:
    for text, line in ((LONG, 1), (f"---\nname: {LONG}\n---\n", 2), (f"---\nname: a\n{LONG}", 3)):
        with pytest.raises(CardError) as caught:
            parse_card(text, path="a.md")
        assert caught.value.where == f"a.md:{line}"
        assert len(str(caught.value)) < 300
    assert parse_card(f"---\nname: a\nlanguage: en\n---\n{LONG}").name == "a"
