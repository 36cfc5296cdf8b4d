"""Long texts: cutting their tokens into windows, and putting the windows' answers together.

A window is transformers' (`return_overflowing_tokens`, `stride`): the special tokens, as much of the text as there is room for, and each
starts `stride` tokens before the end of the one before. Of a pair, the first text is cut, and every window has the whole second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from hubclient.errors import InvalidText, UsageError

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding

LongTexts = Literal["truncate", "window"]
Pooling = Literal["mean", "max"]


@dataclass(frozen=True)
class Windows:
    """`stride`: by how many tokens windows overlap; None is a quarter of the room for the text. `pooling`: of logits, class by class."""

    stride: int | None = None
    pooling: Pooling = "mean"


@dataclass(frozen=True)
class Window:
    """A part of a text as a model takes it; `places` are its tokens' in the whole encoding."""

    ids: Sequence[int]
    type_ids: Sequence[int]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)


def settle(long_texts: LongTexts | None, stride: int | None, pooling: Pooling | None, before: Windows | None = None) -> Windows | None:
    """What somebody asks for; None leaves a thing as it was `before`. None means that long texts are truncated. Raises UsageError."""
    if long_texts not in (None, *get_args(LongTexts)):
        raise UsageError(f"long_texts is {long_texts!r}", hint="use 'truncate' or 'window'")
    if pooling not in (None, *get_args(Pooling)):
        raise UsageError(f"pooling is {pooling!r}", hint="use 'mean' or 'max'")
    if stride is not None and (type(stride) is not int or stride < 0):
        raise UsageError(f"stride is {stride!r}, and must be a whole number of tokens, 0 or more")
    if long_texts == "truncate" or (long_texts is None and before is None):
        if stride is not None or pooling is not None:
            raise UsageError("stride and pooling are for long texts in windows", hint="add long_texts='window'")
        return None
    known = before or Windows()
    return Windows(known.stride if stride is None else stride, pooling or known.pooling)


def check_stride(stride: int, room: int) -> None:
    """`room`: how many tokens of a text a window has. Raises UsageError."""
    if stride >= room:
        raise UsageError(
            f"stride is {stride}, and a window has room for {room} tokens of a text", hint="use a smaller stride, or a larger max_length"
        )


def whole(encoding: Encoding) -> Window:
    return Window(encoding.ids, encoding.type_ids, range(len(encoding)))


def room_for_text(encoding: Encoding, max_length: int) -> int:
    """How many tokens of the (first) text fit, besides the special ones and those of the second text."""
    start, stop = _first_text(encoding)
    return max_length - (len(encoding) - (stop - start))


def cut(encoding: Encoding, max_length: int, stride: int | None) -> Iterator[Window]:
    """The windows of an encoding that was not truncated, one after the other.

    Raises InvalidText when the second text of a pair leaves no room, UsageError when it leaves no more than the stride.
    """
    if len(encoding) <= max_length:
        yield whole(encoding)
        return
    start, stop = _first_text(encoding)
    room = room_for_text(encoding, max_length)
    if room < 1:
        raise InvalidText(
            "the second text of a pair leaves no room for the first",
            why=f"it has {len(encoding) - (stop - start)} tokens with the special ones, and max_length is {max_length}",
            hint="use a larger max_length, or a shorter second text",
        )
    overlap = room // 4 if stride is None else stride
    check_stride(overlap, room)
    ids, types, before, after = encoding.ids, encoding.type_ids, range(start), range(stop, len(encoding))
    for begin in range(start, stop, room - overlap):
        end = min(begin + room, stop)
        places = [*before, *range(begin, end), *after]
        yield Window([ids[place] for place in places], [types[place] for place in places], places)
        if end == stop:
            return


def pool(answers: Sequence[np.ndarray], pooling: Pooling) -> np.ndarray:
    """One text's logits from those of its windows."""
    import numpy as np

    if len(answers) == 1:
        return answers[0]
    pooled: np.ndarray = np.mean(answers, axis=0) if pooling == "mean" else np.max(answers, axis=0)
    return pooled


def _first_text(encoding: Encoding) -> tuple[int, int]:
    """Where the first text's tokens are. There may be none, where it is empty."""
    own = [place for place, sequence in enumerate(encoding.sequence_ids) if sequence == 0]
    return (own[0], own[-1] + 1) if own else (0, 0)
