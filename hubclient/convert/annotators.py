"""Which of Spark NLP's annotators can be opened."""

from __future__ import annotations

ANNOTATORS = frozenset({"BertForSequenceClassification"})


def can_open(annotator: str | None) -> bool:
    """None, where a card does not say: then the archive decides."""
    return annotator is None or annotator in ANNOTATORS
