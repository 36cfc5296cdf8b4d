"""What Spark ML says about a saved stage: `metadata/part-00000`, one line of JSON.

Source: org.apache.spark.ml.util.DefaultParamsWriter (`class`, `timestamp`, `sparkVersion`, `uid`, `paramMap`, `defaultParamMap`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from hubclient.errors import CorruptArchive, NotAnArchive

if TYPE_CHECKING:
    from collections.abc import Mapping

_Field = TypeVar("_Field")
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Metadata:
    """`params` were set explicitly; `defaults` stand in every archive of that annotator, and say nothing about the model."""

    class_name: str
    uid: str
    timestamp: int
    spark_version: str
    params: Mapping[str, Json]
    defaults: Mapping[str, Json]
    label: str

    @property
    def annotator(self) -> str:
        """The class's own name, e.g. `BertForSequenceClassification`."""
        return self.class_name.rpartition(".")[2]

    def explicit(self, name: str) -> Json:
        """What was set for this model; None where nothing was."""
        return self.params.get(name)

    def value(self, name: str) -> Json:
        """What was set, else the default; None where there is neither."""
        return self.params.get(name, self.defaults.get(name))

    def text(self, name: str, *, explicit: bool = False) -> str | None:
        """As `value` (or `explicit`), and CorruptArchive where it is not a text; so the others, for their types."""
        value = self._chosen(name, explicit)
        return value if isinstance(value, str) or value is None else self._wrong(name, value, "a text")

    def flag(self, name: str, *, explicit: bool = False) -> bool | None:
        value = self._chosen(name, explicit)
        return value if isinstance(value, bool) or value is None else self._wrong(name, value, "true or false")

    def integer(self, name: str, *, explicit: bool = False) -> int | None:
        value = self._chosen(name, explicit)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return self._wrong(name, value, "a whole number")

    def number(self, name: str, *, explicit: bool = False) -> float | None:
        value = self._chosen(name, explicit)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        return self._wrong(name, value, "a number")

    def _chosen(self, name: str, explicit: bool) -> Json:
        return self.explicit(name) if explicit else self.value(name)

    def _wrong(self, name: str, value: Json, expected: str) -> NoReturn:
        raise CorruptArchive(f"param '{name}' is {json.dumps(value)[:100]}, where {expected} was expected", where=self.label)


def parse_metadata(data: bytes, *, label: str) -> Metadata:
    """Raises CorruptArchive for broken JSON, NotAnArchive for JSON that is no stage's."""
    fields = _object(data, label)
    return Metadata(
        class_name=_typed(fields, "class", str, label),
        uid=_typed(fields, "uid", str, label),
        timestamp=_typed(fields, "timestamp", int, label),
        spark_version=_typed(fields, "sparkVersion", str, label),
        params=MappingProxyType(_typed(fields, "paramMap", dict, label)),
        defaults=MappingProxyType(_typed(fields, "defaultParamMap", dict, label) if "defaultParamMap" in fields else {}),
        label=label,
    )


def _object(data: bytes, label: str) -> dict[str, Json]:
    try:
        fields = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorruptArchive("the metadata is not JSON", where=label, why=str(error)) from error
    if not isinstance(fields, dict):
        raise NotAnArchive("the metadata describes no Spark ML stage", where=label, why="it is not a JSON object")
    return fields


def _typed(fields: dict[str, Json], name: str, kind: type[_Field], label: str) -> _Field:
    if name not in fields:
        raise NotAnArchive("the metadata describes no Spark ML stage", where=label, why=f"it has no '{name}'")
    value = fields[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CorruptArchive(f"the metadata's '{name}' is of the wrong type", where=label, why=f"{json.dumps(value)[:100]}")
    return value
