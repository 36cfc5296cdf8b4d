"""What is to be checked: what a person names, and what lies in files, folders and the catalogue."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hubclient.cards import Card
from hubclient.catalog.folder import CARD_ENDING, facts_from, read_bytes
from hubclient.check.finding import Finding, Place, Subject
from hubclient.check.rules import UNREADABLE_CARD
from hubclient.check.scan import Skipped, files_below, is_code, is_excluded, scan_file, unscanned
from hubclient.errors import AmbiguousModel, CardError, InvalidReference, NotLocked, UsageError
from hubclient.lockfile import LOCK_NAME, Lock, Pin, read_lock
from hubclient.names import parse_reference

_LOCK_ENDING = ".lock"
_ARCHIVE_ENDING = ".zip"
_README = "readme.md"
# What a card's front matter has, and few other pages have both: a folder of code may hold pages of all kinds.
_CARD_MARKS = (b"\nname:", b"\nlanguage:")
_FENCE = (b"---\n", b"---\r\n", b"\xef\xbb\xbf---")
_LINKS = (b"s3://", b"[Download]")


@dataclass
class Gathered:
    """`findings`: what is known before anybody is asked. `locks`: the lockfiles that are looked at."""

    subjects: list[Subject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    locks: list[Path] = field(default_factory=list)

    def add(self, sighting: Subject | Finding) -> None:
        if isinstance(sighting, Finding):
            self.findings.append(sighting)
        else:
            self.subjects.append(sighting)


def gather(words: Sequence[str], exclude: Sequence[str] = ()) -> Gathered:
    """What the words stand for: references, files of code, cards, lockfiles, and folders of code and cards.

    A word is a path if something lies there. Raises UsageError for what looks like a path and leads nowhere, LockError.
    """
    gathered = Gathered()
    for word in words:
        if not os.path.lexists(word):
            gathered.subjects.append(Subject(_reference(word)))
        elif os.path.isdir(word):
            _add_folder(gathered, word, exclude)
        elif not is_excluded(relative(word), exclude):
            _add_file(gathered, word)
    return gathered


def lock_subjects(lock: Lock, path: str) -> Iterator[Subject]:
    for pin in lock.pins:
        yield Subject(_pinned(lock, pin), Place(path, pin.line))


def catalogue_subject(card: Card) -> Subject:
    """A card that the catalogue has."""
    return _card_subject(card, Place(relative(card.path)) if card.path else None)


def relative(path: str) -> str:
    """As it is told: from where the command runs, if it lies there, with slashes."""
    if os.path.isabs(path):
        shorter = os.path.relpath(path)
        path = path if shorter.startswith(os.pardir) else shorter
    return os.path.normpath(path).replace(os.sep, "/")


def _reference(word: str) -> str:
    if is_code(word) or word.endswith((CARD_ENDING, _LOCK_ENDING, "/", os.sep)):
        raise UsageError(f"there is no file or folder '{word}'", hint="name what is there, or a model: hub check fr/NAME")
    return word.strip()


def _add_folder(gathered: Gathered, folder: str, exclude: Sequence[str]) -> None:
    for found in files_below(folder, exclude):
        if isinstance(found, Skipped):
            gathered.findings.append(unscanned(Place(relative(found.path)), found.why))
        elif is_code(found):
            _add_file(gathered, found)
        elif found.endswith(CARD_ENDING) and os.path.basename(found).lower() != _README:
            _add_card(gathered, found, certain=False)


def _add_file(gathered: Gathered, path: str) -> None:
    if path.endswith(CARD_ENDING):
        _add_card(gathered, path, certain=True)
    elif path.endswith(_LOCK_ENDING):
        gathered.locks.append(Path(path))
        gathered.subjects.extend(lock_subjects(read_lock(Path(path)), relative(path)))
    elif path.endswith(_ARCHIVE_ENDING):
        gathered.subjects.append(Subject(path if os.path.isabs(path) or path.startswith((".", "~")) else f"./{path}"))
    else:
        for sighting in scan_file(path, relative(path)):
            gathered.add(sighting)


def _add_card(gathered: Gathered, path: str, *, certain: bool) -> None:
    """`certain`: it is a card because somebody says so; else it must look like one."""
    shown = relative(path)
    try:
        data = read_bytes(Path(path))
        if certain or (data.startswith(_FENCE) and all(mark in data for mark in _CARD_MARKS)):
            gathered.subjects.append(_card_subject(facts_from(data, Path(path)), Place(shown, _line_of_link(data))))
    except CardError as error:
        if certain or error.where != path:
            said = f"{error.what}: {error.why}" if error.why else error.what
            gathered.findings.append(Finding(UNREADABLE_CARD, Subject(shown, Place(shown, _line_in(error, path))), said))


def _card_subject(card: Card, place: Place | None) -> Subject:
    version = ".".join(map(str, card.version))
    return Subject(f"{card.model_language}/{card.model_name}" + (f"@{version}" if version else ""), place, card=card)


def _line_of_link(data: bytes) -> int | None:
    """Where the card says what is downloaded."""
    at = next((at for at in map(data.find, _LINKS) if at >= 0), -1)
    return data.count(b"\n", 0, at) + 1 if at >= 0 else None


def _line_in(error: CardError, path: str) -> int | None:
    line = (error.where or "").removeprefix(f"{path}:")
    return int(line) if line.isascii() and line.isdigit() else None


def _pinned(lock: Lock, pin: Pin) -> str:
    """The pin's name, or its source where the name stands for another pin as well."""
    try:
        if lock.find(parse_reference(str(pin))) is pin:
            return str(pin)
    except (NotLocked, AmbiguousModel, InvalidReference):
        pass
    return f"{pin.source}@{pin.commit}" if pin.source.startswith("hf:") and pin.commit else pin.source


def default_lock(environ: Mapping[str, str]) -> Path | None:
    """HUBCLIENT_LOCK, or the lockfile where the command runs, if there is one."""
    if told := environ.get("HUBCLIENT_LOCK"):
        return Path(told)
    return Path(LOCK_NAME) if os.path.isfile(LOCK_NAME) else None
