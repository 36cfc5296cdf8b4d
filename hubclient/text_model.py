"""What the classifiers of every task share: a native folder, opened, with its tokenizer and its engine."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack
from weakref import WeakKeyDictionary

from hubclient.batches import Tokens, check_size
from hubclient.chunks import CHUNK, FIRST, Chunk
from hubclient.convert.annotators import Task
from hubclient.engines import ENGINES, Engine, Precision, Wanted, choose_engine, open_engine
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.native import Manifest, open_tokenizer, read_manifest
from hubclient.padding import read_padding
from hubclient.scheduler import Parts, Progress, Scheduler, grouped
from hubclient.texts import Text, checked_singles, is_text, several
from hubclient.windows import LongTexts, Pooling, Windows, check_stride, cut, pool, settle

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    import numpy as np
    from tokenizers import Encoding, Tokenizer

    from hubclient.cards import Card
    from hubclient.export import Format
    from hubclient.gathering import Gathering
    from hubclient.reduced import Cost


class Setup(TypedDict, total=False):
    """How a folder is opened. manifest: the folder's own, or the same with facts overruled. cost: where it is known what reduced precision
    costs. The rest: see `hubclient.way.Opening`."""

    engine: str | None
    precision: Precision | None
    device: str | None
    sample: Iterable[str] | None
    max_changed: float | None
    cost: Cost | None
    threads: int | None
    manifest: Manifest | None
    card: Card | Callable[[], Card | None] | None
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
    """`labels` are in class order; `engine` is the name of what runs the model, `device` what it runs on, `precision` what that computes
    in, `cost` what it costs where it is not float32; `max_length` is how many tokens of a text the model is given.

    It can be pickled and copied: it is opened again from its folder, or shared.
    """

    task: ClassVar[Task]
    cost: Cost | None

    def __init__(self, path: Path, **setup: Unpack[Setup]) -> None:
        _watch_forks()
        self.path = path
        self._card = setup.get("card")
        self.manifest = setup.get("manifest") or read_manifest(path).in_force()
        facts = self.manifest.facts
        self.labels = self.manifest.labels
        self.max_length = _checked_length(facts.max_length.value, self.manifest.positions)
        self._tokenizer = _open_tokenizer(path, facts.lowercase.value, self.max_length)
        self.windows: Windows | None = None
        self.windows = self._checked_windows(setup.get("long_texts"), setup.get("stride"), setup.get("pooling"))
        self._threads = setup.get("threads")
        wanted = engine_of(self.manifest, setup.get("engine"), setup.get("precision"), setup.get("device"))
        self._engine: Engine = open_engine(wanted, path, self._threads)
        self._padding = read_padding(path)
        self._scheduler = Scheduler(self._engine, self._padding)
        self._gatherings: WeakKeyDictionary[AbstractEventLoop, Gathering] = WeakKeyDictionary()

    @cached_property
    def card(self) -> Card | None:
        """What describes the model; it is read when it is asked for."""
        return self._card() if callable(self._card) else self._card

    @property
    def engine(self) -> str:
        return self._engine.name

    @property
    def precision(self) -> Precision:
        return self._engine.precision

    @property
    def device(self) -> str:
        return str(self._engine.device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r}, engine={self.engine!r}, precision={self.precision!r}, device={self.device!r})"

    def __reduce__(self) -> Any:
        setup = Setup(
            engine=self.engine,
            precision=self.precision,
            device=self.device,
            cost=self.cost,
            threads=self._threads,
            manifest=self.manifest,
            card=self.card,
        )
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

    async def _asked_at_once(self, texts: Any, check: Callable[[Iterable[Any]], Iterator[Text]], **options: Hashable) -> Any:
        """The answer to one text, or a list of those to several, together with what else is asked meanwhile: see `hubclient.gathering`."""
        import asyncio

        from hubclient.gathering import Gathering

        wanted = list(check([texts] if is_text(texts) else several(texts)))
        loop = asyncio.get_running_loop()
        if len(wanted) > _GATHERED:
            return await asyncio.to_thread(self._answers, wanted, options.items())
        if loop not in self._gatherings:
            self._gatherings[loop] = Gathering(self._answers, self._engine.lanes)
        answers = await self._gatherings[loop].ask(wanted, tuple(sorted(options.items())))
        return answers[0] if is_text(texts) else answers

    def _answers(self, texts: Sequence[Any], options: Iterable[tuple[str, Any]]) -> Sequence[Any]:
        call: Callable[..., Any] = self.__call__  # type: ignore[operator]
        return [call(texts[0], **dict(options))] if len(texts) == 1 else call(texts, **dict(options))

    def _parts(self, chunk: Chunk, windows: Windows | None) -> Parts:
        if windows is None:
            return Parts(self._truncated(chunk.texts), ahead=chunk.ahead)
        texts = (list(cut(encoding, self.max_length, windows.stride)) for encoding in self._encode(chunk.texts))
        return Parts.of(texts, ahead=chunk.ahead)

    def _tried(self, setup: Setup) -> Cost | None:
        """What reduced precision costs. Raises UnsupportedModel where it is more than is allowed."""
        if self.precision == "float32" or setup.get("cost"):
            return setup.get("cost")
        from hubclient.reduced import Trial
        from hubclient.sample import SAMPLE

        sample = setup.get("sample")
        texts = list(checked_singles(several(SAMPLE if sample is None else sample)))
        if not texts:
            raise UsageError("sample has no texts", hint="give some, or leave sample out")
        trial = Trial(
            self.path,
            self._engine,
            self._padding,
            self._truncated(self._asked_of(texts)),
            lambda: open_engine(engine_of(self.manifest, None, None, self.device), self.path, self._threads),
            self._decide,
            self._deciding,
        )
        return trial.cost(setup.get("max_changed"))

    def _asked_of(self, texts: Sequence[str]) -> Sequence[Text]:
        """What the model is given of texts that somebody wants answers to."""
        return texts

    def _decide(self, logits: np.ndarray) -> np.ndarray:
        """What is answered: a row for each row of logits."""
        best: np.ndarray = logits.argmax(axis=1)[:, None]
        return best

    @property
    def _deciding(self) -> str:
        """All that `_decide` depends on."""
        return "best"

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

    def _logits(self, read: Iterable[Chunk], plan: Plan) -> Iterator[np.ndarray]:
        """float32 of shape (texts, labels), chunk by chunk."""
        import numpy as np

        pooling = plan.windows.pooling if plan.windows else "mean"
        parts = (self._parts(chunk, plan.windows) for chunk in read)
        for counts, answers in self._scheduler.stream(((some.counts, some) for some in parts), plan.batch_size, plan.progress):
            rows = answers if counts is None else [pool(some, pooling) for some in grouped(answers, counts)]
            yield np.stack(rows) if rows else np.empty((0, len(self.labels)), np.float32)

    def _short_logits(self, text: Text, plan: Plan) -> np.ndarray:
        """The same of one text that is not read in windows."""
        (tokens,) = self._truncated([text])
        logits = self._scheduler.one(tokens)
        if plan.progress:
            plan.progress(1)
        return logits[None]


@cache
def _watch_forks() -> None:
    """The tokenizers' threads are not there in a forked process, which would wait for them: there, they are not asked."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(operator.setitem, os.environ, "TOKENIZERS_PARALLELISM", "false"))


def _open_tokenizer(path: Path, lowercase: bool | None, max_length: int) -> Tokenizer:
    tokenizer = open_tokenizer(path, lowercase)
    special = tokenizer.num_special_tokens_to_add(is_pair=True)
    if max_length < special:
        raise UsageError(f"max_length is {max_length}, and a pair of texts has {special} special tokens", hint=f"use at least {special}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


# More texts than these make batches enough by themselves.
_GATHERED = 64
# The engine that alone can open a model, by what its manifest says of its graph.
_ONLY = MappingProxyType({"none": "torch", "openvino": "openvino"})


def engine_of(manifest: Manifest, engine: str | None, precision: Precision | None, device: str | None) -> Wanted:
    """What is wanted, or the default, unless the model has no ONNX graph: then one engine alone can open it.

    Raises UsageError, UnsupportedModel.
    """
    wanted = choose_engine(engine, precision, device)
    only = _ONLY.get(manifest.graph, wanted.engine)
    if wanted.engine == only:
        return wanted
    if engine is None and ENGINES[only].computes(wanted.precision, wanted.device):
        return replace(wanted, engine=only)
    able = " or ".join(ENGINES[only].precisions.get(wanted.device.place, ()))
    raise UnsupportedModel(
        f"the engine '{wanted.engine}' cannot open this model, of the architecture '{manifest.architecture}'",
        why=manifest.graph_note,
        hint=f"use engine='{only}'" + (f", which computes in {able}" if able else f", which does not run on {wanted.device}"),
    )


def _checked_length(length: int, positions: int | None) -> int:
    if not isinstance(length, int) or length < 1:
        raise UsageError(f"max_length is {length!r}, and must be a whole number of at least 1")
    if positions is not None and length > positions:
        raise UsageError(f"max_length is {length}, and the model has {positions} positions", hint=f"use at most {positions}")
    return length
