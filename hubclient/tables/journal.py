"""How far a run over a file has come, kept beside its output, so that a killed run is taken up where it was.

What is appended is first flushed to the disk, and then the journal replaced, which tells how much of each file counts. Whatever stands
behind that was written by a run that was killed, and is cut off.

OUT.partial         what becomes the output     OUT.bad.partial    what becomes OUT.bad.jsonl
OUT.journal         this                        OUT.lock           held while a run is at work
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hubclient.errors import UsageError
from hubclient.outfile import written_whole
from hubclient.tables.part import Place


@dataclass(frozen=True)
class Progress:
    """`place`: where the next part begins. `output`, `bad`: bytes that count. `done`: nothing is left but to name the files."""

    place: Place = Place()  # noqa: RUF009 - it never changes
    output: int = 0
    bad: int = 0
    bad_rows: int = 0
    done: bool = False


@dataclass(frozen=True)
class Files:
    """Those of a run that writes `target`."""

    target: Path

    @property
    def partial(self) -> Path:
        return self._with(".partial")

    @property
    def bad_partial(self) -> Path:
        return self._with(".bad.partial")

    @property
    def bad(self) -> Path:
        return self._with(".bad.jsonl")

    @property
    def journal(self) -> Path:
        return self._with(".journal")

    @property
    def lock(self) -> Path:
        return self._with(".lock")

    def clear(self) -> None:
        for path in (self.journal, self.partial, self.bad_partial):
            path.unlink(missing_ok=True)

    def _with(self, ending: str) -> Path:
        return self.target.with_name(self.target.name + ending)


class Journal:
    """`run` says what is done with what: a journal of another run is not taken up."""

    def __init__(self, files: Files, run: Mapping[str, Any]) -> None:
        self.files = files
        self._run = run

    def read(self) -> Progress | None:
        """None where no run has begun. Raises UsageError."""
        try:
            told = json.loads(self.files.journal.read_bytes())
            progress = Progress(**{**told["progress"], "place": Place(**told["progress"]["place"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise self._unusable("it cannot be read", str(error)) from error
        differ = sorted(name for name in {*told["run"], *self._run} if told["run"].get(name) != self._run.get(name))
        if differ:
            raise self._unusable("it is of a run with other settings", f"not the same: {', '.join(differ)}")
        return progress

    def write(self, progress: Progress) -> None:
        """Raises StoreUnwritable, StoreFull."""
        with written_whole(self.files.journal, "the journal") as file:
            file.write(json.dumps({"run": self._run, "progress": asdict(progress)}, indent=1).encode())

    def _unusable(self, what: str, why: str) -> UsageError:
        return UsageError(
            f"a run that was broken off cannot be taken up: {what}",
            where=str(self.files.journal),
            why=why,
            hint="ask for the same as before, or start anew with force",
        )


def appending(path: Path, length: int) -> BinaryIO:
    """The file, with so many bytes of it. Raises UsageError where it has fewer."""
    file = path.open("ab")
    there = os.fstat(file.fileno()).st_size
    if there < length:
        file.close()
        raise UsageError(
            "a run that was broken off cannot be taken up: what it wrote is gone",
            where=str(path),
            why=f"{there:,} bytes are there, and {length:,} were written",
            hint="start anew with force",
        )
    file.truncate(length)
    return file
