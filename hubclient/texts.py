"""What a text is, and what texts come in: lists, generators, arrays, columns of data frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from hubclient.errors import InvalidText

Text = str | tuple[str, str]
# pandas' marks for a missing value. None and NaN are others.
_MISSING = frozenset({"NAType", "NaTType"})
_SLICE = 1024


def is_text(value: object) -> TypeGuard[Text]:
    return isinstance(value, str) or (isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value))


def several(texts: Any) -> Iterable[Any]:
    """What may hold texts, for `checked`: any iterable, such as a column of pandas, polars, Arrow or datasets.

    Raises InvalidText for a table.
    """
    if isinstance(texts, Mapping | bytes) or not isinstance(texts, Iterable):
        raise InvalidText(
            f"{_shown(texts)} is not a text", why=f"it is of type {type(texts).__name__}", hint="give a str, or an iterable of str"
        )
    shape = getattr(texts, "shape", None)
    if isinstance(shape, tuple) and len(shape) != 1:
        raise InvalidText(
            f"a {type(texts).__name__} of shape {shape} is no list of texts", hint="give one of its columns; pairs are tuples of two str"
        )
    if isinstance(texts, str):
        return [texts]
    return _of_arrow(texts) if hasattr(texts, "to_pylist") and hasattr(texts, "slice") else texts


def _of_arrow(column: Any) -> Iterator[Any]:
    """Its own iteration gives values of Arrow's, one by one."""
    for start in range(0, len(column), _SLICE):
        yield from column.slice(start, _SLICE).to_pylist()


def checked(texts: Iterable[Any]) -> Iterator[Text]:
    """The texts, once each has been looked at. Raises InvalidText, which names the row."""
    return (checked_text(value, row) for row, value in enumerate(texts))


def checked_singles(texts: Iterable[Any]) -> Iterator[str]:
    """As `checked`, where a pair is no text."""
    return (checked_single(value, row) for row, value in enumerate(texts))


def checked_text(value: Any, row: int | None = None) -> Text:
    """`row` counts from 0. Raises InvalidText."""
    if isinstance(value, tuple) and is_text(value):
        return checked_single(value[0], row), checked_single(value[1], row)
    return checked_single(value, row, hint="give a str, or a pair of str")


def checked_single(value: Any, row: int | None = None, hint: str = "give a str") -> str:
    """As `checked_text`, where a pair is no text."""
    where = None if row is None else f"row {row}, counted from 0"
    if not isinstance(value, str):
        if _is_missing(value):
            raise InvalidText("a text is missing", where=where, why=f"it is {value!r}", hint="leave the row out, or give an empty str")
        raise InvalidText(f"{_shown(value)} is not a text", where=where, why=f"it is of type {type(value).__name__}", hint=hint)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidText(
            f"{_shown(value)} is not valid Unicode", where=where, why=str(error), hint="decode the text with its own encoding"
        ) from error
    return str(value)  # of an array it is numpy's own kind of str


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in _MISSING


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
