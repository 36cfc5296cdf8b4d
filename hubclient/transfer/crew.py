"""The streams of one transfer: how many there are, what becomes of their failures, and when it is done."""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass

from hubclient.errors import HubError, ServerFailure, SourceError, StoreError, Unreachable
from hubclient.sources.retry import Patience
from hubclient.transfer.board import Board
from hubclient.transfer.hashing import Hashing
from hubclient.transfer.progress import Advance
from hubclient.transfer.ramp import Ramp
from hubclient.transfer.streams import WORTH_AN_ATTEMPT, Answered, Ended, Errand, Stream

_log = logging.getLogger("hubclient")

_TICK_SECONDS = 0.1
# Streams that wait for bytes end at once; one that is still being connected is left to its time-out, and writes nothing any more.
_PARTING_SECONDS = 1.0


@dataclass(frozen=True)
class Hashed:
    """The hashing has ended: with the SHA-256 of the whole, unless it was stopped or failed. `crashed`: by a fault of ours."""

    sha256: str | None = None
    error: HubError | None = None
    crashed: bool = False


class Crew:
    def __init__(self, errand: Errand, board: Board, hashing: Hashing, ramp: Ramp, patience: Patience, advance: Advance) -> None:
        self._errand, self._board, self._hashing = errand, board, hashing
        self._ramp, self._patience, self._advance = ramp, patience, advance
        self._events: queue.SimpleQueue[Answered | Ended | Hashed] = queue.SimpleQueue()
        self._streams: list[Stream] = []
        self._hasher = threading.Thread(target=self._hash, name="hubclient-sha256", daemon=True)
        self._trouble: SourceError | None = None
        self._told = self._worked_at = 0

    def work(self) -> str:
        """Until everything is there, and hashed: its SHA-256. Raises SourceError, StoreError."""
        self._hasher.start()
        try:
            while True:
                self._staff()
                event = self._next()
                if isinstance(event, Hashed):
                    return self._sha256(event)
                if isinstance(event, Answered):
                    self._ramp.answered(time.monotonic(), self._board.arrived)
                elif isinstance(event, Ended):
                    self._part_with(event)
        finally:
            self._dismiss()

    def _staff(self) -> None:
        while len(self._streams) < self._ramp.streams and self._board.wants_streams:
            self._streams.append(Stream(self._errand, self._board, self._events.put))

    def _next(self) -> Answered | Ended | Hashed | None:
        try:
            event = self._events.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            event = None
        arrived = self._board.arrived
        self._advance(arrived - self._told)
        self._told = arrived
        if self._board.has_held():
            self._ramp.look_anew(time.monotonic(), arrived)
        else:
            self._ramp.review(time.monotonic(), arrived)
        return event

    def _sha256(self, event: Hashed) -> str:
        if event.error is not None:
            raise event.error
        if event.sha256 is None:
            raise RuntimeError("the hashing of a transfer crashed")
        return event.sha256

    def _part_with(self, ended: Ended) -> None:
        """One stream less. When none is left and something is missing, it is tried again, or given up."""
        if ended.crashed:
            raise RuntimeError("a stream of a transfer crashed")
        self._streams.remove(ended.stream)
        if ended.error is not None:
            self._note(self._transient(ended.error))
        if self._trouble is not None and not self._streams and (arrived := self._board.arrived) < self._errand.stat.size:
            _log.info("%s: trying again", self._trouble.in_short())
            self._patience.wait(self._trouble, progressed=arrived - self._worked_at >= WORTH_AN_ATTEMPT)
            self._trouble, self._worked_at = None, arrived
            self._board.pause(False)

    def _note(self, error: SourceError) -> None:
        self._ramp.failed(len(self._streams))
        if self._trouble is None or (error.retry_after or 0) >= (self._trouble.retry_after or 0):
            self._trouble = error
        # Who is asked to wait waits with all streams.
        if error.retry_after is not None:
            self._board.pause(True)

    def _transient(self, error: HubError) -> SourceError:
        """Raises what another stream would meet, too."""
        if not isinstance(error, (ServerFailure, Unreachable)) or error.lasting:
            raise error
        return error

    def _hash(self) -> None:
        last = Hashed(crashed=True)
        try:
            last = Hashed(self._hashing.run())
        except StoreError as error:
            last = Hashed(error=error)
        finally:
            self._events.put(last)

    def _dismiss(self) -> None:
        self._board.stop()
        for stream in self._streams:
            stream.abort()
        deadline = time.monotonic() + _PARTING_SECONDS
        for stream in self._streams:
            stream.join(max(0.0, deadline - time.monotonic()))
        self._hasher.join()
        self._board.close()
