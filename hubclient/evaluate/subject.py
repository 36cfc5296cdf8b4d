"""What is examined: a model, asked one way, with the labels that it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.classifier import Classifier
from hubclient.errors import UsageError
from hubclient.prediction import Prediction
from hubclient.texts import Text
from hubclient.zero_shot import ZeroShotClassifier

if TYPE_CHECKING:
    from hubclient.cards import Card
    from hubclient.text_model import TextModel


@dataclass(frozen=True)
class Subject:
    """`labels` in class order, and `answer` gives predictions whose scores are in that order. `probable`: scores lie between 0 and 1."""

    name: str
    labels: tuple[str, ...]
    multi_label: bool
    answer: Callable[[Iterable[Text]], Iterator[Prediction]]
    probable: bool = True
    threshold: float | None = None
    card: Card | None = None


def subject_of(
    model: TextModel,
    name: str,
    *,
    candidates: Sequence[str] = (),
    multi_label: bool = False,
    template: str | None = None,
    threshold: float | None = None,
) -> Subject:
    """`candidates`, `multi_label`, `template`: of zero-shot classifiers. Raises UsageError for a model that does not choose labels."""
    if isinstance(model, ZeroShotClassifier):
        return _zero_shot(model, name, tuple(candidates or model.candidate_labels), multi_label, template, threshold)
    if not isinstance(model, Classifier):
        raise UsageError(f"'{name}' finds entities, and evaluate judges the labels of whole texts", hint="take a classifier of texts")
    if multi_label or template is not None:
        raise UsageError(f"'{name}' is no zero-shot classifier", hint="leave out --multi-label and --template")
    if len(model.labels) < 2 or len(set(model.labels)) < len(model.labels):
        why = f"its labels are {', '.join(model.labels)}"
        raise UsageError(f"'{name}' does not choose between labels", why=why, hint="take a classifier with several labels")
    limit = model.threshold if threshold is None else threshold
    return Subject(
        name,
        model.labels,
        model.multi_label,
        lambda texts: model.stream(texts, threshold=limit),
        probable=model.activation != "none",
        threshold=limit if model.multi_label else None,
        card=model.card,
    )


def _zero_shot(
    model: ZeroShotClassifier, name: str, labels: tuple[str, ...], multi_label: bool, template: str | None, threshold: float | None
) -> Subject:
    limit = model.threshold if threshold is None else threshold
    asked = {"hypothesis_template": template} if template is not None else {}

    def answer(texts: Iterable[Text]) -> Iterator[Prediction]:
        singles = (text if isinstance(text, str) else _no_pair() for text in texts)
        for prediction in model.stream(singles, labels, multi_label=multi_label, threshold=limit, **asked):  # type: ignore[arg-type]
            scores = {label: prediction.scores[label] for label in labels}
            yield Prediction(prediction.label, prediction.score, scores, prediction.selected)

    return Subject(name, labels, multi_label, answer, threshold=limit if multi_label else None, card=model.card)


def _no_pair() -> str:
    raise UsageError("a zero-shot classifier takes single texts, and pairs were given", hint="name one --text-column")
