"""BERT: recognised by its variables, read from TensorFlow or ONNX.

Names: transformers' TFBertForSequenceClassification and BertForSequenceClassification. Dense kernels are (in, out) in TensorFlow
and (out, in) in PyTorch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import bert_graph, bert_onnx, bert_tensorflow
from hubclient.models.builder import KNOWN_ACTIVATIONS, Slot
from hubclient.models.family import Head, Recipe, TensorSource

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

model_type = "bert"

# BertConfig's own defaults, in force where an old config.json says nothing.
defaults: Mapping[str, Any] = {
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}

sizes = (
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_hidden_layers",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)

_WORDS = "bert/embeddings/word_embeddings/"
_TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")
_DENSE = (
    "attention/self/query",
    "attention/self/key",
    "attention/self/value",
    "attention/output/dense",
    "intermediate/dense",
    "output/dense",
)
_NORMS = ("attention/output/LayerNorm", "output/LayerNorm")
_LAYER = re.compile(r"bert/encoder/layer_\._(\d+)/")


def recognises(names: Iterable[str]) -> bool:
    return any("/bert/embeddings/word_embeddings" in f"/{name}".replace(".", "/") for name in names)


def from_tensorflow(flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
    """`shapes` are those of the variables, by full name. Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    root = _root(flow.variables)
    layers = _layer_count(flow.variables, root)
    tensors = dict(_tensors(root, layers, flow.variables))
    _check_complete(flow.variables, {source.key for source in tensors.values()})
    _, hidden = _pair(shapes[tensors["bert.embeddings.word_embeddings.weight"].key])
    found = bert_tensorflow.read(flow, root, layers, hidden)
    config = _settings(
        lambda name: shapes[tensors[name].key], layers, heads=found.heads, functions=found.functions, epsilons=found.epsilons
    )
    _check_shapes(tensors, shapes, config)
    for number, scale in enumerate(reversed(found.scales)):
        _check_scale(number, scale, config)
    return Recipe(tensors, config)


def from_onnx(flow: OnnxDataflow, head: Head) -> Recipe:
    """Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    model = bert_onnx.read(flow)
    tensors = dict(model.tensors())
    config = _settings(
        lambda name: flow.shapes[tensors[name].key],
        len(model.layers),
        heads=[layer.attention.heads for layer in model.layers],
        functions=[layer.function for layer in model.layers],
        epsilons=[norm.epsilon for norm in model.norms],
    )
    _check_shapes(tensors, flow.shapes, config)
    for number, layer in enumerate(model.layers):
        _check_scale(number, layer.attention.scale, config)
    return Recipe(tensors, config)


def output_bias(config: Mapping[str, Any]) -> str:
    return "classifier.bias"


def positions(config: Mapping[str, Any]) -> int:
    limit: int = config["max_position_embeddings"]
    return limit


def build_graph(config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
    check_config(config)
    shape = bert_graph.BertShape(
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
        activation=config["hidden_act"],
    )
    return bert_graph.build(shape, layout, weights_file)


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse settings that change the computation and that the graph does not honour."""
    for key, wanted in {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}.items():
        if config.get(key, wanted) != wanted:
            raise UnsupportedModel(f"BERT with {key} = {config[key]!r} is not supported")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise InconsistentModel(f"{config['num_attention_heads']} heads do not divide a width of {config['hidden_size']}")
    if config["hidden_act"] not in KNOWN_ACTIVATIONS:
        raise UnsupportedModel(f"the activation function '{config['hidden_act']}' is not known")


def _root(names: Mapping[str, object]) -> str:
    roots = {name.partition(_WORDS)[0] for name in names if _WORDS in name}
    if len(roots) != 1:
        raise UnsupportedModel("the variables are not those of one BERT model", why=f"word embeddings under: {sorted(roots) or 'none'}")
    return roots.pop()


def _layer_count(names: Mapping[str, object], root: str) -> int:
    numbers = {int(match[1]) for name in names if (match := _LAYER.match(name.removeprefix(root)))}
    if numbers != set(range(len(numbers))) or not numbers:
        raise InconsistentModel("the encoder's layers are not numbered from 0 without a gap", why=f"found: {sorted(numbers)}")
    return len(numbers)


def _tensors(root: str, layers: int, names: Mapping[str, object]) -> Iterator[tuple[str, TensorSource]]:
    for table in _TABLES:
        # The word embeddings' own name for their weight is "weight", the others' is "embeddings"; some exporters use one for all.
        leaf = next((leaf for leaf in ("weight", "embeddings") if f"{root}bert/embeddings/{table}/{leaf}" in names), "weight")
        yield f"bert.embeddings.{table}.weight", TensorSource(f"{root}bert/embeddings/{table}/{leaf}")
    yield from _norm(root, "bert/embeddings/LayerNorm", "bert.embeddings.LayerNorm")
    for number in range(layers):
        there, here = f"bert/encoder/layer_._{number}", f"bert.encoder.layer.{number}"
        for part in _DENSE:
            yield from _dense(root, f"{there}/{part}", f"{here}.{part.replace('/', '.')}")
        for part in _NORMS:
            yield from _norm(root, f"{there}/{part}", f"{here}.{part.replace('/', '.')}")
    yield from _dense(root, "bert/pooler/dense", "bert.pooler.dense")
    yield from _dense(root, "classifier", "classifier")


def _dense(root: str, there: str, here: str) -> Iterator[tuple[str, TensorSource]]:
    yield f"{here}.weight", TensorSource(f"{root}{there}/kernel", transposed=True)
    yield f"{here}.bias", TensorSource(f"{root}{there}/bias")


def _norm(root: str, there: str, here: str) -> Iterator[tuple[str, TensorSource]]:
    yield f"{here}.weight", TensorSource(f"{root}{there}/gamma")
    yield f"{here}.bias", TensorSource(f"{root}{there}/beta")


def _check_complete(found: Mapping[str, object], wanted: set[str]) -> None:
    missing, surplus = sorted(wanted - found.keys()), sorted(found.keys() - wanted)
    if missing or surplus:
        raise UnsupportedModel(
            "the variables are not those of BERT with a classification head",
            why=f"missing: {_few(missing)}; not known: {_few(surplus)}",
        )


def _settings(
    shape: Callable[[str], tuple[int, ...]], layers: int, *, heads: list[int], functions: list[str], epsilons: list[float]
) -> dict[str, Any]:
    """config.json's part of the architecture; `shape` gives that of a tensor as the origin has it, and each list what each layer says."""
    vocabulary, hidden = _pair(shape("bert.embeddings.word_embeddings.weight"))
    return {
        "model_type": model_type,
        "architectures": ["BertForSequenceClassification"],
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": _one(heads, "numbers of attention heads"),
        "intermediate_size": shape("bert.encoder.layer.0.intermediate.dense.bias")[0],
        "hidden_act": _one(functions, "activation functions"),
        "max_position_embeddings": shape("bert.embeddings.position_embeddings.weight")[0],
        "type_vocab_size": shape("bert.embeddings.token_type_embeddings.weight")[0],
        "layer_norm_eps": _one(epsilons, "layer norm epsilons"),
    }


def _check_shapes(tensors: Mapping[str, TensorSource], shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any]) -> None:
    labels = shapes[tensors["classifier.bias"].key][-1]
    wanted = expected_shapes(config, labels)
    for name, source in tensors.items():
        shape = shapes[source.key][::-1] if source.transposed else shapes[source.key]
        if shape != wanted[name]:
            raise InconsistentModel(
                f"the variable '{source.key}' has the shape {shapes[source.key]}, which does not fit {name} {wanted[name]}"
            )


def expected_shapes(config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
    """Every tensor of BertForSequenceClassification with its shape, as these settings demand."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, outputs: int, inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (hidden,)

    for table, rows in zip(_TABLES, ("vocab_size", "max_position_embeddings", "type_vocab_size"), strict=True):
        shapes[f"bert.embeddings.{table}.weight"] = (config[rows], hidden)
    norm("bert.embeddings.LayerNorm")
    for number in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", hidden, hidden)
        linear(f"{layer}.attention.output.dense", hidden, hidden)
        linear(f"{layer}.intermediate.dense", inner, hidden)
        linear(f"{layer}.output.dense", hidden, inner)
        norm(f"{layer}.attention.output.LayerNorm")
        norm(f"{layer}.output.LayerNorm")
    linear("bert.pooler.dense", hidden, hidden)
    linear("classifier", labels, hidden)
    return shapes


def _check_scale(number: int, scale: float, config: Mapping[str, Any]) -> None:
    wanted = (config["hidden_size"] / config["num_attention_heads"]) ** -0.5
    if abs(scale - wanted) > 1e-4 * wanted:
        raise UnsupportedModel(f"layer {number} scales its attention scores by {scale:g}, and BERT by {wanted:g}")


def _pair(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2:
        raise InconsistentModel(f"the word embeddings have the shape {shape}, and two sides were expected")
    return shape[0], shape[1]


def _one(values: list[Any], what: str) -> Any:
    if len(set(values)) != 1:
        raise UnsupportedModel(f"the layers differ in their {what}", why=f"found: {sorted(set(values))}")
    return values[0]


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") if names else "none"
