"""A line of the live index: one JSON object, which stands for an archive in the index's own folder.

    {"name": "…", "language": "en", "libVersion": {"parts": [3, 3, 2]}, "sparkVersion": {"parts": [3, 0]}, "readyToUse": true,
     "time": "2021-11-01T13:52:51.318Z", "isZipped": true, "category": "ml", "checksum": "", "annotator": "…", "engine": "…"}

Spark NLP writes them (ResourceMetadata); old ones lack engine, annotator or category. The archive's file is named
`<name>_<language>_<libVersion>_<sparkVersion>_<time in milliseconds since 1970>.zip`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote, urlsplit

from hubclient.cards import Card, parse_s3_uri, parse_s3_url
from hubclient.errors import CardError
from hubclient.names import Version, is_name
from hubclient.sources.location import without_secrets

# Real lines have about 300 bytes.
LONGEST_LINE = 1 << 16
_LARGEST_PART = 999_999_999
_MD5 = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000 = 253_402_300_800_000


@dataclass(frozen=True)
class ArchiveFolder:
    """Where an index and its archives lie: a folder of an S3 bucket or (`bucket` is None) of a web server."""

    address: str
    bucket: str | None

    @classmethod
    def of(cls, index: str) -> ArchiveFolder:
        """The folder of the index at this `s3://` or `https://` address. Raises CardError for an S3 address that is none."""
        s3 = parse_s3_uri(index) if index.startswith("s3://") else parse_s3_url(index)
        if s3 is not None:
            return cls(s3.uri.rpartition("/")[0], s3.bucket)
        parts = urlsplit(without_secrets(index))
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}", None)


@dataclass(frozen=True)
class LiveEntry:
    """An archive that can be fetched. `checksum` is its MD5, where the line tells it."""

    name: str
    language: str
    lib_version: Version
    spark_version: Version
    epoch_ms: int
    folder: ArchiveFolder
    annotator: str | None = None
    category: str | None = None
    engine: str | None = None
    checksum: str | None = None

    @property
    def file(self) -> str:
        return f"{self.name}_{self.language}_{_dotted(self.lib_version)}_{_dotted(self.spark_version)}_{self.epoch_ms}.zip"

    @property
    def uri(self) -> str:
        file = self.file if self.folder.bucket else quote(self.file)
        return f"{self.folder.address}/{file}"

    def card(self) -> Card:
        """What the line tells, as a card. The archive's name is not taken apart again: the line says what it is made of."""
        lib, spark = _dotted(self.lib_version), _dotted(self.spark_version)
        card = Card(self.name, self.language, lib_version=lib, spark_version=spark, annotator=self.annotator, engine=self.engine)
        if self.folder.bucket is None:
            return replace(card, download_url=self.uri)
        place = parse_s3_uri(self.uri)
        place = replace(place, name=self.name, lang=self.language, lib_version=lib, spark_version=spark, epoch_ms=self.epoch_ms)
        return replace(card, s3_uri=self.uri, s3_parsed=place)


class LeftOut(Enum):
    """Lines that are right, and stand for nothing to fetch: a model that is not released, an archive that is no zip."""

    NOT_READY = "not ready to use"
    NOT_ZIPPED = "not zipped"


def read_line(line: bytes, folder: ArchiveFolder) -> LiveEntry | LeftOut:
    """Raises CardError, which says why the line cannot be read, and nothing of what it holds."""
    fields = _object(line)
    if not _flag(fields, "readyToUse"):
        return LeftOut.NOT_READY
    # A line that does not say means no, as its writer has it.
    if "isZipped" not in fields or not _flag(fields, "isZipped"):
        return LeftOut.NOT_ZIPPED
    engine, checksum = _text(fields, "engine"), (_text(fields, "checksum") or "").lower()
    return LiveEntry(
        _identifier(fields, "name"),
        _identifier(fields, "language"),
        _version(fields, "libVersion"),
        _version(fields, "sparkVersion"),
        _epoch_ms(fields),
        folder,
        _text(fields, "annotator"),
        _text(fields, "category"),
        None if engine == "unk" else engine,  # Spark NLP's word for unknown
        checksum if _MD5.fullmatch(checksum) else None,
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise CardError("a field is there twice")
    return fields


def _no_constant(name: str) -> None:
    raise CardError(f"not JSON: {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise CardError(f"longer than {LONGEST_LINE:,} bytes")
    try:
        fields = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CardError(f"not UTF-8: byte {error.start + 1}, {error.reason}") from error
    except json.JSONDecodeError as error:
        raise CardError(f"not JSON: {error.msg}, column {error.colno}") from error
    except RecursionError as error:
        raise CardError("nested too deeply") from error
    except ValueError as error:
        raise CardError("a number has too many digits") from error
    if not isinstance(fields, dict):
        raise CardError("not a JSON object")
    return fields


def _flag(fields: Mapping[str, Any], key: str) -> bool:
    value = fields.get(key)
    if not isinstance(value, bool):
        raise CardError(f"{key} is neither true nor false")
    return value


def _text(fields: Mapping[str, Any], key: str) -> str | None:
    """None if nothing is said: no such field, null, or an empty text."""
    value = fields.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise CardError(f"{key} is no text that can be shown")
    return value


def _identifier(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not is_name(value):
        raise CardError(f"there is no {key}" if value in (None, "") else f"{key} cannot be one")
    return value


def _version(fields: Mapping[str, Any], key: str) -> Version:
    value = fields.get(key)
    parts = value.get("parts") if isinstance(value, dict) else None
    if not isinstance(parts, list) or not parts or not all(type(part) is int and 0 <= part <= _LARGEST_PART for part in parts):
        raise CardError(f"{key} is no version")
    return tuple(parts)


def _epoch_ms(fields: Mapping[str, Any]) -> int:
    """Milliseconds since 1970, from an ISO 8601 time with its offset from UTC or from such a number; what is finer is cut off."""
    value = fields.get("time")
    milliseconds = _since_1970(value) if isinstance(value, str) else value if type(value) is int else None
    if milliseconds is None or not 0 <= milliseconds < _YEAR_10000:
        raise CardError("time is no time with an offset from UTC")
    return milliseconds


def _since_1970(written: str) -> int | None:
    try:
        # fromisoformat takes any character for the T.
        time = datetime.fromisoformat(written) if written[10:11] == "T" else None
    except ValueError:
        return None
    return (time - _EPOCH) // timedelta(milliseconds=1) if time and time.tzinfo else None


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
