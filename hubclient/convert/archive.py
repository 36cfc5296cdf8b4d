"""A Spark NLP archive becomes a native folder."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.graph import Graph
from hubclient.archive.location import open_archive
from hubclient.archive.members import Members, copy
from hubclient.archive.sparknlp import Archive, read_archive
from hubclient.archive.weights import tensorflow_files, unpack
from hubclient.cards import Overlay
from hubclient.convert.annotators import ANNOTATORS
from hubclient.convert.facts import ArchiveClaims
from hubclient.convert.write import Identity, write_config, write_graph, write_manifest, write_tokenizer
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel
from hubclient.models import family_of, wordpiece
from hubclient.models.family import Family, Recipe
from hubclient.native import WEIGHTS, Facts, Origin
from hubclient.sources.disk import disk_errors
from hubclient.tensors import LazyTensor, write_weights

if TYPE_CHECKING:
    import numpy as np

_MAX_GRAPH = 512 << 20
_MAX_INDEX = 64 << 20


def convert_archive(path: Path, staging: Path, work: Path, identity: Identity, origin: Origin, overlay: Overlay) -> dict[str, str]:
    """Write the native form of the archive (a zip, or a folder) into `staging`, using the folder `work` for what is not kept.

    Gives the SHA-256 of the files that were hashed as they were written. Raises ArchiveError, ModelError, StoreError.
    """
    with disk_errors(staging), open_archive(path) as members:
        archive = read_archive(members)
        _check_annotator(archive)
        engine = _ENGINES.get(archive.engine)
        if engine is None:
            raise UnsupportedModel(f"archives with {archive.engine} weights are not supported yet", where=members.label)
        return engine(archive, staging, work, identity, origin, overlay)


def _check_annotator(archive: Archive) -> None:
    if archive.metadata.annotator not in ANNOTATORS:
        raise UnsupportedModel(
            f"the annotator {archive.metadata.annotator} is not supported yet",
            where=archive.members.label,
            hint=f"supported are {', '.join(sorted(ANNOTATORS))}",
        )


def _from_tensorflow(archive: Archive, staging: Path, work: Path, identity: Identity, origin: Origin, overlay: Overlay) -> dict[str, str]:
    with _tensorflow(archive, work) as (graph, bundle, shards):
        flow = graph.trace(_logits_tensor(archive))
        keys = bundle.variables()
        missing = sorted(set(flow.variables) - set(keys))
        if missing:
            raise CorruptArchive("the weights lack variables that the graph uses", where=archive.members.label, why=", ".join(missing[:5]))
        shapes = {name: bundle.entry(keys[name]).shape for name in flow.variables}
        family = family_of(shapes)
        recipe = family.from_tensorflow(flow, shapes)
        tensors = {
            name: LazyTensor(
                shapes[source.key][:: -1 if source.transposed else 1], _loader(bundle, shards, keys[source.key], source.transposed)
            )
            for name, source in recipe.tensors.items()
        }
        return write_native(archive, family, recipe, tensors, staging, identity, origin, overlay)


def write_native(
    archive: Archive,
    family: Family,
    recipe: Recipe,
    tensors: Mapping[str, LazyTensor],
    staging: Path,
    identity: Identity,
    origin: Origin,
    overlay: Overlay,
) -> dict[str, str]:
    vocabulary, facts = check_parts(archive, recipe.config, tensors["classifier.bias"].shape[0], overlay)
    weights = write_weights(staging / WEIGHTS, tensors)
    write_graph(staging, family, recipe.config, weights)
    write_tokenizer(staging, wordpiece.build(vocabulary, lowercase=bool(facts.lowercase.value), max_length=facts.max_length.value))
    write_config(staging, recipe.config, archive.labels, facts, vocabulary["[PAD]"])
    write_manifest(
        staging,
        identity,
        origin,
        annotator=archive.metadata.annotator,
        architecture=family.model_type,
        labels=archive.labels,
        labels_source="archive labels field",
        positions=recipe.config["max_position_embeddings"],
        facts=facts,
        tensors_digest=weights.digest,
    )
    return {WEIGHTS: weights.sha256}


def check_parts(archive: Archive, config: Mapping[str, Any], classes: int, overlay: Overlay) -> tuple[Mapping[str, int], Facts]:
    """The vocabulary, and the facts, once vocabulary and labels are seen to fit the weights."""
    if archive.vocabulary is None:
        raise CorruptArchive("the archive has no vocabulary", where=archive.members.label)
    if len(archive.labels) != classes:
        raise InconsistentModel(
            f"the archive has {len(archive.labels)} labels, and its classifier {classes} outputs", where=archive.members.label
        )
    wordpiece.check_vocabulary(archive.vocabulary, config["vocab_size"])
    claims = ArchiveClaims(archive.metadata, vocabulary_lowercase=True if wordpiece.is_lowercase(archive.vocabulary) else None)
    return archive.vocabulary, claims.decide(overlay, labels=classes, positions=config["max_position_embeddings"])


@contextmanager
def _tensorflow(archive: Archive, work: Path) -> Iterator[tuple[Graph, TensorBundle, list[mmap.mmap | bytes]]]:
    """The graph and the tensors, with the files that these are read from, unpacked and mapped into memory."""
    with ExitStack() as stack:
        spool = stack.enter_context((work / "weights.zip").open("w+b"))
        inner = unpack(archive.members, archive.weights, spool)
        files = tensorflow_files(inner)
        graph = Graph(inner.read(files.graph, _MAX_GRAPH), label=f"{inner.label}, {files.graph}")
        shards = [stack.enter_context(mapped(inner, name, work / f"shard-{number}")) for number, name in enumerate(files.shards)]
        yield graph, TensorBundle(inner.read(files.index, _MAX_INDEX), *shards, label=inner.label), shards


@contextmanager
def mapped(members: Members, name: str, path: Path) -> Iterator[mmap.mmap | bytes]:
    """A member, unpacked to `path` and mapped into memory."""
    with path.open("w+b") as file:
        size = copy(members, name, file)
        file.flush()
        # Arrays of the bundle may still point into the map when this ends; it is closed with the last of them.
        yield mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""


def _logits_tensor(archive: Archive) -> str:
    name = (archive.signatures or {}).get("logits")
    if name is None:
        raise UnsupportedModel(
            "the archive's signatures name no logits",
            where=archive.members.label,
            why=f"there are: {', '.join(archive.signatures or {}) or 'none'}",
        )
    return name


def _loader(bundle: TensorBundle, shards: list[mmap.mmap | bytes], key: str, transposed: bool) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        _forget(shards)
        array = bundle.array(key)
        return array.T if transposed else array

    return load


def _forget(shards: list[mmap.mmap | bytes]) -> None:
    """Give back the memory of the tensors read so far: each is needed once, and what is needed again comes from the file."""
    for shard in shards:
        if isinstance(shard, mmap.mmap) and hasattr(shard, "madvise"):  # Windows has no such call
            shard.madvise(mmap.MADV_DONTNEED)


def _from_onnx(archive: Archive, staging: Path, work: Path, identity: Identity, origin: Origin, overlay: Overlay) -> dict[str, str]:
    from hubclient.convert.onnx import from_onnx  # which needs this module

    return from_onnx(archive, staging, work, identity, origin, overlay)


_ENGINES = {"tensorflow": _from_tensorflow, "onnx": _from_onnx}
