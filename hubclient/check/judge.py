"""What was found, held against what the card, the live index and the lock say. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator

from hubclient.afar.model import RemoteModel
from hubclient.cards.location import parse_archive_name
from hubclient.check import rules
from hubclient.check.aim import Aim
from hubclient.check.finding import Finding, Rule
from hubclient.check.found import Found
from hubclient.lockfile import Pin
from hubclient.native import Manifest

TOLERANCE = 0.05
_MB = 1024 * 1024
_PREFIX = ("B-", "I-", "E-", "S-", "L-", "U-")


def size_findings(aim: Aim, found: Found, *, tolerance: float = TOLERANCE, hashed: bool = False) -> Iterator[Finding]:
    """Length and ETag. `hashed`: the bytes themselves are compared afterwards, so that another ETag of equal bytes is none."""
    if found.local is not None and found.local.is_dir():
        return
    pin = aim.pin
    if pin is not None and pin.size is not None and found.snapshot is None and found.size != pin.size:
        yield _finding(aim, found, rules.SIZE_CHANGED, "bytes", pin.size, found.size, "the lock")
    elif pin is not None and not hashed and found.local is None and _differ(pin.etag, found.etag):
        yield _finding(aim, found, rules.ETAG_CHANGED, "ETag", pin.etag, found.etag, "the lock")
    elif found.snapshot is None and aim.md5 and found.md5 and aim.md5 != found.md5:
        yield _finding(aim, found, rules.ETAG_CHANGED, "MD5", aim.md5, found.md5, "the live index")
    elif pin is None and not _fits_card(aim, found, tolerance):
        told = f"{aim.said.size_mb:g} MB"
        yield _finding(aim, found, rules.SIZE_UNLIKE_CARD, "size", told, f"{found.size / _MB:.4g} MB", "the card")
    if found.snapshot is not None and pin is not None:
        yield from _file_findings(aim, found, pin)


def fact_findings(aim: Aim, found: Found, model: RemoteModel | Manifest, *, same_bytes: bool = False) -> Iterator[Finding]:
    """Labels, case, the longest text, language and annotator. What the lock recorded of the very same bytes cannot have changed.

    `same_bytes`: they are known to be those of the lock.
    """
    yield from _annotator(aim, found, model)
    yield from _language(aim, found)
    if model.facts is None:
        return
    if not _fits_labels(aim.said.labels, model):
        yield _finding(aim, found, rules.LABELS_DIFFER, "labels", list(aim.said.labels), list(model.labels), "the card")
    pin = None if same_bytes or is_as_pinned(aim, found) else aim.pin
    if pin is not None and pin.labels and pin.labels != model.labels:
        yield _finding(aim, found, rules.LABELS_DIFFER, "labels", list(pin.labels), list(model.labels), "the lock")
    yield from _case(aim, found, model.facts.lowercase.value, pin)
    unsaid = model.unsaid if isinstance(model, RemoteModel) else ()
    if "max_length" not in unsaid:
        yield from _max_length(aim, found, model.facts.max_length.value, pin)


def is_as_pinned(aim: Aim, found: Found) -> bool:
    """Whether length and ETag, or the commit, are those of the lock: then the bytes are."""
    pin = aim.pin
    if pin is None:
        return False
    if found.snapshot is not None:
        return pin.commit == found.snapshot.commit
    return pin.size == found.size and pin.etag is not None and found.etag is not None and not _differ(pin.etag, found.etag)


def _fits_card(aim: Aim, found: Found, tolerance: float) -> bool:
    said = aim.said.size_mb
    if said is None or found.snapshot is not None:
        return True
    return abs(found.size / _MB - said) <= said * tolerance + aim.said.rounded_mb


def _file_findings(aim: Aim, found: Found, pin: Pin) -> Iterator[Finding]:
    """Of a repository the Hub tells the hashes of large files."""
    assert found.snapshot is not None
    for name, sha256 in pin.files:
        there = found.snapshot.files.get(name)
        if there is None:
            yield _finding(aim, found, rules.HASH_CHANGED, name, sha256, None, "the lock")
        elif there.sha256 is not None and there.sha256 != sha256:
            yield _finding(aim, found, rules.HASH_CHANGED, name, sha256, there.sha256, "the lock")


def _annotator(aim: Aim, found: Found, model: RemoteModel | Manifest) -> Iterator[Finding]:
    """Cards and archives differ in case: AlBertFor…, AlbertFor…."""
    if model.annotator is None:
        return
    for said, who in ((aim.said.annotator, "the card"), (aim.subject.annotator, "the code")):
        if said is not None and said.casefold() != model.annotator.casefold():
            yield _finding(aim, found, rules.ANNOTATOR_DIFFERS, "annotator", said, model.annotator, who)


def _language(aim: Aim, found: Found) -> Iterator[Finding]:
    """An archive tells its language in its name alone."""
    actual = parse_archive_name(aim.where.rpartition("/")[2]).lang
    pinned = aim.pin.language if aim.pin else None
    for said, who in ((aim.said.language, "the card"), (pinned, "the lock")):
        if actual is not None and said is not None and said != actual:
            yield _finding(aim, found, rules.LANGUAGE_DIFFERS, "language", said, actual, who)


def _fits_labels(said: tuple[str, ...], model: RemoteModel | Manifest) -> bool:
    """The card's order is not the classes', and of entities it may tell without where they begin."""
    if not said or not model.labels or set(said) == set(model.labels):
        return True
    return set(said) - {"O"} == {label[2:] if label.startswith(_PREFIX) else label for label in model.labels} - {"O"}


def _case(aim: Aim, found: Found, lowercase: bool | None, pin: Pin | None) -> Iterator[Finding]:
    if lowercase is None:
        return
    if aim.said.case_sensitive is not None and aim.said.case_sensitive == lowercase:
        yield _finding(aim, found, rules.CASE_DIFFERS, "case-sensitive", aim.said.case_sensitive, not lowercase, "the card")
    if pin is not None and pin.lowercase is not None and pin.lowercase != lowercase:
        yield _finding(aim, found, rules.CASE_DIFFERS, "lowercase", pin.lowercase, lowercase, "the lock")


def _max_length(aim: Aim, found: Found, length: int, pin: Pin | None) -> Iterator[Finding]:
    for said, who in ((aim.said.max_length, "the card"), (pin.max_length if pin else None, "the lock")):
        if said is not None and said != length:
            yield _finding(aim, found, rules.MAX_LENGTH_DIFFERS, "max length", said, length, who)


def _finding(aim: Aim, found: Found, rule: Rule, what: str, expected: object, actual: object, who: str) -> Finding:
    there = "missing" if actual is None else _shown(actual)
    details = {"what": what, "expected": expected, "found": actual, "by": who.removeprefix("the ")}
    return Finding(rule, aim.subject, f"{what}: {there}, and {who} says {_shown(expected)}", found.where, details)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if type(value) is int else str(value)


def _differ(one: str | None, other: str | None) -> bool:
    """Weak ETags are as good for this as strong ones."""
    return one is not None and other is not None and one.removeprefix("W/") != other.removeprefix("W/")
