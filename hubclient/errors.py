"""Every error that hubclient raises, in one tree.

HubError                       exit code 1
├── UsageError                 2   the caller's input cannot be used
│   ├── InvalidReference           a reference that has no or two meanings
│   ├── LockError                  a lockfile that cannot be read, or written
│   ├── InvalidText                a text that is not a str (or a pair of str)
│   └── MissingExtra               an optional part that is not installed
├── CardError                  3   a model card or overlay that cannot be read
├── ResolutionError            4   no card answers to the reference
│   ├── UnknownModel
│   ├── UnknownLanguage
│   ├── UnknownVersion
│   ├── AmbiguousModel
│   └── NotLocked                  the lockfile does not have it
├── SourceError                5   the bytes could not be had
│   ├── NotFound                   404: the object is not there
│   ├── Forbidden                  401, 403: it may be there, we may not have it
│   ├── ServerFailure              429, 5xx: the service is in trouble
│   ├── Unreachable                no answer: refused, unknown host, timed out
│   ├── Offline                    a connection was needed, and offline was asked for
│   ├── CorruptTransfer            what arrived is not what was announced
│   │   └── ContentChanged         the content was changed while it was read
│   └── NoSourceLeft               every source failed; `causes` holds each error
├── ArchiveError               6   bytes that are not what their format demands
│   ├── NotAnArchive               something else than a Spark NLP archive
│   ├── CorruptArchive             truncated, or a checksum is wrong
│   └── UnsafeArchive              hostile: paths, ratios, classes that are not allowed
├── ModelError                 7   a model that cannot be opened
│   ├── UnsupportedModel           an annotator, architecture or operator we do not know
│   └── InconsistentModel          two facts of one model contradict each other
├── StoreError                 8   the cache
│   ├── StoreUnwritable
│   ├── StoreFull
│   └── StoreInUse                 another process uses what would be removed
└── SomeFailed                 9   of several models, some or all failed; `causes` holds each error
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class HubError(Exception):
    """A failure, told in full.

    `what` went wrong, `where` (URL, file and line, byte offset), `why`, and what to do next (`hint`).
    `causes` keeps the errors that led here when there were several. `usual_hint` serves where no better one is given.
    """

    exit_code: ClassVar[int] = 1
    usual_hint: ClassVar[str | None] = None

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        why: str | None = None,
        hint: str | None = None,
        causes: Iterable[HubError] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint or self.usual_hint
        self.causes = tuple(causes)

    def in_short(self) -> str:
        """One line: what, where and why."""
        return self.what + (f" ({self.where})" if self.where else "") + (f": {self.why}" if self.why else "")

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.why:
            lines.append(f"  why: {self.why}")
        for cause in self.causes:
            lines.extend("  " + line for line in f"- {cause}".splitlines())
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)


class UsageError(HubError):
    exit_code = 2


class InvalidReference(UsageError):
    pass


class LockError(UsageError):
    pass


class InvalidText(UsageError):
    pass


class MissingExtra(UsageError):
    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the optional part '{extra}', which is not installed",
            hint=f"pip install 'hubclient[{extra}]'",
        )


class CardError(HubError):
    exit_code = 3


class ResolutionError(HubError):
    exit_code = 4


class UnknownModel(ResolutionError):
    pass


class UnknownLanguage(ResolutionError):
    pass


class UnknownVersion(ResolutionError):
    pass


class AmbiguousModel(ResolutionError):
    pass


class NotLocked(ResolutionError):
    pass


class SourceError(HubError):
    """`lasting`: asking again would fail in the same way. `retry_after`: seconds that the server asked us to wait. `code`: its own word
    for what is the matter, such as S3's NoSuchKey."""

    exit_code = 5
    lasting: bool = False
    retry_after: float | None = None
    code: str | None = None


class NotFound(SourceError):
    pass


class Forbidden(SourceError):
    pass


class ServerFailure(SourceError):
    pass


class Unreachable(SourceError):
    pass


class Offline(SourceError):
    pass


class CorruptTransfer(SourceError):
    pass


class ContentChanged(CorruptTransfer):
    """The content is not that of the ETag any more: what was read so far is worth nothing."""


class NoSourceLeft(SourceError):
    pass


class ArchiveError(HubError):
    exit_code = 6


class NotAnArchive(ArchiveError):
    usual_hint = "give the zip of a Spark NLP model, or the folder that it unpacks to"


class CorruptArchive(ArchiveError):
    usual_hint = "fetch it again; if it stays damaged, tell those who published it"


class UnsafeArchive(ArchiveError):
    usual_hint = "do not use it, and tell those who published it"


class ModelError(HubError):
    exit_code = 7


class UnsupportedModel(ModelError):
    usual_hint = "choose another version or another model: hub search finds them"


class InconsistentModel(ModelError):
    usual_hint = "choose another version or another model, and tell those who published this one"


class StoreError(HubError):
    exit_code = 8


class StoreUnwritable(StoreError):
    pass


class StoreFull(StoreError):
    pass


class StoreInUse(StoreError):
    pass


class SomeFailed(HubError):
    exit_code = 9
