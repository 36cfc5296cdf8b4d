"""Unfinished files on the disk, and what is known of them.

    KEY/content   the file, of its full length from the start
    KEY/journal   which ranges of it are there
    KEY/lock      held by whoever works on it; the system frees it when the owner ends, however that ends

KEY stands for the address. Who wants the same content later goes on where the last owner stopped. Who finds the folder taken, or has a file
system without locks, makes a file of its own: that costs bandwidth.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from hubclient.locks import Hold, try_lock
from hubclient.transfer import journal
from hubclient.transfer.allocate import allocate
from hubclient.transfer.journal import Arrived, Content
from hubclient.transfer.pieces import Span

_CONTENT, _JOURNAL, _LOCK = "content", "journal", "lock"


class Part:
    """A file in the making at `path`, of this process alone, gone when it is not finished. `arrived`: the ranges that are there already.

    Every method may raise OSError, but for `discard` and `keep`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrived: tuple[Arrived, ...] = ()

    @property
    def taken(self) -> int:
        """Bytes of the disk that it has already."""
        try:
            facts = self.path.stat()
        except OSError:
            return 0
        return int(getattr(facts, "st_blocks", 0)) * 512

    def make(self, size: int) -> None:
        """The file, of its full length; what is there stays."""
        with self.path.open("ab") as file:
            allocate(file, size)

    def record(self, span: Span, crc32: int) -> None:
        """This range has been written. From one thread at a time."""

    def finish(self, target: Path, *, stays: bool = False) -> None:
        """Put the file where it belongs. `stays`: it is to be found here as well, if that can be, until it is forgotten."""
        if self.path != target:
            os.replace(self.path, target)

    def discard(self) -> None:
        """What is there is worth nothing."""
        with suppress(OSError):
            self.path.unlink()

    def keep(self) -> None:
        """Stop here, and leave what is there for whoever wants it."""
        self.discard()


class KeptPart(Part):
    """One that outlives its owner."""

    def __init__(self, folder: Path, hold: Hold, content: Content) -> None:
        super().__init__(folder / _CONTENT)
        self._folder, self._hold, self._about = folder, hold, content
        self._journal: BinaryIO | None = None
        if content.is_certain and self.path.exists():
            with suppress(FileNotFoundError):
                self.arrived = tuple(journal.read_journal((folder / _JOURNAL).read_bytes(), content))
        self._of_use = bool(self.arrived)

    def make(self, size: int) -> None:
        if not self.arrived:
            with suppress(FileNotFoundError):
                self.path.unlink()
        super().make(size)
        # Written anew: lines that are not believed would be read as damage for ever.
        known = b"".join(map(journal.line, self.arrived))
        self._journal = (self._folder / _JOURNAL).open("wb", buffering=0)
        self._journal.write(journal.head(self._about) + known)

    def record(self, span: Span, crc32: int) -> None:
        if self._journal is not None:
            self._journal.write(journal.line(Arrived(span, crc32)))
            self._of_use = True
            # An unfinished transfer that nobody has touched for long is cleaned away.
            os.utime(self._folder)

    def finish(self, target: Path, *, stays: bool = False) -> None:
        self._close()
        if stays and self._about.is_certain and _is_linked(self.path, target):
            self._hold.release()
            return
        os.replace(self.path, target)
        self.discard()

    def discard(self) -> None:
        self._close()
        _remove(self._folder, self._hold)

    def keep(self) -> None:
        if not self._of_use:
            self.discard()
        self._close()
        self._hold.release()

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def open_part(parts: Path | None, content: Content, target: Path) -> Part:
    """What there is of this content below `parts`, or the start of it; where that cannot be, one at `target`."""
    if parts is not None:
        folder = _folder(parts, content.url)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            hold = try_lock(folder / _LOCK)
            if hold.state == "held":
                return KeptPart(folder, hold, content)
    return Part(target)


def forget(parts: Path, url: str) -> None:
    """What stayed of a file is not needed any more; what somebody works on is left."""
    folder = _folder(parts, url)
    with suppress(OSError):
        if (folder / _CONTENT).exists() and (hold := try_lock(folder / _LOCK)).state == "held":
            _remove(folder, hold)


def _folder(parts: Path, url: str) -> Path:
    return parts / hashlib.sha256(url.encode()).hexdigest()[:32]


def _remove(folder: Path, hold: Hold) -> None:
    for name in (_CONTENT, _JOURNAL, _LOCK):
        with suppress(OSError):
            (folder / name).unlink()
    with suppress(OSError):
        folder.rmdir()
    hold.release()


def _is_linked(path: Path, target: Path) -> bool:
    try:
        os.link(path, target)
    except OSError:
        return False
    return True
