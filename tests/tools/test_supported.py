"""The page of what can be opened is that of the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hubclient.convert.annotators import can_open, unsupported, what_else
from hubclient.models import FAMILIES
from hubclient.models.tokenizer_kinds import KINDS

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_table_that_the_program_writes() -> None:
    done = subprocess.run([sys.executable, "tools/supported.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"<!-- table -->\n{done.stdout}<!-- end -->" in (ROOT / "docs" / "supported.md").read_text(encoding="utf-8")
    assert done.stdout.count("\n") == 2 + len(FAMILIES)


def test_every_family_has_a_tokenizer() -> None:
    assert FAMILIES.keys() == KINDS.keys()


@pytest.mark.parametrize("annotator", ["ClassifierDLModel", "MultiClassifierDLModel", "SentimentDLModel"])
def test_classifiers_over_embeddings_are_refused_with_what_they_are(annotator: str) -> None:
    error = unsupported(annotator, "here")
    assert "sentence embeddings" in (error.why or "")
    assert "docs/supported.md" in (error.hint or "")


def test_what_is_supported_is_nothing_else() -> None:
    assert can_open("AlBertForSequenceClassification")
    assert what_else("AlBertForSequenceClassification") is None
    assert what_else("BertForQuestionAnswering") == "a model that answers questions"
    assert what_else("SomethingUnheardOf") is None
