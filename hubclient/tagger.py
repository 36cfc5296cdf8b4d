"""Texts in, entities out: a model that gives every token a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack, overload

from hubclient.activation import activate
from hubclient.chunks import Chunk, chunks, whole
from hubclient.convert.annotators import Task
from hubclient.entities import Entity, TaggedToken, group, without_overlaps
from hubclient.errors import UsageError
from hubclient.native import TOKENIZER_CONFIG, read_json
from hubclient.scheduler import Parts, Progress, grouped
from hubclient.text_model import Plan, Reading, Setup, TextModel
from hubclient.texts import Text, checked_single, checked_singles, is_text, several
from hubclient.windows import Window, cut

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding, Tokenizer

    Tagging = tuple[Chunk, list[Encoding], list[list[Window]]]


@dataclass(frozen=True)
class Tagged:
    """A text, its tokens, its windows and their logits."""

    text: str
    encoding: Encoding
    windows: Sequence[Window]
    logits: Sequence[np.ndarray]


class Options(Reading, total=False):
    """How texts are read, see `TokenClassifier.stream`."""

    progress: Progress | None


class TokenClassifier(TextModel):
    """Finds entities: calling it with one str gives a list of them, with an iterable of texts a list of lists.

    Texts longer than `max_length` are truncated, or read in windows: of entities that two windows found in one place, one is kept.
    """

    task: ClassVar[Task] = "token-classification"

    def __init__(self, path: Path, **setup: Unpack[Setup]) -> None:
        if setup.get("pooling"):
            raise UsageError("pooling is for labels of whole texts", hint="leave pooling out")
        super().__init__(path, **setup)
        self._unknown = _unknown(path, self._tokenizer)
        self.cost = self._tried(setup)

    @overload
    # A str is an iterable of str too: the first signature that fits is the one that counts.
    def __call__(self, texts: str, **options: Unpack[Options]) -> list[Entity]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str], **options: Unpack[Options]) -> list[list[Entity]]: ...
    def __call__(self, texts: str | Iterable[str], **options: Unpack[Options]) -> list[Entity] | list[list[Entity]]:
        """The entities of one text or of many, with the options of `stream`."""
        if is_text(texts):
            return next(self.stream(iter([checked_single(texts)]), **options))
        return list(self.stream(texts, **options))

    def stream(self, texts: Iterable[str], *, progress: Progress | None = None, **reading: Unpack[Reading]) -> Iterator[list[Entity]]:
        """The entities of each text, in the order of the texts, in bounded memory. `progress` is told how many more texts are done."""
        plan = self._plan(texts, progress, **reading)
        for tagged in self._tagged(chunks(checked_singles(several(texts)), plan.first), plan):
            yield from map(self._found, tagged)

    def predict_parts(self, parts: Iterable[Iterable[str]], **reading: Unpack[Reading]) -> Iterator[list[list[Entity]]]:
        """See `Classifier.predict_parts`."""
        for tagged in self._tagged(whole(checked_singles(part) for part in parts), self._plan((), None, **reading)):
            yield [self._found(text) for text in tagged]

    def predict_iter(self, texts: Iterable[str], **options: Unpack[Options]) -> Iterator[list[Entity]]:
        """The same as `stream`."""
        return self.stream(texts, **options)

    @overload
    async def apredict(self, texts: str, **reading: Unpack[Reading]) -> list[Entity]: ...  # type: ignore[overload-overlap]
    @overload
    async def apredict(self, texts: Iterable[str], **reading: Unpack[Reading]) -> list[list[Entity]]: ...
    async def apredict(self, texts: str | Iterable[str], **reading: Unpack[Reading]) -> list[Entity] | list[list[Entity]]:
        """As calling it, for asyncio: what callers ask at the same time is answered in common batches, off the event loop."""
        answers: list[Entity] | list[list[Entity]] = await self._asked_at_once(texts, checked_singles, **reading)
        return answers

    def logits(self, texts: Iterable[str], *, batch_size: int | None = None) -> list[np.ndarray]:
        """What the model says of each token of each text, special ones included, after truncation: float32 of shape (tokens, labels)."""
        plan = self._plan(texts, None, batch_size=batch_size, long_texts="truncate")
        read = chunks(checked_singles(several(texts)), plan.first)
        return [text.logits[0] for tagged in self._tagged(read, plan) for text in tagged]

    def encode(self, text: str) -> list[int]:
        """Token ids with the special tokens, after truncation to `max_length`."""
        return list(self._truncated([checked_single(text)])[0].ids)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where the text has the tokens that `encode` gives; (0, 0) for special ones."""
        (encoding,) = self._encode([checked_single(text)])
        return [encoding.offsets[place] for place in next(cut(encoding, self.max_length, 0)).places]

    def to_pipeline(self, **options: Any) -> Any:
        """See `TextModel.to_pipeline`: with aggregation_strategy="simple"."""
        return super().to_pipeline(**{"aggregation_strategy": "simple", **options})

    def _tagged(self, read: Iterable[Chunk], plan: Plan) -> Iterator[Iterator[Tagged]]:
        """The texts of each chunk."""
        windowed = (self._windowed(chunk, plan) for chunk in read)
        for (chunk, encodings, windows), answers in self._scheduler.stream(windowed, plan.batch_size, plan.progress):
            yield map(Tagged, map(str, chunk.texts), encodings, windows, grouped(answers, map(len, windows)))

    def _windowed(self, chunk: Chunk, plan: Plan) -> tuple[Tagging, Parts]:
        encodings = self._encode(chunk.texts)
        windows = [list(self._windows(encoding, plan)) for encoding in encodings]
        return (chunk, encodings, windows), Parts.of(windows, ahead=chunk.ahead)

    def _encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """With the places of tokens in the text."""
        encodings: list[Encoding] = self._tokenizer.encode_batch(texts)
        return encodings

    def _windows(self, encoding: Encoding, plan: Plan) -> Iterator[Window]:
        if plan.windows is None:
            yield next(cut(encoding, self.max_length, 0))
        else:
            yield from cut(encoding, self.max_length, plan.windows.stride)

    def _found(self, tagged: Tagged) -> list[Entity]:
        parts = zip(tagged.windows, tagged.logits, strict=True)
        found = [self._entities(tagged.text, tagged.encoding, window, logits) for window, logits in parts]
        return found[0] if len(found) == 1 else without_overlaps(entity for entities in found for entity in entities)

    def _entities(self, text: str, encoding: Encoding, window: Window, logits: np.ndarray) -> list[Entity]:
        """Those of a window."""
        scores = activate(logits, "softmax")
        best, special, offsets = scores.argmax(axis=1), encoding.special_tokens_mask, encoding.offsets
        tokens = []
        for row, place in enumerate(window.places):
            if special[place]:
                continue
            start, end = offsets[place]
            number = window.ids[row]
            piece = text[start:end] if number == self._unknown else self._tokenizer.id_to_token(number) or ""
            tokens.append(TaggedToken(self.labels[best[row]], float(scores[row, best[row]]), start, end, piece))
        return group(tokens, self._spell)

    def _spell(self, pieces: list[str]) -> str:
        decoder = self._tokenizer.decoder
        text: str = decoder.decode(pieces) if decoder else " ".join(pieces)
        return text


def _unknown(folder: Path, tokenizer: Tokenizer) -> int | None:
    """The token that stands for what the vocabulary has no piece for."""
    settings = folder / TOKENIZER_CONFIG
    stated = read_json(settings).get("unk_token") if settings.exists() else None
    if isinstance(stated, dict):
        stated = stated.get("content")
    name = stated or getattr(tokenizer.model, "unk_token", None)
    return tokenizer.token_to_id(name) if isinstance(name, str) else None
