"""The task picks what comes back; a model for something else is refused, and the error names the task to ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import pytest

from hubclient import Classifier, Hub, TokenClassifier, ZeroShotClassifier, from_archive, from_folder, load, pretrained
from hubclient.convert.annotators import Task
from hubclient.errors import UsageError
from hubclient.settings import Settings
from hubclient.task import CLASSES
from tests.e2e.material import DEMO, DEMO_ZIP
from tests.tasks.made import TAGS, save_model
from tests.tasks.test_zero_shot import nli_archive

KINDS = {"text-classification": Classifier, "zero-shot-classification": ZeroShotClassifier, "token-classification": TokenClassifier}


def typed(path: Path, task: Task) -> None:
    """Checked by mypy: the types follow the task."""
    assert_type(pretrained("a", "en"), Classifier)
    assert_type(pretrained("a", task="zero-shot-classification", max_length=3, offline=True, long_texts="window"), ZeroShotClassifier)
    assert_type(pretrained("a", task="token-classification", cache_dir=path), TokenClassifier)
    assert_type(load("a", version="1"), Classifier)
    assert_type(load("a", task="zero-shot-classification"), ZeroShotClassifier)
    assert_type(from_archive(path), Classifier)
    assert_type(from_archive(path, task="token-classification", engine="torch"), TokenClassifier)
    assert_type(from_folder(path, task="zero-shot-classification"), ZeroShotClassifier)
    assert_type(Hub().from_folder(path, task="token-classification"), TokenClassifier)
    assert_type(Hub().load("a", task=task), Classifier | ZeroShotClassifier | TokenClassifier)
    assert_type(Hub().pretrained("a", task=None), Classifier | ZeroShotClassifier | TokenClassifier)


@pytest.mark.parametrize("task", KINDS)
def test_the_task_picks_the_class(task: Any, nli_repository: Path, token_repository: Path, tasks_cache: Path) -> None:
    assert KINDS.keys() == CLASSES.keys()
    path = token_repository if task == "token-classification" else nli_repository
    opened: Any = from_folder(path, task=task, cache_dir=tasks_cache)
    assert opened.task == task
    assert type(opened) is KINDS[task]
    assert isinstance(Hub(cache_dir=tasks_cache).from_folder(path, task=task), KINDS[task])


def test_a_model_of_inference_is_a_classifier_too(nli_repository: Path, tasks_cache: Path) -> None:
    hub = Hub(cache_dir=tasks_cache)
    assert isinstance(hub.pretrained(str(nli_repository), task=None), Classifier)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("text-classification", "token-classification"), ("zero-shot-classification", "token-classification")],
)
def test_a_tagger_is_no_classifier(asked: Any, hint: str, token_repository: Path, tasks_cache: Path) -> None:
    with pytest.raises(UsageError, match=f"{asked} was asked for") as caught:
        from_folder(token_repository, task=asked, cache_dir=tasks_cache)
    assert caught.value.hint == f"ask for task='{hint}'"
    assert isinstance(Hub(cache_dir=tasks_cache).pretrained(str(token_repository), task=None), TokenClassifier)


def test_a_classifier_is_no_tagger(nli_repository: Path, tasks_cache: Path) -> None:
    with pytest.raises(UsageError, match="model for text-classification"):
        from_folder(nli_repository, task="token-classification", cache_dir=tasks_cache)


def test_what_an_archives_annotator_says_counts(tmp_path: Path) -> None:
    """Its config.json names a plain classifier, as it has to."""
    archive = nli_archive(tmp_path / "a.zip")
    with pytest.raises(UsageError, match="model for zero-shot-classification") as caught:
        from_archive(archive, cache_dir=tmp_path / "cache", progress=False)
    assert caught.value.hint == "ask for task='zero-shot-classification'"
    assert caught.value.exit_code == 2
    folder = from_archive(archive, task="zero-shot-classification", cache_dir=tmp_path / "cache", progress=False).path
    with pytest.raises(UsageError, match="zero-shot"):
        from_folder(folder)
    assert isinstance(from_folder(folder, task="zero-shot-classification"), ZeroShotClassifier)


def test_a_plain_archive_is_no_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no zero-shot classifier"):
        from_archive(DEMO_ZIP, task="zero-shot-classification", cache_dir=tmp_path, progress=False)
    with pytest.raises(UsageError, match="model for text-classification"):
        from_archive(DEMO_ZIP, task="token-classification", cache_dir=tmp_path, progress=False)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A hub with cards that say which annotator it is; nothing lies behind their addresses."""
    folder = tmp_path_factory.mktemp("cards")
    for name, annotator in (("tags", "BertForTokenClassification"), ("choices", "BertForZeroShotClassification")):
        uri = f"s3://auxdata.johnsnowlabs.com/public/models/{name}_en_5.5.3_3.4_1738774771318.zip"
        (folder / f"{name}.md").write_text(
            f"---\nlayout: model\ntitle: {name}\nname: {name}\ndate: 2025-01-01\nlanguage: en\nedition: Spark NLP 5.5.3\n"
            f"annotator: {annotator}\n---\n\n[Download]({uri.replace('s3://', 'https://s3.amazonaws.com/')})\n"
        )
    return Hub(settings=Settings(cache_dir=tmp_path_factory.mktemp("cache"), card_folders=(folder,), offline=True), progress=False)


@pytest.mark.parametrize(
    ("name", "asked", "own"),
    [
        ("tags", "text-classification", "token-classification"),
        ("tags", "zero-shot-classification", "token-classification"),
        ("choices", "text-classification", "zero-shot-classification"),
        (DEMO, "token-classification", "text-classification"),
    ],
)
def test_a_card_of_another_kind_is_known_before_anything_is_fetched(hub: Hub, name: str, asked: Any, own: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is a model for {own}") as caught:
        hub.pretrained(name, "en", task=asked)
    assert caught.value.hint == f"ask for task='{own}'"


def test_tasks_that_there_are_not(tmp_path: Path) -> None:
    unknown: Any = "summarization"
    for call in (pretrained, load, from_archive, from_folder):
        with pytest.raises(UsageError, match="summarization") as caught:
            call("x", task=unknown, cache_dir=tmp_path)
        assert all(task in str(caught.value.hint) for task in KINDS)


@pytest.mark.parametrize(("options", "words"), [({"activation": "softmax"}, "activation"), ({"engine": "x"}, "engine")])
def test_options_are_checked(nli_repository: Path, tasks_cache: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        from_folder(nli_repository, task="zero-shot-classification", cache_dir=tasks_cache, **options)


def test_another_head_is_refused(tmp_path: Path) -> None:
    from hubclient.errors import UnsupportedModel

    folder = save_model(tmp_path / "model", "TokenClassification", TAGS)
    config = (folder / "config.json").read_text("utf-8")
    (folder / "config.json").write_text(config.replace("BertForTokenClassification", "BertForQuestionAnswering"))
    with pytest.raises(UnsupportedModel, match="not a text classifier"):
        from_folder(folder, task="token-classification", cache_dir=tmp_path / "cache")
