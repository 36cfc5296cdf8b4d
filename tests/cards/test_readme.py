"""Cards in the Hub's dialect."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.cards.readme import card_of_config, parse_readme
from hubclient.errors import CardError

README = """\
---
license: apache-2.0
language:
- en
tags:
- sentiment
- "no"
datasets: [sst2, imdb]
pipeline_tag: text-classification
widget:
- text: "I like it: a lot"
  example_title: One
model-index:
- name: somebody/model
  results:
  - task: {type: text-classification}
    dataset:
      name: SST-2
      type: sst2
    metrics:
    - type: f1
      value: 0.91
    - {type: accuracy, value: 91.06}
  - dataset: {name: IMDB}
    metrics:
    - type: accuracy
      value: .5
---

# A model

It classifies.

## Labels
"""


def test_everything_that_is_said() -> None:
    card = parse_readme(README, repo="somebody/model", path="README.md")
    assert (card.name, card.language, card.title) == ("somebody/model", "en", "A model")
    assert (card.tags, card.task, card.hf_origin) == (("sentiment", "no"), ("text-classification",), "somebody/model")
    assert card.front_matter["license"] == "apache-2.0"
    assert card.references == "sst2\nimdb"
    assert card.description is not None
    assert card.description.startswith("# A model\n\nIt classifies.")
    assert [(benchmark.title, benchmark.accuracy) for benchmark in card.benchmarks] == [("SST-2", 0.9106), ("IMDB", 0.5)]


@pytest.mark.parametrize(
    ("front", "language"),
    [
        ("language: fr", "fr"),
        ("language: no", "no"),
        ("language: [en, fr]", "xx"),
        ("language: multilingual", "xx"),
        ("license: mit", "und"),
    ],
)
def test_languages(front: str, language: str) -> None:
    assert parse_readme(f"---\n{front}\n---\ntext", repo="a/b").language == language


@pytest.mark.parametrize("text", ["", "text", "# Title\r\n", "\ufeff---\n---\n"])
def test_front_matter_is_optional(text: str) -> None:
    assert parse_readme(text, repo="a/b").name == "a/b"


@pytest.mark.parametrize(
    "text", ["---\na: [\n---\n", "---\na: 1\n", "---\na: &x 1\nb: *x\n---\n", "---\na: !!python/name:os.system\n---\n"]
)
def test_broken_front_matter_is_told_with_its_line(text: str) -> None:
    with pytest.raises(CardError) as caught:
        parse_readme(text, repo="a/b", path="README.md")
    assert (caught.value.where or "").startswith("README.md:")


@pytest.mark.parametrize("front", ["tags: {a: b}", "language: {a: [b]}", "model-index: 3", "model-index: [1, {results: [{metrics: x}]}]"])
def test_fields_of_another_kind_say_nothing(front: str) -> None:
    card = parse_readme(f"---\n{front}\n---\n", repo="a/b")
    assert (card.tags, card.language, card.benchmarks) == ((), "und", ())


@given(st.text(alphabet="-:[]{}#\n ab'\"&*!|>", max_size=200))
def test_nothing_but_its_own_error(text: str) -> None:
    with contextlib.suppress(CardError):
        parse_readme(text, repo="a/b")


def test_a_repository_without_a_readme() -> None:
    card = card_of_config({"id2label": {"0": "neg", "1": "pos"}}, repo="a/b")
    assert (card.name, card.labels, card.hf_origin) == ("a/b", ("neg", "pos"), "a/b")
