"""What a card's model does, in words that can be compared: the tasks on the card, and the one that its annotator tells.

A card's own task is often wrong (real classifiers are filed under "Named Entity Recognition"), so that both count.
"""

from __future__ import annotations

import re

from hubclient.cards import Card

_BY_ENDING = {
    "ForSequenceClassification": "text-classification",
    "ForZeroShotClassification": "zero-shot-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMultipleChoice": "multiple-choice",
    "ForImageClassification": "image-classification",
    "ClassifierDLModel": "text-classification",
    "SentimentDLModel": "text-classification",
    "ViveknSentimentModel": "text-classification",
    "NerDLModel": "token-classification",
    "NerCrfModel": "token-classification",
}
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def slug(task: str) -> str:
    """`"Text Classification"` -> `"text-classification"`."""
    return _BETWEEN_WORDS.sub("-", task.casefold()).strip("-")


def tasks_of(card: Card) -> tuple[str, ...]:
    told = [task for ending, task in _BY_ENDING.items() if card.annotator and card.annotator.endswith(ending)]
    return tuple(dict.fromkeys([*told, *map(slug, card.task)]))
