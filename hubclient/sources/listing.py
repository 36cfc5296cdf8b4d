"""What a bucket holds, by its own list: ListObjectsV2, page by page, without a signature.

The answer is XML. It is read by expat as events, and a document type, which no such answer has, ends the reading: nothing is expanded.

Source: Amazon S3 API Reference, ListObjectsV2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NoReturn
from urllib.parse import quote, unquote_plus
from xml.parsers import expat

from hubclient.errors import CorruptTransfer, SourceError
from hubclient.settings import Settings
from hubclient.sources import http
from hubclient.sources.location import S3Location

_MAX_PAGE = 16 << 20
_CHUNK = 1 << 18
_PAGE = 1000
_READABLE = frozenset({"Key", "ETag", "Size", "StorageClass"})


@dataclass(frozen=True)
class Listed:
    key: str
    size: int
    etag: str | None = None
    storage_class: str | None = None


@dataclass(frozen=True)
class Page:
    objects: list[Listed] = field(default_factory=list)
    next_token: str | None = None


def list_page(bucket: str, prefix: str, settings: Settings, token: str | None = None, *, limit: int = _PAGE) -> Page:
    """One page: the objects whose keys begin so. Raises SourceError; Forbidden where the bucket may not be listed."""
    query = {"list-type": "2", "encoding-type": "url", "max-keys": str(limit), "prefix": prefix}
    if token is not None:
        query["continuation-token"] = token
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    url = f"{settings.s3_endpoint}/{quote(bucket, safe='')}?{text}"
    answer = http.send("GET", url, {})
    if answer.status != 200:
        raise http.failure(answer)
    content = bytearray()
    while chunk := answer.read(_CHUNK):
        content += chunk
        if len(content) > _MAX_PAGE:
            answer.close()
            raise _strange(url, f"it has more than {_MAX_PAGE:,} bytes")
    answer.close()
    return parse_page(bytes(content), url)


def is_listed(location: S3Location, settings: Settings) -> bool:
    """Whether the bucket's list has the object. Raises SourceError, Forbidden where the bucket may not be listed."""
    # Keys that begin like this one follow it: in order, it is the first.
    page = list_page(location.bucket, location.key, settings, limit=1)
    return any(listed.key == location.key for listed in page.objects)


def pages(bucket: str, prefix: str, settings: Settings) -> Iterator[Page]:
    """All pages. Raises SourceError."""
    token, seen = None, set[str | None]()
    while True:
        page = list_page(bucket, prefix, settings, token)
        yield page
        seen.add(token)
        token = page.next_token
        if token is None:
            return
        if token in seen:
            raise _strange(f"{settings.s3_endpoint}/{bucket}", "its pages go round in a circle")


def parse_page(content: bytes, where: str) -> Page:
    """Raises CorruptTransfer for what is no such list."""
    reading = _Reading(where)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = reading.refuse
    try:
        parser.Parse(content, True)
        return reading.page()
    except (expat.ExpatError, ValueError) as error:
        raise _strange(where, str(error)) from error


class _Reading:
    def __init__(self, where: str) -> None:
        self._where = where
        self._objects: list[Listed] = []
        self._next_token: str | None = None
        self._path: list[str] = []
        self._said: list[str] = []
        self._object: dict[str, str] = {}
        self._encoded = False

    def page(self) -> Page:
        """Whether keys are encoded may be said behind them. Raises ValueError."""
        if not self._encoded:
            return Page(self._objects, self._next_token)
        decoded = (replace(listed, key=unquote_plus(listed.key, errors="strict")) for listed in self._objects)
        return Page(list(decoded), self._next_token)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name != "ListBucketResult":
            raise _strange(self._where, f"it is <{name}>")
        self._path.append(name)
        self._said = []

    def text(self, text: str) -> None:
        self._said.append(text)

    def end(self, name: str) -> None:
        said, self._said = "".join(self._said), []
        parent = self._path[-2] if len(self._path) > 1 else None
        if parent == "Contents" and name in _READABLE:
            self._object[name] = said
        elif parent == "ListBucketResult":
            self._field(name, said)
        self._path.pop()

    def refuse(self, *declared: object) -> NoReturn:
        raise _strange(self._where, "it declares a document type")

    def _field(self, name: str, said: str) -> None:
        if name == "EncodingType":
            self._encoded = said == "url"
        elif name == "NextContinuationToken":
            self._next_token = said or None
        elif name == "Contents":
            listed, self._object = self._object, {}
            self._objects.append(Listed(listed.get("Key", ""), int(listed.get("Size", "")), listed.get("ETag"), listed.get("StorageClass")))


def _strange(where: str, why: str) -> SourceError:
    return CorruptTransfer("the bucket's list cannot be read", where=where, why=why, hint="try again later")
