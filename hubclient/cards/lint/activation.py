"""Checks of what nothing else tells: whether a classifier's scores are sigmoids. A default says nothing, so an overlay has to."""

from __future__ import annotations

import re

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.source import Source

_CLASSIFIER = "ForSequenceClassification"
_CLASSIFIER_TASKS = {"text classification", "sentiment analysis"}
# The losses of PyTorch, Keras and TensorFlow that put a sigmoid on each score, and how transformers and Spark NLP ask for one.
_SIGMOID = re.compile(
    r"(?<![a-z])(?:"
    r"bce(?:[ _-]?with[ _-]?logits)?[ _-]?loss"
    r"|binary[ _-]?cross[ _-]?entropy"
    r"|sigmoid[ _-]?cross[ _-]?entropy"
    r"|multi[ _-]?label[ _-]?soft[ _-]?margin[ _-]?loss"
    r"|problem_type[`\"']?\s{0,9}[:=]\s{0,9}[`\"']?multi_label_classification"
    r"|setactivation\(\s{0,9}[\"']sigmoid[\"']"
    r")",
    re.IGNORECASE,
)
_MULTI_LABEL = re.compile(r"(?<![a-z])multi[ _-]?label", re.IGNORECASE)


def sigmoid_loss(source: Source) -> Remarks:
    match = _loss(source)
    if match:
        yield Remark(source.line_at(match.start()), f"{quoted(match[0])} gives every label a score of its own, and {_overlay(source)}")


def multi_label(source: Source) -> Remarks:
    """The name, title, tags and origin only: prose may speak of other models."""
    card = source.card
    if _loss(source) or not _is_silent_classifier(source):
        return
    places = (("name", card.model_name), ("title", card.title or ""), *(("tags", tag) for tag in card.tags), ("", card.hf_origin or ""))
    for field, text in places:
        if _MULTI_LABEL.search(text):
            line = source.front.line_of(field, text) if field else source.line_of(text)
            yield Remark(line, f"{quoted(text)} speaks of a multi-label model, and {_overlay(source)}")
            return


def _loss(source: Source) -> re.Match[str] | None:
    return _SIGMOID.search(source.text) if _is_silent_classifier(source) else None


def _is_silent_classifier(source: Source) -> bool:
    """Whether the card is of a text classifier that may be one or the other, and its overlay does not say sigmoid."""
    card = source.card
    if source.overlay.activation == "sigmoid":
        return False
    if card.annotator:
        return card.annotator.endswith(_CLASSIFIER)
    return any(task.casefold() in _CLASSIFIER_TASKS for task in card.task)


def _overlay(source: Source) -> str:
    said = source.overlay.activation
    return f"the overlay says {said}" if said else "no overlay says that the activation is sigmoid"
