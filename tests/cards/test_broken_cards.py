"""Cards that are not cards: a CardError that names the line, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.cards import parse_card, parse_overlay
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
        ("---\nname: 'a\n---\n", None, "YAML cannot be read"),
        ("---\nname: a\nlanguage: e\x01n\n---\n", 3, "YAML cannot be read"),
        ("---\nname: a\nlanguage: \ud800\n---\n", 3, "not Unicode"),
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


def test_truncated_at_every_character() -> None:
    text = card_text(more="## Results\n\n```bash\nx\n```\n")
    whole = parse_card(text)
    assert parse_card(text[:-1]) == whole
    for end in range(len(text)):
        try:
            parse_card(text[:end])
        except CardError:
            continue


@settings(deadline=None)
@given(st.text(alphabet="`-|#{:}[]()~ \n\t'\"&*!ab1./,%<>é\u2028\ufeff", max_size=120), st.booleans())
def test_any_text_gives_a_card_or_a_card_error(text: str, in_front: bool) -> None:
    parts = (
        ("---\nname: a\nlanguage: en\n", text, "\n---\n")
        if in_front
        else ("---\nname: a\nlanguage: en\n---\n", "## Predicted Entities\n", text)
    )
    for parse in (parse_card, parse_overlay):
        try:
            parse("".join(parts))
        except CardError:
            continue


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "## Predicted Entities\n" + "`" * n,
        lambda n: "## Predicted Entities\n" + "``, " * (n // 4),
        lambda n: "## Predicted Entities\n" + "".join("`" * (i % 99 + 1) + "a" for i in range(n // 50)),
        lambda n: "[Download](" * (n // 11),
        lambda n: "nlu.load('''nlu.load(\"\"\"" * (n // 24),
        lambda n: "https://huggingface.co/" + "a" * n,
        lambda n: "~" * n + "`",
        lambda n: "```" + " " * n + "`",
        lambda n: "## " + " " * n + "\n" + "## a #" * (n // 6),
        lambda n: "[Copy S3 URI](s3://aaaa/" + "a_en_1.1.1_" * (n // 11) + ".zip)",
    ],
)
def test_hostile_repetitions_take_linear_time(make: Callable[[int], str]) -> None:
    # Anything quadratic would run into the suite's time limit.
    parse_card("---\nname: a\nlanguage: en\n---\n" + make(1_000_000))
