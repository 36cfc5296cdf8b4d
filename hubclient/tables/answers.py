"""What a model's answers are called as columns, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from hubclient.classifier import Classifier
from hubclient.entities import Entity
from hubclient.prediction import Prediction
from hubclient.tagger import TokenClassifier
from hubclient.texts import Text
from hubclient.zero_shot import ZeroShotClassifier

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["label", "score", "labels", "entities"]
Model = Classifier | ZeroShotClassifier | TokenClassifier


@dataclass(frozen=True)
class Asking:
    """A model, and how it is asked (`options` of its `predict_parts`). `prefix`: of the columns' names. `scores`: of every label, too."""

    model: Model
    options: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    scores: bool = False

    @cached_property
    def columns(self) -> Mapping[str, Kind]:
        """Their names, in order."""
        if isinstance(self.model, TokenClassifier):
            return {f"{self.prefix}entities": "entities"}
        names: dict[str, Kind] = {"label": "label", "score": "score"}
        if self._several:
            names["selected"] = "labels"
        names |= dict.fromkeys([f"score.{label}" for label in self._labels], "score")
        return {f"{self.prefix}{name}": kind for name, kind in names.items()}

    def answers(self, parts: Iterable[Sequence[Text]]) -> Iterator[list[dict[str, Any]]]:
        """A record for each text of each part."""
        given: Iterator[list[Any]] = self.model.predict_parts(parts, **self.options)  # type: ignore[arg-type]
        return ([self._record(answer) for answer in part] for part in given)

    @property
    def _several(self) -> bool:
        """Whether several labels may hold."""
        return self.model.multi_label if isinstance(self.model, Classifier) else bool(self.options.get("multi_label"))

    @cached_property
    def _labels(self) -> Sequence[str]:
        if not self.scores or isinstance(self.model, TokenClassifier):
            return ()
        if isinstance(self.model, ZeroShotClassifier):
            return tuple(self.options.get("candidate_labels") or self.model.candidate_labels)
        return self.model.labels

    def _record(self, answer: Prediction | list[Entity]) -> dict[str, Any]:
        if isinstance(answer, list):
            return dict(zip(self.columns, [[entity.to_dict() for entity in answer]], strict=True))
        selected = [list(answer.selected)] if self._several else []
        values = [answer.label, answer.score, *selected, *(answer.scores[label] for label in self._labels)]
        return dict(zip(self.columns, values, strict=True))


def arrow_fields(columns: Mapping[str, Kind]) -> list[tuple[str, pyarrow.DataType]]:
    import pyarrow

    text, score = pyarrow.string(), pyarrow.float32()
    place = pyarrow.int64()
    entity = pyarrow.struct([("label", text), ("score", score), ("start", place), ("end", place), ("text", text)])
    types = {"label": text, "score": score, "labels": pyarrow.list_(text), "entities": pyarrow.list_(entity)}
    return [(name, types[kind]) for name, kind in columns.items()]
