"""What a DeBERTa-v2 or v3 model is made of, as its config.json says: read, checked, and the tensors that it demands.

Source: transformers/models/deberta_v2/{configuration,modeling}_deberta_v2.py. Many settings are read there with a default of the code's
own, which no configuration class lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.builder import KNOWN_ACTIVATIONS
from hubclient.models.family import HEADS, Head, Recipe, TensorSource, head_of
from hubclient.models.naming import check_tensors, count_layers

# What is in force where a config.json says nothing.
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "vocab_size": 128100,
        "hidden_size": 1536,
        "num_hidden_layers": 24,
        "num_attention_heads": 24,
        "intermediate_size": 6144,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "layer_norm_eps": 1e-7,
        "relative_attention": False,
        "max_relative_positions": -1,
        "position_buckets": -1,
        "position_biased_input": True,
        "pos_att_type": None,
        "share_att_key": False,
        "norm_rel_ebd": "none",
        "conv_kernel_size": 0,
        "conv_groups": 1,
        "conv_act": "tanh",
        "pooler_hidden_act": "gelu",
    }
)
TERMS = ("p2c", "c2p")
# What positions go through for each term: projections of their own, or those of content.
OWN: Mapping[str, str] = MappingProxyType({"c2p": "pos_key_proj", "p2c": "pos_query_proj"})
SHARED: Mapping[str, str] = MappingProxyType({"c2p": "key_proj", "p2c": "query_proj"})
_LARGEST = 1 << 31
_MOST_LAYERS = 1_000
_MOST_BUCKETS = 1 << 14


@dataclass(frozen=True)
class Relative:
    """Attention to distances: the table has a row for each from -`span` to `span - 1`, or for each bucket of them.

    `furthest` is the distance from which on all are alike; `buckets` is 0 where each distance has a row. `terms` are the parts that scores
    get: content to position, position to content. `shared`: positions go through the projections of content.
    """

    terms: tuple[str, ...]
    span: int
    furthest: int
    buckets: int
    shared: bool
    normed: bool


@dataclass(frozen=True)
class Convolution:
    """What the first layer's neighbours are mixed with."""

    size: int
    groups: int
    function: str


@dataclass(frozen=True)
class Deberta:
    """`positions` and `types` are rows of tables, 0 where there is none. `parts`: how many terms the scores are the sum of."""

    head: Head
    layers: int
    heads: int
    hidden: int
    inner: int
    vocabulary: int
    embedding: int
    positions: int
    types: int
    parts: int
    epsilon: float
    function: str
    pooler: str
    relative: Relative | None
    convolution: Convolution | None


@dataclass(frozen=True)
class Found:
    """What only an archive's graph tells. `pooler` and `mixing` are activation functions, None where there is no such part.

    `middle`: the distance from which on several share a bucket, `furthest`: from which on all do. None where each has a row of its own.
    """

    heads: int
    epsilon: float
    function: str
    pooler: str | None
    mixing: str | None
    terms: tuple[str, ...]
    shared: bool
    middle: int | None = None
    furthest: int | None = None


def read(config: Mapping[str, Any]) -> Deberta:
    """Raises InconsistentModel for what cannot be, UnsupportedModel for what the graph cannot honour."""
    config = {**DEFAULTS, **config}
    hidden, heads = _count(config, "hidden_size"), _count(config, "num_attention_heads")
    if hidden % heads or config.get("attention_head_size", hidden // heads) != hidden // heads:
        raise InconsistentModel(f"{heads} heads do not divide a width of {hidden}")
    if config.get("pooler_hidden_size", hidden) != hidden:
        raise InconsistentModel(f"pooler_hidden_size is {config['pooler_hidden_size']!r}, and the model {hidden} wide")
    terms = _terms(config["pos_att_type"])
    return Deberta(
        head=head_of(config),
        layers=_layers(config),
        heads=heads,
        hidden=hidden,
        inner=_count(config, "intermediate_size"),
        vocabulary=_count(config, "vocab_size"),
        embedding=_count(config, "embedding_size") if "embedding_size" in config else hidden,
        positions=_count(config, "max_position_embeddings") if config["position_biased_input"] else 0,
        types=_count(config, "type_vocab_size", least=0),
        parts=1 + len(terms),
        epsilon=_share(config, "layer_norm_eps"),
        function=_function(config, "hidden_act"),
        pooler=_function(config, "pooler_hidden_act"),
        relative=_relative(config, terms) if config["relative_attention"] and terms else None,
        convolution=_convolution(config, hidden),
    )


def terms_of(layers: list[Callable[[str], int]]) -> tuple[tuple[str, ...], bool]:
    """The terms of relative attention, and whether positions share the projections of content.

    Each layer tells how often a projection is applied, by its name: those of content are applied once more where they are shared.
    """
    found = {(_applied(layer, OWN, 1), _applied(layer, SHARED, 2)) for layer in layers}
    if len(found) != 1:
        raise UnsupportedModel("the layers differ in their terms of relative attention")
    own, shared = found.pop()
    if own and shared:
        raise UnsupportedModel("positions go through projections of their own in some terms, and through those of content in others")
    return own or shared, bool(shared)


def _applied(layer: Callable[[str], int], names: Mapping[str, str], least: int) -> tuple[str, ...]:
    return tuple(term for term in TERMS if layer(names[term]) >= least)


def bucketed(found: set[tuple[int, int]], *, logarithms: bool) -> tuple[int | None, int | None]:
    """The one pair of `Found.middle` and `Found.furthest` in a graph; without logarithms there are no buckets."""
    if len(found) > 1 or (logarithms and not found):
        raise UnsupportedModel("the buckets of distances cannot be read from the graph", why=f"found: {sorted(found) or 'none'}")
    return found.pop() if found else (None, None)


def recipe(tensors: Mapping[str, TensorSource], shapes: Mapping[str, tuple[int, ...]], found: Found, head: Head) -> Recipe:
    """`shapes` are those of the origin's tensors, by its own names. Raises InconsistentModel, UnsupportedModel."""
    turned = {name: shapes[source.key][:: -1 if source.transposed else 1] for name, source in tensors.items()}
    config = _written(turned, found, head)
    (labels,) = _sides(turned, "classifier.bias", 1)
    check_tensors(tensors, shapes, expected_shapes(read(config), labels))
    return Recipe(tensors, config)


def _written(shapes: Mapping[str, tuple[int, ...]], found: Found, head: Head) -> dict[str, Any]:
    """The architecture's part of a config.json, out of the shapes of tensors, as PyTorch has them, and what the graph tells."""
    vocabulary, embedding = _sides(shapes, "deberta.embeddings.word_embeddings.weight", 2)
    (hidden,) = _sides(shapes, "deberta.embeddings.LayerNorm.bias", 1)
    positions, types = (_rows(shapes, f"deberta.embeddings.{table}.weight") for table in ("position_embeddings", "token_type_embeddings"))
    config = {
        "model_type": "deberta-v2",
        "architectures": [f"DebertaV2{HEADS[head]}"],
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_hidden_layers": count_layers(shapes, "deberta.encoder.layer"),
        "num_attention_heads": found.heads,
        "intermediate_size": _sides(shapes, "deberta.encoder.layer.0.intermediate.dense.bias", 1)[0],
        "hidden_act": found.function,
        "layer_norm_eps": found.epsilon,
        "type_vocab_size": types,
        "position_biased_input": positions > 0,
        "pooler_hidden_act": found.pooler or DEFAULTS["pooler_hidden_act"],
        **_distances(shapes, found, positions),
        **({} if embedding == hidden else {"embedding_size": embedding}),
    }
    if found.mixing:
        _, inputs, size = _sides(shapes, "deberta.encoder.conv.conv.weight", 3)
        config |= {"conv_kernel_size": size, "conv_groups": hidden // max(inputs, 1), "conv_act": found.mixing}
    return config


def _distances(shapes: Mapping[str, tuple[int, ...]], found: Found, rows: int) -> dict[str, Any]:
    """Settings of relative attention; `rows` are those of the table of positions, 0 where there is none."""
    if not found.terms:
        return {"relative_attention": False, "pos_att_type": [], "max_position_embeddings": rows or DEFAULTS["max_position_embeddings"]}
    span = _sides(shapes, "deberta.encoder.rel_embeddings.weight", 2)[0] // 2
    if found.middle is not None and found.middle != span // 2:
        raise InconsistentModel(f"distances are put into buckets from {found.middle} on, and their table has {2 * span} rows")
    furthest = span if found.furthest is None else found.furthest
    return {
        "relative_attention": True,
        "pos_att_type": list(found.terms),
        "share_att_key": found.shared,
        "norm_rel_ebd": "layer_norm" if "deberta.encoder.LayerNorm.weight" in shapes else "none",
        "position_buckets": -1 if found.middle is None else span,
        "max_relative_positions": -1 if rows in (0, furthest) else furthest,
        "max_position_embeddings": rows or furthest,
    }


def expected_shapes(model: Deberta, labels: int) -> dict[str, tuple[int, ...]]:
    """Every tensor that the answer depends on, with its shape."""
    hidden, words = model.hidden, "deberta.embeddings"
    shapes: dict[str, tuple[int, ...]] = {f"{words}.word_embeddings.weight": (model.vocabulary, model.embedding)}
    if model.positions:
        shapes[f"{words}.position_embeddings.weight"] = (model.positions, model.embedding)
    if model.types:
        shapes[f"{words}.token_type_embeddings.weight"] = (model.types, model.embedding)
    if model.embedding != hidden:
        shapes[f"{words}.embed_proj.weight"] = (hidden, model.embedding)
    linears, norms = {"classifier": (labels, hidden)}, [f"{words}.LayerNorm"]
    if model.head == "sequence":
        linears["pooler.dense"] = (hidden, hidden)
    if model.convolution:
        shapes["deberta.encoder.conv.conv.weight"] = (hidden, hidden // model.convolution.groups, model.convolution.size)
        shapes["deberta.encoder.conv.conv.bias"] = (hidden,)
        norms.append("deberta.encoder.conv.LayerNorm")
    if model.relative:
        shapes["deberta.encoder.rel_embeddings.weight"] = (2 * model.relative.span, hidden)
        norms += ["deberta.encoder.LayerNorm"] if model.relative.normed else []
    for number in range(model.layers):
        layer = f"deberta.encoder.layer.{number}"
        linears |= {f"{layer}.{name}": shape for name, shape in _layer(model).items()}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name, shape in linears.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        shapes |= {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}
    return shapes


def _layer(model: Deberta) -> dict[str, tuple[int, int]]:
    """The dense layers of one layer of the encoder."""
    square = (model.hidden, model.hidden)
    projections = ["query_proj", "key_proj", "value_proj"]
    if model.relative and not model.relative.shared:
        projections += [OWN[term] for term in model.relative.terms]
    return {
        **{f"attention.self.{name}": square for name in projections},
        "attention.output.dense": square,
        "intermediate.dense": (model.inner, model.hidden),
        "output.dense": (model.hidden, model.inner),
    }


def _terms(value: object) -> tuple[str, ...]:
    """The parts of relative attention that a pos_att_type names: a list, or a text with bars between; others mean nothing."""
    named = [part.strip() for part in value.lower().split("|")] if isinstance(value, str) else value or []
    if not isinstance(named, list):
        raise InconsistentModel(f"pos_att_type is {value!r}, which cannot be")
    return tuple(term for term in TERMS if term in named)


def _relative(config: Mapping[str, Any], terms: tuple[str, ...]) -> Relative:
    buckets, furthest = (_whole(config, name) for name in ("position_buckets", "max_relative_positions"))
    if furthest < 1:
        furthest = _count(config, "max_position_embeddings")
    if buckets > 0 and not (1 <= buckets // 2 < furthest - 1 and buckets <= _MOST_BUCKETS):
        raise UnsupportedModel(f"DeBERTa with {buckets} buckets for distances up to {furthest} is not supported")
    parts = [part.strip() for part in _text(config, "norm_rel_ebd").lower().split("|")]
    return Relative(
        terms=terms,
        span=buckets if buckets > 0 else furthest,
        furthest=furthest,
        buckets=max(buckets, 0),
        shared=bool(config["share_att_key"]),
        normed="layer_norm" in parts,
    )


def _convolution(config: Mapping[str, Any], hidden: int) -> Convolution | None:
    size = _whole(config, "conv_kernel_size")
    if size < 1:
        return None
    groups = _count(config, "conv_groups")
    if size % 2 == 0 or hidden % groups:
        raise InconsistentModel(f"a convolution of {size} neighbours in {groups} groups does not fit a width of {hidden}")
    return Convolution(size, groups, _function(config, "conv_act"))


def _rows(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    """Of a table, 0 where there is none."""
    return _sides(shapes, name, 2)[0] if name in shapes else 0


def _sides(shapes: Mapping[str, tuple[int, ...]], name: str, count: int) -> tuple[int, ...]:
    if name not in shapes:
        raise UnsupportedModel(f"the weights lack the tensor '{name}'")
    if len(shapes[name]) != count:
        raise InconsistentModel(f"the tensor '{name}' has the shape {shapes[name]}, and {count} sides were expected")
    return shapes[name]


def _function(config: Mapping[str, Any], key: str) -> str:
    name = _text(config, key)
    if name not in KNOWN_ACTIVATIONS:
        raise UnsupportedModel(f"the activation function '{name}' ({key}) is not known")
    return name


def _count(config: Mapping[str, Any], key: str, *, least: int = 1) -> int:
    value = _whole(config, key)
    if value < least:
        raise InconsistentModel(f"{key} is {value}, which cannot be")
    return value


def _whole(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if type(value) is not int or abs(value) >= _LARGEST:
        raise InconsistentModel(f"{key} is {value!r}, which cannot be")
    return value


def _share(config: Mapping[str, Any], key: str) -> float:
    value = config[key]
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise InconsistentModel(f"{key} is {value!r}, which cannot be")
    return float(value)


def _layers(config: Mapping[str, Any]) -> int:
    count = _count(config, "num_hidden_layers")
    if count > _MOST_LAYERS:
        raise UnsupportedModel(f"a model of {count} layers is not supported")
    return count


def _text(config: Mapping[str, Any], key: str) -> str:
    if not isinstance(config[key], str):
        raise InconsistentModel(f"{key} is {config[key]!r}, which cannot be")
    return str(config[key])
