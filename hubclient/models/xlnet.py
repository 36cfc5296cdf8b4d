"""XLNet: recognised by its variables, read from TensorFlow or ONNX.

Names: transformers' TFXLNetForSequenceClassification and XLNetForSequenceClassification, and their siblings for tokens. Attention weights
are (hidden, heads, size) in both; dense kernels are (in, out) in TensorFlow and (out, in) in PyTorch. A text may have any length.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import xlnet_graph, xlnet_onnx, xlnet_tensorflow
from hubclient.models.builder import KNOWN_ACTIVATIONS, Slot
from hubclient.models.family import HEADS, Head, Recipe, TensorSource, head_of
from hubclient.models.naming import check_tensors, count_layers, hugging_face_tensors, root_of
from hubclient.models.onnx_names import NamedWeights

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

model_type = "xlnet"
title = "XLNet"
base = "transformer"
relative = True

# XLNetConfig's own defaults, in force where a config.json says nothing.
defaults: Mapping[str, Any] = {
    "vocab_size": 32000,
    "d_model": 1024,
    "n_layer": 24,
    "n_head": 16,
    "d_inner": 4096,
    "ff_activation": "gelu",
    "attn_type": "bi",
    "layer_norm_eps": 1e-12,
    "bi_data": False,
    "clamp_len": -1,
    "same_length": False,
    "summary_type": "last",
    "summary_use_proj": True,
    "summary_activation": "tanh",
}

sizes = ("d_model", "d_inner", "n_head", "n_layer", "vocab_size")

# Other names that XLNetConfig knows for a key.
_ALIASES = {"hidden_size": "d_model", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer", "n_token": "vocab_size"}
_WORDS = "transformer.word_embedding.weight"
_MASK = "transformer.mask_emb"  # only what is trained on words that are left out needs it
_LAYERS = "transformer.layer"
_FURTHEST = 1 << 24  # float32 has all whole numbers up to here
_PROJECTIONS = ("q", "k", "v", "r", "o")
_BIASES = ("r_w_bias", "r_r_bias", "r_s_bias")
_SUMMARIES = ("last", "first", "mean", "cls_index")
_SUMMARY = "sequence_summary.summary"
_ATTENTION = ("bi", "uni")


def recognises(names: Iterable[str]) -> bool:
    return any("/rel_attn/" in name.replace(".", "/") for name in names)


def from_tensorflow(flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
    """`shapes` are those of the variables, by full name. Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    root = root_of(shapes, "transformer")
    tensors = hugging_face_tensors(shapes, root)
    found = {name: shapes[source.key][:: -1 if source.transposed else 1] for name, source in tensors.items()}
    sizes = _checked(tensors, shapes, _sizes(found, head))
    return _recipe(tensors, {**sizes, **xlnet_tensorflow.settings(flow, root, sizes["n_layer"], head)})


def from_onnx(flow: OnnxDataflow, head: Head) -> Recipe:
    """Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    weights = NamedWeights(flow, "transformer")
    shapes = {name: weights.shape(name) for name in weights.tensors}
    sizes = _checked(weights.tensors, flow.shapes, _sizes(shapes, head))
    return _recipe(weights.tensors, {**sizes, **xlnet_onnx.settings(weights, head)})


def output_bias(config: Mapping[str, Any]) -> str:
    return f"{_classifier(config)}.bias"


def positions(config: Mapping[str, Any]) -> None:
    """There is no limit."""


def expected_shapes(config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
    """Every tensor of the architecture's class with its shape, as these settings demand."""
    hidden, inner, heads = config["d_model"], config["d_inner"], config["n_head"]
    size = hidden // heads
    shapes: dict[str, tuple[int, ...]] = {_WORDS: (config["vocab_size"], hidden), _MASK: (1, 1, hidden)}

    def linear(name: str, outputs: int, inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    for number in range(config["n_layer"]):
        layer = f"{_LAYERS}.{number}"
        shapes |= {f"{layer}.rel_attn.{part}": (hidden, heads, size) for part in _PROJECTIONS}
        shapes |= {f"{layer}.rel_attn.{part}": (heads, size) for part in _BIASES}
        shapes[f"{layer}.rel_attn.seg_embed"] = (2, heads, size)
        for norm in ("rel_attn.layer_norm", "ff.layer_norm"):
            shapes[f"{layer}.{norm}.weight"] = shapes[f"{layer}.{norm}.bias"] = (hidden,)
        linear(f"{layer}.ff.layer_1", inner, hidden)
        linear(f"{layer}.ff.layer_2", hidden, inner)
    if head_of(config) == "sequence" and config["summary_use_proj"]:
        linear(_SUMMARY, hidden, hidden)
    linear(_classifier(config), labels, hidden)
    return shapes


def build_graph(config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
    check_config(config)
    shape = xlnet_graph.XLNetShape(
        head=head_of(config),
        layers=config["n_layer"],
        heads=config["n_head"],
        size=config["d_model"] // config["n_head"],
        epsilon=config["layer_norm_eps"],
        activation=config["ff_activation"],
        causal=config["attn_type"] == "uni",
        alone=bool(config["same_length"]),
        clamp=config["clamp_len"] if config["clamp_len"] > 0 else None,
        summary=config["summary_type"],
        projected=bool(config["summary_use_proj"]),
        summary_activation=config["summary_activation"] or None,
    )
    return xlnet_graph.build(shape, layout, weights_file)


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse settings that change the computation and that the graph does not honour."""
    _check_numbers(config)
    if config["bi_data"]:
        raise UnsupportedModel("XLNet with bi_data is not supported", why="its answer to a text depends on the text's place in a batch")
    if config.get("summary_proj_to_labels"):
        raise UnsupportedModel("XLNet with summary_proj_to_labels is not supported")
    for key, known in {"attn_type": _ATTENTION, "summary_type": _SUMMARIES}.items():
        if config[key] not in known:
            raise UnsupportedModel(f"XLNet with {key} = {config[key]!r} is not supported", hint=f"known are {', '.join(known)}")
    for function in (config["ff_activation"], config["summary_activation"] or "tanh"):
        if not isinstance(function, str) or function not in KNOWN_ACTIVATIONS:
            raise UnsupportedModel(f"the activation function '{function}' is not known")


def _check_numbers(config: Mapping[str, Any]) -> None:
    hidden, heads = config["d_model"], config["n_head"]
    if hidden % heads or hidden % 2:
        raise InconsistentModel(f"a width of {hidden} does not go with {heads} heads, and sines and cosines in equal numbers")
    if config.get("d_head") not in (None, hidden // heads):
        raise InconsistentModel(f"d_head is {config['d_head']}, and a width of {hidden} has {heads} heads of {hidden // heads}")
    if type(config["clamp_len"]) is not int or abs(config["clamp_len"]) > _FURTHEST:
        raise InconsistentModel(f"clamp_len is {config['clamp_len']!r}, which cannot be")
    if type(config["layer_norm_eps"]) not in (int, float) or not 0 <= config["layer_norm_eps"] < math.inf:
        raise InconsistentModel(f"layer_norm_eps is {config['layer_norm_eps']!r}, which cannot be")
    for alias, key in _ALIASES.items():
        if config.get(alias, config[key]) != config[key]:
            raise InconsistentModel(f"{alias} is another name for {key}, and they are {config[alias]!r} and {config[key]!r}")


def _classifier(config: Mapping[str, Any]) -> str:
    return "logits_proj" if head_of(config) == "sequence" else "classifier"


def _sizes(shapes: Mapping[str, tuple[int, ...]], head: Head) -> dict[str, Any]:
    """What the tensors' shapes say."""
    try:
        hidden, heads, size = shapes[f"{_LAYERS}.0.rel_attn.q"]
        (vocabulary, _), (inner,) = shapes[_WORDS], shapes[f"{_LAYERS}.0.ff.layer_1.bias"]
    except (KeyError, ValueError) as error:
        raise UnsupportedModel("the weights are not those of XLNet", why=str(error)) from error
    if heads < 1 or heads * size != hidden:
        raise InconsistentModel(f"{heads} heads of {size} do not make a width of {hidden}")
    return {
        "model_type": model_type,
        "architectures": [f"{title}{HEADS[head]}"],
        "vocab_size": vocabulary,
        "d_model": hidden,
        "n_layer": count_layers(shapes, _LAYERS),
        "n_head": heads,
        "d_head": size,
        "d_inner": inner,
        "summary_use_proj": f"{_SUMMARY}.bias" in shapes,
    }


def _checked(tensors: Mapping[str, TensorSource], shapes: Mapping[str, tuple[int, ...]], config: dict[str, Any]) -> dict[str, Any]:
    """The sizes, when there are all tensors that they demand, and no others. Exporters leave out what is only there for training."""
    bias = tensors.get(output_bias(config))
    wanted = expected_shapes(config, labels=shapes[bias.key][-1] if bias and shapes[bias.key] else 0)
    check_tensors(tensors, shapes, {name: shape for name, shape in wanted.items() if name != _MASK})
    return config


def _recipe(tensors: Mapping[str, TensorSource], config: Mapping[str, Any]) -> Recipe:
    config = {**defaults, **config}
    check_config(config)
    return Recipe({**tensors, _MASK: TensorSource("", blank=(1, 1, config["d_model"]))}, config)
