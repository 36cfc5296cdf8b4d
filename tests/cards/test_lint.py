"""Every rule speaks where it should, on the right line, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.cards import Overlay, parse_card
from hubclient.cards.lint import (
    ALL_RULES,
    BROKEN_OVERLAY,
    CARD_RULES,
    LONE_OVERLAY,
    RULES,
    TOGETHER_RULES,
    UNREADABLE,
    Finding,
    Outline,
    Source,
    lint_card,
    lint_together,
)
from tests.cards.lint_cases import CASES, FILE, LOAD, OTHER, Case, uncased
from tests.cards.shared import CORPUS, INFO, ROOT, archive, card_text, corpus

SIGMOID = Overlay(activation="sigmoid")
CLASS = "BertForSequenceClassification"
TOKENS = {"annotator": "BertForTokenClassification", "task": "Named Entity Recognition"}
BCE = "## References\n\nTrained with BCELoss.\n"


def lint(text: str, path: str = FILE, overlay: Overlay | None = None) -> list[tuple[str, int]]:
    return [(finding.rule.code, finding.line) for finding in lint_card(text, path=path, overlay=overlay)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_speaks_on_the_right_line_and_no_other_does(case: Case) -> None:
    (finding,) = lint_card(case.text, path=case.path, overlay=case.overlay)
    assert (finding.rule.code, finding.line) == (case.code, case.number)
    assert [part for part in case.says if part not in finding.message] == []
    assert finding.path == case.path
    assert finding.hint


def test_every_rule_for_one_card_has_a_case() -> None:
    assert {case.code for case in CASES} == {rule.code for rule in (UNREADABLE, *CARD_RULES)}


SILENT: dict[str, tuple[str, str, Overlay | None]] = {
    "the good card": (card_text(), FILE, None),
    "without a date in the name": (card_text(), "small_model_en.md", None),
    "with a version of Spark in the name": (card_text(), "2022-03-04-small_model_en_3_0.md", None),
    "without a language in the name": (card_text(), "cards\\small_model.md", None),
    "from a pipe": (card_text(), "<stdin>", None),
    "YAML flags and numbers": (card_text(front={"recommended": "yes", "spark_version": "3.0", "engine": "2022"}), FILE, None),
    "quotes": (card_text(front={"title": '"no"', "tags": "[en, 'on', \"3.10\"]"}), FILE, None),
    "several versions of Spark": (card_text(front={"spark_version": "[2.4, 3.0]"}), FILE, None),
    "fewer numbers": (card_text(front={"edition": "Spark NLP 3.4"}, file=archive(version="3.4.0")).replace("3.4.2+", "3.4.0+"), FILE, None),
    "a community model": (
        card_text(front={"supported": "false"}).replace("a.bucket.with.dots", "community.johnsnowlabs.com"),
        FILE,
        None,
    ),
    "one link twice": (card_text(more=OTHER[2].replace("other", "small")), FILE, None),
    "a download from elsewhere": (card_text().replace("https://s3.amazonaws.com/", "https://example.com/"), FILE, None),
    "brackets in the table": (card_text(info=INFO.replace("|en|", "|[fr, en]|")), FILE, None),
    "no version in the table": (card_text(info=INFO.replace("3.4.2", "")), FILE, None),
    "a table with another spelling elsewhere": (card_text(more="## Results\n\n|Max sentense length|1|\n"), FILE, None),
    "uncased and not case-sensitive": (uncased("bert_uncased_model", "false"), "bert_uncased_model.md", None),
    "cased and case-sensitive": (uncased("bert_cased_model", "true"), "bert_cased_model.md", None),
    "uncased, settled in an overlay": (uncased("bert_uncased_model", "true"), "bert_uncased_model.md", Overlay(lowercase=True)),
    "cased, settled in an overlay": (uncased("bert_cased_model", "false"), "bert_cased_model.md", Overlay(lowercase=False)),
    "a word that ends in cased": (uncased("bert_showcased_model", "false"), "bert_showcased_model.md", None),
    "a regression": (card_text(labels="`score`"), FILE, Overlay(activation="none")),
    "one entity": (card_text(labels="`PER`", front=TOKENS), FILE, None),
    "embeddings": (card_text(labels=None, front={"annotator": "BertEmbeddings", "task": "Embeddings"}), FILE, None),
    "labels given when asked": (card_text(labels="", front={"annotator": "BertForZeroShotClassification"}), FILE, None),
    "a backtick in a label": (card_text(labels="`` a`b ``, `c`").replace("`` a`b ``", "```a``b```"), FILE, None),
    "embeddings beside the model": (
        card_text(usage=f'```python\n{LOAD}\nBertEmbeddings.pretrained("bert_base", "fr")\npretrained("x", "de")\n```'),
        FILE,
        None,
    ),
    "a pipeline": (
        card_text(usage='```scala\nnew PretrainedPipeline("small_model", "en")\n```', front={"annotator": "PipelineModel"}, labels=None),
        FILE,
        None,
    ),
    "a task of its own": (card_text(front={"task": "[Named Entity Recognition, Sentiment Analysis]"}), FILE, None),
    "a task nobody knows": (card_text(front={"task": "Irony"}), FILE, None),
    "ELECTRA": (card_text(front={"tags": "[en, electra, Sequence-Classification, ner]"}), FILE, None),
    "one class": (card_text(front={"class": CLASS}, info=f"{INFO}\n|Model Class:|{CLASS}|"), FILE, None),
    "one origin in two spellings": (card_text(description="https://huggingface.co/A/b https://huggingface.co/a/B"), FILE, None),
    "sigmoids, stated": (card_text(more=BCE), FILE, SIGMOID),
    "multi-label, stated": (card_text(front={"title": "multilabel"}), FILE, SIGMOID),
    "sigmoids of tokens": (card_text(more=BCE, front=TOKENS), FILE, None),
    "multi-label tokens": (card_text(front={**TOKENS, "title": "multi-label"}), FILE, None),
    "letters that are no loss": (card_text(description="CBCELoss, BCE, `CBCentralManager`, crossentropy"), FILE, None),
    "a shorter fence in a longer": (card_text(more="## Results\n\n````md\n```bash\nx\n````\n{:.x}\n"), FILE, None),
    "a tilde in a fence": (card_text(more="## Results\n\n```\n~~~\n```\n"), FILE, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_what_is_right_is_not_blamed(name: str) -> None:
    text, path, overlay = SILENT[name]
    assert lint(text, path, overlay) == []


@pytest.mark.parametrize(
    "said",
    [
        "torch.nn.BCEWithLogitsLoss",
        "nn.BCELoss()",
        "a BCE loss",
        "loss='binary_crossentropy'",
        "tf.keras.losses.BinaryCrossentropy(from_logits=True)",
        "binary cross-entropy",
        "F.binary_cross_entropy_with_logits",
        "tf.nn.sigmoid_cross_entropy_with_logits",
        "MultiLabelSoftMarginLoss",
        '"problem_type": "multi_label_classification"',
        "`problem_type`=multi_label_classification",
        'classifier.setActivation("sigmoid")',
    ],
)
def test_every_way_to_say_sigmoid(said: str) -> None:
    text = card_text(description=f"It was\ntrained so: {said}.")
    line = text[: text.index(said)].count("\n") + 1
    assert lint(text) == lint(text, overlay=Overlay(activation="softmax")) == [("C701", line)]
    assert lint(text, overlay=SIGMOID) == []
    unknown = card_text(description=said, front={"annotator": None})
    assert [code for code, _ in lint(unknown)] == ["C101", "C701"]
    assert [code for code, _ in lint(card_text(description=said, front={"annotator": None, "task": "Embeddings"}))] == ["C101"]


def test_a_loss_says_more_than_the_word_multi_label() -> None:
    assert lint(card_text(front={"title": "multi-label"}, more=BCE)) == [
        ("C701", card_text(more=BCE).splitlines().index(BCE.split("\n")[2]) + 1)
    ]


def test_what_an_overlay_says_instead_is_told() -> None:
    (finding,) = lint_card(card_text(more=BCE), path=FILE, overlay=Overlay(activation="softmax"))
    assert "the overlay says softmax" in finding.message


def test_two_wrong_places_are_two_findings() -> None:
    text = card_text(front={"annotator": None, "title": None}, info=INFO.replace("|256", "|0").replace("sentence", "sentense"))
    assert [code for code, _ in lint(text)] == ["C101", "C105", "C304", "C307"]
    assert [line for _, line in lint(text)] == sorted(line for _, line in lint(text))


def test_only_the_chosen_rules_speak() -> None:
    text = card_text(front={"annotator": None, "title": None})
    chosen = frozenset(rule for rule in RULES if rule.code == "C105")
    assert [finding.rule.code for finding in lint_card(text, path=FILE, rules=chosen)] == ["C105"]
    assert lint_card("no card", rules=chosen) == ()


def test_a_finding_as_json() -> None:
    (finding,) = lint_card(card_text(front={"annotator": None}), path=FILE)
    assert finding.to_dict() == {
        "path": FILE,
        "line": 1,
        "code": "C101",
        "name": "no-annotator",
        "severity": "warning",
        "message": finding.message,
        "hint": finding.hint,
    }
    assert finding.counts


def test_a_note_does_not_count() -> None:
    (finding,) = lint_card(card_text(front={"deprecated": "true"}), path=FILE)
    assert not finding.counts


def test_what_a_card_says_does_not_steer_a_terminal_nor_break_a_line() -> None:
    (finding,) = lint_card(card_text(front={"name": '"a \\e[31m\\n\\u202eb"', "tags": "x" * 3}), path="<stdin>")
    assert finding.rule.code == "C102"
    assert "\\x1b[31m\\n\\u202eb" in finding.message
    assert finding.message.isprintable()
    (finding,) = lint_card(card_text(front={"date": "x" * 10_000}), path=FILE)
    assert len(finding.message) < 12_000


# Several cards together


def outlines(**texts: str) -> list[Outline]:
    return [Outline.of(Source(text, parse_card(text, path=name), name)) for name, text in texts.items()]


def together(**texts: str) -> list[tuple[str, str, int]]:
    found: list[Finding] = sorted(lint_together(outlines(**texts)), key=lambda finding: (finding.path, finding.rule.code))
    return [(finding.rule.code, finding.path, finding.line) for finding in found]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_cards_that_differ_are_left_alone() -> None:
    newer = card_text(file=archive(version="3.4.3"))
    later = card_text(file=archive(epoch=1646352000001))
    french = card_text(file=archive(language="fr"))
    assert together(a=card_text(), b=newer, c=later, d=french, e=card_text(file=archive("other"))) == []


def test_one_archive_behind_two_cards() -> None:
    text = card_text()
    line = line_of(text, "s3://")
    assert together(a=text, b=text, c=text) == [("C903", name, line) for name in "abc"]
    messages = [finding.message for finding in lint_together(outlines(a=text, b=text, c=text))]
    assert [re.findall(r"'(\w)'", message) for message in messages] == [["b"], ["a"], ["a"]]


def test_one_model_in_two_archives() -> None:
    text = card_text()
    moved = text.replace("/public/models/", "/other/models/")
    line = line_of(text, "name: ")
    assert together(a=text, b=text, c=moved) == [
        ("C903", "a", line_of(text, "s3://")),
        ("C904", "a", line),
        ("C903", "b", line_of(text, "s3://")),
        ("C904", "b", line),
        ("C904", "c", line),
    ]
    bare = "---\nlanguage: en\nname: small_model\nedition: Spark NLP 3.4.2\n---\n"
    assert together(a=bare, b=bare) == [("C904", "a", 3), ("C904", "b", 3)]


def test_names_that_differ_only_in_case() -> None:
    small, large = card_text(), card_text(file=archive("Small_Model"), front={"name": "Small_Model"})
    newer = card_text(file=archive(version="3.4.3"))
    assert together(a=small, b=large, c=newer) == [("C905", name, 5) for name in "abc"]
    (first, *_) = lint_together(outlines(a=small, b=large))
    assert "'small_model'" in first.message
    assert "'Small_Model' in 'b'" in first.message


def test_every_rule_for_several_cards_is_tested_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [rule.code for rule in TOGETHER_RULES if f'"{rule.code}"' not in source] == []


# The table of rules


def test_codes_and_names_are_unique_and_in_order() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES) == len(ALL_RULES)
    assert list(RULES) == sorted(RULES, key=lambda rule: rule.code)
    assert all(re.fullmatch(r"C\d{3}", rule.code) and re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", rule.name) for rule in RULES)
    assert {UNREADABLE, BROKEN_OVERLAY, LONE_OVERLAY} == ALL_RULES - {*CARD_RULES, *TOGETHER_RULES}
    with pytest.raises(TypeError):
        CARD_RULES[UNREADABLE] = next(iter(CARD_RULES.values()))  # type: ignore[index]


PAGE = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
EXPLAINED = re.compile(r"^### (C\d{3}) ([\w-]+) \((\w+)\)\n\n(.*?)(?=^### C|\Z)", re.MULTILINE | re.DOTALL)


def test_the_page_explains_every_rule_as_it_is() -> None:
    explained = {match[1]: (match[2], match[3], " ".join(match[4].split())) for match in EXPLAINED.finditer(PAGE)}
    assert list(explained) == [rule.code for rule in RULES]
    for rule in RULES:
        name, severity, text = explained[rule.code]
        assert (name, severity) == (rule.name, rule.severity)
        assert rule.summary in text
        assert rule.mend in text


@pytest.mark.parametrize("code", sorted({case.code for case in CASES}))
def test_the_examples_on_the_page_are_found_by_their_rule(code: str) -> None:
    """What a fenced block shows stands in a card that the rule finds."""
    (text,) = (match[4] for match in EXPLAINED.finditer(PAGE) if match[1] == code)
    shown = re.search(r"^~~~.*?\n(.*?)^~~~$", text, re.MULTILINE | re.DOTALL)
    if code in ("C002", "C003", "C105", "C206", "C207", "C308", "C507"):  # what is not there, or cannot be seen, is not shown
        assert shown is None
        return
    assert shown
    cases = [f"{case.path}\n{case.text}" for case in CASES if case.code == code]
    assert any(all(line.strip() in case for line in shown[1].splitlines()) for case in cases)


# Whatever comes


@settings(deadline=None)
@given(st.text(alphabet="`-|#{:}[]()~ \n\t'\"&*!ab1./,%<>é\u2028\ufeff\r\0", max_size=150), st.integers(0, 3))
def test_any_text_gives_findings(text: str, place: int) -> None:
    parts = [
        text,
        f"---\nname: a\nlanguage: en\n{text}\n---\n",
        f"---\nname: a\nlanguage: en\nannotator: BertForSequenceClassification\n---\n## Predicted Entities\n{text}",
        card_text(usage=text, more=text),
    ]
    for finding in lint_card(parts[place], path=FILE):
        # YAML knows a line break more than Markdown does.
        assert 1 <= finding.line <= len(re.findall("\r\n?|[\n\u2028]", parts[place])) + 1
        assert finding.message.isprintable()


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "## How to use\n```python\n" + "".join(f"nlu.load('{i}.')\n" for i in range(n // 20)),
        lambda n: "## How to use\n```python\n" + "".join(f'X{i}.pretrained("a", "fr")\n' for i in range(n // 28)),
        lambda n: "## How to use\n```python\n" + "X." * (n // 2) + "A" * n + "A" + " " * n + ".",
        lambda n: "".join(f"[Download](https://x/{i})\n" for i in range(n // 25)),
        lambda n: "".join(f"https://huggingface.co/bert-{i}\n" for i in range(n // 32)),
        lambda n: "".join(f"```a{i}\n" for i in range(n // 9)),
        lambda n: "```\n" + "{:.a}\n" * (n // 6) + "```\n",
        lambda n: "## Model Information\n" + "|Max sentense length:|x|\n" * (n // 25),
        lambda n: "## Predicted Entities\n" + "".join(f"`{i}`, `{i}`, ``, " for i in range(n // 24)),
        lambda n: "problem_type" * (n // 12) + "problem_type" + " " * n,
        lambda n: "\r" * n,
        lambda n: "tags:\n" + "  - no\n" * (n // 7) + "---\n",
    ],
)
def test_hostile_repetitions_take_linear_time(make: Callable[[int], str]) -> None:
    # Anything quadratic would run into the suite's time limit.
    head, body = "---\nname: a\nlanguage: en\nannotator: BertForSequenceClassification\n", make(1_000_000)
    assert lint_card(head + ("" if body.startswith("tags") else "---\n") + body, path=FILE)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
def test_real_cards_are_read_and_every_finding_has_its_line() -> None:
    seen: set[str] = set()
    for text, known in islice(corpus(), 0, None, 4):
        for finding in lint_card(text, path=known["path"]):
            assert 1 <= finding.line <= text.count("\n") + 1
            seen.add(finding.rule.code)
    assert "C001" not in seen
    assert len(seen) > 20
