"""The files below a folder: what is searched, and what is left alone."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hubclient.check.scan.unreadable import Unreadable

EXCLUDED = frozenset(
    {
        *(".bzr", ".direnv", ".eggs", ".git", ".gradle", ".hg", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d", ".pyenv"),
        *(".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__", "__pypackages__", "_build"),
        *("buck-out", "build", "dist", "node_modules", "site-packages", "venv"),
    }
)
"""Folders that hold no source of one's own: histories, environments, caches, what is built."""

# Opening a pipe would otherwise wait for somebody who writes.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# Every environment of Python's has it, whatever its name.
_ENVIRONMENT = "pyvenv.cfg"


@dataclass(frozen=True)
class Skipped:
    """What is there and cannot be searched."""

    path: str
    why: str


def files_below(folder: str, exclude: Sequence[str] = ()) -> Iterator[str | Skipped]:
    """The files, by folders and in the order of names. `exclude`: patterns of names (`legacy`), or of paths (`tests/*`) from the folder on.

    Links to folders are not followed: they lead out of the folder, or in circles.
    """
    left = [folder]
    while left:
        here = left.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(here, error.strerror or str(error))
            continue
        if here != folder and any(entry.name == _ENVIRONMENT for entry in entries):
            continue
        inside = []
        for entry in entries:
            if is_excluded(os.path.relpath(entry.path, folder), exclude):
                continue
            if entry.is_dir(follow_symlinks=False):
                inside += [entry.path] if entry.name not in EXCLUDED else []
            elif entry.is_symlink() and (why := _why_not(entry)):
                yield Skipped(entry.path, why)
            else:
                yield entry.path
        left.extend(reversed(inside))


def is_excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern matches the path, its name, or a folder on its way.

    >>> [is_excluded("tests/old/a.py", [pattern]) for pattern in ("old", "*.py", "tests/*", "a", "ests")]
    [True, True, True, False, False]
    """
    parts = path.replace(os.sep, "/").split("/")
    ways = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    trimmed = [pattern.strip("/").removeprefix("./") for pattern in patterns]
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in trimmed for text in (*parts, *ways))


def read_file(path: str, most: int) -> bytes:
    """The bytes. Raises Unreadable for what is no file, has as many bytes as `most`, or cannot be read."""
    try:
        file = os.open(path, _READING)
        try:
            facts = os.fstat(file)
            if not stat.S_ISREG(facts.st_mode):
                raise Unreadable("it is no file")
            if facts.st_size >= most:
                raise Unreadable(f"it has {facts.st_size:,} bytes, and files below {most:,} are read")
            with os.fdopen(os.dup(file), "rb") as stream:
                return stream.read(most)
        finally:
            os.close(file)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def _why_not(entry: os.DirEntry[str]) -> str | None:
    """Why a link is not followed; None for one to a file."""
    try:
        return "a link to a folder is not followed" if entry.is_dir() else None
    except OSError as error:
        return error.strerror or str(error)
