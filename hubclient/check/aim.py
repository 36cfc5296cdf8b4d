"""What a subject stands for: where its model lies, and what the cards, the live index and the lock say of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from hubclient.cards import Card
from hubclient.cards.location import parse_archive_name
from hubclient.check import rules
from hubclient.check.finding import LEVELS, Finding, Level, Rule, Subject
from hubclient.check.verdicts import message_of, rule_of
from hubclient.convert.annotators import can_open
from hubclient.errors import HubError, NotLocked, ResolutionError, UnknownModel, UsageError
from hubclient.hub import Hub
from hubclient.lockfile import Lock, Pin
from hubclient.names import AddressReference, CardReference, HubReference, Reference
from hubclient.native import Identity
from hubclient.sources.location import HubLocation, Location, S3Location, WebLocation, location_at

_PUBLIC = ("public/models", "")
_SIZE = re.compile(r"\s*\d+(?:\.(\d+))?\s*([KMG])i?B", re.IGNORECASE)
_UNITS = {"K": 1 / 1024, "M": 1.0, "G": 1024.0}


@dataclass(frozen=True)
class Said:
    """What a card says that can be looked up in the model itself; None or empty is what it does not say. `rounded_mb`: by how much the
    size may be off because it was rounded."""

    size_mb: float | None = None
    rounded_mb: float = 0.0
    labels: tuple[str, ...] = ()
    case_sensitive: bool | None = None
    max_length: int | None = None
    language: str | None = None
    annotator: str | None = None

    @classmethod
    def by(cls, card: Card) -> Said:
        return cls(
            card.size_mb,
            _rounded(card.model_info.get("Size", "")),
            card.labels,
            card.case_sensitive,
            card.max_sentence_length,
            card.language,
            card.annotator,
        )


@dataclass(frozen=True)
class Aim:
    """`location`: a path for a file on this machine. `md5`: by the live index. `fallback`: the card's repository. `identity`: what the
    model is called."""

    subject: Subject
    location: Location | Path
    said: Said = Said()
    pin: Pin | None = None
    md5: str | None = None
    fallback: str | None = None
    identity: Identity = field(default_factory=Identity)

    @property
    def where(self) -> str:
        return str(self.location)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for aims of which one answer serves all, whoever asks."""
        # There is one object for each pin of a lock.
        return (self.location, self.said, id(self.pin), self.md5, self.subject.annotator, self.subject.loader)


class Aiming:
    """Finds out what subjects stand for, and as much of what is said of them as a level looks at."""

    def __init__(self, hub: Hub, lock: Lock | None, level: Level) -> None:
        self._hub, self._lock = hub, lock
        self._sizes, self._facts = (LEVELS.index(level) >= LEVELS.index(least) for least in ("size", "facts"))

    def at(self, subject: Subject) -> Aim | Finding:
        """The aim, or why there is none."""
        try:
            return self._with_checksum(self._aim(subject))
        except HubError as error:
            rule, message = _no_aim(subject, error)
            return Finding(rule, subject, message, error.where)

    def _aim(self, subject: Subject) -> Aim:
        if subject.card is not None:
            return self._at_card(subject, subject.card)
        reference = self._hub.parse(subject.reference)
        if (pin := self._pinned(reference)) is not None:
            return Aim(subject, pin.location, self._card_of(pin), pin, identity=Identity(pin.name, pin.language, pin.version))
        match reference:
            case CardReference():
                return self._at_card(subject, self._resolved(subject, reference))
            case HubReference():
                return Aim(subject, HubLocation(reference.repo, reference.revision), identity=Identity(f"hf:{reference.repo}"))
            case AddressReference():
                return Aim(subject, location_at(reference.url), identity=_named_as(reference.url.rpartition("/")[2]))
        return Aim(subject, Path(os.path.expanduser(reference.path)))

    def _pinned(self, reference: Reference) -> Pin | None:
        if self._lock is None:
            return None
        try:
            return self._lock.find(reference)
        except NotLocked:
            return None

    def _card_of(self, pin: Pin) -> Said:
        """What the card of a pinned archive says; another archive's card says nothing of it."""
        if not self._facts or not isinstance(pin.location, S3Location) or not self._hub.catalog.has_name(pin.name):
            return Said()
        try:
            reference = self._hub.parse(str(pin))
            card = self._hub.known(reference).card if isinstance(reference, CardReference) else None
        except HubError:
            return Said()
        return replace(Said.by(card), size_mb=None) if card and card.s3_uri == pin.source else Said()

    def _resolved(self, subject: Subject, reference: CardReference) -> Card:
        """Spark NLP opens what hubclient cannot: then no version is passed over."""
        opens = can_open if subject.loader == "hubclient" else None
        card = self._hub.catalog.resolve(reference, can_open=opens).card
        folder = card.s3_parsed.prefix if card.s3_parsed else ""
        if subject.remote is not None and subject.remote.strip("/") not in (folder, *_PUBLIC):
            raise _elsewhere(subject.remote)
        return card

    def _at_card(self, subject: Subject, card: Card) -> Aim:
        pin = self._pinned(AddressReference(card.s3_uri)) if card.s3_uri else None
        said = Said.by(card) if pin is None else replace(Said.by(card), size_mb=None)
        identity = Identity(card.model_name, card.model_language, ".".join(map(str, card.version)) or None)
        if subject.source == "hf" or subject.revision is not None:
            if card.hf_origin is None:
                raise UnknownModel(f"the card of '{card.model_name}' names no Hugging Face repository", where=card.path)
            return Aim(subject, HubLocation(card.hf_origin, subject.revision), said, identity=identity)
        location = _archive(card)
        if location is None:
            raise UsageError(f"the card of '{card.model_name}' names no archive to download", where=card.path)
        return Aim(subject, location, said, pin, fallback=card.hf_origin, identity=identity)

    def _with_checksum(self, aim: Aim) -> Aim:
        if aim.pin is not None or not isinstance(aim.location, S3Location) or not self._sizes:
            return aim
        return replace(aim, md5=self._checksums.get(str(aim.location)))

    @cached_property
    def _checksums(self) -> Mapping[str, str]:
        return self._hub.live.checksums()


def _named_as(file: str) -> Identity:
    said = parse_archive_name(file)
    return Identity(said.name or file.partition("?")[0].removesuffix(".zip"), said.lang, said.lib_version)


def _rounded(written: str) -> float:
    """Half of the last digit that is written, in megabytes.

    >>> [_rounded(size) for size in ("4.7 MB", "1 GB", "2.0 KB", "much")]
    [0.05, 512.0, 4.8828125e-05, 0.05]
    """
    match = _SIZE.match(written)
    return 0.5 * 10.0 ** -len(match[1] or "") * _UNITS[match[2].upper()] if match else 0.05


def _archive(card: Card) -> S3Location | WebLocation | None:
    if card.s3_parsed:
        return S3Location(card.s3_parsed.bucket, card.s3_parsed.key)
    return WebLocation(card.download_url) if card.download_url else None


def _elsewhere(remote: str) -> ResolutionError:
    return UnknownModel(f"the model lies in {remote}, of which no list is public")


def _no_aim(subject: Subject, error: HubError) -> tuple[Rule, str]:
    if isinstance(error, UnknownModel) and subject.remote is not None and subject.remote.strip("/") not in _PUBLIC:
        return rules.OTHER_FOLDER, f"Spark NLP is told to look in {subject.remote}, of which no list is public"
    rule = rule_of(error)
    if rule is rules.UNKNOWN_MODEL and subject.loader == "nlu":
        return rules.UNKNOWN_NLU_REFERENCE, f"no card tells of the NLU reference '{subject.reference}'"
    if isinstance(error, UsageError) and rule is not rules.INVALID_REFERENCE:
        return rules.NO_ARCHIVE, message_of(error)
    return rule, message_of(error)
