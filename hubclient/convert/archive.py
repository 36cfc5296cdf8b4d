"""A Spark NLP archive becomes a native folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from hubclient.archive.location import open_archive
from hubclient.archive.sparknlp import Archive, read_archive
from hubclient.convert.annotators import SUPPORTED, Annotator, find_annotator, unsupported
from hubclient.convert.job import Job
from hubclient.convert.onnx import from_onnx
from hubclient.convert.openvino import from_openvino
from hubclient.convert.tensorflow import from_tensorflow
from hubclient.errors import UnsupportedModel
from hubclient.sources.disk import disk_errors
from hubclient.transfer.progress import Progress, Silent

Hashes = dict[str, str]

_ENGINES: Mapping[str, Callable[[Archive, Annotator, Job], Hashes]] = MappingProxyType(
    {"tensorflow": from_tensorflow, "onnx": from_onnx, "openvino": from_openvino}
)
# The weights are unpacked twice, a zip in a zip, and written once.
_PASSES = 3


def convert_archive(path: Path, job: Job, progress: Progress | None = None) -> Hashes:
    """Write the native form of the archive (a zip, or a folder).

    Gives the SHA-256 of the files that were hashed as they were written. Raises ArchiveError, ModelError, StoreError.
    """
    with disk_errors(job.staging), open_archive(path) as members:
        archive = read_archive(members)
        annotator = _annotator(archive)
        label = f"converting {job.identity.name or path.name}"
        with (progress or Silent()).task(label, _PASSES * archive.members.size(archive.weights)) as advance:
            return _ENGINES[archive.engine](archive, annotator, replace(job, advance=advance))


def _annotator(archive: Archive) -> Annotator:
    found = find_annotator(archive.metadata.annotator)
    if found is None:
        raise unsupported(archive.metadata.annotator, archive.members.label)
    if archive.engine not in found.engines:
        raise UnsupportedModel(
            f"archives of {archive.metadata.annotator} with {archive.engine} weights are not supported",
            where=archive.members.label,
            hint=SUPPORTED,
        )
    return found
