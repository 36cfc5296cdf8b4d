"""The Transformer: a column of texts becomes columns of answers, batch by batch through Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from pyspark import TaskContext
from pyspark.ml import Transformer
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable

from hubclient.errors import UsageError
from hubclient.hub import Hub
from hubclient.spark.columns import Columns
from hubclient.spark.params import Chosen, ClassifierParams
from hubclient.spark.shipment import Shipment, open_shipment, ship

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Classifier(Transformer, ClassifierParams, DefaultParamsReadable, DefaultParamsWritable):  # type: ignore[misc]
    """A text classifier as a stage of Spark ML.

    `outputCol` ("class") gets the label with the highest score; `selectedCol` the labels that hold, of a multi-label model all above the
    threshold; `scoresCol` the score of every label. `annotations=True` makes `outputCol` what Spark NLP's classifiers write, so that
    `class.result` goes on working. A missing text has no answer.
    """

    def __init__(self, reference: str | None = None, **params: Unpack[Chosen]) -> None:
        """`reference` is what `hubclient.load` takes; the rest are the parameters of `ClassifierParams`. Raises UsageError."""
        super().__init__()
        self._setDefault(inputCol="text", outputCol="class", annotations=False)
        if unknown := [name for name in params if not self.hasParam(name)]:
            raise UsageError(f"there is no parameter '{unknown[0]}'", hint=f"there are {', '.join(param.name for param in self.params)}")
        given: dict[str, Any] = {"reference": reference, **params}
        self._set(**given)

    @classmethod
    def pretrained(cls, name: str, lang: str | None = None, **params: Unpack[Chosen]) -> Classifier:
        """By the name of a model card, as Spark NLP has it."""
        return cls(f"{lang}/{name}" if lang else name, **params)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        columns = self._columns()
        schema = columns.added_to(dataset.schema)
        shipment = self._shipment()

        def classify(batches: Iterator[Any]) -> Iterator[Any]:
            classifier = open_shipment(_for_this_task(shipment))
            return (columns.answered(batch, classifier) for batch in batches)

        return dataset.mapInArrow(classify, schema)

    def _columns(self) -> Columns:
        text, output, annotations = (self.getOrDefault(name) for name in ("inputCol", "outputCol", "annotations"))
        return Columns(text, output, self._value("selectedCol"), self._value("scoresCol"), annotations)

    def _shipment(self) -> Shipment:
        """The model is opened here first: what is wrong with it is said by the driver, before any task begins."""
        reference = self._value("reference")
        if not reference:
            raise UsageError("no model is named", hint="Classifier('en/NAME'), or setReference")
        cache_dir, offline, threads = (self._value(name) for name in ("cacheDir", "offline", "threads"))
        hub = Hub(cache_dir=cache_dir, offline=offline, lock=self._value("lock"))
        shipment = ship(hub.load(reference, task="text-classification", threads=threads, **self._opening()), reference, hub)
        return replace(shipment, cache_dir=cache_dir, offline=offline, threads=threads)


def _for_this_task(shipment: Shipment) -> Shipment:
    """Tasks run beside each other: each uses the cores that Spark gives it."""
    context = TaskContext.get()
    return replace(shipment, threads=shipment.threads or (context.cpus() if context else None))
