"""All files of the native form, from an archive's small parts and its recovered tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.archive.sparknlp import Archive
from hubclient.convert.facts import ArchiveClaims, in_force
from hubclient.convert.job import Job
from hubclient.convert.write import write_config, write_graph, write_manifest, write_tokenizer
from hubclient.convert.zero_shot import zero_shot_facts
from hubclient.errors import InconsistentModel
from hubclient.models.family import Family, Recipe, TensorSource
from hubclient.models.tokenizer import TokenizerFiles, TokenizerKind, TokenizerParts
from hubclient.models.tokenizer_kinds import kind_of
from hubclient.native import WEIGHTS, Facts, ZeroShotFacts
from hubclient.tensors import LazyTensor, write_weights

if TYPE_CHECKING:
    import numpy as np

_SENTENCEPIECE = "_spp"
_MAX_SENTENCEPIECE = 64 << 20


@dataclass(frozen=True)
class Kit:
    """The tokenizer's parts, and the origin's facts, once they are seen to fit the weights. `rows`: of the embedding table."""

    kind: TokenizerKind
    parts: TokenizerParts
    facts: Facts
    rows: int
    zero_shot: ZeroShotFacts | None

    @property
    def pad_id(self) -> int:
        return self.kind.pad_id(self.parts, self.rows)

    def tokenizer(self, forced: Facts) -> TokenizerFiles:
        return self.kind.build(self.parts, rows=self.rows, lowercase=forced.lowercase.value, max_length=forced.max_length.value)


def assemble(
    archive: Archive, job: Job, family: Family, recipe: Recipe, shapes: Mapping[str, tuple[int, ...]], load: Callable[[str], np.ndarray]
) -> dict[str, str]:
    """`shapes` and `load` tell of tensors by the origin's names, as they lie there. Gives the SHA-256 of the weights file, by name."""
    config, positions = recipe.config, family.positions(recipe.config)
    tensors = {name: _lazy(source, shapes, load) for name, source in recipe.tensors.items()}
    classes = tensors[family.output_bias(config)].shape[0]
    kit = check_parts(archive, family.model_type, rows=config["vocab_size"], classes=classes, positions=positions)
    forced = in_force(kit.facts, job.overlay, positions)
    weights = write_weights(job.staging / WEIGHTS, tensors, job.advance)
    write_graph(job.staging, family, config, weights)
    write_tokenizer(job.staging, kit.tokenizer(forced))
    write_config(job.staging, config, archive.labels, forced, kit.pad_id)
    write_manifest(
        job,
        annotator=archive.metadata.annotator,
        architecture=family.model_type,
        labels=archive.labels,
        labels_source="archive labels field",
        positions=positions,
        facts=kit.facts,
        zero_shot=kit.zero_shot,
        tensors_digest=weights.digest,
    )
    return {WEIGHTS: weights.sha256}


def _lazy(source: TensorSource, shapes: Mapping[str, tuple[int, ...]], load: Callable[[str], np.ndarray]) -> LazyTensor:
    import numpy as np

    if (blank := source.blank) is not None:
        return LazyTensor(blank, lambda: np.zeros(blank, np.float32))
    shape = shapes[source.key]
    if source.transposed:
        return LazyTensor(shape[::-1], lambda: load(source.key).T)
    return LazyTensor(shape, lambda: load(source.key))


def check_parts(archive: Archive, model_type: str, *, rows: int, classes: int, positions: int | None) -> Kit:
    """`rows`: of the embedding table; `classes`: how many outputs there are. Raises InconsistentModel, CorruptArchive, UnsupportedModel."""
    if len(archive.labels) != classes:
        raise InconsistentModel(
            f"the archive has {len(archive.labels)} labels, and its classifier {classes} outputs", where=archive.members.label
        )
    kind = kind_of(model_type)
    models = {name: archive.members.read(name, _MAX_SENTENCEPIECE) for name in archive.files if name.endswith(_SENTENCEPIECE)}
    parts = kind.from_archive(archive.vocabulary, archive.merges, models)
    kind.check(parts, rows)
    claims = ArchiveClaims(archive.metadata, has_case=kind.lowercases is not None, vocabulary_lowercase=kind.is_lowercase(parts))
    facts = claims.decide(labels=classes, positions=positions)
    return Kit(kind, parts, facts, rows, zero_shot_facts(archive.metadata, archive.labels))
