"""Subjects in, findings out: every model is asked for once, however often it is named, and what is one model's trouble is no other's."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from hubclient.acquire import identity_of
from hubclient.afar.archive import archive_afar
from hubclient.afar.model import RemoteModel
from hubclient.afar.repository import repository_afar
from hubclient.check import rules
from hubclient.check.aim import Aim, Aiming
from hubclient.check.asking import Asking
from hubclient.check.crew import HEAVY, JOBS, Crew
from hubclient.check.finding import LEVELS, Finding, Level, ProbeSettings, Subject
from hubclient.check.found import Answer, Found
from hubclient.check.freshness import Freshness
from hubclient.check.judge import TOLERANCE, fact_findings, size_findings
from hubclient.check.opening import Opening
from hubclient.check.verdicts import message_of, rule_of
from hubclient.errors import Forbidden, HubError, NotFound, SourceError, UnsupportedModel
from hubclient.lockfile import read_lock
from hubclient.sources import HubLocation
from hubclient.sources.local import LocalFile
from hubclient.sources.manners import Manners
from hubclient.sources.remote import Stat

_SIZE, _FACTS, _HASH = (LEVELS.index(level) for level in ("size", "facts", "hash"))


def probe(subjects: Iterable[Subject], level: Level, settings: ProbeSettings) -> Iterator[Finding]:
    """See `hubclient.check.finding.Probe`. Raises LockError for a lock that cannot be read."""
    yield from Probing(level, settings).findings(subjects)


class Probing:
    """`lists`: whether the lists of buckets may be asked in place of their objects. `retries`: of a question that stays unanswered."""

    def __init__(self, level: Level, settings: ProbeSettings, *, lists: bool = True, retries: int = 4) -> None:
        self._level, self._depth, self._hub = level, LEVELS.index(level), settings.hub.unlocked()
        self._lock = read_lock(settings.lock) if settings.lock else None
        self._tolerance = TOLERANCE if settings.tolerance is None else settings.tolerance
        self._asking = Asking(self._hub.settings, Manners(settings.rate), retries=retries)
        self._opening = Opening(self._hub, self._asking)
        self._fresh = Freshness(self._hub.settings.cache_dir, level, settings.fresh_for or 0.0)
        jobs = settings.jobs or JOBS
        workers = None if self._depth < _FACTS else jobs if self._depth < _HASH else HEAVY
        self._crew = Crew(self._asking, self._settled, jobs=jobs, workers=workers, lists=lists)

    def findings(self, subjects: Iterable[Subject]) -> Iterator[Finding]:
        aims: dict[tuple[object, ...], Aim] = {}
        alike: dict[tuple[object, ...], list[Subject]] = {}
        for subject, aim in self._aimed(subjects):
            if isinstance(aim, Finding):
                yield replace(aim, subject=subject)
                continue
            key = aim.key
            aims.setdefault(key, aim)
            alike.setdefault(key, []).append(subject)
        with closing(self._asked(list(aims.values()))) as results:
            for aim, findings in results:
                for subject in alike[aim.key]:
                    yield from (replace(finding, subject=subject) for finding in findings)

    def _aimed(self, subjects: Iterable[Subject]) -> Iterator[tuple[Subject, Aim | Finding]]:
        aiming = Aiming(self._hub, self._lock, self._level)
        known: dict[tuple[object, ...], Aim | Finding] = {}
        for subject in subjects:
            aim = known.get(subject.asked) or aiming.at(subject)
            known[subject.asked] = aim
            yield subject, aim

    def _asked(self, aims: list[Aim]) -> Generator[tuple[Aim, list[Finding]]]:
        left = []
        for aim in aims:
            age = self._fresh.age(aim)
            if age is None:
                left.append(aim)
            else:
                yield aim, [Finding(rules.AVAILABLE, aim.subject, f"found to be well {_ago(age)}", aim.where, {"cached": True})]
        try:
            yield from self._crew.work(left) if left else ()
        finally:
            self._fresh.save()

    def _settled(self, aim: Aim, answer: Answer) -> list[Finding]:
        if isinstance(answer, HubError):
            return [_failed(aim, answer)]
        findings: list[Finding] = []
        try:
            findings.extend(self._judged(aim, answer))
        except HubError as error:
            findings.append(_failed(aim, error))
        if all(finding.rule.severity == "note" for finding in findings):
            findings.insert(0, _well(aim, answer))
            self._fresh.add(aim)
        return findings

    def _judged(self, aim: Aim, found: Found) -> Iterator[Finding]:
        if self._depth < _SIZE:
            return
        sizes = list(size_findings(aim, found, tolerance=self._tolerance, hashed=self._depth >= _HASH))
        yield from sizes
        if self._depth == _FACTS:
            yield from self._facts(aim, found, same_bytes=False)
        elif self._depth >= _HASH:
            yield from self._opened(aim, found, differs=any(finding.details.get("by") == "lock" for finding in sizes))

    def _opened(self, aim: Aim, found: Found, *, differs: bool) -> Iterator[Finding]:
        """`differs`: it is known already that the bytes are not those of the lock: they are not fetched."""
        hashed = aim.pin is not None and bool(aim.pin.sha256 or aim.pin.files)
        if not hashed and not differs:
            yield Finding(rules.NO_HASH, aim.subject, "no lock has a hash of this model", found.where)
        if not differs and (hashed or self._level != "hash"):
            for finding in self._opening.look(aim, found, self._level):
                differs = differs or finding.rule is rules.HASH_CHANGED
                yield finding
        if self._level == "hash":
            yield from self._facts(aim, found, same_bytes=hashed and not differs)

    def _facts(self, aim: Aim, found: Found, *, same_bytes: bool) -> Iterator[Finding]:
        try:
            model = self._afar(aim, found)
        except UnsupportedModel:
            return  # whether it opens is asked at another level
        findings = list(fact_findings(aim, found, model, same_bytes=same_bytes))
        if any(finding.details.get("by") == "lock" for finding in findings) and _is_pinned_file(aim, found):
            findings = list(fact_findings(aim, found, model, same_bytes=True))
        yield from findings

    def _afar(self, aim: Aim, found: Found) -> RemoteModel:
        if isinstance(aim.location, HubLocation):
            location = HubLocation(aim.location.repo, found.snapshot.commit if found.snapshot else None)
            return self._asking.politely(found.where, lambda: repository_afar(location, self._asking.settings)).model
        if found.local is not None:
            return archive_afar(LocalFile(found.local))
        return archive_afar(self._asking.file(aim.location), Stat(found.size, found.etag))


def _is_pinned_file(aim: Aim, found: Found) -> bool:
    """Whether what lies on this machine has the lock's hash."""
    if aim.pin is None or aim.pin.sha256 is None or found.local is None or found.local.is_dir():
        return False
    return identity_of(found.local) == f"sha256:{aim.pin.sha256}"


def _failed(aim: Aim, error: HubError) -> Finding:
    details = {"code": error.code} if isinstance(error, SourceError) and error.code else {}
    if aim.fallback and isinstance(error, (NotFound, Forbidden)):
        details["origin"] = f"hf:{aim.fallback}"
    return Finding(rule_of(error), aim.subject, message_of(error), error.where or aim.where, details)


def _well(aim: Aim, found: Found) -> Finding:
    commit = found.snapshot.commit if found.snapshot else None
    details = {"size": found.size, "etag": found.etag, "commit": commit}
    told = f"there, at commit {commit}" if commit else f"there, {found.size:,} bytes"
    return Finding(rules.AVAILABLE, aim.subject, told, found.where, {name: value for name, value in details.items() if value is not None})


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} seconds ago" if seconds < 120 else f"{seconds / 60:.0f} minutes ago"
