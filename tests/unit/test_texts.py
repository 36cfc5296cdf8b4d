"""What texts may come in: columns and arrays of every library, and a clear word where a row is no text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pytest

from hubclient.errors import InvalidText
from hubclient.texts import checked, checked_singles, several

TEXTS = ["a film", "", "ünd 漢字 😀"]
COLUMNS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "generator": lambda texts: (text for text in texts),
    "pandas": pd.Series,
    "pandas_object": lambda texts: pd.Series(texts, dtype=object),
    "pandas_column": lambda texts: pd.DataFrame({"text": texts}, index=[7] * len(texts))["text"],
    "pandas_index": pd.Index,
    "polars": pl.Series,
    "polars_column": lambda texts: pl.DataFrame({"text": texts})["text"],
    "datasets": lambda texts: datasets.Dataset.from_dict({"text": texts})["text"],
    "datasets_rows": lambda texts: datasets.Dataset.from_dict({"text": texts})[:]["text"],
    "numpy_object": lambda texts: np.array(texts, dtype=object),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_columns(column: Callable[[list[Any]], Any]) -> None:
    found = list(checked(several(column(TEXTS))))
    assert found == TEXTS
    assert {type(text) for text in found} == {str}


def test_an_array_of_text_and_a_category() -> None:
    assert [type(text) for text in checked(several(np.array(TEXTS)))] == [str] * 3
    assert list(checked(several(pd.Series(TEXTS, dtype="category")))) == TEXTS
    assert list(checked(several(pl.Series(TEXTS, dtype=pl.Categorical)))) == TEXTS


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_missing_row_is_named(column: Callable[[list[Any]], Any]) -> None:
    with pytest.raises(InvalidText, match="missing") as caught:
        list(checked(several(column(["a", None, "b"]))))
    assert caught.value.where == "row 1, counted from 0"


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NA, pd.NaT, np.float64("nan")])
def test_all_that_is_missing(value: Any) -> None:
    with pytest.raises(InvalidText, match="missing"):
        list(checked(["a", value]))


@pytest.mark.parametrize(
    "value", [3, 1.5, b"bytes", ["a", "b"], ("a", None), ("a", "b", "c"), {"text": "a"}, "lone \ud800", ("a", "\ud800")]
)
def test_rows_that_are_no_texts(value: Any) -> None:
    with pytest.raises(InvalidText) as caught:
        list(checked(["a", "b", value]))
    assert caught.value.where == "row 2, counted from 0"
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"text": TEXTS}),
        pl.DataFrame({"text": TEXTS}),
        datasets.Dataset.from_dict({"text": TEXTS}),
        np.array([TEXTS]),
        np.array("a film"),
        datasets.DatasetDict(),
        {"text": TEXTS},
        b"bytes",
        None,
        3,
    ],
    ids=lambda table: type(table).__name__,
)
def test_tables_are_not_taken_for_texts(table: Any) -> None:
    """A data frame gives its column names when it is iterated over, a dict its keys."""
    with pytest.raises(InvalidText):
        several(table)


def test_pairs() -> None:
    assert list(checked([("a", "b"), "c"])) == [("a", "b"), "c"]
    with pytest.raises(InvalidText, match="row 0"):
        list(checked_singles([("a", "b")]))
