"""Pins are made: what a model is now, as far as a level looks.

Up to `size` only headers are asked for, up to `facts` the small parts. Beyond that the model is pulled into the store, and what the store
has is what is pinned; one that hubclient does not open is fetched for its hash alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hubclient.afar.archive import archive_afar
from hubclient.afar.model import RemoteModel
from hubclient.afar.repository import digests_of, repository_afar
from hubclient.check.aim import Aim, Aiming
from hubclient.check.asking import Asking
from hubclient.check.canary import ask
from hubclient.check.crew import HEAVY, JOBS, Crew
from hubclient.check.finding import LEVELS, Finding, Level, ProbeSettings, Subject
from hubclient.check.found import Answer, Found
from hubclient.check.verdicts import message_of
from hubclient.errors import HubError, SourceError, UnsupportedModel, UsageError
from hubclient.lockfile import Lock, Pin
from hubclient.lockfile.pin import checked
from hubclient.native import Manifest, NativeModel
from hubclient.sources import HubLocation, S3Location, WebLocation, remote_file
from hubclient.sources.disk import disk_errors
from hubclient.sources.local import LocalFile
from hubclient.sources.manners import Manners
from hubclient.sources.remote import Stat
from hubclient.transfer.fetch import fetch
from hubclient.way import obtain, open_model

_FACTS, _HASH = LEVELS.index("facts"), LEVELS.index("hash")


@dataclass(frozen=True)
class Unpinned:
    """A subject for which no pin could be made, and why."""

    subject: Subject
    why: str
    where: str | None = None


class Pinning:
    """`lock`: what it pins stays pinned as it is. `lists`: whether the lists of buckets may be asked."""

    def __init__(self, level: Level, settings: ProbeSettings, lock: Lock, *, lists: bool = True) -> None:
        self._level, self._depth, self._hub, self._lock = level, LEVELS.index(level), settings.hub.unlocked(), lock
        self._asking = Asking(self._hub.settings, Manners(settings.rate))
        jobs = settings.jobs or JOBS
        workers = None if self._depth < _FACTS else jobs if self._depth < _HASH else HEAVY
        self._crew = Crew(self._asking, self._settled, jobs=jobs, workers=workers, lists=lists)

    def pins(self, subjects: Iterable[Subject]) -> Iterator[Pin | Unpinned]:
        """One for each model, in the order in which they are done."""
        # What cards and the live index say of sizes and checksums is not asked for: it is the model that is pinned.
        aiming = Aiming(self._hub, self._lock, "exists")
        aims: dict[object, Aim] = {}
        for subject in subjects:
            aim = aiming.at(subject)
            if isinstance(aim, Finding):
                yield Unpinned(subject, aim.message, aim.where)
            elif aim.pin is not None and self._has_all(aim.pin):
                yield aim.pin
            else:
                aims.setdefault(aim.location, aim)
        for _, result in self._crew.work(list(aims.values())):
            yield result

    def _has_all(self, pin: Pin) -> bool:
        """Whether a pin tells as much as the level looks at. One with a hash and without labels is of a model that does not open."""
        hashed = bool(pin.sha256 or pin.files)
        told = {"exists": True, "size": pin.size is not None, "facts": bool(pin.labels), "hash": hashed and bool(pin.labels)}
        return (hashed and not pin.labels) or told.get(self._level, hashed and bool(pin.canaries))

    def _settled(self, aim: Aim, answer: Answer) -> Pin | Unpinned:
        try:
            if isinstance(answer, HubError):
                raise answer
            if isinstance(aim.location, Path):
                raise UsageError("a file on this machine is not pinned", hint="pin the address that it came from")
            return checked(self._pinned(aim, answer))
        except HubError as error:
            return Unpinned(aim.subject, message_of(error), error.where or aim.where)

    def _pinned(self, aim: Aim, found: Found) -> Pin:
        pin = Pin(
            name=aim.identity.name or aim.where,
            source=f"hf:{aim.location.repo}" if isinstance(aim.location, HubLocation) else aim.where,
            language=aim.identity.language,
            version=aim.identity.lib_version,
            etag=found.etag,
        )
        if found.snapshot is not None:
            digests = digests_of(found.snapshot.location, self._asking.settings, found.snapshot)
            pin = replace(pin, commit=found.snapshot.commit, size=found.snapshot.size_of(digests), files=tuple(digests.items()))
        else:
            pin = replace(pin, size=found.size)
        if self._depth < _FACTS:
            return pin
        return _with_facts(pin, self._afar(aim, found)) if self._depth < _HASH else self._pulled(aim, found, pin)

    def _afar(self, aim: Aim, found: Found) -> RemoteModel:
        if found.snapshot is not None:
            return repository_afar(found.snapshot.location, self._asking.settings).model
        if found.local is not None:
            return archive_afar(LocalFile(found.local))
        return archive_afar(self._asking.file(aim.location), Stat(found.size, found.etag))

    def _pulled(self, aim: Aim, found: Found, pin: Pin) -> Pin:
        """What the store has, or now gets."""
        try:
            model = self._model(pin)
        except UnsupportedModel:
            return self._fetched(aim, found, pin)
        manifest, origin = model.manifest, model.manifest.origin
        if origin.commit is None:
            pin = replace(pin, size=origin.size, sha256=origin.sha256, etag=origin.etag or self._etag(pin, origin.size))
        pin = _with_facts(replace(pin, tensors=manifest.tensors_digest if manifest.graph == "built" else None), manifest)
        return pin if self._level == "hash" else replace(pin, canaries=ask(open_model(model)))

    def _model(self, pin: Pin) -> NativeModel:
        return obtain(self._hub.workshop, self._hub.find(pin.exact))

    def _etag(self, pin: Pin, size: int | None) -> str | None:
        """Of what came from a mirror: that of the object itself, if it can be asked and is as long."""
        with suppress(SourceError):
            stat = self._asking.file(pin.location).stat()
            return stat.etag if stat.size == size else None
        return None

    def _fetched(self, aim: Aim, found: Found, pin: Pin) -> Pin:
        """The hash alone, of a model that hubclient does not open."""
        assert isinstance(aim.location, (S3Location, WebLocation))
        root = self._hub.settings.cache_dir
        file = LocalFile(found.local) if found.local else remote_file(aim.location, self._asking.settings)
        with disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="check-", dir=root, ignore_cleanup_errors=True) as folder:
                fetched = fetch(file, Path(folder) / "archive.zip", progress=self._hub.progress)
        return replace(pin, size=fetched.size, sha256=fetched.sha256, etag=fetched.etag if found.local is None else None)


def _with_facts(pin: Pin, model: RemoteModel | Manifest) -> Pin:
    """As the origin has them: an overlay of today says nothing of the model."""
    facts = model.facts
    if facts is None:
        return pin
    unsaid = model.unsaid if isinstance(model, RemoteModel) else ()
    return replace(
        pin,
        labels=model.labels,
        lowercase=None if "lowercase" in unsaid else facts.lowercase.value,
        max_length=None if "max_length" in unsaid else facts.max_length.value,
    )
