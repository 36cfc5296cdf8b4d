"""One model that is pinned: what it is called, where it comes from, and what it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from hubclient.cards.location import parse_archive_name
from hubclient.errors import InvalidReference
from hubclient.names import AddressReference, CardReference, HubReference, Version, parse_reference, parse_version
from hubclient.sources.location import HubLocation, Location, location_at

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Canary:
    """What the model answered to a text. `answer`: the label; of a tagger the label of each token, with blanks between them.
    `logits`: of a classifier, in class order, rounded."""

    text: str
    answer: str
    logits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Pin:
    """`source`: `s3://BUCKET/KEY`, an address, or `hf:OWNER/REPO`, of which `commit` is the commit. None is what nobody looked at.

    `size`, `etag` and `sha256` are those of the archive; of a repository, `files` are the SHA-256 of those that the model is made of, and
    `size` is what they have together. `tensors`: the digest of the native tensors. `labels` are in class order. Nothing here changes when
    hubclient learns to convert or to run models in other ways.
    `line`: where the entry begins in the file it was read from.
    """

    name: str
    source: str
    language: str | None = None
    version: str | None = None
    commit: str | None = None
    size: int | None = None
    etag: str | None = None
    sha256: str | None = None
    tensors: str | None = None
    labels: tuple[str, ...] = ()
    lowercase: bool | None = None
    max_length: int | None = None
    files: tuple[tuple[str, str], ...] = ()
    canaries: tuple[Canary, ...] = ()
    line: int | None = field(default=None, compare=False)

    @property
    def location(self) -> Location:
        """Raises InvalidReference."""
        if self.source.startswith("hf:"):
            return HubLocation(self.source.removeprefix("hf:"), self.commit)
        return location_at(self.source)

    @property
    def exact(self) -> str:
        """The reference that means this and nothing else."""
        return f"{self.source}@{self.commit}" if self.commit else self.source

    @cached_property
    def age(self) -> tuple[Version, int]:
        """By which the newest of several is found: the library version, then when the archive was made."""
        made = parse_archive_name(self.source.rpartition("/")[2]).epoch_ms
        return parse_version(self.version) if self.version else (), made or 0

    @property
    def order(self) -> tuple[str, str, Version, str]:
        return self.name, self.language or "", self.age[0], self.source

    def answers_to(self, reference: CardReference) -> bool:
        return (
            self.name == reference.name
            and reference.language in (None, self.language)
            and (reference.constraint is None or reference.constraint.admits(self.age[0]))
        )

    def __str__(self) -> str:
        """A reference that stands for the model."""
        if self.source.startswith("hf:") and self.name == self.source:
            return self.source
        return (f"{self.language}/" if self.language else "") + self.name + (f"@{self.version}" if self.version else "")


def checked(pin: Pin) -> Pin:
    """Raises InvalidReference: for no version, no source, a source in another form than its own, texts that cannot be printed."""
    _ = pin.age
    if odd := [text for text in (pin.name, pin.source, pin.language, pin.etag) if text is not None and not text.isprintable()]:
        raise InvalidReference(f"{odd[0]!r} has characters that cannot be printed")
    location = pin.location
    reference = parse_reference(pin.exact)
    if isinstance(reference, HubReference):
        if not _COMMIT.fullmatch(pin.commit or ""):
            raise InvalidReference(f"'{pin.source}' is pinned at {pin.commit or 'no commit'}", hint="a commit has 40 hexadecimal digits")
    elif pin.commit is not None or not isinstance(reference, AddressReference):
        raise InvalidReference(f"'{pin.source}' has no commits", hint="only a source as hf:OWNER/REPO has")
    elif location.identity != pin.source or reference.url != pin.source:
        raise InvalidReference(f"'{pin.source}' has another form than it should", hint=f"write {location.identity}")
    return pin
