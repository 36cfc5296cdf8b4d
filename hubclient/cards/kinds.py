"""What kinds of models Spark NLP's annotators are, and what a card of each kind is filed under."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENDING = re.compile(r"(?:For[A-Z]\w*|(?:Sentence)?Embeddings)\Z")


@dataclass(frozen=True)
class Kind:
    """`name`: as Hugging Face calls the task. `annotators`: how their names end. `tasks` and `tags`: what cards are filed under, in small
    letters. `has_labels`: its classes are fixed and have names."""

    name: str
    annotators: tuple[str, ...]
    tasks: frozenset[str]
    tags: frozenset[str]
    has_labels: bool = False


SEQUENCE = Kind(
    "text-classification",
    ("ForSequenceClassification", "ClassifierDLModel", "SentimentDLModel", "ViveknSentimentModel"),
    frozenset({"text classification", "sentiment analysis"}),
    frozenset({"sequence_classification", "text_classification"}),
    has_labels=True,
)
_KINDS = (
    SEQUENCE,
    Kind(
        "token-classification",
        ("ForTokenClassification", "NerDLModel", "NerCrfModel"),
        frozenset({"named entity recognition", "part of speech tagging"}),
        frozenset({"token_classification", "ner", "pos"}),
        has_labels=True,
    ),
    Kind(
        "image-classification",
        ("ForImageClassification",),
        frozenset({"image classification"}),
        frozenset({"image_classification"}),
        has_labels=True,
    ),
    Kind(
        "zero-shot-classification",
        ("ForZeroShotClassification",),
        frozenset({"zero-shot classification", "text classification", "image classification"}),
        frozenset({"zero_shot", "text_classification", "sequence_classification", "image_classification"}),
    ),
    Kind(
        "question-answering",
        ("ForQuestionAnswering",),
        frozenset({"question answering", "table question answering"}),
        frozenset({"question_answering", "table_question_answering"}),
    ),
    Kind("automatic-speech-recognition", ("ForCTC",), frozenset({"automatic speech recognition"}), frozenset({"asr"})),
    Kind("feature-extraction", ("Embeddings",), frozenset({"embeddings"}), frozenset({"embeddings"})),
)
_ALL_TASKS = frozenset().union(*(kind.tasks for kind in _KINDS))
_ALL_TAGS = frozenset().union(*(kind.tags for kind in _KINDS))
# What a model of an architecture may be tagged as: ELECTRA is opened as BERT, and XLM-RoBERTa is a RoBERTa.
_ARCHITECTURES = {
    "Albert": {"albert"},
    "Bert": {"bert", "electra"},
    "CamemBert": {"camembert"},
    "DeBerta": {"deberta"},
    "DistilBert": {"distilbert"},
    "Longformer": {"longformer"},
    "MPNet": {"mpnet"},
    "RoBerta": {"roberta", "distilroberta"},
    "XlmRoBerta": {"xlm_roberta", "roberta"},
    "Xlnet": {"xlnet"},
}
_ALL_ARCHITECTURES = frozenset().union(*_ARCHITECTURES.values())
_BY_ANNOTATOR = {prefix.casefold(): tags for prefix, tags in _ARCHITECTURES.items()}


def kind_of(annotator: str | None) -> Kind | None:
    return next((kind for kind in _KINDS if annotator and annotator.endswith(kind.annotators)), None)


def foreign_tasks(annotator: str | None, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """The tasks, if all that are known are those of other kinds of models than the annotator's."""
    kind = kind_of(annotator)
    return _foreign(tasks, tuple(task.casefold() for task in tasks), kind.tasks, _ALL_TASKS) if kind else ()


def foreign_tags(annotator: str | None, tags: tuple[str, ...]) -> tuple[str, ...]:
    """The tags, if all that name a kind of model, or all that name an architecture, name others than the annotator's."""
    small = tuple(tag.casefold().replace("-", "_") for tag in tags)
    kind = kind_of(annotator)
    found = _foreign(tags, small, kind.tags, _ALL_TAGS) if kind else ()
    own = _BY_ANNOTATOR.get(_ENDING.sub("", annotator).casefold()) if annotator else None
    return found + (_foreign(tags, small, frozenset(own), _ALL_ARCHITECTURES) if own else ())


def _foreign(written: tuple[str, ...], small: tuple[str, ...], own: frozenset[str], known: frozenset[str]) -> tuple[str, ...]:
    if own.intersection(small):
        return ()
    return tuple(text for text, key in zip(written, small, strict=True) if key in known)
