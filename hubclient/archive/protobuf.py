"""TensorFlow's protocol buffers, as far as a saved model needs them: graphs, tensor bundles, object graphs.

Strategy: the messages are declared here as a table of field names and numbers, and given to protobuf's own parser (C code);
fields that are not in the table are skipped as unknown. The descriptor pool is private, so that a process that also imports
TensorFlow has no clash.

Source: tensorflow/core/framework/{graph,node_def,function,op_def,attr_value,tensor,tensor_shape,versions}.proto,
tensorflow/core/protobuf/{tensor_bundle,trackable_object_graph}.proto. Enumerations are read as int32, which has the same encoding.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from hubclient.errors import CorruptArchive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

_PACKAGE = "hubclient.tensorflow"

# One field: name, number, type. A leading `*` means repeated, `map` is map<string, type>.
_MESSAGES: dict[str, str] = {
    "GraphDef": "node 1 *NodeDef, library 2 FunctionDefLibrary",
    "FunctionDefLibrary": "function 1 *FunctionDef",
    "FunctionDef": "signature 1 OpDef, node_def 3 *NodeDef, ret 4 map string",
    "OpDef": "name 1 string, input_arg 2 *ArgDef, output_arg 3 *ArgDef",
    "ArgDef": "name 1 string, type 3 int32",
    "NodeDef": "name 1 string, op 2 string, input 3 *string, attr 5 map AttrValue",
    "AttrValue": (
        "list 1 ListValue, s 2 bytes, i 3 int64, f 4 float, b 5 bool, type 6 int32, shape 7 TensorShapeProto, tensor 8 TensorProto, "
        "func 10 NameAttrList"
    ),
    "ListValue": "s 2 *bytes, i 3 *int64, f 4 *float, b 5 *bool, type 6 *int32, shape 7 *TensorShapeProto",
    "NameAttrList": "name 1 string",
    "TensorShapeProto": "dim 2 *Dim, unknown_rank 3 bool",
    "Dim": "size 1 int64",
    "TensorProto": (
        "dtype 1 int32, tensor_shape 2 TensorShapeProto, tensor_content 4 bytes, float_val 5 *float, double_val 6 *double, "
        "int_val 7 *int32, string_val 8 *bytes, int64_val 10 *int64, bool_val 11 *bool, half_val 13 *int32, "
        "uint32_val 16 *uint32, uint64_val 17 *uint64"
    ),
    "BundleHeaderProto": "num_shards 1 int32, endianness 2 int32",
    "BundleEntryProto": (
        "dtype 1 int32, shape 2 TensorShapeProto, shard_id 3 int32, offset 4 int64, size 5 int64, crc32c 6 fixed32, "
        "slices 7 *TensorSliceProto"
    ),
    "TensorSliceProto": "",
    "TrackableObjectGraph": "nodes 1 *TrackableObject",
    "TrackableObject": "attributes 2 *SerializedTensor",
    "SerializedTensor": "name 1 string, full_name 2 string, checkpoint_key 3 string",
}


class Dim(Protocol):
    size: int


class TensorShapeProto(Protocol):
    dim: Sequence[Dim]
    unknown_rank: bool


class TensorProto(Protocol):
    dtype: int
    tensor_shape: TensorShapeProto
    tensor_content: bytes
    float_val: Sequence[float]
    double_val: Sequence[float]
    int_val: Sequence[int]
    string_val: Sequence[bytes]
    int64_val: Sequence[int]
    bool_val: Sequence[bool]
    half_val: Sequence[int]
    uint32_val: Sequence[int]
    uint64_val: Sequence[int]


class ListValue(Protocol):
    s: Sequence[bytes]
    i: Sequence[int]
    f: Sequence[float]
    b: Sequence[bool]
    type: Sequence[int]
    shape: Sequence[TensorShapeProto]


class NameAttrList(Protocol):
    name: str


class AttrValue(Protocol):
    """One of its fields is set; `HasField(name)` says which (`list`, `shape`, `tensor` and `func` only)."""

    list: ListValue
    s: bytes
    i: int
    f: float
    b: bool
    type: int
    shape: TensorShapeProto
    tensor: TensorProto
    func: NameAttrList

    def HasField(self, name: str) -> bool: ...  # noqa: N802


class NodeDef(Protocol):
    name: str
    op: str
    input: Sequence[str]
    attr: Mapping[str, AttrValue]


class ArgDef(Protocol):
    name: str
    type: int


class OpDef(Protocol):
    name: str
    input_arg: Sequence[ArgDef]
    output_arg: Sequence[ArgDef]


class FunctionDef(Protocol):
    signature: OpDef
    node_def: Sequence[NodeDef]
    ret: Mapping[str, str]


class FunctionDefLibrary(Protocol):
    function: Sequence[FunctionDef]


class GraphDef(Protocol):
    node: Sequence[NodeDef]
    library: FunctionDefLibrary


class BundleHeader(Protocol):
    num_shards: int
    endianness: int


class BundleEntry(Protocol):
    dtype: int
    shape: TensorShapeProto
    shard_id: int
    offset: int
    size: int
    crc32c: int
    slices: Sequence[object]


class SerializedTensor(Protocol):
    name: str
    full_name: str
    checkpoint_key: str


class TrackableObject(Protocol):
    attributes: Sequence[SerializedTensor]


class TrackableObjectGraph(Protocol):
    nodes: Sequence[TrackableObject]


def parse_graph(data: bytes, label: str) -> GraphDef:
    return cast(GraphDef, _parse("GraphDef", data, label))


def parse_bundle_header(data: bytes, label: str) -> BundleHeader:
    return cast(BundleHeader, _parse("BundleHeaderProto", data, label))


def parse_bundle_entry(data: bytes, label: str) -> BundleEntry:
    return cast(BundleEntry, _parse("BundleEntryProto", data, label))


def parse_object_graph(data: bytes, label: str) -> TrackableObjectGraph:
    return cast(TrackableObjectGraph, _parse("TrackableObjectGraph", data, label))


def _parse(message: str, data: bytes, label: str) -> object:
    from google.protobuf.message import DecodeError

    parsed = _classes()[message]()
    try:
        parsed.ParseFromString(data)
    except DecodeError as error:
        raise CorruptArchive(f"{label} is not a {message}", where=label, why=str(error)) from error
    return parsed


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pool, message_factory
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file: FileDescriptorProto = FileDescriptorProto(name="hubclient_tensorflow.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in filter(None, fields.split(", ")):
            _declare(message, *field.split(" ", 2))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES}


def _declare(message: DescriptorProto, name: str, number: str, kind: str) -> None:
    """Add one field; a map is, by definition, a repeated message of a nested entry type."""
    if kind.startswith("map "):
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        _set_type(entry.field.add(name="key", number=1, label=1), "string")
        _set_type(entry.field.add(name="value", number=2, label=1), kind.removeprefix("map "))
        message.field.add(name=name, number=int(number), label=3, type=11, type_name=f".{_PACKAGE}.{message.name}.{entry.name}")
        return
    _set_type(message.field.add(name=name, number=int(number), label=3 if kind.startswith("*") else 1), kind.removeprefix("*"))


def _set_type(field: FieldDescriptorProto, kind: str) -> None:
    if kind in _MESSAGES:
        field.type, field.type_name = 11, f".{_PACKAGE}.{kind}"
    else:
        field.type = field.Type.Value(f"TYPE_{kind.upper()}")
