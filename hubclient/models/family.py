"""What every architecture family offers, and what reading a model of one gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from hubclient.errors import UnsupportedModel
from hubclient.models.builder import Slot

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

Head = Literal["sequence", "token"]
# How transformers' classes of each head end.
HEADS: Mapping[Head, str] = MappingProxyType({"sequence": "ForSequenceClassification", "token": "ForTokenClassification"})


@dataclass(frozen=True)
class TensorSource:
    """Where a tensor of the native form comes from: the origin's name for it, and whether it lies transposed there.

    `blank` is the shape of a tensor that the origin may lack since no answer depends on it: it becomes zeros, and has no key.
    """

    key: str
    transposed: bool = False
    blank: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """How an origin becomes a native model: Hugging Face tensor name -> source, and the architecture's part of config.json."""

    tensors: Mapping[str, TensorSource]
    config: Mapping[str, Any]


class Family(Protocol):
    """One architecture family. `model_type` and config keys are transformers' own; a config's `architectures` tell its head."""

    @property
    def model_type(self) -> str: ...

    @property
    def title(self) -> str:
        """How the names of transformers' classes start."""
        ...

    @property
    def base(self) -> str:
        """How the names of all tensors but the head's start."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """What transformers takes for settings that a config.json leaves out."""
        ...

    @property
    def sizes(self) -> tuple[str, ...]:
        """The settings that are whole numbers above 0."""
        ...

    @property
    def relative(self) -> bool:
        """Whether answers depend on how far apart tokens are, so that only a long text shows all that a graph does."""
        ...

    def recognises(self, names: Iterable[str]) -> bool:
        """Whether weights of these names (TensorFlow's or PyTorch's) are this family's."""
        ...

    def from_tensorflow(self, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        """`shapes` are those of the variables, by full name. Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
        ...

    def from_onnx(self, flow: OnnxDataflow, head: Head) -> Recipe:
        """`flow` ends in the logits. Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
        ...

    def expected_shapes(self, config: Mapping[str, Any], labels: int) -> Mapping[str, tuple[int, ...]]:
        """Every tensor with its shape, as these settings demand."""
        ...

    def output_bias(self, config: Mapping[str, Any]) -> str:
        """The tensor that has a number for each class."""
        ...

    def positions(self, config: Mapping[str, Any]) -> int | None:
        """How many tokens a text may have; None if there is no limit."""
        ...

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        """The ONNX graph over the weights. Raises UnsupportedModel for settings that it cannot honour."""
        ...


def head_of(config: Mapping[str, Any]) -> Head:
    """What the model of this config.json gives: one answer a text, or one a token. Raises UnsupportedModel for another head."""
    architectures = [str(name) for name in config.get("architectures") or ()]
    for head, ending in HEADS.items():
        if any(name.endswith(ending) for name in architectures):
            return head
    raise UnsupportedModel("the model is not a text classifier", why=f"its architecture is {', '.join(architectures) or 'not said'}")
