"""The folders of model cards that a user added for good: a text file with a path a line, in the user's configuration folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hubclient.errors import StoreUnwritable, UsageError
from hubclient.locks import Hold, wait_lock

_FILE = "card-folders.txt"


class CardFolders:
    """`folder`: where the file is kept. Paths are absolute; the folder that was added last counts most."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE

    def read(self) -> tuple[Path, ...]:
        """None where the file cannot be read: whoever may not look into a home has added nothing there."""
        try:
            return self._known()
        except OSError:
            return ()

    def add(self, folder: Path) -> bool:
        """Whether it was new. Raises UsageError if it is no folder, StoreUnwritable."""
        added = Path(os.path.abspath(folder))
        if not os.path.isdir(added):
            raise UsageError("this is not a folder", where=str(added), hint="name a folder of model cards, or a checkout with docs/_posts")
        if "\n" in str(added) or "\r" in str(added):
            raise UsageError("a folder with a line end in its name cannot be kept", where=repr(str(added)), hint="rename it")
        with self._changing():
            known = self._known()
            if added not in known:
                self._write([*known, added])
        return added not in known

    def remove(self, folder: Path) -> None:
        """Raises UsageError if it was never added, StoreUnwritable."""
        removed = Path(os.path.abspath(folder))
        if removed not in self.read():
            raise UsageError("this folder was not added", where=str(removed), hint="hub cards list shows those that were")
        with self._changing():
            self._write([path for path in self._known() if path != removed])

    def _known(self) -> tuple[Path, ...]:
        try:
            lines = self.path.read_bytes().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(Path(os.fsdecode(line)) for line in lines if line.strip())

    def _write(self, folders: Sequence[Path]) -> None:
        path = os.path.realpath(self.path)  # which may be a link into a folder of settings
        part = f"{path}.{os.urandom(8).hex()}.part"
        try:
            with open(part, "wb") as file:
                file.write(b"".join(os.fsencode(folder) + b"\n" for folder in folders))
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                os.unlink(part)
            raise

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time, where the file system has locks."""
        hold: Hold | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):
                hold = wait_lock(Path(f"{self.path}.lock"))
            yield
        except OSError as error:
            hint = "set HUBCLIENT_CONFIG to a folder that can be written"
            raise StoreUnwritable(
                "the folders of cards cannot be written down", where=str(self.path), why=error.strerror, hint=hint
            ) from error
        finally:
            if hold:
                hold.release()
