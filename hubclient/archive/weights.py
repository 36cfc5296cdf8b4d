"""The weights of an archive: one member that is itself a zip, and the files in it.

Strategy: the caller gives a file to unpack the member into, and later files for its members (which may then be mapped into memory), so that
nothing of the model's size is ever held in memory. Files are found by their own name, in whatever folder they lie.

Source: TensorflowWrapper, OnnxWrapper and OpenvinoWrapper in com.johnsnowlabs.ml (what their `saveToFile` puts together).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hubclient.archive.members import copy
from hubclient.archive.zipmembers import ZipMembers
from hubclient.errors import CorruptArchive

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubclient.archive.members import Members

_GRAPH = "saved_model.pb"
_SHARD = re.compile(r"(?P<stem>.+)\.data-(?P<number>\d{5})-of-(?P<count>\d{5})")


@dataclass(frozen=True)
class TensorFlowFiles:
    """Member names: the GraphDef, the index of the tensor bundle, and its data files in order."""

    graph: str
    index: str
    shards: tuple[str, ...]


@dataclass(frozen=True)
class OnnxFiles:
    """Member names: the model, and whatever lies beside it (its external data, if it has any)."""

    model: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class OpenvinoFiles:
    """Member names: the graph as XML, and its weights."""

    graph: str
    weights: str


def unpack(members: Members, weights: str, file: BinaryIO, advance: Callable[[int], None] = lambda count: None) -> ZipMembers:
    """Copy the member `weights` into `file` (writable and readable, empty), and open it as the zip that it is."""
    copy(members, weights, file, advance)
    return ZipMembers(file, f"{members.label}, member '{weights}'")


def tensorflow_files(members: Members) -> TensorFlowFiles:
    graph = _the_one(members, _GRAPH, lambda base: base == _GRAPH)
    index = _the_one(members, "*.index", lambda base: base.endswith(".index"))
    shards: dict[int, str] = {}
    counts = set()
    for name in members.names():
        match = _SHARD.fullmatch(name)
        if match and match["stem"] == index.removesuffix(".index"):
            shards[int(match["number"])] = name
            counts.add(int(match["count"]))
    if len(counts) != 1 or sorted(shards) != list(range(next(iter(counts)))):
        raise CorruptArchive("the weights lack data files of their tensor bundle", where=members.label, why=_listed(members))
    return TensorFlowFiles(graph, index, tuple(shards[number] for number in sorted(shards)))


def onnx_files(members: Members) -> OnnxFiles:
    # Spark NLP's own saveToFile names the one file after the zip: `bert_classification_onnx`.
    model = _the_one(members, "*.onnx", lambda base: base.endswith((".onnx", "_onnx")))
    return OnnxFiles(model, tuple(name for name in members.names() if name != model))


def openvino_files(members: Members) -> OpenvinoFiles:
    graph = _the_one(members, "*.xml", lambda base: base.endswith(".xml"))
    weights = graph.removesuffix(".xml") + ".bin"
    if weights not in members.names():
        raise CorruptArchive(f"the weights lack the file '{weights}'", where=members.label, why=_listed(members))
    return OpenvinoFiles(graph, weights)


def _the_one(members: Members, wanted: str, fits: Callable[[str], bool]) -> str:
    found = [name for name in members.names() if fits(name.rpartition("/")[2])]
    if len(found) != 1:
        what = "no file" if not found else f"{len(found)} files"
        raise CorruptArchive(f"the weights have {what} named {wanted}", where=members.label, why=_listed(members))
    return found[0]


def _listed(members: Members) -> str:
    names = members.names()
    return f"there are: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else "there is nothing in it"
