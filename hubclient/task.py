"""What a model is asked to do, and which models can do it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hubclient.cards import Card
from hubclient.convert.annotators import HEADS, Task, find_annotator
from hubclient.errors import UsageError
from hubclient.models.family import head_of
from hubclient.native import Manifest

# Where the class of each task is. None of them is imported before it is needed.
CLASSES: Mapping[Task, tuple[str, str]] = MappingProxyType(
    {
        "text-classification": ("hubclient.classifier", "Classifier"),
        "zero-shot-classification": ("hubclient.zero_shot", "ZeroShotClassifier"),
        "token-classification": ("hubclient.tagger", "TokenClassifier"),
    }
)
# What decides nothing in a task's answers.
_WITHOUT: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "text-classification": (),
        "zero-shot-classification": ("activation",),
        "token-classification": ("activation", "threshold", "pooling"),
    }
)


def check_task(task: str | None) -> None:
    """None is whatever the model is for. Raises UsageError."""
    if task is not None and task not in CLASSES:
        raise UsageError(f"the task '{task}' is not supported", hint=f"supported: {', '.join(CLASSES)}")


def check_card(card: Card, task: Task | None) -> None:
    """Raises UsageError where the card's annotator says that the model is for something else: so much is known before it is fetched."""
    annotator = find_annotator(card.annotator) if card.annotator else None
    if annotator and task:
        _check(annotator.task, task, card.model_name)


def task_of(manifest: Manifest, config: Mapping[str, Any], wanted: Task | None) -> Task:
    """What a model is opened for. Raises UsageError where it cannot do what is wanted, UnsupportedModel where it does none of these."""
    annotator = find_annotator(manifest.annotator) if manifest.annotator else None
    own = annotator.task if annotator else _of_head(config)
    if wanted:
        _check(own, wanted, manifest.name or manifest.origin.url)
    return wanted or own


def check_options(task: Task, options: Mapping[str, object]) -> None:
    """Raises UsageError for an option that means nothing in this task."""
    for name in _WITHOUT[task]:
        if options.get(name) is not None:
            raise UsageError(f"{name} means nothing in {task}", hint=f"leave {name} out")


def _of_head(config: Mapping[str, Any]) -> Task:
    head = head_of(config)
    return next(task for task, its_head in HEADS.items() if its_head == head)


def _check(own: Task, wanted: Task, name: str) -> None:
    # A classifier of texts may be one of inference: its labels decide, which are known when it is opened.
    if own != wanted and (own, wanted) != ("text-classification", "zero-shot-classification"):
        raise UsageError(f"'{name}' is a model for {own}, and {wanted} was asked for", hint=f"ask for task='{own}'")
