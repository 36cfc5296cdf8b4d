"""metadata.json of a mirror: the line of an archive, and an index with that line in it.

Lines are those of Spark NLP's ResourceMetadata, which it can read itself; `hubclient.catalog.live_line` has their form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from hubclient.cards.location import parse_archive_name
from hubclient.catalog.live_line import ArchiveFolder, LiveEntry, read_line
from hubclient.errors import CardError
from hubclient.names import parse_version

NAME = "metadata.json"
_ANYWHERE = ArchiveFolder("", None)


def index_line(file: str, md5: str, annotator: str | None) -> bytes | None:
    """The line of an archive with this file name; None if it is not named as Spark NLP names its archives: no line can tell of it."""
    said = parse_archive_name(file)
    if said.name is None or said.lib_version is None or said.spark_version is None or said.epoch_ms is None:
        return None
    fields: dict[str, object] = {
        "name": said.name,
        "language": said.lang,
        "libVersion": {"parts": parse_version(said.lib_version)},
        "sparkVersion": {"parts": parse_version(said.spark_version)},
        "readyToUse": True,
        "time": _time(said.epoch_ms),
        "isZipped": True,
        "category": "ml",
        "checksum": md5,
    }
    if annotator:
        fields["annotator"] = annotator
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def with_lines(index: bytes, lines: Iterable[bytes]) -> bytes:
    """The index with these lines in place of those of the same archives, or after all others. Whatever else is there stays."""
    kept = [line for line in index.split(b"\n") if line.strip()]
    places = {file: number for number, line in enumerate(kept) if (file := file_of(line))}
    for line in lines:
        file = file_of(line)
        assert file is not None
        if file in places:
            kept[places[file]] = line
        else:
            places[file] = len(kept)
            kept.append(line)
    return b"".join(line + b"\n" for line in kept)


def files_in(index: bytes) -> set[str]:
    """The archives that an index tells of."""
    return {file for line in index.split(b"\n") if (file := file_of(line))}


def file_of(line: bytes) -> str | None:
    """The archive of a line; None where it tells of none that can be fetched."""
    try:
        entry = read_line(line, _ANYWHERE)
    except CardError:
        return None
    return entry.file if isinstance(entry, LiveEntry) else None


def _time(epoch_ms: int) -> str:
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
