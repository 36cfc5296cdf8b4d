"""One file, brought here whole: in pieces over several connections, hashed as it arrives, resumed when it breaks off, compared with what
was announced.

    facts      size, ETag, digests: one question
    part       what an earlier process left of this content, or the start of it
    crew       streams bring pieces, the file is hashed behind them
    checks     what arrived is held against what was announced
    target     the file gets its place
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hubclient.errors import CorruptTransfer, SourceError
from hubclient.sources.digests import Digests
from hubclient.sources.disk import demand_room, disk_errors
from hubclient.sources.remote import RemoteFile, Stat
from hubclient.sources.retry import Patience
from hubclient.transfer.board import Board
from hubclient.transfer.checks import Check, plan_checks
from hubclient.transfer.crew import Crew
from hubclient.transfer.hashing import Hashing
from hubclient.transfer.journal import Content
from hubclient.transfer.line import Line
from hubclient.transfer.parts import Part, open_part
from hubclient.transfer.pieces import Pieces
from hubclient.transfer.progress import Progress, Silent
from hubclient.transfer.ramp import Ramp
from hubclient.transfer.streams import Errand

_log = logging.getLogger("hubclient")


@dataclass(frozen=True)
class Fetched:
    """What arrived; `sha256` was computed here, from the bytes that were written. `compared`: what was held against the source's word."""

    url: str
    size: int
    sha256: str
    etag: str | None
    compared: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Order:
    file: RemoteFile
    target: Path
    expected: Digests
    parts: Path | None
    stays: bool
    line: Line
    progress: Progress


def fetch(
    file: RemoteFile,
    target: Path,
    *,
    stat: Stat | None = None,
    expected: Digests | None = None,
    parts: Path | None = None,
    stays: bool = False,
    line: Line | None = None,
    progress: Progress | None = None,
    retries: int = 4,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Write the whole content of `file` to `target`, a new file in a folder of the caller's.

    `stat`: the file's facts, where they were asked for just now. `expected`: digests that the caller knows, from metadata.json or a lock:
    they outrank those that the source announces.
    `parts`: the folder of unfinished transfers (`settings.transfers`), on the file system of `target`: what is there of this content,
    left by whatever process, is not fetched again, and what is unfinished when this one ends stays there. None: nothing is kept.
    `stays`: so does the whole file, where files can have two names, until `forget(parts, file.url)`: who is killed before has not lost it.
    `line`: what this process's transfers share; give every `fetch` the same one. `fetch` may be called in several threads at once.
    Nothing is flushed to the disk: that is for who commits the file.
    Raises SourceError (CorruptTransfer when what arrived is not what was announced), StoreFull, StoreUnwritable: without a `target` then.
    """
    patience = Patience(retries, sleep)
    order = _Order(file, target, expected or Digests(), parts, stays, line or Line(), progress or Silent())
    stat = stat or patience.insist(file.stat)
    try:
        return _bring(order, stat, patience)
    except CorruptTransfer as error:
        _log.info("%s: it is fetched once more", error.in_short())
        return _bring(order, patience.insist(file.stat), patience)


def _bring(order: _Order, stat: Stat, patience: Patience) -> Fetched:
    url, announced = order.file.url, order.expected.over(stat.digests)
    content = Content(url, stat.size, stat.etag, announced.sha256 or announced.git_sha1 or announced.md5)
    with disk_errors(order.target, stat.size):
        part = open_part(order.parts, content, order.target)
    try:
        demand_room(part.path.parent, stat.size - part.taken)
        with disk_errors(part.path, stat.size):
            part.make(stat.size)
        checks = plan_checks(order.expected, stat.digests, stat.size, lambda: _part_size(order.file, stat))
        sha256 = _receive(order, stat, part, checks, patience)
        compared = _compare(url, checks, sha256, announced.sha256)
        with disk_errors(order.target):
            part.finish(order.target, stays=order.stays)
    except CorruptTransfer:
        part.discard()
        raise
    except BaseException:
        part.keep()
        raise
    return Fetched(url, stat.size, sha256, stat.etag, compared)


def _receive(order: _Order, stat: Stat, part: Part, checks: Sequence[Check], patience: Patience) -> str:
    pieces = Pieces(stat.size, order.line.limits.jobs, [arrived.span for arrived in part.arrived])
    board = Board(pieces, part, part.arrived)
    hashing = Hashing(board, part.path, stat.size, [check.running for check in checks])
    label = unquote(urlsplit(order.file.url).path.rpartition("/")[2])
    with order.progress.task(label, stat.size) as advance:
        return Crew(Errand(order.file, stat, order.line, part), board, hashing, Ramp(pieces.most_streams), patience, advance).work()


def _part_size(file: RemoteFile, stat: Stat) -> int | None:
    try:
        return file.part_size(stat)
    except SourceError:
        return None


def _compare(url: str, checks: Sequence[Check], sha256: str, announced: str | None) -> tuple[str, ...]:
    """The names of what agrees. Raises CorruptTransfer."""
    if announced is not None and sha256 != announced:
        raise _corrupt(url, f"its SHA-256 is {sha256}, {announced} was announced")
    found = [(check, check.running.hexdigest()) for check in checks]
    for check, value in found:
        if check.binding and value != check.wanted:
            raise _corrupt(url, f"its {check.name} is {value}, {check.wanted} was announced")
    agreeing = tuple(check.name for check, value in found if value == check.wanted)
    return agreeing if announced is None else ("SHA-256", *agreeing)


def _corrupt(url: str, why: str) -> CorruptTransfer:
    return CorruptTransfer(
        "what arrived is not what was announced", where=url, why=why, hint="try again; if it stays so, the source itself is damaged"
    )
