"""The way of a file: rows, parts, answers, and bytes at the end of what is there already.

A part's answers depend on that part alone, see `Classifier.predict_parts`: what is written does not depend on where a run was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import Any

from hubclient import __version__
from hubclient.errors import StoreInUse, UsageError
from hubclient.locks import discard, try_lock
from hubclient.outfile import unwritable
from hubclient.tables.answers import Asking
from hubclient.tables.form import input_form, output_form
from hubclient.tables.journal import Files, Journal, Progress, appending
from hubclient.tables.lines import LineSource, readable
from hubclient.tables.part import Part, Source
from hubclient.tables.write import Writer, writer_for

_BEGINNING = 1 << 16


@dataclass(frozen=True)
class Done:
    """`rows`: all that were read. `bad`: how many of them could not be used; they are in `bad_file`. `resumed`: rows of an earlier run."""

    rows: int
    bad: int
    resumed: int
    bad_file: Path | None


@dataclass(frozen=True)
class Seen:
    """For whoever watches: how many rows are done, and how much of the source was read, in its own units."""

    rows: int
    at: int
    size: int


Watch = Callable[[Seen], None]


def predict_file(
    askings: Sequence[Asking],
    source: str | Path,
    target: str | Path,
    *,
    columns: Sequence[str] = (),
    keep: Sequence[str] | None = None,
    force: bool = False,
    watch: Watch = lambda seen: None,
) -> Done:
    """Answer every row of a file, into another one: what is carried over, and the answers of each model.

    `columns`: of the text, or of a pair of texts; `keep`: what is carried over, None for all. `force`: replace what is there, and start
    anew where an earlier run was broken off; else it is taken up. Raises UsageError, StoreUnwritable, StoreFull, StoreInUse.
    """
    files = Files(Path(target))
    read = open_source(Path(source), columns, keep, loose=output_form(files.target).kind == "jsonl")
    answers = {name: kind for asking in askings for name, kind in asking.columns.items()}
    _check_names(read, askings, files.target)
    writer = writer_for(output_form(files.target), read, answers)
    journal = Journal(files, _told(askings, Path(source), columns, keep))
    with ExitStack() as stack, unwritable(files.target, "the answers cannot be written"):
        files.target.parent.mkdir(parents=True, exist_ok=True)
        hold = try_lock(files.lock)
        if hold.state == "busy":
            raise StoreInUse("another process writes this file", where=str(files.target))
        stack.callback(discard, files.lock, hold)
        return Run(read, askings, writer, journal, watch).whole(force=force)


def open_source(path: Path, columns: Sequence[str], keep: Sequence[str] | None, *, loose: bool) -> Source:
    """Raises UsageError, MissingExtra."""
    form = input_form(path)
    if form.kind == "parquet":
        from hubclient.tables.parquet import ParquetSource

        with readable(path):
            return ParquetSource(path, columns, keep)
    return LineSource(path, form, columns, keep, loose=loose)


@dataclass(frozen=True)
class Run:
    source: Source
    askings: Sequence[Asking]
    writer: Writer
    journal: Journal
    watch: Watch

    def whole(self, *, force: bool) -> Done:
        files = self.journal.files
        if force:
            files.clear()
        progress = self.journal.read()
        if progress is None:
            if files.target.exists() and not force:
                raise UsageError("the file is there already", where=str(files.target), hint="name another one, or replace it with force")
            progress = Progress()
        resumed = progress.place.rows
        if not progress.done:
            progress = self._answer(progress)
        self._finish(progress)
        return Done(progress.place.rows, progress.bad_rows, resumed, files.bad if progress.bad_rows else None)

    def _answer(self, progress: Progress) -> Progress:
        files = self.journal.files
        with appending(files.partial, progress.output) as output, appending(files.bad_partial, progress.bad) as bad:
            if not progress.output:
                output.write(self.writer.begin())
            for part, answers in self._answered(progress):
                output.write(self.writer.rows(part.rows, answers))
                bad.writelines(json.dumps(row.to_dict()).encode() + b"\n" for row in part.bad)
                for file in (output, bad):
                    file.flush()
                    os.fsync(file.fileno())
                progress = Progress(part.after, output.tell(), bad.tell(), progress.bad_rows + len(part.bad))
                self.journal.write(progress)
                self.watch(Seen(progress.place.rows, self.source.at, self.source.size))
        progress = replace(progress, done=True)
        self.journal.write(progress)
        return progress

    def _answered(self, progress: Progress) -> Iterator[tuple[Part, list[Mapping[str, Any]]]]:
        """Each part, and for each of its texts the answers of all models."""
        parts, *copies = tee(self.source.parts(progress.place), 1 + len(self.askings))
        given = [asking.answers(part.texts for part in copy) for asking, copy in zip(self.askings, copies, strict=True)]
        for part, *answers in zip(parts, *given, strict=True):
            yield part, [{name: value for one in each for name, value in one.items()} for each in zip(*answers, strict=True)]

    def _finish(self, progress: Progress) -> None:
        """May be done again where it was broken off."""
        files = self.journal.files
        if files.bad_partial.exists():
            if progress.bad_rows:
                files.bad_partial.replace(files.bad)
            else:
                files.bad.unlink(missing_ok=True)
        if files.partial.exists():
            self.writer.finish(files.partial, files.target)
        files.clear()


def _check_names(source: Source, askings: Sequence[Asking], target: Path) -> None:
    names = [*source.columns, *(name for asking in askings for name in asking.columns)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two columns of the output would have the name '{twice}'", where=str(target), hint="give a prefix for the answers"
        )


def _told(askings: Sequence[Asking], source: Path, columns: Sequence[str], keep: Sequence[str] | None) -> dict[str, Any]:
    """All that the output depends on."""
    with readable(source), source.open("rb") as file:
        beginning = hashlib.sha256(file.read(_BEGINNING)).hexdigest()
        status = os.fstat(file.fileno())
    told: dict[str, Any] = {
        "version": __version__,
        "input": [status.st_size, status.st_mtime_ns, beginning],
        "columns": list(columns),
        "keep": None if keep is None else list(keep),
    }
    for asking in askings:
        model = asking.model
        facts = model.manifest.facts
        told[f"{asking.prefix}model"] = [
            model.manifest.tensors_digest,
            [model.engine, model.precision, model.device],
            [facts.activation.value, facts.threshold.value, facts.max_length.value, facts.lowercase.value],
            repr(model.windows),
            sorted(map(repr, asking.options.items())),
            asking.scores,
        ]
    return told
