"""Texts and labels of the caller's in, scores out: a model of natural language inference says how far a text entails each label.

Source: transformers 4.57.1 and 5.23.0, pipelines/zero_shot_classification.py; the scores are the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack, overload

from hubclient.activation import activate, checked_threshold, checked_top
from hubclient.batches import Tokens
from hubclient.chunks import chunks, whole
from hubclient.convert.annotators import Task
from hubclient.errors import InconsistentModel, InvalidText, UsageError
from hubclient.native import CONFIG, Manifest, class_named, read_json
from hubclient.prediction import Prediction
from hubclient.scheduler import Progress
from hubclient.text_model import PooledReading, Setup, TextModel
from hubclient.texts import Text, checked_single, checked_singles, is_text, several
from hubclient.windows import room_for_text

if TYPE_CHECKING:
    import numpy as np

_log = logging.getLogger("hubclient")
TEMPLATE = "This example is {}."
# What texts are held against where the costs of reduced precision are measured.
_TRIED = ("good", "about sport", "a question", "a complaint")


class Asking(PooledReading, total=False):
    """What a text is asked. hypothesis_template: the sentence that a label is put into, at `{}`."""

    hypothesis_template: str


class Showing(Asking, total=False):
    """How texts are classified, see `ZeroShotClassifier.stream`."""

    multi_label: bool
    threshold: float | None
    top_k: int | None


class Options(Showing, total=False):
    """The same, where somebody may watch."""

    progress: Progress | None


class ZeroShotClassifier(TextModel):
    """Chooses between labels that the caller names, without having been trained on them.

    Calling it with one str gives a Prediction, whose scores stand best first; with an iterable of texts a list of them.
    `candidate_labels` are the model's own, empty where it has none; `labels` are those of inference, in class order.
    """

    task: ClassVar[Task] = "zero-shot-classification"

    def __init__(self, path: Path, **setup: Unpack[Setup]) -> None:
        """Raises UsageError for a model that is none of inference."""
        super().__init__(path, **setup)
        stated = self.manifest.zero_shot
        self.candidate_labels = stated.candidate_labels if stated else ()
        self.threshold = checked_threshold(self.manifest.facts.threshold.value)
        self._classes = classes_of(self.manifest, read_json(path / CONFIG))
        self.cost = self._tried(setup)

    @overload
    # A str is an iterable of str too: the first signature that fits is the one that counts.
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Options]
    ) -> Prediction: ...
    @overload
    def __call__(
        self, texts: Iterable[str], candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Options]
    ) -> list[Prediction]: ...
    def __call__(
        self, texts: str | Iterable[str], candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Options]
    ) -> Prediction | list[Prediction]:
        """Classify one text or many, with the options of `stream`."""
        if is_text(texts):
            return next(self.stream(iter([checked_single(texts)]), candidate_labels, **options))
        return list(self.stream(texts, candidate_labels, **options))

    def stream(
        self,
        texts: Iterable[str],
        candidate_labels: str | Iterable[str] | None = None,
        *,
        multi_label: bool = False,
        threshold: float | None = None,
        top_k: int | None = None,
        progress: Progress | None = None,
        **asking: Unpack[Asking],
    ) -> Iterator[Prediction]:
        """Predictions one by one, in the order of the texts, in bounded memory.

        candidate_labels: a str is split at its commas; None means the model's own. multi_label: each label is judged by itself, so that
        several may hold: those with a score above `threshold` are selected. `top_k` keeps only the highest scores; `progress` is told how
        many more texts are done.
        """
        labels, predict = self._predicting(candidate_labels, multi_label, threshold, top_k)
        return map(predict, self._asked(texts, labels, progress, **asking))

    def predict_parts(
        self,
        parts: Iterable[Iterable[str]],
        candidate_labels: str | Iterable[str] | None = None,
        *,
        multi_label: bool = False,
        threshold: float | None = None,
        top_k: int | None = None,
        hypothesis_template: str = TEMPLATE,
        **reading: Unpack[PooledReading],
    ) -> Iterator[list[Prediction]]:
        """See `Classifier.predict_parts`."""
        labels, predict = self._predicting(candidate_labels, multi_label, threshold, top_k)
        hypotheses = _hypotheses(labels, hypothesis_template)
        pairs = ([(text, hypothesis) for text in checked_singles(part) for hypothesis in hypotheses] for part in parts)
        for logits in self._logits(whole(pairs), self._plan((), None, **reading)):
            yield [predict(rows) for rows in logits.reshape(-1, len(labels), len(self.labels))]

    def _predicting(
        self, candidate_labels: str | Iterable[str] | None, multi_label: bool, threshold: float | None, top_k: int | None
    ) -> tuple[list[str], Callable[[np.ndarray], Prediction]]:
        """The candidates, and what makes a prediction of their logits."""
        labels = self._candidates(candidate_labels)
        limit = self.threshold if threshold is None else checked_threshold(threshold)
        kept = checked_top(top_k)
        return labels, lambda logits: _prediction(labels, self._scores(logits, multi_label), limit if multi_label else None, kept)

    def predict_iter(
        self, texts: Iterable[str], candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Options]
    ) -> Iterator[Prediction]:
        """The same as `stream`."""
        return self.stream(texts, candidate_labels, **options)

    @overload
    async def apredict(  # type: ignore[overload-overlap]
        self, texts: str, candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Showing]
    ) -> Prediction: ...
    @overload
    async def apredict(
        self, texts: Iterable[str], candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Showing]
    ) -> list[Prediction]: ...
    async def apredict(
        self, texts: str | Iterable[str], candidate_labels: str | Iterable[str] | None = None, **options: Unpack[Showing]
    ) -> Prediction | list[Prediction]:
        """As calling it, for asyncio: what callers ask at the same time is answered in common batches, off the event loop."""
        labels = tuple(self._candidates(candidate_labels))
        answers: Prediction | list[Prediction] = await self._asked_at_once(texts, checked_singles, candidate_labels=labels, **options)
        return answers

    def logits(self, texts: Iterable[str], candidate_labels: str | Iterable[str] | None = None, **asking: Unpack[Asking]) -> np.ndarray:
        """What the model says of each text with each label, float32 of shape (texts, candidates, labels)."""
        import numpy as np

        labels = self._candidates(candidate_labels)
        answers = list(self._asked(texts, labels, None, **asking))
        return np.stack(answers) if answers else np.empty((0, len(labels), len(self.labels)), dtype=np.float32)

    def encode(self, text: str, label: str, hypothesis_template: str = TEMPLATE) -> list[int]:
        """Token ids of a text with a label, after truncation of the text to `max_length`."""
        (hypothesis,) = _hypotheses([label], hypothesis_template)
        return list(self._truncated([(checked_single(text), hypothesis)])[0].ids)

    def to_transformers(self) -> tuple[Any, Any]:
        """See `TextModel.to_transformers`. The pipeline finds the class for entailment by its name."""
        model, tokenizer = super().to_transformers()
        if class_named(self.labels, "entail") is None:
            model.config.label2id = {"entailment": self._classes.entailment}
        return model, tokenizer

    def _asked(
        self,
        texts: Iterable[str],
        labels: Sequence[str],
        progress: Progress | None,
        hypothesis_template: str = TEMPLATE,
        **reading: Unpack[PooledReading],
    ) -> Iterator[np.ndarray]:
        """For each text the logits of every label, of shape (candidates, labels)."""
        import numpy as np

        hypotheses = _hypotheses(labels, hypothesis_template)
        plan = self._plan(texts, _by_text(progress, len(labels)), **reading)
        pairs = ((text, hypothesis) for text in checked_singles(several(texts)) for hypothesis in hypotheses)
        rows = chain.from_iterable(self._logits(chunks(pairs, plan.first), plan))
        while answers := list(islice(rows, len(labels))):
            yield np.stack(answers)

    def _scores(self, logits: np.ndarray, multi_label: bool) -> np.ndarray:
        """One for each candidate, from its logits: entailment among all candidates, or against contradiction."""
        if multi_label or len(logits) == 1:
            return activate(logits[:, [self._classes.contradiction, self._classes.entailment]], "softmax")[:, 1]
        scores: np.ndarray = activate(logits[None, :, self._classes.entailment], "softmax")[0]
        return scores

    def _candidates(self, given: str | Iterable[str] | None) -> list[str]:
        if given is None:
            labels = list(self.candidate_labels)
        elif isinstance(given, str):
            labels = [part.strip() for part in given.split(",") if part.strip()]
        else:
            labels = list(checked_singles(several(given)))
        if not labels:
            raise UsageError("no candidate labels were given, and the model has none of its own", hint="candidate_labels=['…', '…']")
        if len(set(labels)) < len(labels):
            raise UsageError("a candidate label is given twice", why=f"they are {', '.join(labels)}")
        return labels

    def _asked_of(self, texts: Sequence[str]) -> Sequence[Text]:
        """Each with a label: the model's own, or others, in turn."""
        labels = self.candidate_labels or _TRIED
        return list(zip(texts, cycle(_hypotheses(labels, TEMPLATE)), strict=False))

    def _truncated(self, texts: Sequence[Text]) -> Sequence[Tokens]:
        """As transformers does it: what is too long is taken off the text; where the label alone is too long, nothing is."""
        result: list[Tokens] = []
        for encoding in self._encode(texts):
            if len(encoding) <= self.max_length or room_for_text(encoding, self.max_length) > 0:
                result.append(self._cut(encoding))
                continue
            if self.manifest.positions is not None and len(encoding) > self.manifest.positions:
                raise InvalidText(
                    "a label leaves no room for the text",
                    why=f"together they have {len(encoding)} tokens, and the model {self.manifest.positions} positions",
                    hint="use shorter labels",
                )
            result.append(encoding)
        return result


@dataclass(frozen=True)
class Classes:
    """Which class means that the text entails the label, and which is taken for the opposite."""

    entailment: int
    contradiction: int


def classes_of(manifest: Manifest, config: Mapping[str, Any]) -> Classes:
    """By what the archive said, or the names of the classes; the opposite is chosen as transformers does: the first class, or the last.

    Raises UsageError for a model that is none of inference, InconsistentModel.
    """
    labels = manifest.labels
    entailment = manifest.zero_shot.entailment if manifest.zero_shot else _named(labels, config)
    if entailment is None or len(labels) < 2:
        raise UsageError(
            "the model is no zero-shot classifier", why=f"its labels are {', '.join(labels)}", hint="ask for task='text-classification'"
        )
    contradiction = len(labels) - 1 if entailment == 0 else 0
    named = class_named(labels, "contradict")
    if named not in (None, contradiction):
        _log.warning("as in transformers, %s is taken for the opposite of %s", labels[contradiction], labels[entailment])
    return Classes(entailment, contradiction)


def _named(labels: Sequence[str], config: Mapping[str, Any]) -> int | None:
    """The class that config.json calls entailment. Where classes have no names at all, transformers takes the last."""
    numbers = config.get("label2id") if config.get("id2label") else None
    numbers = numbers if isinstance(numbers, dict) else {label: number for number, label in enumerate(labels)}
    found = next((number for label, number in numbers.items() if str(label).lower().startswith("entail")), None)
    if found is None:
        if any(label != f"LABEL_{number}" for number, label in enumerate(labels)):
            return None
        _log.warning("no class is named entailment: as in transformers, the last one is taken for it")
        return len(labels) - 1
    if found not in range(len(labels)) or class_named(labels, "entail") not in (None, found):
        raise InconsistentModel("label2id and id2label name different classes entailment", where=CONFIG, why=f"{numbers}, {labels}"[:200])
    return int(found)


def _prediction(labels: Sequence[str], scores: np.ndarray, threshold: float | None, top_k: int | None) -> Prediction:
    """`threshold`: of a choice of several labels; None: the best is chosen."""
    ranked = [(labels[number], float(scores[number])) for number in reversed(scores.argsort())]
    best, score = ranked[0]
    selected = (best,) if threshold is None else tuple(label for label, score in ranked if score > threshold)
    return Prediction(best, score, dict(ranked[:top_k]), selected)


def _hypotheses(labels: Sequence[str], template: str) -> list[str]:
    try:
        hypotheses = [template.format(label) for label in labels]
    except (LookupError, ValueError, AttributeError) as error:
        raise UsageError(f"the hypothesis_template {template!r} cannot be filled in", why=str(error), hint=f"as {TEMPLATE!r}") from error
    if hypotheses[0] == template:
        raise UsageError(f"the hypothesis_template {template!r} has no place for the label", hint=f"as {TEMPLATE!r}")
    return hypotheses


def _by_text(progress: Progress | None, candidates: int) -> Progress | None:
    """Tells of texts where pairs are counted."""
    if progress is None:
        return None
    pairs = 0

    def advance(count: int) -> None:
        nonlocal pairs
        before, pairs = pairs // candidates, pairs + count
        progress(pairs // candidates - before)

    return advance
