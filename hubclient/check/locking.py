"""A lock is made, or brought up to date: what is pinned stays as it is, unless it is asked to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hubclient.check.finding import Level, ProbeSettings, Subject
from hubclient.check.outdated import newest_card
from hubclient.check.pinning import Pinning, Unpinned
from hubclient.errors import CardError, NotLocked, ResolutionError, UnknownModel
from hubclient.hub import Hub
from hubclient.lockfile import Lock, Pin
from hubclient.lockfile.lock import Change, changes
from hubclient.names import CardReference, parse_reference
from hubclient.sources import HubLocation


@dataclass(frozen=True)
class Relocked:
    """`unpinned`: what could not be pinned; what was pinned of it before stays so."""

    lock: Lock
    changes: tuple[Change, ...]
    unpinned: tuple[Unpinned, ...]


def relock(
    lock: Lock,
    subjects: Iterable[Subject],
    level: Level,
    settings: ProbeSettings,
    *,
    update: Sequence[str] = (),
    exact: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> Relocked:
    """`update`: the names of pins that are made anew, of the newest version there is. `exact`: pins that no subject means are dropped.

    Raises NotLocked for a name that is not pinned, AmbiguousModel, InvalidReference.
    """
    outdated = [lock.find(parse_reference(name)) for name in update]
    made: list[Pin] = []
    unpinned: list[Unpinned] = []
    for result in Pinning(level, settings, lock.without(outdated)).pins([*subjects, *(_newest(pin, settings.hub) for pin in outdated)]):
        advance(1)
        if isinstance(result, Unpinned):
            unpinned.append(result)
        else:
            made.append(result)
    kept = () if exact else lock.without(outdated).pins
    after = Lock.of([*kept, *_still(lock, unpinned), *made], lock.path)
    return Relocked(after, tuple(changes(lock, after)), tuple(unpinned))


def _newest(pin: Pin, hub: Hub) -> Subject:
    """What a pin stands for, whatever its version: what no card tells of has none but its address."""
    called = str(CardReference(pin.name, pin.language))
    if isinstance(pin.location, HubLocation):
        return Subject(called, source="hf") if pin.name != pin.source else Subject(pin.source)
    try:
        newest_card(hub, pin)
    except UnknownModel as error:
        # Where the live index could not be asked, nobody knows.
        return Subject(called if error.causes else pin.source)
    except (ResolutionError, CardError):
        pass
    return Subject(called)


def _still(lock: Lock, unpinned: Iterable[Unpinned]) -> Iterable[Pin]:
    """The pins of subjects that could not be pinned anew."""
    for failure in unpinned:
        try:
            yield lock.find(parse_reference(failure.subject.reference))
        except NotLocked:
            continue
