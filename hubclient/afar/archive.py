"""What an archive says of its model, read where it lies: its directory, and the few small members that tell.

Strategy: the end of the file has the directory, and usually the metadata. Then come the labels, and the vocabulary or the SentencePiece
model where case depends on it: each in one request, since Spark packs the parts of a feature side by side. The weights are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO, cast

from hubclient.afar.model import Moved, RemoteModel, Weights
from hubclient.archive.sparknlp import Outline, read_outline
from hubclient.archive.zipmembers import ZipMembers
from hubclient.convert.annotators import Annotator, find_annotator, unsupported
from hubclient.convert.facts import ArchiveClaims
from hubclient.convert.zero_shot import zero_shot_facts
from hubclient.errors import ModelError
from hubclient.models.tokenizer_kinds import kind_of
from hubclient.sources.remote import RemoteFile, Stat
from hubclient.sources.seekable import SeekableFile

_END = 1 << 15
_MAX_SENTENCEPIECE = 64 << 20
_SENTENCEPIECE = "_spp"


def archive_afar(file: RemoteFile, stat: Stat | None = None) -> RemoteModel:
    """`stat`: the file's facts, where they were asked for just now. Raises SourceError, ArchiveError, ModelError for an archive whose parts
    contradict each other, UnsupportedModel for a pipeline."""
    source = SeekableFile(file, stat)
    source.bring_end(_END)
    members = ZipMembers(cast("BinaryIO", source), file.url)
    reading = _Reading(source, members)
    reading.bring("metadata", "labels")
    outline = read_outline(members)
    model = RemoteModel(
        url=file.url,
        size=source.stat.size,
        etag=source.stat.etag,
        engine=outline.metadata.text("engine") or "tensorflow",
        annotator=outline.metadata.annotator,
    )
    return replace(reading.told(model, outline), moved=Moved(source.moved, source.asked))


class _Reading:
    def __init__(self, source: SeekableFile, members: ZipMembers) -> None:
        self._source, self._members = source, members

    def bring(self, *folders: str) -> None:
        """The metadata, or features, with their checksums, whatever folder holds them."""
        wanted = [name for name in self._members.names() if name.rpartition("/")[0].rpartition("/")[2] in folders]
        self._bring(wanted)

    def told(self, model: RemoteModel, outline: Outline) -> RemoteModel:
        annotator = find_annotator(outline.metadata.annotator)
        if annotator is None:
            refusal = unsupported(outline.metadata.annotator, None)
            return replace(model, refusal=f"{refusal.what}" + (f": {refusal.why}" if refusal.why else ""))
        weights, engine = outline.weights()
        labels = outline.labels()
        model = replace(
            model,
            engine=engine,
            task=annotator.task,
            labels=labels,
            labels_source="archive labels field",
            weights=(Weights(weights, self._members.packed_size(self._full(outline, weights)), outline.members.size(weights)),),
        )
        if engine not in annotator.engines:
            return replace(model, refusal=f"archives of {outline.metadata.annotator} with {engine} weights are not supported")
        return self._with_facts(model, outline, annotator)

    def _with_facts(self, model: RemoteModel, outline: Outline, annotator: Annotator) -> RemoteModel:
        try:
            lowercase, vocabulary = self._case(outline, annotator)
            has_case = kind_of(annotator.model_type).lowercases is not None
            claims = ArchiveClaims(outline.metadata, has_case=has_case, vocabulary_lowercase=lowercase)
            facts = claims.decide(labels=len(model.labels), positions=None)
            zero_shot = zero_shot_facts(outline.metadata, model.labels)
        except ModelError as error:
            return replace(model, refusal=error.what + (f": {error.why}" if error.why else ""))
        unsaid = ("max_length",) if outline.metadata.integer("maxSentenceLength") is None else ()
        return replace(model, facts=facts, zero_shot=zero_shot, unsaid=unsaid, vocabulary=vocabulary)

    def _case(self, outline: Outline, annotator: Annotator) -> tuple[bool | None, int | None]:
        """What the vocabulary shows of case, and how many pieces it has; it is read only where its tokenizer has such a setting."""
        kind = kind_of(annotator.model_type)
        if kind.lowercases is None:
            return None, None
        files = [name for name in outline.files() if name.endswith(_SENTENCEPIECE)]
        if not files:
            self.bring("vocabulary")
        self._bring(self._full(outline, name) for name in files)
        models = {name: outline.members.read(name, _MAX_SENTENCEPIECE) for name in files}
        parts = kind.from_archive(outline.vocabulary(), None, models)
        pieces = parts.sentencepiece.pieces if parts.sentencepiece else parts.vocabulary
        return kind.is_lowercase(parts), len(pieces) if pieces is not None else None

    def _full(self, outline: Outline, name: str) -> str:
        """The member's name in the zip, which may have a folder around everything."""
        folder = outline.members.label.removeprefix(self._members.label).lstrip("/")
        return f"{folder}/{name}" if folder else name

    def _bring(self, names: Iterable[str]) -> None:
        self._source.bring(self._members.span(name) for name in names)
