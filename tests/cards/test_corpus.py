"""The parser, graded on thousands of real cards."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hubclient.cards import parse_card
from hubclient.cards.benchmark import parse_benchmarks
from tests.cards.shared import CORPUS, corpus

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")

_NAMES = """
name title language date tags task edition product lib_version spark_version annotator supported engine recommended deprecated nav_key class
repository author download_url download_parsed s3_uri s3_parsed model_info max_sentence_length case_sensitive size_mb labels_form labels
hf_origin hf_origins hf_legacy_models nlu_refs nlu_ref
"""
FIELDS = _NAMES.split()


def _grade() -> tuple[int, Counter[str], list[tuple[str, str, Any, Any]]]:
    graded, checked = 0, Counter[str]()
    wrong: list[tuple[str, str, Any, Any]] = []
    for text, known in corpus():
        graded += 1
        card = parse_card(text, path=known["path"])
        found = card.to_dict()
        expected = {field: known[field] for field in FIELDS}
        expected["labels_verbatim"] = known.get("labels_verbatim", known["labels"])
        for section in ("results", "benchmarking"):
            found[f"has_{section}"] = found[section] is not None
            expected[f"has_{section}"] = known[f"has_{section}"]
        for field, value in expected.items():
            if field.removesuffix("_verbatim") not in known["unsure"]:
                checked[field] += 1
                if found[field] != value:
                    wrong.append((known["path"], field, found[field], value))
    return graded, checked, wrong


def test_tables_of_scores_become_numbers() -> None:
    sections = [card.benchmarking for text, _ in corpus() if "## Benchmarking" in text and (card := parse_card(text)).benchmarking]
    read = [benchmarks for section in sections if (benchmarks := parse_benchmarks(section))]
    assert len(sections) > 180
    assert len(read) > 90
    for benchmarks in read:
        assert all(score.label for benchmark in benchmarks for score in benchmark.scores)
        assert all(benchmark.scores or benchmark.averages for benchmark in benchmarks)


def test_the_whole_corpus() -> None:
    graded, checked, wrong = _grade()
    assert graded > 11_000
    assert min(checked.values()) > graded - 30
    assert wrong == []
