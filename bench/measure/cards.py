"""Many cards in a folder."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

# What changed within the last moments is read again: cards that were just unpacked must look older.
_CARDS_TIME = datetime(2023, 9, 1, tzinfo=UTC)


def unpacked(source: Path, folder: Path) -> Path:
    """The folder of cards: the source itself, or what the zip holds."""
    if source.is_dir():
        return source.absolute()
    with zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
    seconds = _CARDS_TIME.timestamp()
    for path in folder.rglob("*"):
        os.utime(path, (seconds, seconds))
    return folder
