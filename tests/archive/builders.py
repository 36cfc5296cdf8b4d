"""Writers for what the readers read, each by its format's description, as small as the tests need them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c

if TYPE_CHECKING:
    import numpy as np

    from hubclient.archive.graph import Dataflow, Node

DEMO = (
    Path(__file__).parents[2]
    / "mirror/auxdata.johnsnowlabs.com/public/models/bert_tiny_sequence_classifier_sst2_en_3.4.4_3.0_1635774771318.zip"
)

# Java Object Serialization


_UIDS = {
    "[Lscala.Tuple2;": "2ecc00dfd14fd7c0",
    "scala.Tuple2": "2e94667d5b92f9f5",
    "java.lang.Integer": "12e2a0a4f7818738",
    "java.lang.Number": "86ac951d0b94e08b",
}


class JavaWriter:
    """Writes a stream as java.io.ObjectOutputStream does: every class, string and object once, then by reference."""

    def __init__(self) -> None:
        self.out = bytearray(b"\xac\xed\x00\x05")
        self._handles: dict[object, int] = {}
        self._count = 0

    def write(self, value: object) -> bytes:
        self._value(value)
        return bytes(self.out)

    def _value(self, value: object) -> None:
        match value:
            case None:
                self.out += b"p"
            case str():
                self._string(value)
            case bool():
                self._boxed("java.lang.Boolean", None, "Z", struct.pack(">?", value))
            case int() if -(1 << 31) <= value < 1 << 31:
                self._boxed("java.lang.Integer", "java.lang.Number", "I", struct.pack(">i", value))
            case int():
                self._boxed("java.lang.Long", "java.lang.Number", "J", struct.pack(">q", value))
            case float():
                self._boxed("java.lang.Double", "java.lang.Number", "D", struct.pack(">d", value))
            case (left, right) if isinstance(value, tuple):
                self.out += b"s"
                self._class("scala.Tuple2", None, [("L", "_1"), ("L", "_2")])
                self._handle(None)
                self._value(left)
                self._value(right)
            case list():
                self.out += b"u"
                self._class("[Lscala.Tuple2;", None, [])
                self._handle(None)
                self.out += struct.pack(">I", len(value))
                for item in value:
                    self._value(item)
            case _:
                raise TypeError(type(value))

    def _boxed(self, name: str, parent: str | None, code: str, payload: bytes) -> None:
        if self._reference((name, payload)):
            return
        self.out += b"s"
        self._class(name, parent, [(code, "value")])
        self._handle((name, payload))
        self.out += payload

    def _class(self, name: str, parent: str | None, fields: list[tuple[str, str]]) -> None:
        if self._reference(("class", name)):
            return
        self.out += b"r" + utf(name) + bytes.fromhex(_UIDS.get(name, "00" * 8))
        self._handle(("class", name))
        self.out += b"\x02" + struct.pack(">H", len(fields))
        for code, field in fields:
            self.out += code.encode() + utf(field)
            if code == "L":
                self._string("Ljava/lang/Object;")
        self.out += b"x"
        if parent is None:
            self.out += b"p"
        else:
            self._class(parent, None, [])

    def _string(self, value: str) -> None:
        if self._reference(value):
            return
        raw = modified_utf8(value)
        self._handle(value)
        self.out += b"t" + struct.pack(">H", len(raw)) + raw if len(raw) < 1 << 16 else b"|" + struct.pack(">Q", len(raw)) + raw

    def _reference(self, key: object) -> bool:
        if key not in self._handles:
            return False
        self.out += b"q" + struct.pack(">I", 0x7E0000 + self._handles[key])
        return True

    def _handle(self, key: object) -> None:
        if key is not None:
            self._handles[key] = self._count
        self._count += 1


def modified_utf8(text: str) -> bytes:
    units = struct.unpack(f">{len(text.encode('utf-16-be')) // 2}H", text.encode("utf-16-be"))
    return b"".join(b"\xc0\x80" if unit == 0 else chr(unit).encode("utf-8", "surrogatepass") for unit in units)


def utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


# Hadoop SequenceFile

SYNC = bytes(range(16))


def sequence_header(
    key: str = "NullWritable", value: str = "BytesWritable", flags: bytes = b"\0\0", metadata: bytes = b"\0\0\0\0"
) -> bytes:
    names = b"".join(bytes([len(name)]) + name for name in (f"org.apache.hadoop.io.{kind}".encode() for kind in (key, value)))
    return b"SEQ\x06" + names + flags + metadata + SYNC


def sequence_file(values: Iterable[bytes], *, sync_every: int = 0) -> bytes:
    out = bytearray(sequence_header())
    for index, value in enumerate(values):
        if sync_every and index % sync_every == 0:
            out += b"\xff\xff\xff\xff" + SYNC
        out += struct.pack(">III", len(value) + 4, 0, len(value)) + value
    return bytes(out)


def map_feature(entries: Iterable[tuple[object, object]], *, chunk: int = 10) -> bytes:
    rows = list(entries)
    return sequence_file(JavaWriter().write(rows[start : start + chunk]) for start in range(0, len(rows), chunk))


# Protocol buffers


def varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number: int, value: int | bytes | str | float) -> bytes:
    """One protobuf field: ints as varints, floats in four bytes, the rest with its length."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def shape(*sizes: int) -> bytes:
    return b"".join(field(2, field(1, size)) for size in sizes)


def tensor(dtype: int, sizes: Sequence[int], *values: bytes) -> bytes:
    return field(1, dtype) + field(2, shape(*sizes)) + b"".join(values)


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    attrs = b"".join(field(5, field(1, key) + field(2, value)) for key, value in attributes.items())
    return field(1, name) + field(2, op) + b"".join(field(3, text) for text in inputs) + attrs


def const(name: str, value: bytes) -> bytes:
    return node(name, "Const", value=field(8, value))


def variable(name: str) -> bytes:
    return node(name, "VarHandleOp", shared_name=field(2, name))


def call(name: str, function: str, *inputs: str) -> bytes:
    return node(name, "StatefulPartitionedCall", *inputs, f=field(10, field(1, function)))


def function(name: str, arguments: Sequence[str], returns: Mapping[str, str], *nodes: bytes) -> bytes:
    signature = field(1, name) + b"".join(field(2, field(1, argument)) for argument in arguments)
    signature += b"".join(field(3, field(1, output)) for output in returns)
    rets = b"".join(field(4, field(1, output) + field(2, source)) for output, source in returns.items())
    return field(1, signature) + b"".join(field(3, each) for each in nodes) + rets


def graph(*nodes: bytes, functions: Sequence[bytes] = ()) -> bytes:
    return b"".join(field(1, each) for each in nodes) + field(2, b"".join(field(1, each) for each in functions))


# TensorFlow tensor bundle


def by_op(flow: Dataflow, *ops: str) -> tuple[Node, ...]:
    return tuple(node for node in flow.nodes if node.op in ops)


def masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc(data: bytes) -> int:
    return masked(google_crc32c.value(data))


def block(entries: Sequence[tuple[bytes, bytes]], *, compression: int = 0) -> bytes:
    """A table block with its trailer; keys share prefixes except at restarts, which come every third entry."""
    out, restarts, previous = bytearray(), [], b""
    for index, (key, value) in enumerate(entries):
        shared = 0
        if index % 3 == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(previous)) and key[shared] == previous[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        previous = key
    restarts = restarts or [0]
    out += b"".join(struct.pack("<I", restart) for restart in restarts) + struct.pack("<I", len(restarts)) + bytes([compression])
    return bytes(out) + struct.pack("<I", crc(bytes(out)))


def table(entries: Sequence[tuple[bytes, bytes]], *, compression: int = 0, per_block: int = 4) -> bytes:
    out, handles = bytearray(), []
    for start in range(0, len(entries), per_block):
        rows = entries[start : start + per_block]
        data = block(rows, compression=compression)
        handles.append((rows[-1][0], varint(len(out)) + varint(len(data) - 5)))
        out += data
    meta = varint(len(out)) + varint(len(block([])) - 5)
    out += block([])
    data = block(handles)
    index = varint(len(out)) + varint(len(data) - 5)
    out += data
    return bytes(out) + (meta + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def bundle_entry(dtype: int, sizes: Sequence[int], offset: int, data: bytes, *, shard: int = 0, checksum: int | None = None) -> bytes:
    stored = crc(data) if checksum is None else checksum
    return (
        field(1, dtype)
        + field(2, shape(*sizes))
        + field(3, shard)
        + field(4, offset)
        + field(5, len(data))
        + b"\x35"
        + struct.pack("<I", stored)
    )


def string_tensor(strings: Sequence[bytes]) -> tuple[bytes, int]:
    """A string tensor's bytes and its checksum, which is of other bytes than those that are stored."""
    lengths = b"".join(struct.pack("<I", len(text)) for text in strings)
    tail = struct.pack("<I", crc(lengths)) + b"".join(strings)
    return b"".join(varint(len(text)) for text in strings) + tail, crc(lengths + tail)


_CODES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}


def bundle(arrays: Mapping[str, np.ndarray[Any, Any]], names: Mapping[str, str] | None = None) -> tuple[bytes, bytes]:
    """The index and the data of a bundle; `names` (key -> full variable name) makes an object graph."""
    data, rows = bytearray(), [(b"", field(1, 1))]
    if names is not None:
        attributes = (field(2, field(1, "VARIABLE_VALUE") + field(2, name) + field(3, key)) for key, name in names.items())
        raw, checksum = string_tensor([b"".join(field(1, attribute) for attribute in attributes)])
        rows.append((b"_CHECKPOINTABLE_OBJECT_GRAPH", bundle_entry(7, (), 0, raw, checksum=checksum)))
        data += raw
    for key in sorted(arrays):
        raw = arrays[key].tobytes()
        rows.append((key.encode(), bundle_entry(_CODES[arrays[key].dtype.name], arrays[key].shape, len(data), raw)))
        data += raw
    return table(rows), bytes(data)


# Archives

ANNOTATOR = "com.johnsnowlabs.nlp.annotators.classifier.dl.BertForSequenceClassification"


def zipped(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def metadata(class_name: str = ANNOTATOR, params: Mapping[str, object] | None = None, changes: Mapping[str, object] | None = None) -> bytes:
    """`changes` replaces fields, or (None) removes them."""
    fields = {
        "class": class_name,
        "timestamp": 1795318553982,
        "sparkVersion": "3.1.3",
        "uid": "BERT_FOR_SEQUENCE_CLASSIFICATION_608d9c7b8015",
        "paramMap": params or {"caseSensitive": True, "maxSentenceLength": 64},
        "defaultParamMap": {"maxSentenceLength": 128, "activation": "softmax", "threshold": 0.5},
    }
    return json.dumps({name: value for name, value in (fields | dict(changes or {})).items() if value is not None}).encode() + b"\n"


def spark_members(**changes: bytes | None) -> dict[str, bytes]:
    """The members of a small archive; `changes` replaces, adds or (None) removes some, `__` standing for `/`."""
    members: dict[str, bytes | None] = {
        "metadata/part-00000": metadata(),
        "metadata/_SUCCESS": b"",
        "fields/labels/part-00000": map_feature([("pos", 1)]),
        "fields/labels/part-00001": map_feature([("neg", 0)]),
        "fields/vocabulary/part-00000": map_feature([(f"token{index}", index) for index in range(25)]),
        "fields/signatures/part-00000": map_feature([("logits", "StatefulPartitionedCall:0")]),
        "bert_classification_tensorflow": zipped({"saved_model.pb": b"", "variables.index": b"", "variables.data-00000-of-00001": b""}),
    }
    members.update({name.replace("__", "/"): data for name, data in changes.items()})
    return {name: data for name, data in members.items() if data is not None}


def sidecar(data: bytes, piece: int = 512) -> bytes:
    sums = (zlib.crc32(data[start : start + piece]) for start in range(0, len(data), piece))
    return b"crc\0" + struct.pack(">I", piece) + b"".join(struct.pack(">I", each) for each in sums)
