"""A feature of a Spark NLP annotator: a map, saved as `fields/<feature>/part-NNNNN`.

Strategy: each part is a SequenceFile whose values are Java streams, each an array of up to ten pairs; all parts, in any order, are one map.

Source: com.johnsnowlabs.nlp.serialization.MapFeature and Spark's RDD.saveAsObjectFile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hubclient.archive.javaserial import Reader, Value
from hubclient.archive.sequencefile import records
from hubclient.errors import CorruptArchive, InconsistentModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_Key = TypeVar("_Key")
_Item = TypeVar("_Item")


def numbers(parts: Mapping[str, bytes]) -> dict[str, int]:
    """A map from texts to whole numbers (`vocabulary`, `labels`). `parts` maps the name of each part file to its bytes."""
    return _feature(parts, _text, _number)


def texts(parts: Mapping[str, bytes]) -> dict[str, str]:
    """A map from texts to texts (`signatures`)."""
    return _feature(parts, _text, _text)


def pairs(parts: Mapping[str, bytes]) -> dict[tuple[str, str], int]:
    """A map from pairs of texts to whole numbers (`merges`)."""
    return _feature(parts, _pair, _number)


def _feature(
    parts: Mapping[str, bytes], key_of: Callable[[Value], _Key | None], item_of: Callable[[Value], _Item | None]
) -> dict[_Key, _Item]:
    """Raises InconsistentModel where one key has two values, CorruptArchive where the file holds something else than such pairs."""
    feature: dict[_Key, _Item] = {}
    for label in sorted(parts):
        for entry in _entries(parts[label], label):
            key, item = (key_of(entry[0]), item_of(entry[1])) if isinstance(entry, tuple) else (None, None)
            if key is None or item is None:
                raise CorruptArchive(f"entry {len(feature)} of a map is of another kind than it should be", where=label)
            if feature.setdefault(key, item) != item:
                raise InconsistentModel(f"{key!r} has two values", where=label, why=f"{feature[key]!r} and {item!r}")
    return feature


def _entries(data: bytes, label: str) -> Iterator[Value]:
    reader = Reader(label)
    for offset, record in records(data, label=label):
        content = reader.read(bytes(record), offset=offset)
        if not isinstance(content, list):
            raise CorruptArchive("a record holds no array", where=f"{label}, byte {offset}")
        yield from content


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _pair(value: Value) -> tuple[str, str] | None:
    match value:
        case (str() as left, str() as right) if isinstance(value, tuple):
            return left, right
    return None
