"""A Spark NLP archive: what it says about its model, and where its weights are. The weights themselves are not read here.

Strategy: small parts (metadata, feature maps) are read and checked at once, or one by one from an outline, which is the metadata and the
names of the rest; the weights are found by the suffix of their name, since prefixes vary between versions.

Source: com.johnsnowlabs.nlp.ParamsAndFeaturesWritable, and the archives themselves; docs/archive-format.md describes the layout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from hubclient.archive import features
from hubclient.archive.members import Members, Subfolder
from hubclient.archive.metadata import Metadata, parse_metadata
from hubclient.archive.sidecar import sidecar_name, verify
from hubclient.errors import InconsistentModel, NotAnArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Engine = Literal["tensorflow", "onnx", "openvino"]

_ENGINES: tuple[Engine, ...] = ("tensorflow", "onnx", "openvino")
_PIPELINE = "org.apache.spark.ml.PipelineModel"
_PART = re.compile(r"(?P<folder>metadata|fields/[^/]+)/part-[^/]+")
_MAX_METADATA = 16 << 20
_MAX_PART = 256 << 20


@dataclass(frozen=True)
class Outline:
    """An archive of which the metadata alone were read. `members`: at the root where they belong, as in `Archive`. `features`: the part
    files of each."""

    members: Members
    metadata: Metadata
    features: Mapping[str, tuple[str, ...]]

    def weights(self) -> tuple[str, Engine]:
        """The member that holds the weights, and whose they are. Raises NotAnArchive, InconsistentModel, UnsupportedModel."""
        return _weights(self.members, self.metadata)

    def labels(self) -> tuple[str, ...]:
        """In class order, empty if there are none. Raises InconsistentModel, ArchiveError."""
        return _labels(self.members, self.features.get("labels"))

    def vocabulary(self) -> Mapping[str, int] | None:
        """None where there is no such feature. Raises InconsistentModel, ArchiveError."""
        parts = _read(self.members, self.features.get("vocabulary"))
        return MappingProxyType(features.numbers(parts)) if parts else None

    def files(self) -> tuple[str, ...]:
        """The files at the root that are no weights, such as a SentencePiece model."""
        return tuple(
            name
            for name in self.members.names()
            if "/" not in name and name[0] != "." and name != "_SUCCESS" and not any(_is_weights(name, engine) for engine in _ENGINES)
        )


@dataclass(frozen=True)
class Archive:
    """The content of an archive.

    `members` are its files, at the root where they belong (a single top folder is left out); `weights` is the one that holds the weights
    of `engine`. `labels` are in class order, empty if there are none. `vocabulary`, `merges` and `signatures` are None where the archive
    has no such feature; `features` names all that there are, and `files` the other files at the root, such as a SentencePiece model.
    """

    members: Members
    metadata: Metadata
    engine: Engine
    weights: str
    labels: tuple[str, ...]
    vocabulary: Mapping[str, int] | None
    merges: Mapping[tuple[str, str], int] | None
    signatures: Mapping[str, str] | None
    features: tuple[str, ...]
    files: tuple[str, ...]


def read_archive(members: Members) -> Archive:
    """Read all but the weights.

    Raises NotAnArchive, saying what is missing; CorruptArchive; UnsafeArchive; UnsupportedModel for a pipeline; and InconsistentModel for
    labels that are not numbered 0, 1, 2 …, or weights of another engine than the metadata say.
    """
    outline = read_outline(members)
    weights, engine = outline.weights()
    merges, signatures = (_read(outline.members, outline.features.get(name)) for name in ("merges", "signatures"))
    return Archive(
        members=outline.members,
        metadata=outline.metadata,
        engine=engine,
        weights=weights,
        labels=outline.labels(),
        vocabulary=outline.vocabulary(),
        merges=MappingProxyType(features.pairs(merges)) if merges else None,
        signatures=MappingProxyType(features.texts(signatures)) if signatures else None,
        features=tuple(sorted(outline.features)),
        files=outline.files(),
    )


def read_outline(members: Members) -> Outline:
    """Read the metadata, and no more. Raises NotAnArchive, CorruptArchive, UnsafeArchive, UnsupportedModel for a pipeline."""
    members = _rooted(members)
    parts = _parts(members)
    metadata = _metadata(members, parts)
    content = {folder.removeprefix("fields/"): tuple(names) for folder, names in parts.items() if folder.startswith("fields/")}
    return Outline(members, metadata, MappingProxyType(content))


def read_metadata(members: Members) -> Metadata:
    """What the stage says of itself, and nothing else. Raises NotAnArchive, CorruptArchive, and UnsupportedModel for a pipeline."""
    members = _rooted(members)
    return _metadata(members, _parts(members))


def _rooted(members: Members) -> Members:
    """Leaves out one top folder that holds everything, as a person's own zip often has."""
    names = members.names()
    tops = {name.partition("/")[0] for name in names if not name.startswith("__MACOSX/")}
    if len(tops) == 1 and (top := tops.pop()) != "metadata" and any(name.startswith(f"{top}/metadata/") for name in names):
        return Subfolder(members, top)
    return members


def _parts(members: Members) -> dict[str, list[str]]:
    """Folder -> its part files. Spark names them `part-00000`, or with a long suffix (Spark 4)."""
    parts: dict[str, list[str]] = {}
    for name in members.names():
        if match := _PART.fullmatch(name):
            parts.setdefault(match["folder"], []).append(name)
    return parts


def _metadata(members: Members, parts: Mapping[str, list[str]]) -> Metadata:
    if "metadata" not in parts:
        raise NotAnArchive("this is not a Spark NLP archive", where=members.label, why="it has no metadata/part-00000")
    texts = {name: text for name in parts["metadata"] if (text := _content(members, name, _MAX_METADATA).strip())}
    if len(texts) != 1:
        why = "its metadata are empty" if not texts else f"it has several metadata: {', '.join(texts)}"
        raise NotAnArchive("this is not a Spark NLP archive", where=members.label, why=why)
    ((name, text),) = texts.items()
    metadata = parse_metadata(text, label=f"{members.label}, member '{name}'")
    if metadata.class_name == _PIPELINE:
        raise UnsupportedModel("the archive holds a pipeline, not one classifier", where=members.label)
    return metadata


def _weights(members: Members, metadata: Metadata) -> tuple[str, Engine]:
    found = [(name, engine) for name in members.names() for engine in _ENGINES if _is_weights(name, engine)]
    if not found:
        suffixes = ", ".join(f"_{engine}" for engine in _ENGINES)
        why = f"no file at its root ends in {suffixes} ({metadata.annotator})"
        raise NotAnArchive("the archive has no weights", where=members.label, why=why)
    if len(found) > 1:
        raise InconsistentModel("the archive has several weights", where=members.label, why=", ".join(name for name, _ in found))
    ((name, engine),) = found
    stated = metadata.text("engine") or "tensorflow"
    if stated not in _ENGINES:
        raise UnsupportedModel(f"the archive's engine is '{stated}'", where=members.label, hint=f"these can be read: {', '.join(_ENGINES)}")
    if engine != stated:
        raise InconsistentModel(f"the archive's engine is {stated}, and its weights are '{name}'", where=members.label)
    return name, engine


def _is_weights(name: str, engine: Engine) -> bool:
    return "/" not in name and name[0] != "." and name.endswith(f"_{engine}")


def _read(members: Members, names: Sequence[str] | None) -> dict[str, bytes] | None:
    return {f"{members.label}, member '{name}'": _content(members, name, _MAX_PART) for name in names} if names else None


def _content(members: Members, name: str, limit: int) -> bytes:
    """A small part, compared with its Hadoop checksums where it has them."""
    data, sums = members.read(name, limit), sidecar_name(name)
    if sums in members.names():
        verify(data, members.read(sums, limit), f"{members.label}, member '{name}'")
    return data


def _labels(members: Members, names: Sequence[str] | None) -> tuple[str, ...]:
    parts = _read(members, names)
    indices = features.numbers(parts) if parts else {}
    order = sorted(indices, key=lambda label: indices[label])
    if [indices[label] for label in order] != list(range(len(order))):
        given = ", ".join(f"{label}: {indices[label]}" for label in order[:20])
        raise InconsistentModel("the labels are not numbered from 0 without gaps", where=members.label, why=given)
    return tuple(order)
