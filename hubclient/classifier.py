"""Texts in, predictions out: tokenize, batch by length, run, activate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack, overload

from hubclient.activation import activate, checked_threshold, checked_top
from hubclient.batches import Tokens
from hubclient.chunks import Chunk, chunks, whole
from hubclient.convert.annotators import Task
from hubclient.native import check_activation, open_tokenizer
from hubclient.prediction import Prediction
from hubclient.scheduler import Progress
from hubclient.text_model import PooledReading, Setup, TextModel
from hubclient.texts import Text, checked, checked_text, is_text, several

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer


class Showing(PooledReading, total=False):
    """How texts are classified, see `Classifier.stream`."""

    threshold: float | None
    top_k: int | None


class Options(Showing, total=False):
    """The same, where somebody may watch."""

    progress: Progress | None


class Classifier(TextModel):
    """A text classifier, opened from a native folder.

    Calling it with one text (a str, or a pair of str) gives a Prediction, with an iterable of texts a list of them.
    `predict`, `predict_proba` and `classes_` are scikit-learn's names, and give arrays.
    """

    task: ClassVar[Task] = "text-classification"

    def __init__(self, path: Path, **setup: Unpack[Setup]) -> None:
        super().__init__(path, **setup)
        facts = self.manifest.facts
        self.activation = check_activation(facts.activation.value)
        self.threshold = checked_threshold(facts.threshold.value)
        self.cost = self._tried(setup)

    @property
    def multi_label(self) -> bool:
        return self.activation == "sigmoid" and len(self.labels) > 1

    @property
    def classes_(self) -> np.ndarray:
        import numpy as np

        return np.array(self.labels, dtype=object)

    @overload
    # A str is an iterable of str too: the first signature that fits is the one that counts.
    def __call__(self, texts: Text, **options: Unpack[Options]) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[Text], **options: Unpack[Options]) -> list[Prediction]: ...
    def __call__(self, texts: Text | Iterable[Text], **options: Unpack[Options]) -> Prediction | list[Prediction]:
        """Classify one text or many, with the options of `stream`.

        Raises InvalidText for what is not a text; blank text is one, and an empty list gives an empty list.
        """
        if is_text(texts):
            return self._one(checked_text(texts), **options)
        return list(self.stream(texts, **options))

    def stream(
        self,
        texts: Iterable[Text],
        *,
        threshold: float | None = None,
        top_k: int | None = None,
        progress: Progress | None = None,
        **reading: Unpack[PooledReading],
    ) -> Iterator[Prediction]:
        """Predictions one by one, in the order of the texts, in bounded memory.

        `threshold` overrules the model's own; `top_k` keeps only the highest scores; `progress` is told how many more texts are done.
        """
        shown = self._shown(threshold, top_k)
        plan = self._plan(texts, progress, **reading)
        for logits in self._logits(chunks(checked(several(texts)), plan.first), plan):
            for row in activate(logits, self.activation):
                yield self._prediction(row, *shown)

    def predict_parts(
        self, parts: Iterable[Iterable[Text]], *, threshold: float | None = None, top_k: int | None = None, **reading: Unpack[PooledReading]
    ) -> Iterator[list[Prediction]]:
        """Predictions of each part, in order. The batches that a part makes depend on it alone, and so do the last digits of its scores."""
        shown, plan = self._shown(threshold, top_k), self._plan((), None, **reading)
        for logits in self._logits(whole(checked(part) for part in parts), plan):
            yield [self._prediction(row, *shown) for row in activate(logits, self.activation)]

    def predict_iter(self, texts: Iterable[Text], **options: Unpack[Options]) -> Iterator[Prediction]:
        """`stream`, by the name that goes with `predict`."""
        return self.stream(texts, **options)

    @overload
    async def apredict(self, texts: Text, **options: Unpack[Showing]) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    async def apredict(self, texts: Iterable[Text], **options: Unpack[Showing]) -> list[Prediction]: ...
    async def apredict(self, texts: Text | Iterable[Text], **options: Unpack[Showing]) -> Prediction | list[Prediction]:
        """As calling it, for asyncio: what callers ask at the same time is answered in common batches, off the event loop."""
        answers: Prediction | list[Prediction] = await self._asked_at_once(texts, checked, **options)
        return answers

    def _one(
        self,
        text: Text,
        threshold: float | None = None,
        top_k: int | None = None,
        progress: Progress | None = None,
        **reading: Unpack[PooledReading],
    ) -> Prediction:
        """As `stream` for one text, without what it needs for many."""
        shown, plan = self._shown(threshold, top_k), self._plan(text, progress, **reading)
        logits = self._short_logits(text, plan) if plan.windows is None else next(self._logits([Chunk([text], ahead=False)], plan))
        return self._prediction(activate(logits, self.activation)[0], *shown)

    def _decide(self, logits: np.ndarray) -> np.ndarray:
        return activate(logits, self.activation) > self.threshold if self.multi_label else super()._decide(logits)

    @property
    def _deciding(self) -> str:
        return f"all above {self.threshold}" if self.multi_label else super()._deciding

    def _shown(self, threshold: float | None, top_k: int | None) -> tuple[float, int | None]:
        """What a prediction shows: the labels above a threshold, and how many."""
        return self.threshold if threshold is None else checked_threshold(threshold), checked_top(top_k)

    def predict(self, texts: Iterable[Text], **reading: Unpack[PooledReading]) -> np.ndarray:
        """The labels with the highest scores, of shape (n,)."""
        best: np.ndarray = self.classes_[self.logits(texts, **reading).argmax(axis=1)]
        return best

    def predict_proba(self, texts: Iterable[Text], **reading: Unpack[PooledReading]) -> np.ndarray:
        """Scores after the activation, float32 of shape (n, labels)."""
        return activate(self.logits(texts, **reading), self.activation)

    def columns(self, texts: Iterable[Text], **reading: Unpack[PooledReading]) -> dict[str, Any]:
        """New columns for a table that has a column of texts: `label` and `score`, arrays of shape (n,), and of a multi-label model
        `selected`, a list of lists of labels."""
        import numpy as np

        scores = self.predict_proba(texts, **reading)
        columns: dict[str, Any] = {"label": self.classes_[scores.argmax(axis=1)], "score": scores.max(axis=1, initial=-np.inf)}
        if self.multi_label:
            columns["selected"] = [[self.labels[n] for n in row.argsort()[::-1] if row[n] > self.threshold] for row in scores]
        return columns

    def logits(self, texts: Iterable[Text], **reading: Unpack[PooledReading]) -> np.ndarray:
        """What the model says before any activation, float32 of shape (n, labels)."""
        import numpy as np

        plan = self._plan(texts, None, **reading)
        parts = list(self._logits(chunks(checked(several(texts)), plan.first), plan))
        return np.concatenate(parts) if parts else np.empty((0, len(self.labels)), dtype=np.float32)

    def encode(self, text: Text) -> list[int]:
        """Token ids with the special tokens, after truncation to `max_length`."""
        return list(self._truncated([checked_text(text)])[0].ids)

    def to_pipeline(self, **options: Any) -> Any:
        """See `TextModel.to_pipeline`: texts are truncated, and scores are those of `activation`."""
        return super().to_pipeline(**{"truncation": True, "function_to_apply": self.activation, **options})

    def _truncated(self, texts: Sequence[Text]) -> Sequence[Tokens]:
        """Of a pair, the longer text is cut first, as transformers does it."""
        encodings = self._encode(texts)
        long = [
            number for number, encoding in enumerate(encodings) if len(encoding) > self.max_length and not isinstance(texts[number], str)
        ]
        shortened = self._truncating.encode_batch_fast([texts[number] for number in long]) if long else []
        for number, encoding in zip(long, shortened, strict=True):
            encodings[number] = encoding
        return [self._cut(encoding) for encoding in encodings]

    @cached_property
    def _truncating(self) -> Tokenizer:
        """For pairs that are too long."""
        tokenizer = open_tokenizer(self.path, self.manifest.facts.lowercase.value)
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_length)
        return tokenizer

    def _prediction(self, row: np.ndarray, threshold: float, top_k: int | None) -> Prediction:
        scores = dict(zip(self.labels, row.tolist(), strict=True))
        ranked = sorted(scores, key=lambda label: -scores[label])
        best = ranked[0]
        selected = tuple(label for label in ranked if scores[label] > threshold) if self.multi_label else (best,)
        if top_k is not None:
            kept = set(ranked[:top_k])
            scores = {label: score for label, score in scores.items() if label in kept}
        return Prediction(best, max(row.tolist()), scores, selected)
