"""The files of an archive, whether it is zipped or unpacked, behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from hubclient.errors import CorruptArchive, UnsafeArchive

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

_CHUNK = 1 << 20


class Members(Protocol):
    """Files by name, parts joined with `/`. `label` names the whole in errors."""

    @property
    def label(self) -> str: ...

    def names(self) -> tuple[str, ...]: ...

    def size(self, name: str) -> int: ...

    def read(self, name: str, limit: int) -> bytes:
        """All of a member; UnsafeArchive if it is larger than `limit`."""
        ...

    def open(self, name: str) -> io.RawIOBase:
        """A stream to be read once, from the start; `read(n)` gives at most n bytes. What is read to its end was verified."""
        ...


class Subfolder:
    """What lies under one folder of other members."""

    def __init__(self, members: Members, folder: str) -> None:
        self._members = members
        self._prefix = folder + "/"
        self.label = f"{members.label}/{folder}"

    def names(self) -> tuple[str, ...]:
        return tuple(name.removeprefix(self._prefix) for name in self._members.names() if name.startswith(self._prefix))

    def size(self, name: str) -> int:
        return self._members.size(self._prefix + name)

    def read(self, name: str, limit: int) -> bytes:
        return self._members.read(self._prefix + name, limit)

    def open(self, name: str) -> io.RawIOBase:
        return self._members.open(self._prefix + name)


def copy(members: Members, name: str, target: BinaryIO, advance: Callable[[int], None] = lambda count: None) -> int:
    """Copy a member into a writable file, chunk by chunk, and tell `advance` of each; gives its size."""
    size = 0
    with members.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            target.write(chunk)
            size += len(chunk)
            advance(len(chunk))
    return size


def read_all(members: Members, name: str, limit: int) -> bytes:
    """All of a member, as `Members.read` has it, through its stream."""
    size = members.size(name)
    if size > limit:
        raise UnsafeArchive(f"a member has {size:,} bytes, and {limit:,} are allowed", where=f"{members.label}, member '{name}'")
    with members.open(name) as stream:
        data = b"".join(iter(lambda: stream.read(_CHUNK) or b"", b""))
    if len(data) != size:
        raise CorruptArchive(f"a member has {len(data):,} bytes instead of {size:,}", where=f"{members.label}, member '{name}'")
    return data
