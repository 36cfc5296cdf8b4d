"""What a Hugging Face repository says of its model: its list of files, config.json, the tokenizer's settings and README.md.

Of a tokenizer.json no more is read than up to its normaliser, which stands before the vocabulary; of weights only the names of their
tensors, and only where config.json names no architecture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from hubclient.afar.model import Moved, RemoteModel, Weights
from hubclient.archive.shardindex import parse_index
from hubclient.archive.torchfile import names_in_torch_file
from hubclient.cards import Card
from hubclient.cards.readme import card_of_config, parse_readme
from hubclient.checkpoint import main_file, shards
from hubclient.convert.annotators import HEADS
from hubclient.convert.facts import RepositoryClaims
from hubclient.convert.repository import check_sizes, small_files
from hubclient.convert.repository_config import architecture_of, checked_config, labels_of
from hubclient.convert.repository_foreign import foreign_case
from hubclient.convert.repository_tokenizer import fast_case, slow_case
from hubclient.errors import ArchiveError, CardError, CorruptTransfer, InconsistentModel, ModelError, UnsupportedModel
from hubclient.models import FAMILIES
from hubclient.models.family import head_of
from hubclient.models.special_tokens import read_settings
from hubclient.models.tokenizer import SETTINGS_FILES, read_object
from hubclient.models.tokenizer_kinds import fast_kind_of, kind_of
from hubclient.native import CONFIG, README, TOKENIZER, TOKENIZER_CONFIG, Facts
from hubclient.settings import Settings
from hubclient.sources.huggingface import HubRepository, HubSnapshot, RepositoryFile
from hubclient.sources.location import HubLocation
from hubclient.sources.seekable import SeekableFile
from hubclient.tensors import header_in

_MAX_SMALL = 32 << 20
_FIRST_OF_TOKENIZER = 1 << 15


@dataclass(frozen=True)
class RepositoryAfar:
    """`card`: README.md, or what config.json tells; None where neither can be read."""

    model: RemoteModel
    card: Card | None


def repository_afar(location: HubLocation, settings: Settings) -> RepositoryAfar:
    """Raises SourceError; UnsupportedModel and InconsistentModel for a repository that holds no model of transformers, or a broken one."""
    repository = HubRepository(location, settings)
    reading = _Reading(repository.resolve(), settings, repository.url)
    if not reading.has(CONFIG):
        raise UnsupportedModel("the repository is not a transformers model", where=repository.url, why=f"it has no {CONFIG}")
    config, weights = reading.json(CONFIG), reading.weights()
    model = RemoteModel(
        url=repository.url,
        size=reading.snapshot.size_of(reading.snapshot.files),
        engine="safetensors" if weights[0].name.endswith(".safetensors") else "torch",
        commit=reading.snapshot.commit,
        architecture=str(config.get("model_type")),
        labels=labels_of(config, reading.where(CONFIG)),
        labels_source=f"{CONFIG} id2label",
        weights=weights,
    )
    model = _with_facts(model, config, reading)
    card = _card(location.repo, config, reading)
    return RepositoryAfar(replace(model, moved=Moved(reading.moved, reading.asked)), card)


def digests_of(location: HubLocation, settings: Settings, snapshot: HubSnapshot) -> dict[str, str]:
    """The SHA-256 of each file that the model is made of, without its weights being read: theirs the Hub tells. Raises SourceError,
    ModelError, ArchiveError."""
    reading = _Reading(snapshot, settings, f"{settings.hf_endpoint}/{location.repo}")
    names = {*small_files(snapshot.files), *(weights.name for weights in reading.weights())} - {README}
    return {name: snapshot.files[name].sha256 or hashlib.sha256(reading.content(name)).hexdigest() for name in sorted(names)}


class _Reading:
    """Files of a repository at one commit, held against what the Hub announced of them."""

    def __init__(self, snapshot: HubSnapshot, settings: Settings, url: str) -> None:
        self.snapshot, self._settings, self._url = snapshot, settings, url
        self.moved, self.asked = 0, 1
        self._kept: dict[str, bytes] = {}

    def has(self, name: str) -> bool:
        return name in self.snapshot.files

    def content(self, name: str) -> bytes:
        """All of a small file, fetched once. Raises CorruptTransfer."""
        if name not in self._kept:
            self._kept[name] = self._checked(name)
        return self._kept[name]

    def _checked(self, name: str) -> bytes:
        announced = self.snapshot.files[name]
        data = self.start_of(name, min(announced.size, _MAX_SMALL))
        sha1 = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        if announced.git_sha1 not in (None, sha1) or announced.sha256 not in (None, hashlib.sha256(data).hexdigest()):
            raise CorruptTransfer(
                "what arrived is not what the Hub announced", where=self.where(name), why="its hash differs", hint="try again"
            )
        return data

    def start_of(self, name: str, size: int) -> bytes:
        with self._opened(name) as source:
            source.bring([(0, size)])
            return source.read(size)

    @contextmanager
    def _opened(self, name: str) -> Iterator[SeekableFile]:
        source = SeekableFile(RepositoryFile(self.snapshot, name, self._settings))
        try:
            yield source
        finally:
            self.moved += source.moved
            self.asked += source.asked

    def json(self, name: str) -> dict[str, Any]:
        """Empty for a file that is not there."""
        label = self.where(name)
        return read_object({label: self.content(name)} if self.has(name) else {}, label)

    def where(self, name: str) -> str:
        return f"{self._url} ({name})"

    def weights(self) -> tuple[Weights, ...]:
        """Raises UnsupportedModel, ArchiveError."""
        names = self.snapshot.files
        main = main_file(names, self._url)
        listed = shards(self.content(main), self.where(main)) if main.endswith(".json") else (main,)
        if missing := [name for name in listed if name not in names]:
            raise InconsistentModel("the repository lacks files of its weights", where=self._url, why=", ".join(missing[:5]))
        return tuple(Weights(name, names[name].size) for name in listed)

    def tensors(self) -> tuple[str, ...]:
        """Their names, which the weights' index, header or pickle tells. Raises ArchiveError, UnsupportedModel."""
        main = main_file(self.snapshot.files, self._url)
        if main.endswith(".json"):
            return tuple(parse_index(self.content(main), self.where(main)))
        with self._opened(main) as source:
            file = cast("BinaryIO", source)
            if main.endswith(".safetensors"):
                return tuple(header_in(file, source.stat.size, self.where(main)).layout)
            return names_in_torch_file(file, self.where(main))


def _with_facts(model: RemoteModel, config: Mapping[str, Any], reading: _Reading) -> RemoteModel:
    try:
        config = _with_architecture(checked_config(config, reading.where(CONFIG)), reading, len(model.labels))
        head = head_of(config)
        task = next(task for task, its_head in HEADS.items() if its_head == head)
        lowercase, known = _case(config, reading)
        facts = _facts(config, reading, lowercase, len(model.labels))
    except (ModelError, ArchiveError) as error:
        return replace(model, refusal=error.what + (f": {error.why}" if error.why else ""))
    return replace(model, task=task, facts=facts, unsaid=() if known else ("lowercase",))


def _with_architecture(config: Mapping[str, Any], reading: _Reading, labels: int) -> Mapping[str, Any]:
    """Where config.json names none, the names of the tensors tell it, as they do in a pull."""
    family = FAMILIES.get(config["model_type"])
    if family is None or config.get("architectures"):
        return config
    whole = {**family.defaults, **config}
    check_sizes(whole, family.sizes, reading.where(CONFIG))
    return {**config, "architectures": [architecture_of(reading.tensors(), family, whole, labels)]}


def _facts(config: Mapping[str, Any], reading: _Reading, lowercase: bool | None, labels: int) -> Facts:
    claims = RepositoryClaims(config, reading.json(TOKENIZER_CONFIG), lowercase)
    return claims.decide(labels=labels, positions=_positions(config, reading))


def _positions(config: Mapping[str, Any], reading: _Reading) -> int | None:
    family = FAMILIES.get(str(config.get("model_type")))
    if family is None:
        stated = config.get("max_position_embeddings")
        return stated if type(stated) is int and stated > 0 else None
    whole = {**family.defaults, **config}
    check_sizes(whole, family.sizes, reading.where(CONFIG))
    return family.positions(whole)


def _case(config: Mapping[str, Any], reading: _Reading) -> tuple[bool | None, bool]:
    """Whether the tokenizer lower-cases, and whether that is known: transformers may have to make it first."""
    settings = reading.json(TOKENIZER_CONFIG)
    own, named = config["model_type"] in FAMILIES, settings.get("tokenizer_class") or config.get("tokenizer_class")
    if reading.has(TOKENIZER):
        kind = fast_kind_of(config["model_type"], named) if own else None
        return _fast_case(reading, lambda text: fast_case(text, settings, kind) if own else foreign_case(text, settings)), True
    if not own:
        return None, False
    kind = kind_of(config["model_type"], named)
    return slow_case(kind, read_settings({name: reading.content(name) for name in SETTINGS_FILES if reading.has(name)})), True


def _fast_case(reading: _Reading, case_of: Callable[[str], bool | None]) -> bool | None:
    size = reading.snapshot.files[TOKENIZER].size
    piece = min(_FIRST_OF_TOKENIZER, size)
    while True:
        text = reading.start_of(TOKENIZER, piece).decode("utf-8", "replace")
        try:
            return case_of(text)
        except InconsistentModel:
            # Many added tokens stand before it, or it is not there.
            if piece >= min(size, _MAX_SMALL):
                raise
            piece = min(8 * piece, size, _MAX_SMALL)


def _card(repo: str, config: Mapping[str, Any], reading: _Reading) -> Card | None:
    if not reading.has(README):
        return card_of_config(config, repo=repo)
    try:
        return parse_readme(reading.content(README).decode("utf-8", "replace"), repo=repo)
    except CardError:
        return None
