"""The parameters of the Transformer, by Spark's own rules for their names."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Self, TypedDict

from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCol, HasOutputCol

# By what name `hubclient.way.Opening` knows a parameter.
OPENING = MappingProxyType(
    {
        "engine": "engine",
        "precision": "precision",
        "device": "device",
        "maxChanged": "max_changed",
        "maxLength": "max_length",
        "lowercase": "lowercase",
        "activation": "activation",
        "threshold": "threshold",
        "longTexts": "long_texts",
        "stride": "stride",
        "pooling": "pooling",
    }
)


class Chosen(TypedDict, total=False):
    """The parameters as keywords, see `ClassifierParams`."""

    inputCol: str
    outputCol: str
    selectedCol: str
    scoresCol: str
    annotations: bool
    cacheDir: str
    offline: bool
    lock: str
    threads: int
    engine: str
    precision: str
    device: str
    maxChanged: float
    maxLength: int
    lowercase: bool
    activation: str
    threshold: float
    longTexts: str
    stride: int
    pooling: str


def _param(name: str, doc: str, converter: Any) -> Any:
    return Param(Params._dummy(), name, doc, typeConverter=converter)


class ClassifierParams(HasInputCol, HasOutputCol):  # type: ignore[misc]
    """What is classified, as what, and where the answers go. What is not set is as in `hubclient.pretrained`."""

    reference = _param("reference", "the model, as hubclient.load takes it", TypeConverters.toString)
    selectedCol = _param("selectedCol", "the column for the labels that hold, highest first", TypeConverters.toString)
    scoresCol = _param("scoresCol", "the column for the score of every label", TypeConverters.toString)
    annotations = _param("annotations", "whether the output column has the form of Spark NLP's", TypeConverters.toBoolean)
    cacheDir = _param("cacheDir", "where models are kept, on the driver and on executors", TypeConverters.toString)
    offline = _param("offline", "whether no connection may be opened", TypeConverters.toBoolean)
    lock = _param("lock", "the driver's lockfile, which says which models may be had", TypeConverters.toString)
    threads = _param("threads", "how many cores a task uses (default: spark.task.cpus)", TypeConverters.toInt)
    engine = _param("engine", "onnx, openvino or torch", TypeConverters.toString)
    precision = _param("precision", "float32, bfloat16 or int8", TypeConverters.toString)
    device = _param("device", "cpu, cuda or cuda:1", TypeConverters.toString)
    maxChanged = _param("maxChanged", "which share of the answers reduced precision may change", TypeConverters.toFloat)
    maxLength = _param("maxLength", "tokens a text, special ones counted", TypeConverters.toInt)
    lowercase = _param("lowercase", "whether texts are lower-cased", TypeConverters.toBoolean)
    activation = _param("activation", "softmax, sigmoid or none", TypeConverters.toString)
    threshold = _param("threshold", "above it, a label of a multi-label model is selected", TypeConverters.toFloat)
    longTexts = _param("longTexts", "truncate or window", TypeConverters.toString)
    stride = _param("stride", "by how many tokens windows overlap", TypeConverters.toInt)
    pooling = _param("pooling", "mean or max, of the windows of a text", TypeConverters.toString)

    def setReference(self, value: str) -> Self:
        return self._with("reference", value)

    def setInputCol(self, value: str) -> Self:
        return self._with("inputCol", value)

    def setOutputCol(self, value: str) -> Self:
        return self._with("outputCol", value)

    def setSelectedCol(self, value: str) -> Self:
        return self._with("selectedCol", value)

    def setScoresCol(self, value: str) -> Self:
        return self._with("scoresCol", value)

    def setAnnotations(self, value: bool) -> Self:
        return self._with("annotations", value)

    def setCacheDir(self, value: str) -> Self:
        return self._with("cacheDir", value)

    def setOffline(self, value: bool) -> Self:
        return self._with("offline", value)

    def setLock(self, value: str) -> Self:
        return self._with("lock", value)

    def setThreads(self, value: int) -> Self:
        return self._with("threads", value)

    def setEngine(self, value: str) -> Self:
        return self._with("engine", value)

    def setPrecision(self, value: str) -> Self:
        return self._with("precision", value)

    def setDevice(self, value: str) -> Self:
        return self._with("device", value)

    def setMaxChanged(self, value: float) -> Self:
        return self._with("maxChanged", value)

    def setMaxLength(self, value: int) -> Self:
        return self._with("maxLength", value)

    def setLowercase(self, value: bool) -> Self:
        return self._with("lowercase", value)

    def setActivation(self, value: str) -> Self:
        return self._with("activation", value)

    def setThreshold(self, value: float) -> Self:
        return self._with("threshold", value)

    def setLongTexts(self, value: str) -> Self:
        return self._with("longTexts", value)

    def setStride(self, value: int) -> Self:
        return self._with("stride", value)

    def setPooling(self, value: str) -> Self:
        return self._with("pooling", value)

    def _with(self, name: str, value: object) -> Self:
        self._set(**{name: value})
        return self

    def _value(self, name: str) -> Any:
        """None is what nobody set."""
        return self.getOrDefault(name) if self.isDefined(name) else None

    def _opening(self) -> dict[str, Any]:
        return {option: self._value(name) for name, option in OPENING.items()}
