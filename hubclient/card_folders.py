"""The folders of model cards that a user added for good: a text file with a path a line, in the user's configuration folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hubclient.errors import StoreUnwritable, UsageError

_FILE = "card-folders.txt"


class CardFolders:
    """`folder`: where the file is kept. Paths are absolute; the folder that was added last counts most."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE

    def read(self) -> tuple[Path, ...]:
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return ()
        return tuple(Path(os.fsdecode(line)) for line in lines if line.strip())

    def add(self, folder: Path) -> bool:
        """Whether it was new. Raises UsageError if it is no folder, StoreUnwritable."""
        added = Path(os.path.abspath(folder))
        if not added.is_dir():
            raise UsageError("this is not a folder", where=str(added), hint="name a folder of model cards, or a checkout with docs/_posts")
        if "\n" in str(added) or "\r" in str(added):
            raise UsageError("a folder with a line end in its name cannot be kept", where=repr(str(added)), hint="rename it")
        known = self.read()
        if added in known:
            return False
        self._write([*known, added])
        return True

    def remove(self, folder: Path) -> None:
        """Raises UsageError if it was never added, StoreUnwritable."""
        removed, known = Path(os.path.abspath(folder)), self.read()
        if removed not in known:
            raise UsageError("this folder was not added", where=str(removed), hint="hub cards list shows those that were")
        self._write([path for path in known if path != removed])

    def _write(self, folders: Sequence[Path]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=_FILE, delete=False) as file:
                file.write(b"".join(os.fsencode(folder) + b"\n" for folder in folders))
            os.replace(file.name, self.path)
        except OSError as error:
            raise StoreUnwritable(
                "the folders of cards cannot be written down", where=str(self.path), why=error.strerror, hint="set HUBCLIENT_CONFIG"
            ) from error
