"""Many models at once: what would be done, looked at first, and then done, several at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hubclient.acquire import Workshop, check_path
from hubclient.errors import Forbidden, HubError, ModelError, NotFound, SourceError
from hubclient.machine import this_machine
from hubclient.names import Reference
from hubclient.native import NativeModel
from hubclient.plan import Candidate, Fetch, UseStored
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.disk import demand_room, room_at
from hubclient.sources.local import in_mirror
from hubclient.transfer.progress import Advance, Progress
from hubclient.turns import Gate, Turns
from hubclient.way import Choice, Target, find, is_native, model_of, obtain, obtain_entry, offline_refusal, refusal

_MEBIBYTE = 1 << 20
# What one connection is busy with for a moment: of larger transfers fewer go at the same time.
_SHARE = 8 * _MEBIBYTE
_ASKED_AT_ONCE = 16
_TICK_SECONDS = 0.25
# Each holds a model's weights.
_MOST_CONVERSIONS = 4

State = Literal["cached", "local", "fetch", "failed"]


@dataclass(frozen=True)
class Planned:
    """`size`: bytes that would be fetched, 0 for what is here, None where nobody says; `exact`: they are the source's, not the card's.
    `source`: where from. `error`: why it cannot be had, as far as is known."""

    reference: str
    state: State
    source: str | None = None
    size: int | None = None
    exact: bool = False
    target: Target | None = None
    error: HubError | None = None


@dataclass(frozen=True)
class PullPlan:
    """`free`: bytes free where the cache lies, None where that is not known."""

    models: tuple[Planned, ...]
    free: int | None

    @property
    def total(self) -> int:
        """Bytes to fetch, as far as they are known."""
        return sum(planned.size or 0 for planned in self.models)

    @property
    def unknown(self) -> int:
        """How many models are to be fetched whose size is not known."""
        return sum(planned.state == "fetch" and planned.size is None for planned in self.models)


@dataclass(frozen=True)
class Pulled:
    """Either `model` or `error` is set. `identity`: what the store has it by; None for a native folder of the user's own.
    `cached`: it was there before."""

    reference: str
    model: NativeModel | None = None
    identity: str | None = None
    cached: bool = False
    error: HubError | None = None

    @property
    def path(self) -> Path:
        """The native folder. Raises the error, if the model could not be had."""
        if self.model is None:
            assert self.error is not None
            raise self.error
        return self.model.folder


Parse = Callable[[str], tuple[Reference, Choice]]


def plan_pulls(references: Iterable[str], parse: Parse, workshop: Workshop) -> PullPlan:
    """Resolve each, and ask the sources how large they are, unless nobody may be asked. A reference that fails does not stop the others."""
    planned = _each_once([_found(reference, parse, workshop) for reference in references])
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        models = tuple(pool.map(lambda one: one if one.exact else _sized(one, workshop), planned))
    return PullPlan(models, room_at(workshop.store.root))


def pull_planned(plan: PullPlan, workshop: Workshop, done: Callable[[Pulled], None] = lambda pulled: None) -> list[Pulled]:
    """In the order of the plan; `done` is told of each as it ends, from any thread, one at a time.

    Raises StoreFull before anything is fetched when it cannot all fit.
    """
    demand_room(workshop.store.root, plan.total)
    jobs, stop, telling = workshop.settings.limits.jobs, threading.Event(), threading.Lock()
    transfers, conversions = Gate(jobs), Gate(min(_MOST_CONVERSIONS, this_machine().usable or 1))
    shared = replace(workshop, progress=_Stoppable(workshop.progress, stop))

    def pull(planned: Planned) -> Pulled:
        weight = jobs if planned.size is None else -(-planned.size // _SHARE)
        pulled = _pull(planned, replace(shared, turns=Turns(transfers, conversions, weight)))
        with telling:
            advance(planned.size or 0)
            done(pulled)
        return pulled

    with workshop.progress.task(f"pulling {len(plan.models)} models", plan.total or None) as advance:
        pool = ThreadPoolExecutor(max(1, min(jobs, len(plan.models))))
        try:
            futures = [pool.submit(pull, planned) for planned in plan.models]
            # Only now and then woken up, this thread might not learn that a person interrupts.
            while wait(futures, timeout=_TICK_SECONDS, return_when=FIRST_EXCEPTION).not_done:
                _raise_first(futures)
            return [future.result() for future in futures]
        except BaseException:
            # A person interrupted: transfers and conversions end where they tell of their progress, and clean up after themselves.
            stop.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _raise_first(futures: Iterable[Future[Pulled]]) -> None:
    """A fault of ours in one of them ends all."""
    for future in futures:
        if future.done():
            future.result()


class _Stopped(BaseException):
    """Ends a thread; nobody is told."""


class _Stoppable:
    """The same progress, until everybody is to stop."""

    def __init__(self, progress: Progress, stop: threading.Event) -> None:
        self._progress, self._stop = progress, stop

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        with self._progress.task(label, total) as advance:

            def advance_or_end(count: int) -> None:
                if self._stop.is_set():
                    raise _Stopped
                advance(count)

            yield advance_or_end


def _each_once(planned: Iterable[Planned]) -> Iterator[Planned]:
    """What several references stand for is fetched for the first of them."""
    first: dict[str, Planned] = {}
    for one in planned:
        plan = one.target.plan if one.target else None
        if isinstance(plan, Fetch) and first.setdefault(plan.identity, one) is not one:
            yield replace(one, source=f"as {first[plan.identity].reference}", size=0, exact=True)
        else:
            yield one


def _found(reference: str, parse: Parse, workshop: Workshop) -> Planned:
    try:
        target = find(workshop, *parse(reference))
        if error := refusal(target):
            raise error
        if isinstance(target.plan, Path) and not is_native(target):
            check_path(target.plan)
    except HubError as error:
        return Planned(reference, "failed", error=error)
    match target.plan:
        case UseStored(entry):
            return Planned(reference, "cached", str(entry.path), 0, True, target)
        case Path() as path:
            return Planned(reference, "local", str(path), 0, True, target)
        case plan:
            return Planned(reference, "fetch", str(plan.candidates[-1]), target=target)


def _sized(planned: Planned, workshop: Workshop) -> Planned:
    if planned.target is None or not isinstance(plan := planned.target.plan, Fetch):
        return planned
    for candidate in plan.candidates:
        if candidate.mirror and isinstance(candidate.location, S3Location):
            path = in_mirror(candidate.mirror, candidate.location).path
            if path.is_file():
                return replace(planned, source=str(candidate), size=path.stat().st_size, exact=True)
    if workshop.settings.offline:
        return replace(planned, state="failed", error=offline_refusal(planned.target, workshop))
    return _asked(planned, plan, workshop)


def _asked(planned: Planned, plan: Fetch, workshop: Workshop) -> Planned:
    """By the source that would be used. One that is in trouble now may not be when the model is fetched."""
    candidate = plan.candidates[-1]
    try:
        try:
            size = _size_at(candidate, workshop)
        except (NotFound, Forbidden):
            if plan.fallback is None:
                raise
            candidate = plan.fallback
            size = _size_at(candidate, workshop)
    except (NotFound, Forbidden, ModelError) as error:
        return replace(planned, state="failed", error=error)
    except SourceError:
        card = planned.target.card if planned.target else None
        told = card.size_mb if card else None
        return replace(planned, size=int(told * _MEBIBYTE) if told is not None else None)
    return replace(planned, source=str(candidate), size=size, exact=size is not None)


def _size_at(candidate: Candidate, workshop: Workshop) -> int | None:
    if not isinstance(candidate.location, HubLocation):
        return remote_file(candidate.location, workshop.settings).stat().size
    from hubclient.convert.repository import likely_files
    from hubclient.sources.huggingface import HubRepository

    snapshot = HubRepository(candidate.location, workshop.settings).resolve()
    return snapshot.size_of(likely_files(snapshot.files))


def _pull(planned: Planned, workshop: Workshop) -> Pulled:
    if planned.target is None or planned.error:
        return Pulled(planned.reference, error=planned.error)
    try:
        if is_native(planned.target):
            return Pulled(planned.reference, obtain(workshop, planned.target), cached=True)
        entry = obtain_entry(workshop, planned.target)
        return Pulled(planned.reference, model_of(entry), entry.identity, planned.state == "cached")
    except HubError as error:
        return Pulled(planned.reference, error=error)
