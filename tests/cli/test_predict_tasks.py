"""`hub predict` with labels of the caller's, and of a model that finds entities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubclient import from_archive, from_folder
from tests.e2e.material import DEMO_ZIP
from tests.e2e.shell import Run, hub
from tests.tasks.made import TAGS, save_model
from tests.tasks.test_zero_shot import nli_archive

TEXTS = ["a good film", "my phone is bad"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def choices(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = nli_archive(tmp_path_factory.mktemp("archive") / "a.zip", candidateLabels=["fine", "awful, dull"])
    return from_archive(archive, task="zero-shot-classification", cache_dir=cache, progress=False).path


@pytest.fixture(scope="module")
def tags(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_model(tmp_path_factory.mktemp("tokens"), "TokenClassification", TAGS)
    return from_folder(folder, task="token-classification", cache_dir=cache, progress=False).path


def predict(folder: Path, *arguments: str, text: str = "") -> Run:
    done = hub("predict", folder, *arguments, text=text)
    assert (done.code, done.err) == (0, "")
    return done


def test_labels_of_the_caller(choices: Path) -> None:
    model = from_folder(choices, task="zero-shot-classification")
    found = predict(choices, "--label", "phone", "--label", "film, book", *TEXTS)
    wanted = model(TEXTS, ["phone", "film, book"])
    assert found.lines == [f"{one.label}\t{one.score:.4f}\t{text}" for one, text in zip(wanted, TEXTS, strict=True)]
    several = predict(choices, "--label", "phone", "--label", "film", "--multi-label", "--threshold", "0", "--json", text=TEXTS[0] + "\n")
    assert json.loads(several.out) == {"text": TEXTS[0], **model(TEXTS[0], ["phone", "film"], multi_label=True, threshold=0.0).to_dict()}


def test_the_models_own_labels(choices: Path) -> None:
    model = from_folder(choices, task="zero-shot-classification")
    assert predict(choices, TEXTS[0]).lines == [f"{model(TEXTS[0]).label}\t{model(TEXTS[0]).score:.4f}\t{TEXTS[0]}"]
    top = predict(choices, TEXTS[0], "--top-k", "9", "--template", "so {}").lines
    assert top == [f"{label}\t{score:.4f}\t{TEXTS[0]}" for label, score in model(TEXTS[0], hypothesis_template="so {}").scores.items()]


def test_entities(tags: Path) -> None:
    model = from_folder(tags, task="token-classification")
    lines = predict(tags, *TEXTS).lines
    assert lines == [f"{one.label}\t{one.score:.4f}\t{one.text}\t{text}" for text in TEXTS for one in model(text)]
    assert len(lines) > 2
    records = [json.loads(line) for line in predict(tags, "--json", text="\n".join([*TEXTS, ""]) + "\n").lines]
    assert records == [{"text": text, "entities": [one.to_dict() for one in model(text)]} for text in [*TEXTS, ""]]


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("tags", ["--top-k", "2"], "--top-k"),
        ("tags", ["--threshold", "0.5"], "threshold"),
        ("tags", ["--label", "a"], "token-classification"),
        ("tags", ["--multi-label"], "--multi-label"),
        ("plain", ["--template", "so {}"], "--template"),
        ("plain", ["--label", "a"], "zero-shot"),
        ("choices", ["--template", "so"], "template"),
        ("choices", ["--label", "a", "--label", "a"], "twice"),
    ],
)
def test_options_of_another_task(kind: str, arguments: list[str], words: str, choices: Path, tags: Path, cache: Path) -> None:
    folders = {"tags": tags, "choices": choices, "plain": DEMO_ZIP}
    done = hub("predict", folders[kind], *arguments, "a text", env={"HUBCLIENT_CACHE": str(cache)})
    assert done.code == 2
    assert words in done.err
    assert done.out == ""
