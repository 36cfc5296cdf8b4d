"""Answers as columns of Arrow, and what Spark calls their types.

Source of the annotations' form: Spark NLP 5.5.3, Annotation.scala and XXXForClassification.scala. A label is one annotation, of a
multi-label model each label above the threshold in class order; `begin` and `end` count UTF-16 units, the last one included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    DataType,
    FloatType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from hubclient.activation import activate
from hubclient.errors import InvalidText, UsageError

if TYPE_CHECKING:
    from hubclient.classifier import Classifier

_CATEGORY = "category"
_LABELS = ArrayType(StringType(), containsNull=False)
_SCORES = MapType(StringType(), FloatType(), valueContainsNull=False)
_ANNOTATION = StructType(
    [
        StructField("annotatorType", StringType()),
        StructField("begin", IntegerType(), nullable=False),
        StructField("end", IntegerType(), nullable=False),
        StructField("result", StringType()),
        StructField("metadata", MapType(StringType(), StringType())),
        StructField("embeddings", ArrayType(FloatType(), containsNull=False)),
    ]
)


@dataclass(frozen=True)
class Columns:
    """The column of the texts, and those of the answers; None is one that nobody wants."""

    text: str
    output: str
    selected: str | None = None
    scores: str | None = None
    annotations: bool = False

    def added_to(self, schema: StructType) -> StructType:
        """The schema with the answers' columns behind its own. Raises UsageError."""
        found = [field for field in schema.fields if field.name == self.text]
        if len(found) != 1:
            what = f"there is no column '{self.text}'" if not found else f"there are {len(found)} columns '{self.text}'"
            raise UsageError(what, hint=f"set inputCol to one of {', '.join(schema.names)}")
        if not isinstance(found[0].dataType, StringType):
            raise UsageError(f"the column '{self.text}' holds {found[0].dataType.simpleString()}, and texts were expected", hint="cast it")
        new = list(self._fields())
        names = [*schema.names, *(field.name for field in new)]
        if taken := next((field.name for field in new if names.count(field.name) > 1), None):
            raise UsageError(f"there is a column '{taken}' already", hint="set outputCol, selectedCol or scoresCol to another name")
        return StructType([*schema.fields, *new])

    def _fields(self) -> Iterator[StructField]:
        output: DataType = ArrayType(_ANNOTATION) if self.annotations else StringType()
        yield StructField(self.output, output, metadata={"annotatorType": _CATEGORY} if self.annotations else None)
        if self.selected:
            yield StructField(self.selected, _LABELS)
        if self.scores:
            yield StructField(self.scores, _SCORES)

    def answered(self, batch: Any, classifier: Classifier) -> Any:
        """A batch with the answers' columns behind its own. A missing text has none, and as annotations an empty list."""
        texts = _texts(batch, self.text)
        present = np.array([text is not None for text in texts], dtype=bool)
        given = [text for text in texts if text is not None]
        answers = Answers(classifier, activate(classifier.logits(given), classifier.activation), present)
        arrays = [answers.annotations(given) if self.annotations else answers.labels()]
        if self.selected:
            arrays.append(answers.selected())
        if self.scores:
            arrays.append(answers.all_scores())
        names = [name for name in (self.output, self.selected, self.scores) if name]
        return pa.RecordBatch.from_arrays([*batch.columns, *arrays], names=[*batch.schema.names, *names])


class Answers:
    """`scores`: of the rows that have a text, float32 of shape (texts, labels). `present`: which rows have one."""

    def __init__(self, classifier: Classifier, scores: np.ndarray, present: np.ndarray) -> None:
        self._scores, self._present = scores, present
        self._names = pa.array(classifier.labels, pa.string())
        # As `Prediction` has it: of scores alike, the first class.
        self._ranked = np.argsort(-scores, axis=1, kind="stable")
        best = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(best, self._ranked[:, :1], True, axis=1)
        self._chosen = scores > classifier.threshold if classifier.multi_label else best

    def labels(self) -> Any:
        rows = np.zeros(len(self._present), dtype=np.int32)
        rows[self._present] = self._ranked[:, 0]
        return self._names.take(pa.array(rows, mask=~self._present))

    def selected(self) -> Any:
        chosen = np.take_along_axis(self._chosen, self._ranked, axis=1)
        return pa.ListArray.from_arrays(self._offsets(chosen.sum(axis=1), missing=True), self._names.take(pa.array(self._ranked[chosen])))

    def all_scores(self) -> Any:
        rows, classes = self._scores.shape
        offsets = self._offsets(np.full(rows, classes), missing=True)
        return pa.MapArray.from_arrays(offsets, self._names.take(pa.array(_each_class(rows, classes))), pa.array(self._scores.ravel()))

    def annotations(self, texts: Sequence[str]) -> Any:
        """`texts`: those of the rows that have one."""
        rows, classes = np.nonzero(self._chosen)
        ends = np.array([len(text.encode("utf-16-le")) // 2 - 1 for text in texts], dtype=np.int32)
        count = len(rows)
        fields = {
            "annotatorType": pa.repeat(_CATEGORY, count),
            "begin": pa.array(np.zeros(count, dtype=np.int32)),
            "end": pa.array(ends[rows]),
            "result": self._names.take(pa.array(classes)),
            "metadata": self._metadata(rows),
            "embeddings": pa.ListArray.from_arrays(np.zeros(count + 1, dtype=np.int32), pa.array([], pa.float32())),
        }
        annotations = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
        return pa.ListArray.from_arrays(self._offsets(self._chosen.sum(axis=1), missing=False), annotations)

    def _metadata(self, rows: np.ndarray) -> Any:
        """Of each annotation: the sentence, which is the whole text, and every label's score."""
        classes = len(self._names)
        keys = pa.concat_arrays([pa.array(["sentence"]), self._names]).take(pa.array(_each_class(len(rows), classes + 1)))
        values = np.empty((len(rows), classes + 1), dtype=object)
        values[:, 0] = "0"
        values[:, 1:] = self._scores[rows].astype(str)
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * (classes + 1)
        return pa.MapArray.from_arrays(offsets, keys, pa.array(values.ravel(), pa.string()))

    def _offsets(self, lengths: np.ndarray, *, missing: bool) -> Any:
        """Where each row's values begin; `missing`: rows without a text are null, and not empty."""
        counts = np.zeros(len(self._present), dtype=np.int64)
        counts[self._present] = lengths
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return pa.array(starts, mask=np.append(~self._present, False)) if missing else pa.array(starts)


def _each_class(rows: int, classes: int) -> np.ndarray:
    return np.tile(np.arange(classes, dtype=np.int32), rows)


def _texts(batch: Any, name: str) -> list[str | None]:
    try:
        texts: list[str | None] = batch.column(batch.schema.get_field_index(name)).to_pylist()
    except UnicodeDecodeError as error:
        raise InvalidText(f"the column '{name}' holds what is not UTF-8", why=str(error), hint="decode it with its own encoding") from error
    return texts
