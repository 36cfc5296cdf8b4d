"""The table by which SentencePiece normalises text (`precompiled_charsmap`), checked before a library walks through it.

Format: four bytes, little-endian, with the length of a double-array trie in bytes; the trie, units of four bytes; then the replacements,
UTF-8, each ended by a NUL. A unit has a label (the byte that leads to it), an offset to its children, and a flag that one of them is a
leaf; a leaf's value is the place of its replacement.

Strategy: walk all that can be reached from the root by bytes of UTF-8 text, breadth first. Every place that a library would look at must
lie inside the trie, every leaf must end a character, and every replacement must be whole. The library, in Rust, ends the process's
thread with a panic where one is not.

Source: normalizer.cc (google/sentencepiece), darts.h (s-yata/darts-clone), spm_precompiled (huggingface).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hubclient.errors import CorruptArchive, UnsafeArchive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# That of Unicode's NFKC has 240,000 bytes, its longest replacement 33.
_MAX_CHARSMAP = 4 << 20
_MAX_REPLACEMENT = 1024
_MAX_DEPTH = 1024
_NODES_AT_ONCE = 4096

_LABEL = 0x800000FF
_HAS_LEAF = 0x100


def check_charsmap(charsmap: bytes, label: str) -> None:
    """Raises CorruptArchive, or UnsafeArchive for absurd sizes. An empty one changes nothing."""
    import numpy as np

    if not charsmap:
        return
    if len(charsmap) > _MAX_CHARSMAP:
        raise UnsafeArchive("the normalisation table is too large", where=label, why=f"it has {len(charsmap)} bytes")
    size = int.from_bytes(charsmap[:4], "little")
    if len(charsmap) < 8 or not 4 <= size <= len(charsmap) - 4 or size % 4:
        raise _corrupt(label, f"its trie has {size} bytes, in a table of {len(charsmap)}")
    replacements = charsmap[4 + size :]
    try:
        replacements.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _corrupt(label, f"its replacements are not UTF-8: {error}") from error
    values = _leaves(np.frombuffer(charsmap, "<u4", size // 4, 4).astype(np.int64), label)
    _check_replacements(values, np.frombuffer(replacements, np.uint8), label)


def _leaves(units: NDArray[np.int64], label: str) -> NDArray[np.int64]:
    """The values of all leaves that a text can lead to.

    A node is the place of its children times four, and the number of bytes that the character still lacks.
    """
    import numpy as np

    seen = np.zeros(4 * len(units), bool)
    nodes = 4 * _offset(units[:1])
    _check_places(nodes, len(units), label)
    values = [np.zeros(0, np.int64)]
    for _ in range(_MAX_DEPTH):
        if not len(nodes):
            return np.concatenate(values)
        seen[nodes] = True
        steps = [_step(units, nodes[start : start + _NODES_AT_ONCE]) for start in range(0, len(nodes), _NODES_AT_ONCE)]
        nodes, ends = (np.unique(np.concatenate(parts)) for parts in zip(*steps, strict=True))
        _check_places(nodes, len(units), label)
        if (ends & 3).any():
            raise _corrupt(label, "an entry ends inside a character")
        values.append(units[ends >> 2] & 0x7FFFFFFF)
        nodes = nodes[~seen[nodes]]
    raise UnsafeArchive("the normalisation table has absurdly long entries", where=label, why=f"more than {_MAX_DEPTH} bytes")


def _check_places(nodes: NDArray[np.int64], size: int, label: str) -> None:
    """A library looks at any of the 256 units around a place."""
    if (nodes >> 2 | 0xFF).max(initial=0) >= size:
        raise _corrupt(label, "its trie leads out of itself")


def _step(units: NDArray[np.int64], nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The children of nodes, as nodes, and those of them that have a leaf."""
    import numpy as np

    letters = np.arange(1, 256)
    children = (nodes >> 2)[:, None] ^ letters
    lacking = _lacking()[nodes & 3, 1:]
    match = ((units[children] & _LABEL) == letters) & (lacking >= 0)
    found = units[children[match]]
    below = (children[match] ^ _offset(found)) * 4 + lacking[match]
    return below, below[(found & _HAS_LEAF) != 0]


def _offset(units: NDArray[np.int64]) -> NDArray[np.int64]:
    return (units >> 10) << ((units & 0x200) >> 6)


@cache
def _lacking() -> NDArray[np.int64]:
    """[bytes that a character lacks, next byte] -> bytes that it lacks then; -1 where no text goes on so."""
    import numpy as np

    table = np.full((4, 256), -1)
    table[0, :0x80], table[0, 0xC2:0xE0], table[0, 0xE0:0xF0], table[0, 0xF0:0xF5] = 0, 1, 2, 3
    for lacking in (1, 2, 3):
        table[lacking, 0x80:0xC0] = lacking - 1
    return table


def _check_replacements(starts: NDArray[np.int64], text: NDArray[np.uint8], label: str) -> None:
    import numpy as np

    if starts.max(initial=0) > len(text):
        raise _corrupt(label, f"a replacement starts at byte {starts.max()} of {len(text)}")
    if (text[starts[starts < len(text)]] & 0xC0 == 0x80).any():
        raise _corrupt(label, "a replacement starts inside a character")
    ends = np.append(np.flatnonzero(text == 0), len(text))
    if (ends[np.searchsorted(ends, starts)] - starts).max(initial=0) > _MAX_REPLACEMENT:
        raise UnsafeArchive(
            "the normalisation table has an absurdly long replacement", where=label, why=f"more than {_MAX_REPLACEMENT} bytes"
        )


def _corrupt(label: str, why: str) -> CorruptArchive:
    return CorruptArchive("the normalisation table of the SentencePiece model is damaged", where=label, why=why)
