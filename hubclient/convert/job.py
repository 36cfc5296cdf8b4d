"""One conversion: what is known beforehand, and where it takes place."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hubclient.archive.members import Members, copy
from hubclient.cards import Overlay
from hubclient.native import Identity, Origin
from hubclient.transfer.progress import Advance


def _silent(count: int) -> None:
    pass


@dataclass(frozen=True)
class Job:
    """`staging` is where the native form is written, `work` a folder for what is not kept. `advance` is told of bytes as they are done."""

    staging: Path
    work: Path
    origin: Origin
    identity: Identity = field(default_factory=Identity)
    overlay: Overlay = field(default_factory=Overlay)
    advance: Advance = _silent

    @contextmanager
    def mapped(self, members: Members, name: str, path: Path) -> Iterator[mmap.mmap | bytes]:
        """A member, unpacked to `path` and mapped into memory."""
        with path.open("w+b") as file:
            size = copy(members, name, file, self.advance)
            file.flush()
            # Arrays may still point into the map when this ends; it is closed with the last of them.
            yield mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
