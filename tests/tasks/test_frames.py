"""The frames that users bring: transformers, scikit-learn, columns of data frames, pickles."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from hubclient import Classifier, TokenClassifier, ZeroShotClassifier, from_archive, from_folder
from hubclient.errors import InvalidText, UsageError
from hubclient.estimator import HubEstimator
from hubclient.texts import Text
from tests.e2e.material import DEMO_ZIP
from tests.tasks.made import NLI, save_model, write_json

TEXTS = ["a good film", "Bad phone, this is [MASK] film " * 9, "漢字 😀 [PAD] ünd", "it's a-b", "a b c d"]


def test_transformers_model_and_tokenizer(classifier: Classifier) -> None:
    model, tokenizer = classifier.to_transformers()
    texts: list[Text] = [*TEXTS, ("a film", "b " * 60)]
    for text in texts:
        tokens = tokenizer(*([text] if isinstance(text, str) else text), truncation=True, return_tensors="pt")
        assert tokens["input_ids"][0].tolist() == classifier.encode(text)
        assert np.abs(model(**tokens).logits.detach().numpy() - classifier.logits([text])).max() <= 1e-4
    assert model.config.id2label == dict(enumerate(classifier.labels))
    padded = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
    assert np.abs(model(**padded).logits.detach().numpy() - classifier.logits(TEXTS)).max() <= 1e-4


def test_the_tokenizer_is_as_it_was_opened(tmp_path: Path) -> None:
    opened = from_archive(DEMO_ZIP, cache_dir=tmp_path, progress=False, max_length=7, lowercase=False)
    _, tokenizer = opened.to_transformers()
    text = "A GOOD Film that is longer than seven tokens"
    assert tokenizer(text, truncation=True)["input_ids"] == opened.encode(text)
    assert tokenizer.model_max_length == 7


def test_special_tokens_that_the_tokenizer_does_not_have_are_not_added(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "SequenceClassification", NLI)
    opened = from_folder(folder, cache_dir=tmp_path / "cache")
    settings = opened.path / "tokenizer_config.json"
    write_json(settings, {**json.loads(settings.read_text("utf-8")), "mask_token": "film", "eos_token": "<good>", "pad_token": None})
    _, tokenizer = opened.to_transformers()
    for text in ("a <good> film", "filmfilm", "[PAD] x"):
        assert tokenizer(text)["input_ids"] == opened.encode(text)
    assert tokenizer.pad_token == "[PAD]"


def test_a_pipeline_of_text_classification(classifier: Classifier, nli_repository: Path, tasks_cache: Path) -> None:
    answers = classifier.to_pipeline()(TEXTS)
    assert [answer["label"] for answer in answers] == classifier.predict(TEXTS).tolist()
    assert [answer["score"] for answer in answers] == pytest.approx([one.score for one in classifier(TEXTS)], abs=1e-5)
    raw = from_folder(nli_repository, cache_dir=tasks_cache, activation="none")
    scores = {item["label"]: item["score"] for item in raw.to_pipeline()(TEXTS[0], top_k=None)}
    assert [scores[label] for label in NLI] == pytest.approx(raw.logits(TEXTS[:1])[0].tolist(), abs=1e-4)


def test_the_other_pipelines(zero_shot: ZeroShotClassifier, tagger: TokenClassifier) -> None:
    wanted = zero_shot.to_pipeline()(TEXTS[1], candidate_labels=["film", "phone"])
    assert zero_shot(TEXTS[1], ["film", "phone"]).scores == pytest.approx(
        dict(zip(wanted["labels"], wanted["scores"], strict=True)), abs=1e-5
    )
    entities = tagger.to_pipeline()(TEXTS[0])
    assert [(one["entity_group"], one["start"], one["end"]) for one in entities] == [(e.label, e.start, e.end) for e in tagger(TEXTS[0])]


def test_copies_and_pickles(nli_repository: Path, tasks_cache: Path, zero_shot: ZeroShotClassifier, tagger: TokenClassifier) -> None:
    opened = from_folder(nli_repository, cache_dir=tasks_cache, max_length=9, long_texts="window", stride=2, pooling="max")
    assert copy.deepcopy(opened) is opened
    again = pickle.loads(pickle.dumps(opened))
    assert type(again) is Classifier
    assert np.array_equal(again.logits(TEXTS), opened.logits(TEXTS))
    assert (again.manifest, again.windows, again.engine) == (opened.manifest, opened.windows, opened.engine)
    assert pickle.loads(pickle.dumps(zero_shot))("a", ["b"]) == zero_shot("a", ["b"])
    assert pickle.loads(pickle.dumps(tagger))("a film") == tagger("a film")
    assert str(opened.path) in repr(opened)


# scikit-learn


@pytest.fixture(scope="module")
def reviews() -> tuple[list[str], list[str]]:
    texts = [f"{opening} {word} film" for opening in ("a", "this is a", "what a") for word in ("great", "awful", "good", "boring")]
    return texts, ["pos", "neg", "pos", "neg"] * 3


@pytest.fixture(scope="module")
def demo(tasks_cache: Path) -> Classifier:
    return from_archive(DEMO_ZIP, cache_dir=tasks_cache, progress=False)


@pytest.mark.parametrize("opened", [True, False], ids=["opened", "by reference"])
def test_cross_validation(demo: Classifier, reviews: tuple[list[str], list[str]], opened: bool) -> None:
    texts, labels = reviews
    estimator = HubEstimator(demo if opened else str(demo.path))
    right = float(np.mean(demo.predict(texts) == labels))
    assert cross_val_score(estimator, texts, labels, cv=3).mean() == pytest.approx(right)
    assert cross_val_predict(estimator, texts, labels, cv=2).tolist() == demo.predict(texts).tolist()
    for scoring in ("roc_auc", "neg_log_loss", "f1_macro"):
        assert np.isfinite(cross_val_score(estimator, texts, labels, cv=2, scoring=scoring)).all()


def test_a_pipeline_of_scikit_learn(demo: Classifier, reviews: tuple[list[str], list[str]]) -> None:
    texts, labels = reviews
    shouting = [text.upper() for text in texts]
    pipe = Pipeline([("small", FunctionTransformer(_small)), ("classifier", HubEstimator(demo))])
    assert pipe.fit(shouting, labels).predict(shouting).tolist() == demo.predict(texts).tolist()
    assert np.array_equal(pipe.predict_proba(shouting), demo.predict_proba(texts))
    assert pipe.classes_.tolist() == ["neg", "pos"]
    search = GridSearchCV(pipe, {"classifier__batch_size": [1, 8]}, cv=2).fit(texts, labels)
    assert search.best_params_["classifier__batch_size"] in (1, 8)


def _small(texts: list[str]) -> list[str]:
    return [text.lower() for text in texts]


def test_clone_and_parameters(demo: Classifier) -> None:
    estimator = HubEstimator(demo, batch_size=4)
    assert estimator.get_params() == {"classifier": demo, "batch_size": 4}
    assert clone(estimator).get_params() == estimator.get_params()
    assert clone(estimator).set_params(batch_size=8).batch_size == 8
    again = pickle.loads(pickle.dumps(estimator.fit(["a"], ["pos"])))
    assert again.predict(["a great film"]).tolist() == ["pos"]


def test_classes_are_sorted_and_columns_with_them(nli_repository: Path, tasks_cache: Path) -> None:
    classifier = from_folder(nli_repository, cache_dir=tasks_cache)
    estimator = HubEstimator(classifier).fit(TEXTS)
    assert estimator.classes_.tolist() == sorted(NLI)
    scores = classifier.predict_proba(TEXTS)
    assert np.array_equal(estimator.predict_proba(TEXTS), scores[:, [NLI.index(label) for label in sorted(NLI)]])
    best = estimator.classes_[estimator.predict_proba(TEXTS).argmax(axis=1)]
    assert estimator.predict(TEXTS).tolist() == best.tolist() == classifier.predict(TEXTS).tolist()


def test_a_multi_label_model(nli_repository: Path, tasks_cache: Path) -> None:
    classifier = from_folder(nli_repository, cache_dir=tasks_cache, activation="sigmoid")
    estimator = HubEstimator(classifier).fit(TEXTS, np.zeros((len(TEXTS), 3), int))
    found = estimator.predict(TEXTS)
    assert [{label for label, chosen in zip(estimator.classes_, row, strict=True) if chosen} for row in found] == [
        set(one.selected) for one in classifier(TEXTS)
    ]
    assert estimator.score(TEXTS, found) == 1
    for wrong in (["neutral"] * len(TEXTS), np.zeros((len(TEXTS), 2)), np.full((len(TEXTS), 3), 2)):
        with pytest.raises(UsageError, match="multi-label"):
            HubEstimator(classifier).fit(TEXTS, wrong)


@pytest.mark.parametrize("labels", [["pos", "nex"], [0, 1], [["pos"], ["neg"]], [None, "pos"]])
def test_labels_that_the_model_does_not_have(demo: Classifier, labels: Any) -> None:
    with pytest.raises(UsageError) as caught:
        HubEstimator(demo).fit(["a", "b"], labels)
    assert "neg, pos" in str(caught.value.hint)


def test_a_model_with_one_output(tmp_path: Path) -> None:
    classifier = from_folder(save_model(tmp_path / "model", "SequenceClassification", ["score"]), cache_dir=tmp_path / "cache")
    with pytest.raises(UsageError, match="one output"):
        HubEstimator(classifier).fit(TEXTS)


def test_columns_of_data_frames(demo: Classifier, reviews: tuple[list[str], list[str]]) -> None:
    texts, labels = reviews
    frame = pd.DataFrame({"text": texts, "label": labels})
    assert demo(frame["text"]) == demo(texts)
    assert demo.predict(pl.DataFrame({"text": texts})["text"]).tolist() == demo.predict(texts).tolist()
    assert cross_val_score(HubEstimator(demo), frame["text"], frame["label"], cv=3).shape == (3,)


def test_new_columns_for_tables(demo: Classifier, reviews: tuple[list[str], list[str]]) -> None:
    texts, _ = reviews
    wanted = demo.predict(texts).tolist()
    frame = pd.DataFrame({"text": texts}, index=range(5, 5 + len(texts)))
    assert frame.assign(**demo.columns(frame["text"]))["label"].tolist() == wanted
    table = pl.DataFrame({"text": texts})
    assert table.hstack(pl.DataFrame(demo.columns(table["text"])))["label"].to_list() == wanted
    column = pa.chunked_array([texts[:5], [], texts[5:]])
    assert demo.predict(column).tolist() == demo.predict(column.combine_chunks().dictionary_encode()).tolist() == wanted
    assert pa.table(demo.columns(column))["label"].to_pylist() == wanted
    rows = datasets.Dataset.from_dict({"text": texts}).map(demo.columns, input_columns="text", batched=True, batch_size=5)
    assert rows["label"][:] == wanted
    assert rows["score"][:] == pytest.approx([one.score for one in demo(texts)], abs=1e-5)
    assert {name: len(values) for name, values in demo.columns([]).items()} == {"label": 0, "score": 0}
    with pytest.raises(InvalidText, match="missing"):
        demo.predict(pa.array(["a", None]))
    with pytest.raises(InvalidText, match="not a text"):
        demo.predict(pa.table({"text": texts}))


def test_columns_of_a_multi_label_model(nli_repository: Path, tasks_cache: Path) -> None:
    opened = from_folder(nli_repository, cache_dir=tasks_cache, activation="sigmoid", threshold=0.45)
    columns = opened.columns(TEXTS)
    assert [tuple(labels) for labels in columns["selected"]] == [one.selected for one in opened(TEXTS)]
    assert pl.DataFrame(columns).schema["selected"] == pl.List(pl.String)
    assert pa.table(columns)["selected"].to_pylist() == columns["selected"]


def test_the_stream_by_its_other_name(demo: Classifier, reviews: tuple[list[str], list[str]]) -> None:
    assert list(demo.predict_iter(iter(reviews[0]))) == list(demo.stream(iter(reviews[0])))


def test_scikit_learn_is_asked_for_by_name() -> None:
    code = "import sys; sys.modules['sklearn'] = None\nimport hubclient\nimport hubclient.estimator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "hubclient[evaluate]" in done.stderr
