"""How much of a stream of texts is taken at once: so that an endless one needs bounded memory, and a slow one is answered soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

from hubclient.texts import Text

# So many texts, or characters.
CHUNK = 4096
FIRST = 32
_CHARACTERS = 1 << 20
_PATIENCE = 0.2


@dataclass(frozen=True)
class Chunk:
    """`ahead`: whether the next one may be read before this one is answered."""

    texts: list[Text]
    ahead: bool

    def __len__(self) -> int:
        return len(self.texts)


def whole(parts: Iterable[Iterable[Text]]) -> Iterator[Chunk]:
    """Each part a chunk, whatever its size."""
    return (Chunk(list(part), ahead=True) for part in parts)


def chunks(texts: Iterable[Text], first: int, patience: float = _PATIENCE, clock: Callable[[], float] = monotonic) -> Iterator[Chunk]:
    """Chunks of texts, the first of `first`, each up to twice as large as the one before.

    Where texts come slowly, fewer are waited for: no chunk grows once `patience` is over, in seconds.
    """
    chunk: list[Text] = []
    size, room, begun, ahead = min(first, CHUNK), _CHARACTERS, clock(), first >= CHUNK
    for text in texts:
        chunk.append(text)
        room -= len(text) if isinstance(text, str) else len(text[0]) + len(text[1])
        slow = clock() - begun > patience
        if len(chunk) >= size or room <= 0 or slow:
            yield Chunk(chunk, ahead and not slow)
            size = max(1, len(chunk) // 2) if slow else min(2 * size, CHUNK)
            chunk, room, begun, ahead = [], _CHARACTERS, clock(), True
    if chunk:
        yield Chunk(chunk, ahead=False)
