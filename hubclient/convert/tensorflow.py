"""An archive with TensorFlow weights: the settings come from the graph, the tensors from the bundle."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.calculate import calculate
from hubclient.archive.graph import Graph
from hubclient.archive.sparknlp import Archive
from hubclient.archive.weights import tensorflow_files, unpack
from hubclient.convert.annotators import Annotator
from hubclient.convert.assemble import assemble
from hubclient.convert.canary import Bounds, answers_alike
from hubclient.convert.job import Job
from hubclient.errors import CorruptArchive, UnsupportedModel
from hubclient.models import family_of
from hubclient.native import GRAPH
from hubclient.padding import read_padding

if TYPE_CHECKING:
    import numpy as np

_MAX_GRAPH = 512 << 20
_MAX_INDEX = 64 << 20


def from_tensorflow(archive: Archive, annotator: Annotator, job: Job) -> dict[str, str]:
    """As `convert_archive`, for an archive whose weights are TensorFlow's.

    What was rebuilt is proved: the archive's graph, worked out as data, must give the same logits.
    """
    with _unpacked(archive, job) as (graph, bundle, shards):
        flow = graph.trace(_logits_tensor(archive))
        keys = bundle.variables()
        missing = sorted(set(flow.variables) - set(keys))
        if missing:
            raise CorruptArchive("the weights lack variables that the graph uses", where=archive.members.label, why=", ".join(missing[:5]))
        shapes = {name: bundle.entry(keys[name]).shape for name in flow.variables}
        family = family_of(shapes, annotator.model_type)
        recipe = family.from_tensorflow(flow, shapes, annotator.head)

        def load(name: str) -> np.ndarray:
            _forget(shards)
            return bundle.array(keys[name])

        hashes = assemble(archive, job, family, recipe, shapes, load)
        bounds = Bounds.of(family, recipe.config, read_padding(job.staging))
        with _one_thread():
            proved = answers_alike(job.staging / GRAPH, lambda feeds: calculate(flow, feeds, load), bounds)
        if not proved:
            raise UnsupportedModel(
                "the model rebuilt from the tensors answers otherwise than the archive's graph", where=archive.members.label
            )
        return hashes


def _one_thread() -> AbstractContextManager[object]:
    """For small products, BLAS spends more on its threads than it gains, and on a busy machine many times as much."""
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limited


@contextmanager
def _unpacked(archive: Archive, job: Job) -> Iterator[tuple[Graph, TensorBundle, list[mmap.mmap | bytes]]]:
    """The graph and the tensors, with the files that these are read from, unpacked and mapped into memory."""
    with ExitStack() as stack:
        spool = stack.enter_context((job.work / "weights.zip").open("w+b"))
        inner = unpack(archive.members, archive.weights, spool, job.advance)
        files = tensorflow_files(inner)
        graph = Graph(inner.read(files.graph, _MAX_GRAPH), label=f"{inner.label}, {files.graph}")
        shards = [stack.enter_context(job.mapped(inner, name, job.work / f"shard-{number}")) for number, name in enumerate(files.shards)]
        yield graph, TensorBundle(inner.read(files.index, _MAX_INDEX), *shards, label=inner.label), shards


def _logits_tensor(archive: Archive) -> str:
    name = (archive.signatures or {}).get("logits")
    if name is None:
        raise UnsupportedModel(
            "the archive's signatures name no logits",
            where=archive.members.label,
            why=f"there are: {', '.join(archive.signatures or {}) or 'none'}",
        )
    return name


def _forget(shards: list[mmap.mmap | bytes]) -> None:
    """Give back the memory of the tensors read so far: each is needed once, and what is needed again comes from the file."""
    for shard in shards:
        if isinstance(shard, mmap.mmap) and hasattr(shard, "madvise"):  # Windows has no such call
            shard.madvise(mmap.MADV_DONTNEED)
