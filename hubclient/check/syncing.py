"""The store made to hold what a lock pins: exactly these bytes, from whatever source has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from hubclient.errors import HubError, NotLocked
from hubclient.hub import Hub
from hubclient.lockfile import Lock, Pin
from hubclient.pinned import is_pinned
from hubclient.plan import UseStored
from hubclient.pulling import Planned, Pulled, plan_pulls, pull_planned
from hubclient.store import Name
from hubclient.way import Choice

State = Literal["there", "fetched", "failed"]


@dataclass(frozen=True)
class Synced:
    """`pin`: with its hash, where it had none. `error`: why it could not be had."""

    pin: Pin
    state: State
    error: HubError | None = None


def sync(hub: Hub, lock: Lock, *, frozen: bool = False, done: Callable[[Pulled], None] = lambda pulled: None) -> list[Synced]:
    """In the order of the lock. `frozen`: a pin without a hash is refused, for nothing would say whether it is the right one.

    Raises StoreFull before anything is fetched when it cannot all fit.
    """
    workshop = replace(hub.unlocked().workshop, lock=lock)
    refused = {pin: _without_hash(pin, lock) for pin in lock.pins if frozen and not (pin.sha256 or pin.files)}
    wanted = [pin for pin in lock.pins if pin not in refused]
    plan = plan_pulls([pin.exact for pin in wanted], lambda text: (hub.parse(text), Choice()), workshop)
    pulled = dict(zip(wanted, pull_planned(plan, workshop, done), strict=True))
    planned = dict(zip(wanted, plan.models, strict=True))
    return [Synced(pin, "failed", refused[pin]) if pin in refused else _synced(hub, pin, planned[pin], pulled[pin]) for pin in lock.pins]


def others(hub: Hub, lock: Lock) -> list[Name]:
    """The names in the store that the lock does not pin. Raises StoreError."""
    return [name for name in hub.store.names() if not any(is_pinned(name, pin) for pin in lock.pins)]


def completed(lock: Lock, results: list[Synced]) -> Lock:
    """The lock with the hashes of what was had."""
    return Lock.of((result.pin for result in results), lock.path)


def _synced(hub: Hub, pin: Pin, planned: Planned, pulled: Pulled) -> Synced:
    if pulled.error is not None:
        return Synced(pin, "failed", pulled.error)
    entry = hub.store.find(pulled.identity) if pulled.identity else None
    origin = entry.name.own.get("origin", {}) if entry else {}
    if pin.sha256 is None and not pin.files:
        pin = replace(pin, sha256=origin.get("sha256"), size=pin.size or origin.get("size"))
    was_there = planned.target is not None and isinstance(planned.target.plan, UseStored)
    return Synced(pin, "there" if was_there else "fetched")


def _without_hash(pin: Pin, lock: Lock) -> NotLocked:
    hint = "hub sync without --frozen pins what it gets, or hub lock --level hash"
    return NotLocked(f"the lock has no hash of '{pin}'", where=f"{lock.path}:{pin.line}" if pin.line else lock.path, hint=hint)
