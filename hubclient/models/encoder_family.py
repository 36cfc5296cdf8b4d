"""A family of encoders such as BERT: what `family.Family` lists, from an anatomy and the names that config.json has for settings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import encoder_graph, encoder_onnx, encoder_tensorflow
from hubclient.models.builder import KNOWN_ACTIVATIONS, Slot
from hubclient.models.encoder_anatomy import Anatomy, Settings, tensor_shapes
from hubclient.models.encoder_reading import Reading
from hubclient.models.family import HEADS, Head, Recipe, head_of
from hubclient.models.naming import check_tensors, the_one

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

# What config.json calls the settings, in most families.
BERT_KEYS: Mapping[str, str] = {
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "types": "type_vocab_size",
    "hidden": "hidden_size",
    "inner": "intermediate_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "epsilon": "layer_norm_eps",
    "function": "hidden_act",
}
# Settings that change the computation, with the only value that is honoured.
BERT_PLAIN: Mapping[str, Any] = {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}


@dataclass(frozen=True)
class EncoderFamily:
    """One family; it is the `Family` itself.

    `title` is how the names of transformers' classes start. `keys` are config.json's, by the field of `Settings`; fields that it has no key
    for are `fixed`, and the embeddings' width is the layers' where neither says. `plain` settings have one value that is honoured;
    `aliases` are other names that transformers knows for a key.
    """

    model_type: str
    title: str
    anatomy: Anatomy
    defaults: Mapping[str, Any]
    keys: Mapping[str, str] = field(default_factory=lambda: BERT_KEYS)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    plain: Mapping[str, Any] = field(default_factory=lambda: BERT_PLAIN)
    aliases: Mapping[str, str] = field(default_factory=dict)
    relative: bool = False

    @property
    def base(self) -> str:
        return self.anatomy.base

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(key for name, key in self.keys.items() if name not in ("epsilon", "function", "pad"))

    def recognises(self, names: Iterable[str]) -> bool:
        return any(f"/{self.anatomy.base}/embeddings/word_embeddings" in f"/{name}".replace(".", "/") for name in names)

    def from_tensorflow(self, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        reading = encoder_tensorflow.read(self.anatomy, flow, shapes, head, padded="pad" in self.keys)
        return self._recipe(reading, shapes, head)

    def from_onnx(self, flow: OnnxDataflow, head: Head) -> Recipe:
        return self._recipe(encoder_onnx.read(self.anatomy, flow, head), flow.shapes, head)

    def expected_shapes(self, config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
        return tensor_shapes(self.anatomy, self.settings(config), labels)

    def output_bias(self, config: Mapping[str, Any]) -> str:
        return f"{self.anatomy.classifier(head_of(config))}.bias"

    def positions(self, config: Mapping[str, Any]) -> int:
        return self.settings(config).longest

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        self.check_config(config)
        return encoder_graph.build(self.anatomy, self.settings(config), layout, weights_file)

    def settings(self, config: Mapping[str, Any]) -> Settings:
        """What config.json says. Raises InconsistentModel or UnsupportedModel for what cannot be."""
        said = {name: config[key] for name, key in self.keys.items()}
        settings = Settings(**{"embedded": said["hidden"], "pad": None, "head": head_of(config), **self.fixed, **said})
        if settings.hidden % settings.heads:
            raise InconsistentModel(f"{settings.heads} heads do not divide a width of {settings.hidden}")
        if not isinstance(settings.function, str) or settings.function not in KNOWN_ACTIVATIONS:
            raise UnsupportedModel(f"the activation function '{settings.function}' is not known")
        if type(settings.epsilon) not in (int, float) or not 0 <= settings.epsilon < math.inf:
            raise InconsistentModel(f"the epsilon of the layer norms (layer_norm_eps) is {settings.epsilon!r}, which cannot be")
        if "pad" in self.keys and (type(settings.pad) is not int or settings.pad < 0 or settings.longest < 1):
            raise InconsistentModel(f"{self.keys['pad']} is {settings.pad!r}, from which {settings.positions} positions cannot be counted")
        return settings

    def check_config(self, config: Mapping[str, Any]) -> None:
        """Refuse settings that change the computation and that the graph does not honour."""
        self.settings(config)
        for key, wanted in self.plain.items():
            if config.get(key, wanted) != wanted:
                raise UnsupportedModel(f"{self.model_type} with {key} = {config[key]!r} is not supported")
        if config.get("pruned_heads"):
            raise UnsupportedModel(f"{self.model_type} with pruned_heads = {config['pruned_heads']!r} is not supported")
        for alias, key in self.aliases.items():
            if config.get(alias, config[key]) != config[key]:
                raise InconsistentModel(f"{alias} is another name for {key}, and they are {config[alias]!r} and {config[key]!r}")

    def _recipe(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        """`shapes` are those of the origin's tensors, by its own names."""
        if head == "sequence" and reading.head_function != self.anatomy.head.function:
            raise UnsupportedModel(f"the head's activation function is {reading.head_function} and not {self.anatomy.head.function}")
        settings = self._found(reading, shapes, head)
        config = {**self._config(settings), **self._more(reading, shapes)}
        self.check_config(config)
        labels = side_of(reading, shapes, f"{self.anatomy.classifier(head)}.bias", 0)
        check_tensors(reading.tensors, shapes, self.expected_shapes(config, labels))
        return Recipe(reading.tensors, config)

    def _more(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """What config.json must say besides, of a family that has further settings."""
        return {}

    def _found(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Settings:
        def side(name: str, number: int) -> int:
            return side_of(reading, shapes, name, number)

        anatomy = self.anatomy
        return Settings(
            vocabulary=side(f"{anatomy.words}.weight", 0),
            positions=side(f"{anatomy.positions}.weight", 0),
            types=side(f"{anatomy.types}.weight", 0) if anatomy.typed else 0,
            embedded=side(f"{anatomy.words}.weight", 1),
            hidden=side(f"{anatomy.part(0, anatomy.layer.joined)}.bias", 0),
            inner=side(f"{anatomy.part(0, anatomy.layer.inner)}.bias", 0),
            layers=reading.layers,
            heads=int(str(the_one(list(reading.heads), "numbers of attention heads"))),
            epsilon=float(str(the_one(list(reading.epsilons), "layer norm epsilons"))),
            function=str(the_one(list(reading.functions), "activation functions")),
            pad=reading.pad,
            head=head,
        )

    def _config(self, settings: Settings) -> dict[str, Any]:
        """config.json's part of the architecture. Raises UnsupportedModel for what it cannot say."""
        known = {one.name: getattr(settings, one.name) for one in fields(settings)}
        for name, wanted in self.fixed.items():
            if known[name] != wanted:
                raise UnsupportedModel(f"the {name} is {known[name]}, and {self.title} has {wanted} in all its models")
        return {
            "model_type": self.model_type,
            "architectures": [f"{self.title}{HEADS[settings.head]}"],
            **{key: known[name] for name, key in self.keys.items()},
        }


def side_of(reading: Reading, shapes: Mapping[str, tuple[int, ...]], name: str, number: int) -> int:
    """One side of a tensor, counted as in PyTorch."""
    source = reading.tensors.get(name)
    if source is None:
        raise UnsupportedModel(f"the weights lack the tensor '{name}'")
    shape = shapes[source.key][:: -1 if source.transposed else 1]
    if len(shape) <= number:
        raise InconsistentModel(f"'{source.key}' has the shape {shape}, and {number + 1} sides were expected")
    return shape[number]
