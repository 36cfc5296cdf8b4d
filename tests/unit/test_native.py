"""Facts, who decided them, and the manifest that keeps them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hubclient.archive.metadata import parse_metadata
from hubclient.cards import Card, Overlay
from hubclient.convert.facts import ArchiveClaims, RepositoryClaims, in_force
from hubclient.disagreements import disagreements
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.facts import Fact, decide
from hubclient.native import MANIFEST, Facts, Manifest, Origin, read_manifest, write_json

DEFAULTS = {"activation": "softmax", "maxSentenceLength": 128, "caseSensitive": True, "threshold": 0.5, "multilabel": False}


def archive_facts(params: dict[str, Any], overlay: Overlay | None = None, *, labels: int = 2, vocabulary: bool | None = None) -> Facts:
    stage = {"class": "a.B", "uid": "u", "timestamp": 1, "sparkVersion": "3", "paramMap": params, "defaultParamMap": DEFAULTS}
    claims = ArchiveClaims(parse_metadata(json.dumps(stage).encode(), label="test"), True, vocabulary)
    return in_force(claims.decide(labels=labels, positions=512), overlay or Overlay(), 512)


def repository_facts(config: dict[str, Any], tokenizer: dict[str, Any] | None = None, *, labels: int = 2) -> Facts:
    return in_force(RepositoryClaims(config, tokenizer or {}, True).decide(labels=labels, positions=512), Overlay(), 512)


def test_the_first_that_speaks_wins_and_the_others_are_kept() -> None:
    assert decide([("a", None), ("b", 1), ("c", 2), ("d", 1)], 0, "default") == Fact(1, "b", (("c", 2),))
    assert decide([("a", None)], 0, "default") == Fact(0, "default")


def test_an_archive_without_a_default_is_not_said_to_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(DEFAULTS, "activation")
    assert archive_facts({}).activation == Fact("softmax", "Spark NLP's default")


@pytest.mark.parametrize(
    ("params", "overlay", "labels", "value", "source"),
    [
        ({}, None, 2, "softmax", "archive defaultParamMap.activation"),
        ({"activation": "sigmoid"}, None, 2, "sigmoid", "archive paramMap.activation"),
        ({"multilabel": True}, None, 2, "sigmoid", "archive paramMap.multilabel"),
        ({"activation": "none"}, None, 1, "none", "archive paramMap.activation"),
        ({}, None, 1, "sigmoid", "one output"),
        ({"activation": "softmax"}, Overlay(activation="sigmoid"), 14, "sigmoid", "overlay"),
    ],
)
def test_activation_of_archives(params: dict[str, Any], overlay: Overlay | None, labels: int, value: str, source: str) -> None:
    fact = archive_facts(params, overlay, labels=labels).activation
    assert (fact.value, fact.source) == (value, source)


@pytest.mark.parametrize(
    ("config", "labels", "value"),
    [
        ({}, 2, "softmax"),
        ({"problem_type": None}, 2, "softmax"),
        ({"problem_type": "multi_label_classification"}, 2, "sigmoid"),
        ({"problem_type": "single_label_classification"}, 2, "softmax"),
        ({"problem_type": "regression"}, 1, "none"),
        ({}, 1, "sigmoid"),
    ],
)
def test_activation_of_repositories(config: dict[str, Any], labels: int, value: str) -> None:
    assert repository_facts(config, labels=labels).activation.value == value


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="softplus"):
        archive_facts({"activation": "softplus"})
    with pytest.raises(UnsupportedModel, match="ranking"):
        repository_facts({"problem_type": "ranking"})


def test_a_lower_case_vocabulary_outranks_case_sensitive() -> None:
    assert archive_facts({"caseSensitive": True}, vocabulary=True).lowercase == Fact(
        True, "archive vocabulary", (("archive caseSensitive", False),)
    )
    assert archive_facts({"caseSensitive": False}).lowercase == Fact(True, "archive caseSensitive")
    assert archive_facts({}, Overlay(lowercase=False), vocabulary=True).lowercase.value is False


def test_max_length_is_never_above_the_positions() -> None:
    assert archive_facts({"maxSentenceLength": 1024}).max_length == Fact(512, "position table", (("archive maxSentenceLength", 1024),))
    assert archive_facts({"maxSentenceLength": 64}).max_length.value == 64
    assert repository_facts({}, {"model_max_length": 10**30}).max_length == Fact(512, "position table")
    assert repository_facts({}, {"model_max_length": 100}).max_length.value == 100


def manifest(**changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "name": "n",
        "language": "en",
        "lib_version": "3.4.4",
        "spark_version": "3.0",
        "annotator": "BertForSequenceClassification",
        "architecture": "bert",
        "origin": Origin("s3://b/k", 3, "ab", '"e"'),
        "tensors_digest": "cd",
        "labels": ("a", "b"),
        "labels_source": "archive labels field",
        "positions": 512,
        "facts": archive_facts({"maxSentenceLength": 1024}, vocabulary=True),
    }
    return Manifest(**{**fields, **changes})


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    write_json(tmp_path / MANIFEST, manifest().to_dict())
    assert read_manifest(tmp_path) == manifest()


@pytest.mark.parametrize("change", [{"format_version": 99}, {"facts": {}}, {"origin": {"x": 1}}, {"more": 1}])
def test_another_manifest_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    write_json(tmp_path / MANIFEST, {**manifest().to_dict(), **change})
    with pytest.raises(InconsistentModel, match="manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_broken_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(InconsistentModel):
        read_manifest(tmp_path)


def test_disagreements_name_both_sides() -> None:
    card = Card("n", "en", labels=("b", "a"), max_sentence_length=128, case_sensitive=True, annotator="BertForSequenceClassification")
    found = {difference.fact: str(difference) for difference in disagreements(manifest(), card)}
    assert "labels" not in found
    assert found["max_length"] == "max_length: 512 (position table), not 128 (card)"
    assert found["lowercase"] == "lowercase: True (archive vocabulary), not False (card)"
    assert disagreements(manifest(), None)[0].said == 1024


def test_overruling_keeps_what_was_said_before() -> None:
    facts = manifest().facts.overruled("caller", activation="sigmoid", max_length=512)
    assert facts.activation == Fact("sigmoid", "caller", (("archive defaultParamMap.activation", "softmax"),))
    assert facts.max_length == Fact(512, "caller", (("archive maxSentenceLength", 1024),))


def test_an_overlay_counts_as_it_is_today() -> None:
    stored = manifest(overlay={"activation": "sigmoid", "max_length": 600})
    assert stored.in_force().facts.activation.value == "sigmoid"
    assert stored.in_force().facts.max_length == Fact(512, "position table", (("overlay", 600), ("archive maxSentenceLength", 1024)))
    assert stored.in_force({}).facts.activation.value == "softmax"
    assert stored.in_force({"activation": "none"}).facts.activation.value == "none"
