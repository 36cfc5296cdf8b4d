"""Token classification: entities are those of transformers' pipeline with aggregation_strategy="simple"."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TokenClassificationPipeline

from hubclient import Entity, TokenClassifier, from_archive, from_folder
from hubclient.entities import TaggedToken, group, without_overlaps
from hubclient.errors import InvalidText, UsageError
from tests.tasks.made import MAX_LENGTH, TAGS, reference, save_model

ARCHIVES = Path(__file__).parents[3] / "shared" / "archives"
GOLDENS = sorted(ARCHIVES.glob("*token*.golden.jsonl"))
TEXTS = ["this is a good film.", "", "Unseen words, ünd Ärger 漢字 😀", "it's [MASK] a-b", "film phone " * 40, "x"]
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def pipe(token_repository: Path) -> Any:
    return reference("token-classification", token_repository, "TokenClassification", aggregation_strategy="simple")


def same(found: list[Entity], wanted: list[dict[str, Any]]) -> bool:
    pairs = list(zip(found, wanted, strict=False))
    return len(found) == len(wanted) and all(
        (one.label, one.start, one.end, one.text) == (other["entity_group"], other["start"], other["end"], other["word"])
        and abs(one.score - other["score"]) <= TOLERANCE
        for one, other in pairs
    )


@pytest.mark.parametrize("text", TEXTS)
def test_entities_are_the_pipelines(tagger: TokenClassifier, pipe: Any, text: str) -> None:
    assert same(tagger(text), pipe(text))


def test_many_texts(tagger: TokenClassifier, pipe: Any) -> None:
    found = tagger(TEXTS, batch_size=4)
    assert all(same(entities, pipe(text)) for entities, text in zip(found, TEXTS, strict=True))
    assert sum(map(len, found)) > 10
    assert {entity.label for entities in found for entity in entities} <= {"PER", "ORG"}
    assert tagger([]) == []
    assert list(tagger.stream(iter(TEXTS[:2]))) == found[:2]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_text(tagger: TokenClassifier, pipe: Any, texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    assert all(same(entities, pipe(text)) for entities, text in zip(tagger(texts), texts, strict=True))


@pytest.mark.parametrize("stride", [0, 7])
def test_windows_are_the_pipelines(tagger: TokenClassifier, token_repository: Path, stride: int) -> None:
    pipe = reference("token-classification", token_repository, "TokenClassification", aggregation_strategy="simple", stride=stride)
    text = " ".join(f"good {word} film, a-b." for word in ["phone", "bad", "this", "example", "zz", "y"] * 8)
    found = tagger(text, long_texts="window", stride=stride)
    assert same(found, pipe(text))
    assert found[-1].end > tagger(text)[-1].end
    assert tagger("a film", long_texts="window") == tagger("a film")


def test_logits_and_places_of_tokens(tagger: TokenClassifier) -> None:
    long, short = tagger.logits([TEXTS[4], TEXTS[0]])
    assert long.shape == (MAX_LENGTH, len(TAGS))
    assert long.dtype == np.float32
    ids, offsets = tagger.encode(TEXTS[0]), tagger.offsets(TEXTS[0])
    assert len(ids) == len(offsets) == len(short) == 8
    assert [TEXTS[0][start:end] for start, end in offsets] == ["", "this", "is", "a", "good", "film", ".", ""]
    assert np.abs(tagger.logits([TEXTS[0]])[0] - short).max() < 1e-5
    assert len(tagger.offsets(TEXTS[4])) == MAX_LENGTH


def test_the_torch_engine(tagger: TokenClassifier) -> None:
    other = TokenClassifier(tagger.path, engine="torch")
    assert all(np.abs(one - two).max() <= TOLERANCE for one, two in zip(tagger.logits(TEXTS), other.logits(TEXTS), strict=True))


def test_progress_counts_texts(tagger: TokenClassifier) -> None:
    told: list[int] = []
    tagger(TEXTS, progress=told.append, batch_size=2)
    assert sum(told) == len(TEXTS)


@pytest.mark.parametrize("text", [("a", "b"), [("a", "b")], 3, [None], b"x"])
def test_only_single_texts(tagger: TokenClassifier, text: Any) -> None:
    with pytest.raises(InvalidText):
        tagger(text)


@pytest.mark.parametrize("options", [{"activation": "softmax"}, {"threshold": 0.5}, {"pooling": "max", "long_texts": "window"}])
def test_options_that_mean_nothing_here(token_repository: Path, tasks_cache: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="means nothing"):
        from_folder(token_repository, task="token-classification", cache_dir=tasks_cache, **options)


def test_a_model_with_other_labels_than_bio(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "TokenClassification", ["O", "NOUN", "I-B-x", "B-O", "-"])
    pipe = reference("token-classification", folder, "TokenClassification", aggregation_strategy="simple")
    classifier = from_folder(folder, task="token-classification", cache_dir=tmp_path / "cache")
    assert all(same(classifier(text), pipe(text)) for text in TEXTS)


# The grouping by itself, with labels in every order.

LABELS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y", "X", "B-", "I-O", "X-Y-Z"])
theirs = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
theirs.tokenizer = SimpleNamespace(convert_tokens_to_string=" ".join)


@given(st.lists(st.tuples(LABELS, st.floats(0, 1, width=32)), max_size=12))
@settings(deadline=None, derandomize=True)
def test_grouping_is_the_pipelines(tags: list[tuple[str, float]]) -> None:
    tokens = [TaggedToken(label, score, 2 * place, 2 * place + 1, f"t{place}") for place, (label, score) in enumerate(tags)]
    wanted = theirs.group_entities(
        [
            {"entity": token.label, "score": np.float32(token.score), "word": token.piece, "start": token.start, "end": token.end}
            for token in tokens
        ]
    )
    found = group(tokens, " ".join)
    kept = [entity for entity in wanted if entity["entity_group"] != "O"]
    assert [(one.label, one.score, one.text, one.start, one.end) for one in found] == [tuple(entity.values()) for entity in kept]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.floats(0, 1, width=32)), max_size=12))
@settings(deadline=None, derandomize=True)
def test_overlaps_are_settled_as_the_pipeline_does(spans: list[tuple[int, int, float]]) -> None:
    entities = [Entity("X", score, start, start + length, str(place)) for place, (start, length, score) in enumerate(spans)]
    wanted = theirs.aggregate_overlapping_entities([entity.to_dict() for entity in entities])
    assert [entity.to_dict() for entity in without_overlaps(entities)] == wanted


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.stem)
def test_golden_answers(golden: Path, engine: str, tasks_cache: Path) -> None:
    facts, *rows = map(json.loads, golden.read_text("utf-8").splitlines())
    archive = ARCHIVES / facts["archive"]
    classifier = from_archive(archive, task="token-classification", engine=engine, cache_dir=tasks_cache, progress=False)
    texts = [row["text"] for row in rows]
    assert list(classifier.labels) == facts["labels"]
    assert classifier.max_length == facts["max_length"]
    for row, logits, entities in zip(rows, classifier.logits(texts), classifier(texts), strict=True):
        assert classifier.encode(row["text"]) == row["input_ids"]
        assert [list(place) for place in classifier.offsets(row["text"])] == row["offsets"]
        assert np.abs(logits - np.array(row["logits"])).max() <= TOLERANCE
        assert np.abs(classifier.logits([row["text"]])[0] - np.array(row["logits"])).max() <= TOLERANCE
        assert same(entities, row["entities_simple"])
