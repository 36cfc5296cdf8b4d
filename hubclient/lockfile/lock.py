"""All that a lockfile pins, and what has changed between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

from hubclient.errors import AmbiguousModel, NotLocked
from hubclient.lockfile.pin import Pin
from hubclient.names import AddressReference, CardReference, HubReference, Reference
from hubclient.sources.location import location_at

Kind = Literal["added", "removed", "changed"]
_FIELDS = tuple(item.name for item in fields(Pin) if item.compare)


@dataclass(frozen=True)
class Change:
    """`what`: the fields that are others, of a pin that is in both."""

    kind: Kind
    before: Pin | None
    after: Pin | None
    what: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """`pins` in their own order, each source once. `path`: the file that it was read from, for messages."""

    pins: tuple[Pin, ...] = ()
    path: str | None = None

    @classmethod
    def of(cls, pins: Iterable[Pin], path: str | None = None) -> Lock:
        """Of two pins of one source the later counts."""
        by_source = {(pin.source, pin.commit): pin for pin in pins}
        return cls(tuple(sorted(by_source.values(), key=lambda pin: pin.order)), path)

    def find(self, reference: Reference) -> Pin:
        """The pin that a reference means: of several versions the newest that it admits. Raises NotLocked, AmbiguousModel."""
        found = self._meant(reference)
        if isinstance(reference, CardReference):
            found = _of_one_language(found, reference)
        if not found:
            raise NotLocked(
                f"'{reference}' is not in the lock",
                where=self.path,
                why=self._instead(reference),
                hint=f"hub lock {reference} pins it; then look at what has changed in the file",
            )
        return max(found, key=lambda pin: pin.age)

    def with_pins(self, pins: Iterable[Pin]) -> Lock:
        """The same with these, which count more than pins of the same source."""
        return Lock.of((*self.pins, *pins), self.path)

    def without(self, pins: Iterable[Pin]) -> Lock:
        gone = set(pins)
        return replace(self, pins=tuple(pin for pin in self.pins if pin not in gone))

    def named(self, name: str) -> Sequence[Pin]:
        return self._by_name.get(name, ())

    def _meant(self, reference: Reference) -> list[Pin]:
        match reference:
            case CardReference():
                return [pin for pin in self.named(reference.name) if pin.answers_to(reference)]
            case HubReference():
                pins = self._by_source.get(f"hf:{reference.repo}", ())
                return [pin for pin in pins if reference.revision in (None, pin.commit)]
            case AddressReference():
                return list(self._by_source.get(location_at(reference.url).identity, ()))
        return []

    @cached_property
    def _by_name(self) -> Mapping[str, list[Pin]]:
        return _grouped(self.pins, lambda pin: pin.name)

    @cached_property
    def _by_source(self) -> Mapping[str, list[Pin]]:
        return _grouped(self.pins, lambda pin: pin.source)

    def _instead(self, reference: Reference) -> str | None:
        others = self.named(reference.name) if isinstance(reference, CardReference) else []
        return f"of that name it has {', '.join(map(str, others))}" if others else None


def changes(before: Lock, after: Lock) -> Iterator[Change]:
    """In the order of names. A pin whose source is another is the same model in another version, if there was one of its name."""
    old, new = ({(pin.name, pin.language or ""): pin for pin in lock.pins} for lock in (before, after))
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is None or now is None:
            yield Change("added" if was is None else "removed", was, now)
        elif what := tuple(name for name in _FIELDS if getattr(was, name) != getattr(now, name)):
            yield Change("changed", was, now, what)


def _grouped(pins: Iterable[Pin], key: Callable[[Pin], str]) -> Mapping[str, list[Pin]]:
    groups: dict[str, list[Pin]] = {}
    for pin in pins:
        groups.setdefault(key(pin), []).append(pin)
    return groups


def _of_one_language(pins: list[Pin], reference: CardReference) -> list[Pin]:
    """As among cards: the only language there is, else English."""
    languages = {pin.language for pin in pins}
    if len(languages) > 1 and "en" not in languages:
        written = sorted(str(replace(pin, version=None)) for pin in pins)
        raise AmbiguousModel(f"'{reference}' is pinned in {len(languages)} languages", hint=f"write one of: {', '.join(written)}")
    return [pin for pin in pins if len(languages) == 1 or pin.language == "en"]
