"""What the classifiers of every task share: a native folder, opened, with its tokenizer and its engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

from hubclient.batches import Tokens, check_size
from hubclient.chunks import CHUNK, FIRST, Chunk, chunks
from hubclient.convert.annotators import Task
from hubclient.engines import Engine, open_engine
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.native import Manifest, open_tokenizer, read_manifest
from hubclient.padding import read_padding
from hubclient.scheduler import Parts, Progress, Scheduler, grouped
from hubclient.texts import Text
from hubclient.windows import LongTexts, Pooling, Windows, check_stride, cut, pool, settle

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding, Tokenizer

    from hubclient.cards import Card
    from hubclient.export import Format


class Setup(TypedDict, total=False):
    """How a folder is opened. manifest: the folder's own, or the same with facts overruled. The rest: see `hubclient.way.Opening`."""

    engine: str | None
    threads: int | None
    manifest: Manifest | None
    card: Card | None
    long_texts: LongTexts | None
    stride: int | None
    pooling: Pooling | None


class Reading(TypedDict, total=False):
    """How texts are read. batch_size: so many in each batch, instead of what is fastest. long_texts, stride: as when the model was opened,
    unless given."""

    batch_size: int | None
    long_texts: LongTexts | None
    stride: int | None


class PooledReading(Reading, total=False):
    """The same, where a text has one answer. pooling: as when the model was opened, unless given."""

    pooling: Pooling | None


@dataclass(frozen=True)
class Plan:
    """How a call's texts are worked off. `first`: how many are taken before the first are answered."""

    first: int
    batch_size: int | None
    windows: Windows | None
    progress: Progress | None


class TextModel:
    """`labels` are in class order; `engine` is the name of what runs the model, `max_length` how many tokens of a text it is given.

    It can be pickled and copied: it is opened again from its folder, or shared.
    """

    task: ClassVar[Task]

    def __init__(self, path: Path, **setup: Unpack[Setup]) -> None:
        self.path = path
        self.card = setup.get("card")
        self.manifest = setup.get("manifest") or read_manifest(path).in_force()
        facts = self.manifest.facts
        self.labels = self.manifest.labels
        self.max_length = _checked_length(facts.max_length.value, self.manifest.positions)
        self._tokenizer = _open_tokenizer(path, facts.lowercase.value, self.max_length)
        self.windows: Windows | None = None
        self.windows = self._checked_windows(setup.get("long_texts"), setup.get("stride"), setup.get("pooling"))
        self._threads = setup.get("threads")
        self._engine: Engine = open_engine(_engine_of(self.manifest, setup.get("engine")), path, self._threads)
        self._scheduler = Scheduler(self._engine, read_padding(path))

    @property
    def engine(self) -> str:
        return self._engine.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r}, engine={self.engine!r})"

    def __reduce__(self) -> Any:
        setup = Setup(engine=self.engine, threads=self._threads, manifest=self.manifest, card=self.card)
        if self.windows:
            setup |= Setup(long_texts="window", stride=self.windows.stride, pooling=self.windows.pooling)
        return partial(type(self), self.path, **setup), ()

    def __deepcopy__(self, memo: dict[int, Any]) -> TextModel:
        """The same: nothing about it ever changes, and an engine holds what cannot be copied."""
        return self

    def to_transformers(self) -> tuple[Any, Any]:
        """transformers' own model (PyTorch, float32) and tokenizer, which answer as this does. Raises MissingExtra, UnsupportedModel."""
        from hubclient.transformers_form import model_and_tokenizer

        return model_and_tokenizer(self.path, self._tokenizer, self.max_length)

    def to_pipeline(self, **options: Any) -> Any:
        """transformers' pipeline for the task, which answers as this does; `options` are its own. Raises as `to_transformers` does."""
        from hubclient.transformers_form import pipeline_of

        return pipeline_of(self.task, *self.to_transformers(), **options)

    def export(self, path: str | Path, format: Format = "onnx", *, force: bool = False) -> Path:
        """Write the model into a folder: "onnx", one file with the weights, or "hf", a Hugging Face folder; see `hubclient.export`."""
        from hubclient.export import export

        return export(self.path, path, self.manifest, format=format, force=force)

    def _encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """Every token of each text, with the special ones, but not where in the text it is."""
        encodings: list[Encoding] = self._tokenizer.encode_batch_fast(texts)
        return encodings

    def _truncated(self, texts: Sequence[Text]) -> Sequence[Tokens]:
        """No more than `max_length` tokens of each text; of a pair, the first one is cut. Raises InvalidText."""
        return [self._cut(encoding) for encoding in self._encode(texts)]

    def _cut(self, encoding: Encoding) -> Tokens:
        return encoding if len(encoding) <= self.max_length else next(cut(encoding, self.max_length, 0))

    def _checked_windows(self, long_texts: LongTexts | None, stride: int | None, pooling: Pooling | None) -> Windows | None:
        """How long texts are read where somebody asks for that; None leaves a thing as it was when the model was opened."""
        windows = settle(long_texts, stride, pooling, self.windows)
        if windows and windows.stride is not None:
            check_stride(windows.stride, self.max_length - self._tokenizer.num_special_tokens_to_add(is_pair=False))
        return windows

    def _parts(self, chunk: Chunk, windows: Windows | None) -> Parts:
        if windows is None:
            return Parts(self._truncated(chunk.texts), ahead=chunk.ahead)
        texts = (list(cut(encoding, self.max_length, windows.stride)) for encoding in self._encode(chunk.texts))
        return Parts.of(texts, ahead=chunk.ahead)

    def _plan(
        self,
        texts: object,
        progress: Progress | None,
        *,
        batch_size: int | None = None,
        long_texts: LongTexts | None = None,
        stride: int | None = None,
        pooling: Pooling | None = None,
    ) -> Plan:
        size = check_size(batch_size)
        # What arrives bit by bit is answered soon; of what is all there, more texts of a length are found.
        first = CHUNK if isinstance(texts, Sized) else size or FIRST
        return Plan(first, size, self._checked_windows(long_texts, stride, pooling), progress)

    def _logits(self, texts: Iterable[Text], plan: Plan) -> Iterator[np.ndarray]:
        """float32 of shape (texts, labels), chunk by chunk."""
        import numpy as np

        pooling = plan.windows.pooling if plan.windows else "mean"
        read = (self._parts(chunk, plan.windows) for chunk in chunks(texts, plan.first))
        for counts, answers in self._scheduler.stream(((parts.counts, parts) for parts in read), plan.batch_size, plan.progress):
            yield np.stack(answers if counts is None else [pool(some, pooling) for some in grouped(answers, counts)])

    def _short_logits(self, text: Text, plan: Plan) -> np.ndarray:
        """The same of one text that is not read in windows."""
        (tokens,) = self._truncated([text])
        logits = self._scheduler.one(tokens)
        if plan.progress:
            plan.progress(1)
        return logits[None]


def _open_tokenizer(path: Path, lowercase: bool | None, max_length: int) -> Tokenizer:
    tokenizer = open_tokenizer(path, lowercase)
    special = tokenizer.num_special_tokens_to_add(is_pair=True)
    if max_length < special:
        raise UsageError(f"max_length is {max_length}, and a pair of texts has {special} special tokens", hint=f"use at least {special}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _engine_of(manifest: Manifest, wanted: str | None) -> str | None:
    """The default one, unless the model has no graph: then transformers alone can run it. Raises UnsupportedModel."""
    if manifest.graph != "none":
        return wanted
    if wanted not in (None, "torch"):
        raise UnsupportedModel(
            f"the engine '{wanted}' cannot open a model of the architecture '{manifest.architecture}'",
            why=manifest.graph_note,
            hint="use engine='torch'",
        )
    return "torch"


def _checked_length(length: int, positions: int | None) -> int:
    if not isinstance(length, int) or length < 1:
        raise UsageError(f"max_length is {length!r}, and must be a whole number of at least 1")
    if positions is not None and length > positions:
        raise UsageError(f"max_length is {length}, and the model has {positions} positions", hint=f"use at most {positions}")
    return length
