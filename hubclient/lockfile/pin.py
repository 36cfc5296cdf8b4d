"""One model that is pinned: what it is called, where it comes from, and what it must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from hubclient.cards.location import parse_archive_name
from hubclient.errors import InvalidReference
from hubclient.names import CardReference, Version, parse_version
from hubclient.sources.location import HubLocation, Location, S3Location, WebLocation, location_at


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
    """Raises InvalidReference for a source or a version that is none."""
    location = pin.location
    if isinstance(location, HubLocation) and not location.repo.strip("/"):
        raise InvalidReference(f"'{pin.source}' does not name a Hugging Face repository", hint="write hf:OWNER/REPO")
    assert isinstance(location, (HubLocation, S3Location, WebLocation))
    _ = pin.age
    return pin
