"""All files of the native form, from an archive's small parts and its recovered tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hubclient.archive.sparknlp import Archive
from hubclient.convert.facts import ArchiveClaims, in_force
from hubclient.convert.job import Job
from hubclient.convert.write import write_config, write_graph, write_manifest, write_tokenizer
from hubclient.errors import CorruptArchive, InconsistentModel
from hubclient.models import wordpiece
from hubclient.models.family import Family, Recipe, TensorSource
from hubclient.native import WEIGHTS, Facts
from hubclient.tensors import LazyTensor, write_weights

if TYPE_CHECKING:
    import numpy as np


def assemble(
    archive: Archive, job: Job, family: Family, recipe: Recipe, shapes: Mapping[str, tuple[int, ...]], load: Callable[[str], np.ndarray]
) -> dict[str, str]:
    """`shapes` and `load` tell of tensors by the origin's names, as they lie there. Gives the SHA-256 of the weights file, by name."""
    tensors = {name: _lazy(source, shapes[source.key], load) for name, source in recipe.tensors.items()}
    vocabulary, facts = check_parts(archive, recipe.config, tensors["classifier.bias"].shape[0])
    forced = in_force(facts, job.overlay, recipe.config["max_position_embeddings"])
    weights = write_weights(job.staging / WEIGHTS, tensors, job.advance)
    write_graph(job.staging, family, recipe.config, weights)
    write_tokenizer(job.staging, wordpiece.build(vocabulary, lowercase=bool(forced.lowercase.value), max_length=forced.max_length.value))
    write_config(job.staging, recipe.config, archive.labels, forced, vocabulary["[PAD]"])
    write_manifest(
        job,
        annotator=archive.metadata.annotator,
        architecture=family.model_type,
        labels=archive.labels,
        labels_source="archive labels field",
        positions=recipe.config["max_position_embeddings"],
        facts=facts,
        tensors_digest=weights.digest,
    )
    return {WEIGHTS: weights.sha256}


def _lazy(source: TensorSource, shape: tuple[int, ...], load: Callable[[str], np.ndarray]) -> LazyTensor:
    if source.transposed:
        return LazyTensor(shape[::-1], lambda: load(source.key).T)
    return LazyTensor(shape, lambda: load(source.key))


def check_parts(archive: Archive, config: Mapping[str, Any], classes: int) -> tuple[Mapping[str, int], Facts]:
    """The vocabulary, and the origin's facts, once vocabulary and labels are seen to fit the weights."""
    if archive.vocabulary is None:
        raise CorruptArchive("the archive has no vocabulary", where=archive.members.label)
    if len(archive.labels) != classes:
        raise InconsistentModel(
            f"the archive has {len(archive.labels)} labels, and its classifier {classes} outputs", where=archive.members.label
        )
    wordpiece.check_vocabulary(archive.vocabulary, config["vocab_size"])
    claims = ArchiveClaims(archive.metadata, vocabulary_lowercase=True if wordpiece.is_lowercase(archive.vocabulary) else None)
    return archive.vocabulary, claims.decide(labels=classes, positions=config["max_position_embeddings"])
