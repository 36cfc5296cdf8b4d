"""Texts in, predictions out: tokenize, batch by length, run, activate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard, Unpack, overload

from hubclient.engines import Batch, Engine, open_engine
from hubclient.errors import InvalidText, UsageError
from hubclient.native import Manifest, check_activation, open_tokenizer, read_manifest
from hubclient.padding import Padding, read_padding
from hubclient.prediction import Prediction

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding, Tokenizer

    from hubclient.cards import Card

Text = str | tuple[str, str]


class Options(TypedDict, total=False):
    """How texts are classified, see `Classifier.stream`."""

    threshold: float | None
    top_k: int | None
    batch_size: int
    progress: Callable[[int], None] | None


# Texts are tokenized and run in chunks, so that an endless stream needs bounded memory.
_CHUNK = 4096
_BATCH = 32


class Classifier:
    """A text classifier, opened from a native folder.

    Calling it with one text (a str, or a pair of str) gives a Prediction, with an iterable of texts a list of them.
    `predict`, `predict_proba` and `classes_` are scikit-learn's names, and give arrays.
    """

    def __init__(
        self,
        path: Path,
        *,
        engine: str | None = None,
        manifest: Manifest | None = None,
        card: Card | None = None,
    ) -> None:
        """`manifest` is the folder's own, or the same with facts overruled."""
        self.path = path
        self.card = card
        self.manifest = manifest or read_manifest(path).in_force()
        facts = self.manifest.facts
        self.labels = self.manifest.labels
        self.activation = check_activation(facts.activation.value)
        self.threshold = _checked_threshold(facts.threshold.value)
        self.max_length = _checked_length(facts.max_length.value, self.manifest.positions)
        self._tokenizer = _tokenizer_of(path, facts.lowercase.value, self.max_length)
        self._padding = read_padding(path)
        self._engine: Engine = open_engine(engine, path)

    @property
    def engine(self) -> str:
        return self._engine.name

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
        if _is_text(texts):
            return next(self.stream([texts], **options))
        return list(self.stream(_iterable(texts), **options))

    def stream(
        self,
        texts: Iterable[Text],
        *,
        threshold: float | None = None,
        top_k: int | None = None,
        batch_size: int = _BATCH,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Prediction]:
        """Predictions one by one, in the order of the texts, in bounded memory.

        `threshold` overrules the model's own; `top_k` keeps only the highest scores; `progress` is told how many more texts are done.
        """
        limit = self.threshold if threshold is None else _checked_threshold(threshold)
        if top_k is not None and top_k < 1:
            raise UsageError(f"top_k is {top_k}, and must be at least 1")
        for scores in self._scores(_iterable(texts), batch_size, progress):
            for row in scores:
                yield self._prediction(row, limit, top_k)

    def predict(self, texts: Iterable[Text], *, batch_size: int = _BATCH) -> np.ndarray:
        """The labels with the highest scores, of shape (n,)."""
        best: np.ndarray = self.classes_[self.logits(texts, batch_size=batch_size).argmax(axis=1)]
        return best

    def predict_proba(self, texts: Iterable[Text], *, batch_size: int = _BATCH) -> np.ndarray:
        """Scores after the activation, float32 of shape (n, labels)."""
        return activate(self.logits(texts, batch_size=batch_size), self.activation)

    def logits(self, texts: Iterable[Text], *, batch_size: int = _BATCH) -> np.ndarray:
        """What the model says before any activation, float32 of shape (n, labels)."""
        import numpy as np

        parts = list(self._logits(_iterable(texts), batch_size, None))
        return np.concatenate(parts) if parts else np.empty((0, len(self.labels)), dtype=np.float32)

    def encode(self, text: Text) -> list[int]:
        """Token ids with the special tokens, after truncation to `max_length`."""
        ids: list[int] = self._tokenizer.encode_batch([_checked_text(text)])[0].ids
        return ids

    def _scores(self, texts: Iterable[Text], batch_size: int, progress: Callable[[int], None] | None) -> Iterator[np.ndarray]:
        for logits in self._logits(texts, batch_size, progress):
            yield activate(logits, self.activation)

    def _logits(self, texts: Iterable[Text], batch_size: int, progress: Callable[[int], None] | None) -> Iterator[np.ndarray]:
        import numpy as np

        if not isinstance(batch_size, int) or batch_size < 1:
            raise UsageError(f"batch_size is {batch_size!r}, and must be a whole number of at least 1")
        # What arrives bit by bit is answered soon; of what is all there, more texts of a length are found.
        first = _CHUNK if isinstance(texts, Sized) else min(batch_size, _CHUNK)
        for chunk in _chunks(texts, first, _CHUNK):
            encodings = self._tokenizer.encode_batch([_checked_text(text) for text in chunk])
            order = sorted(range(len(chunk)), key=lambda index: len(encodings[index]))
            logits = np.empty((len(chunk), len(self.labels)), dtype=np.float32)
            for rows in _chunks(order, batch_size):
                logits[rows] = self._engine.logits(_batch([encodings[row] for row in rows], self._padding))
                if progress:
                    progress(len(rows))
            yield logits

    def _prediction(self, row: np.ndarray, threshold: float, top_k: int | None) -> Prediction:
        scores = dict(zip(self.labels, row.tolist(), strict=True))
        ranked = sorted(scores, key=lambda label: -scores[label])
        best = ranked[0]
        selected = tuple(label for label in ranked if scores[label] > threshold) if self.multi_label else (best,)
        if top_k is not None:
            kept = set(ranked[:top_k])
            scores = {label: score for label, score in scores.items() if label in kept}
        return Prediction(best, max(row.tolist()), scores, selected)


def activate(logits: np.ndarray, activation: str) -> np.ndarray:
    """Scores from logits (n, labels), float32."""
    import numpy as np

    if activation == "none":
        return logits
    if activation == "sigmoid":
        # Both branches of the usual stable form: no exponential of a positive number.
        small = np.exp(-np.abs(logits))
        scores = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    else:
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    result: np.ndarray = scores.astype(np.float32)
    return result


def _batch(encodings: Sequence[Encoding], padding: Padding) -> Batch:
    import numpy as np

    width = max(len(encoding) for encoding in encodings)
    ids, mask, types = (np.full((len(encodings), width), fill, dtype=np.int64) for fill in (padding.token, 0, 0))
    for row, encoding in enumerate(encodings):
        start = width - len(encoding) if padding.side == "left" else 0
        place = slice(start, start + len(encoding))
        ids[row, place] = encoding.ids
        mask[row, place] = 1
        types[row, place] = encoding.type_ids
    return Batch(ids, mask, types)


def _tokenizer_of(path: Path, lowercase: bool | None, max_length: int) -> Tokenizer:
    tokenizer = open_tokenizer(path, lowercase)
    special = tokenizer.num_special_tokens_to_add(is_pair=True)
    if max_length < special:
        raise UsageError(f"max_length is {max_length}, and a pair of texts has {special} special tokens", hint=f"use at least {special}")
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def _checked_length(length: int, positions: int | None) -> int:
    if not isinstance(length, int) or length < 1:
        raise UsageError(f"max_length is {length!r}, and must be a whole number of at least 1")
    if positions is not None and length > positions:
        raise UsageError(f"max_length is {length}, and the model has {positions} positions", hint=f"use at most {positions}")
    return length


def _checked_threshold(threshold: float) -> float:
    if not isinstance(threshold, int | float) or threshold != threshold:
        raise UsageError(f"the threshold is {threshold!r}, and must be a number", hint="scores of labels lie between 0 and 1")
    return threshold


def _is_text(value: object) -> TypeGuard[Text]:
    return isinstance(value, str) or (isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value))


def _checked_text(value: Any) -> Text:
    if not _is_text(value):
        raise InvalidText(
            f"{_shown(value)} is not a text", why=f"it is of type {type(value).__name__}", hint="give a str, or a pair of str"
        )
    for part in (value,) if isinstance(value, str) else value:
        try:
            part.encode()
        except UnicodeEncodeError as error:
            raise InvalidText(
                f"{_shown(value)} is not valid Unicode", why=str(error), hint="decode the text with its own encoding"
            ) from error
    return value


def _iterable(texts: Any) -> Iterable[Text]:
    if isinstance(texts, Mapping | bytes) or not isinstance(texts, Iterable):
        raise InvalidText(
            f"{_shown(texts)} is not a text", why=f"it is of type {type(texts).__name__}", hint="give a str, or an iterable of str"
        )
    if isinstance(texts, str):
        return [texts]
    return texts


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _chunks(items: Iterable[Any], size: int, largest: int | None = None) -> Iterator[list[Any]]:
    """Lists of `size` items; up to `largest`, each is twice as long as the one before."""
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk, size = [], min(2 * size, largest or size)
    if chunk:
        yield chunk
