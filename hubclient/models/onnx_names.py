"""The weights of an ONNX dataflow under transformers' names, and the settings around them, as far as the exporter left names to tell.

Strategy: exporters keep a parameter's own name wherever it is used as it lies: embeddings, layer norms, biases. The weight of a linear
layer is transposed beforehand and becomes `onnx::MatMul_123`: it is the other factor of the product that the named bias is added to.
Tensors of equal bytes are stored once: the graph refers to each by its own name all the same, through copies. Where optimizers took these
away, the path of the nodes that a layer became tells its name (`/bert/encoder/layer.0/attention/self/query/Add_output_0`); where it is used
again, its path has a number at the end. A name that two different tensors lay claim to is refused. Nothing here shows that the graph is
wired as the architecture is: a rebuilt model must be compared.

Source: torch/onnx/utils.py (paths of modules, `onnx::…` for what was worked out beforehand),
torch/csrc/jit/passes/onnx/deduplicate_initializers.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from hubclient.archive.onnxtensor import FLOAT
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise
from hubclient.models.family import TensorSource
from hubclient.models.naming import root_of, the_one
from hubclient.models.onnx import Linear, Norm, Reader
from hubclient.models.onnx_attention import heads_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hubclient.archive.onnxmodel import Dataflow, Node

_PRODUCTS = frozenset({"MatMul", "Gemm"})
_AGAIN = re.compile(r"_\d+$")
_Part = TypeVar("_Part", Linear, Norm)


class NamedWeights:
    """The weights of `flow`, whose base model is named `base` (`albert`, `deberta`, …); what stands before that name is left out.

    `tensors` has PyTorch's name of each float32 weight that the output depends on, and where it is. All methods take PyTorch's names.
    Raises UnsupportedModel where names are missing, or claimed twice.
    """

    def __init__(self, flow: Dataflow, base: str) -> None:
        self.flow = flow
        self.reader = Reader(flow)
        self.tensors: dict[str, TensorSource] = {}
        self._linears: dict[str, list[Linear]] = {}
        self._norms: dict[str, list[Norm]] = {}
        self._same: dict[TensorSource, set[TensorSource]] = {}  # seen to have equal values: each two are compared once
        self._root = root_of([name.replace(".", "/") for name in _references(flow)], base).replace("/", ".")
        for node in flow.nodes:
            self._read(node)
        kernels = {source.key for source in self.tensors.values()}
        for node in flow.nodes:
            for name, source in (*self._kernels(node, kernels), *self._plain(node)):
                self._add(name, source)

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's, as PyTorch has it."""
        source = self.tensors.get(name)
        if source is None:
            raise UnsupportedModel(f"the graph has no weight named '{name}'")
        return self.flow.shapes[source.key][:: -1 if source.transposed else 1]

    def linear(self, name: str) -> Linear:
        """A linear layer with a bias, where it is used first."""
        return _uses(self._linears, name, "linear layer")[0]

    def uses(self, name: str) -> int:
        """How often a linear layer with a bias is applied; 0 where there is none."""
        return len(self._linears.get(name, ()))

    def norm(self, name: str) -> Norm:
        """A layer norm, where it is used first."""
        return _uses(self._norms, name, "layer norm")[0]

    def epsilon(self, names: Iterable[str]) -> float:
        """What these layer norms have, wherever they are used."""
        found = [norm.epsilon for name in names for norm in _uses(self._norms, name, "layer norm")]
        return float(str(the_one(list(found), "layer norm epsilons")))

    def function(self, inner: str, outer: str) -> str:
        """The activation between two linear layers, by its transformers name."""
        return elementwise.activation_name(self.linear(outer).source, self.reader.follow(self.linear(inner).node))

    def heads(self, name: str) -> int:
        """How many heads the result of a linear layer (queries, keys or values) is split into."""
        linear = self.linear(name)
        return heads_of(self.reader, linear, self._splits(linear.node))

    def _read(self, node: Node) -> None:
        """Take down the linear layer or the layer norm that ends in `node`."""
        if linear := self.reader.linear_at(node):
            name = self._layer(linear.node, linear.bias)
            self._linears.setdefault(name, []).append(linear)
            self._add(f"{name}.weight", linear.weight)
            self._add(f"{name}.bias", linear.bias)
        elif norm := self.reader.norm_at(node):
            name = self._layer(node, norm.bias)
            self._norms.setdefault(name, []).append(norm)
            self._add(f"{name}.weight", norm.weight)
            self._add(f"{name}.bias", norm.bias)

    def _layer(self, node: Node, bias: TensorSource) -> str:
        """The name of the layer that ends in `node`: what its bias is called there, unless the path says that this is another layer's."""
        reference = next((name for inner, name in zip(node.inputs, node.references, strict=True) if inner.name == bias.key), "")
        by_bias, path = self._below_root(reference).removesuffix(".bias"), self._path(node)
        return path if path and by_bias not in (path, _AGAIN.sub("", path)) else by_bias

    def _kernels(self, node: Node, known: set[str]) -> Iterator[tuple[str, TensorSource]]:
        """The weight of a linear layer that has no bias."""
        kernel = self.reader.kernel(node)
        if kernel is None or kernel.key in known:
            return
        reference = node.inputs[1].references[0] if node.inputs[1].op == "Transpose" else node.references[1]
        if path := self._path(node):
            yield f"{path}.weight", kernel
        elif _is_name(reference):
            yield self._below_root(reference), kernel

    def _plain(self, node: Node) -> Iterator[tuple[str, TensorSource]]:
        """What goes by its own name, and is no factor of a product."""
        for inner, reference in zip(node.inputs, node.references, strict=True):
            if _is_weight(inner) and _is_name(reference) and node.op not in _PRODUCTS and node.op != "Transpose":
                yield self._below_root(reference), TensorSource(inner.name)

    def _add(self, name: str, source: TensorSource) -> None:
        known = self.tensors.setdefault(name, source)
        same = self._same.setdefault(known, {known})
        if source not in same and not self._equal(known, source):
            raise UnsupportedModel(f"two tensors of the graph are the weight '{name}'", why=f"'{known.key}' and '{source.key}'")
        same.add(source)

    def _equal(self, left: TensorSource, right: TensorSource) -> bool:
        """A layer that is used several times may have a tensor for each."""
        import numpy as np

        one, other = self._array(left), self._array(right)
        return one is not None and other is not None and np.array_equal(one, other)

    def _array(self, source: TensorSource) -> NDArray[np.generic] | None:
        array = self.flow.array(self.flow.tensors[source.key])
        return array.T if array is not None and source.transposed else array

    def _path(self, node: Node) -> str:
        """The name of the module that a value was computed in, or nothing where its name has no path."""
        return self._below_root(".".join(node.name.split("/")[1:-1])) if node.name.startswith("/") else ""

    def _below_root(self, name: str) -> str:
        return name.removeprefix(self._root)

    def _splits(self, start: Node) -> list[Node]:
        """The reshapes that follow, up to the first product."""
        found: list[Node] = []
        pending, seen = [start], {start}
        while pending:
            for node in self._consumers.get(pending.pop(), ()):
                if node not in seen and node.op not in _PRODUCTS | {"Shape"}:
                    seen.add(node)
                    (found if node.op == "Reshape" else pending).append(node)
        return found

    @cached_property
    def _consumers(self) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = {}
        for node in self.flow.nodes:
            for inner in node.inputs:
                found.setdefault(inner, []).append(node)
        return found


def _references(flow: Dataflow) -> list[str]:
    """What the graph calls its weights, where that is a parameter's name."""
    return [
        name
        for node in flow.nodes
        for inner, name in zip(node.inputs, node.references, strict=True)
        if _is_weight(inner) and _is_name(name)
    ]


def _is_weight(node: Node) -> bool:
    return node.tensor is not None and node.tensor.data_type == FLOAT


def _is_name(reference: str) -> bool:
    """Whether it is a parameter's name; `onnx::MatMul_123`, `/bert/Constant_output_0` and `val_12` are not."""
    return "." in reference and "/" not in reference and "::" not in reference


def _uses(parts: Mapping[str, list[_Part]], name: str, what: str) -> list[_Part]:
    if name not in parts:
        raise UnsupportedModel(f"the graph has no {what} '{name}'")
    return parts[name]
