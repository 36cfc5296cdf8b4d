"""No text makes the parser raise anything but a CardError, or take more than linear time."""

from __future__ import annotations

import contextlib
import gc
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.cards import parse_card, parse_overlay
from hubclient.cards.facts_form import from_facts, to_facts
from hubclient.errors import CardError
from tests.cards.shared import INFO, USAGE, archive, card_text, links

TABLE = "precision recall f1-score support\n\nneg 0.9 0.8 0.85 10\naccuracy 0.9 10\n"
WHOLE = card_text(
    labels="`neg`, ``, ``po`s``, none",
    description="From https://huggingface.co/a/b, https://hf.co/bert-base-cased.",
    more=f"## Benchmarking\n\n```bash\n{TABLE}```\n\n|a|prec|rec|\n|---|---|---|\n|x|1|0|\n\n## References\n\n- x\n",
)
PIECES = [
    "---", "---\n", "...\n", "\n", "\r\n", "\r", "\t", " ", "\x00", "\x85", "\u2028", "\ufeff", "\ud800", "\udfff", "é", "🙂", "\\", "%",
    "'", '"', "&a ", "*a", "!!int ", "!x ", "<<: ", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "#", "@", "`", "``", "```", "~~~",
    "```python\n", "## ", "##", "## References\n", "## Predicted Entities\n", "## Benchmarking\n", "{:.btn-box}\n", "{:.nlu-block}\n",
    "{:", "nlu.load('", 'nlu.load("""', "[Download](", "[Copy S3 URI](", "s3://b/k", "https://s3.amazonaws.com/b/%zz",
    "huggingface.co/a/b", "|Size:|1e9 GB|\n", "|Max sentence length:|٣|\n", "|||\n", "\n|", "precision recall\n", "1e400", "-1", "nan",
    "9" * 5000, "name: ", "language: [a]\n", "date: 0000-00-00\n", "edition: Spark NLP 99999999999.1\n", "[" * 200, "- " * 200,
    "  " * 200, links(archive()), USAGE, INFO, TABLE, "tags:\n- a\n", "x: |\n  y\n", "x: {a: [b, {c: d}]}\n",
]  # fmt: skip
anything = st.text(st.characters(), max_size=40)
pieces = st.lists(st.sampled_from(PIECES) | anything, max_size=25).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = WHOLE
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 20, 200])))
        moved = draw(st.sampled_from(PIECES) | anything | st.just(text[start:end] * 2))
        text = text[:start] + moved + text[end:]
    return text


spliced = st.builds("---\nname: a\nlanguage: en\n{}\n---\n{}".format, pieces | st.just(""), pieces)


values = (
    st.sampled_from(["", "-", "0", "1", "٣", "²", "1.5", "9" * 400, "1e9", "nan", "no", "2022-13-01", "1.2.3", "`a`", "'", "[a]"])
    | anything
)
slotted = st.builds(
    lambda key, front, a, b, c, d: card_text(
        front={key: front},
        labels=f"`{a}`, ``{b}``, {c}",
        info=f"|Size:|{a} GB|\n|Max sentence length:|{b}|\n|{c}:|{d}|",
        usage=f"```{a}\nnlu.load('{b}')\n```{c}\nhttps://huggingface.co/{d}",
        file=archive(a, b, c),
        more=f"## Benchmarking\n\nprecision recall support\nx {a} {b} {c}\n\n|a|rec|prec|\n|{a}|{b}|{c}|\n|accuracy|{d}||\n",
    ),
    st.sampled_from(["date", "edition", "tags", "title", "spark_version", "supported", "name"]), values, values, values, values, values,
)  # fmt: skip


def check(text: str) -> None:
    try:
        card = parse_card(text, path="a.md")
    except CardError as error:
        file, _, line = (error.where or "").partition(":")
        assert file == "a.md"
        assert 1 <= int(line) <= text.count("\n") + text.count("\r") + 1
        return
    json.dumps(card.to_dict())
    assert (hash(card), card.version, card.epoch_ms) is not None
    facts = to_facts(card)
    assert to_facts(from_facts(json.loads(json.dumps(facts)))) == facts


@settings(max_examples=600, deadline=None)
@given(mutated() | spliced | slotted)
def test_cards_that_were_tampered_with(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(pieces)
def test_any_text(text: str) -> None:
    check(text)
    check(f"---\n{text}")
    try:
        parse_overlay(text)
    except CardError:
        return


FRONT = "---\nname: a\nlanguage: en\n{}\n---\n"
LABELS = "---\nname: a\nlanguage: en\n---\n## Predicted Entities\n{}"
USED = "---\nname: a\nlanguage: en\n---\n## How to use\n{}"
TOLD = "---\nname: a\nlanguage: en\n---\n## Model Information\n{}"
SCORED = "---\nname: a\nlanguage: en\n---\n## Benchmarking\n{}"


def again(unit: str) -> Callable[[int], str]:
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def numbered(line: str) -> Callable[[int], str]:
    return lambda size: "".join(line.format(index) for index in range(size // len(line)))


def growing(unit: str, after: str) -> Callable[[int], str]:
    return lambda size: "".join(unit * count + after for count in range(int((2 * size) ** 0.5)))


def within(before: str, unit: str, after: str) -> Callable[[int], str]:
    return lambda size: before + again(unit)(size) + after


HOSTILE: list[tuple[str, Callable[[int], str]]] = [
    *((frame, again(unit)) for unit in "`|[ #\t~\n-\u2028é🙂\x00" for frame in (FRONT, LABELS, USED, TOLD, SCORED)),
    *((frame, again(unit)) for unit in ("```\n", "```a\n\n", "## a\n", "{:a}\n\n", "|a|b|\n") for frame in (LABELS, USED, TOLD, SCORED)),
    *((FRONT, again(unit)) for unit in (
        "a: ", "a: b\n", "- ", "? ", "a: [", "[a, ", "{a: {", "'", '"\\n', "&a ", "*a ", "!a ", "# a\n", "---\n", "a: >\n\n b\n",
    )),
    *((FRONT, within("x: ", unit, "")) for unit in ("[", "{", "[é", "é ", "'", '"', "\\u", "|\n  a\n", "\n- é", "\n- a: é", "\n  a\n")),
    *((FRONT, within("x: [", unit, "]")) for unit in ("a, ", "é, ", "[],", "{},", "{a: é},", "[[[[[[[[")),
    *((FRONT, numbered(line)) for line in ("a{:07}: b\n", "a{:07}: é\n", "a{:07}: &a b\n", "a{:07}:\n  b: c\n", "a{:07}:\n")),
    (FRONT, within("", "a", ": b")),
    (FRONT, within('"', "a", '": b')),
    (FRONT, within("date: 2020-01-01 ", "x", "")),
    (FRONT, within("date: ", "1", "")),
    (FRONT, within("edition: x ", "1.", "1")),
    (FRONT, growing(" ", "a:\n")),
    ("---\nname: a\n---{}x\n", again(" ")),
    ("---{}", again("\n--- a")),
    *((LABELS, again(unit)) for unit in (
        "``, ", "`a`, ", "``a``", "`a``b```c", "` ``", "`a\n", "- `a`\n", "- a\n", "- \n", "| a |\n", "a, ", "a `b` ",
    )),
    (LABELS, growing("`", "a")),
    (LABELS, growing("`", "a\n")),
    (LABELS, lambda size: growing("`", "a")(size)[::-1]),
    *((USED, again(unit)) for unit in (
        "~~~\n```\n", "````\n```\n", " ```\n", "{:.nlu-block}\n```a\n", "\n{:.nlu-block}\n", "{:.btn-box}\n", "``` `\n", "## a #",
    )),
    *((USED, numbered(line)) for line in ("```a{:07}\nx\n```\n", "## t{:07}\nx\n", "## References\n{:07}\n")),
    *((LABELS, again(unit)) for unit in (
        "[Download](", "[Download](x ", "[Download](x)", "[Copy S3 URI](", "[Copy S3 URI](s3://a", "nlu.load(''", "nlu.load('a",
    )),
    (LABELS, again("nlu.load('''nlu.load(\"\"\"")),
    *((LABELS, again(unit)) for unit in (
        "https://huggingface.co/", "huggingface.co/a/b\n", "hf.co/a/b.", "www.huggingface.co/", ".co/", "hf.co/t5-",
    )),
    (LABELS, numbered("https://hf.co/a/b{:07} ")),
    (LABELS, within("https://huggingface.co/a/", ".", "")),
    (LABELS, numbered("nlu.load('{:07}')\n")),
    *((LABELS, within("[Copy S3 URI](s3://bbb/", unit, "_en_1.1_1.1_1234567890123.zip)")) for unit in (
        "a_en_1.1_", "_", "_1.1", "a_aa-", "_1234567890123.zip",
    )),
    (LABELS, within("[Copy S3 URI](s3://", "b", "/k.zip)")),
    (LABELS, within("[Download](https://s3.", "a.", "amazonaws.com/bbb/k)")),
    (LABELS, within("[Download](https://s3.amazonaws.com/bbb/", "%4", ")")),
    (TOLD, numbered("|k{:07}:|v|\n")),
    (TOLD, within("|a", " ", ":|b|")),
    (TOLD, within("|Size:|", "1", " MB|")),
    (TOLD, within("|Size:|1", " ", "x|")),
    *((SCORED, again(unit)) for unit in (
        "precision recall\n", "precision recall\n\n", "precision recall\nx\n\n", "precision recall\n\na 1 1\n", "|precision",
    )),
    *((SCORED, within("precision recall\n", unit, "")) for unit in (
        "a 1 1\n", "a 1 1\n\n", "a b\n\n", "a ", "1 ", "\n", "---\n", "accuracy ",
    )),
    *((SCORED, within("|a|precision|recall|\n", unit, "")) for unit in ("|a|1|1|\n", "|1", "|-|-|\n", "|\n")),
]  # fmt: skip


# Longer YAML is refused, and longer tables stay text.
LONGEST = {FRONT: 99_000, SCORED: 199_000}


def _seconds(text: str) -> float:
    """Of processor time; the less of two, since others use the processor's caches, too."""
    return min(_once(text), _once(text))


def _once(text: str) -> float:
    gc.disable()  # it would look through all that other tests have left
    begun = time.process_time()
    with contextlib.suppress(CardError):
        parse_card(text)
    seconds = time.process_time() - begun
    gc.enable()
    return seconds


@pytest.mark.parametrize(("frame", "make"), HOSTILE)
def test_a_megabyte_takes_a_second_at_most(frame: str, make: Callable[[int], str]) -> None:
    """Four times the length takes four times as long; what is not linear takes sixteen times."""
    size = LONGEST.get(frame, 1_000_000)
    quarter, whole = _seconds(frame.replace("{}", make(size // 4))), _seconds(frame.replace("{}", make(size)))
    assert whole <= 1
    assert whole < 10 * quarter + 0.1


def test_what_is_absurdly_long_is_not_read() -> None:
    with pytest.raises(CardError, match="longer than 100,000 characters"):
        parse_card(FRONT.replace("{}", "x: " + "a" * 100_000))
    table = "precision recall\n" + "a 1 1\n" * 33_000
    assert len(parse_card(SCORED.replace("{}", table)).benchmarks) == 1
    assert parse_card(SCORED.replace("{}", table + table)).benchmarks == ()
