"""hub inspect"""

from __future__ import annotations

import json

import pytest

from tests.e2e.material import DEMO, DEMO_ZIP, PUBMED_FOLDER
from tests.e2e.shell import hub
from tests.servers.hub import FakeHub


def test_facts_of_an_archive() -> None:
    run = hub("inspect", DEMO)
    assert run.code == 0
    facts = dict(line.split("\t", 1) for line in run.lines)
    assert facts["annotator"] == "BertForSequenceClassification"
    assert facts["labels"] == "neg, pos (archive labels field)"
    assert facts["max length"] == "128 (archive maxSentenceLength)"
    assert facts["weights"].startswith("bert_classification_tensorflow, 4.8 MB")
    assert "requests" in facts["read"]
    assert "no language was given" in run.err


def test_json(fakehub: FakeHub) -> None:
    seen = json.loads(hub("inspect", "--json", str(DEMO_ZIP)).out)
    assert seen["model"]["labels"] == ["neg", "pos"]
    assert seen["model"]["facts"]["lowercase"] == {"value": True, "source": "archive vocabulary", "disagreements": []}
    assert seen["card"] is None
    fakehub.add("someone/tiny", PUBMED_FOLDER)
    seen = json.loads(hub("inspect", "--json", "hf:someone/tiny", env={"HF_ENDPOINT": fakehub.endpoint}).out)
    assert len(seen["model"]["labels"]) == 14
    assert seen["model"]["engine"] == "safetensors"


@pytest.mark.parametrize(("reference", "code"), [("nothing_of_this_name", 4), ("./nothing.zip", 5), (".", 2)])
def test_exit_codes(reference: str, code: int) -> None:
    assert hub("inspect", reference).code == code
