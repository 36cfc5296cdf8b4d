"""A file behind an http or https address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from hubclient.errors import ContentChanged, CorruptTransfer, Offline, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources import http
from hubclient.sources.location import WebLocation
from hubclient.sources.remote import Body, Stat

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
# What an address says whose signature has run out, or that was good for one question only.
_NO_LONGER_THERE = {400, 401, 403, 404, 410}


class WebFile:
    def __init__(self, location: WebLocation, settings: Settings) -> None:
        parts = urlsplit(location.url)
        self._address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        self._authorize = http.basic_authorization(location.url)
        self._offline = settings.offline
        self._silence = settings.limits.silence
        self.url = str(location)
        # Where redirects led to: the pieces of a file are asked for there.
        self._resolved: str | None = None

    def stat(self) -> Stat:
        return self._told(self._look({}))

    def changed(self, etag: str | None) -> Stat | None:
        """The facts, by one conditional request; None while the content has this ETag. Raises SourceError."""
        answer = self._look({"If-None-Match": etag} if etag is not None else {})
        if answer.status == 304 and etag is not None:
            answer.close()
            return None
        stat = self._told(answer)
        # Not every server knows conditions.
        return None if etag is not None and _opaque(stat.etag) == _opaque(etag) else stat

    def read(self, start: int = 0, end: int | None = None, etag: str | None = None) -> Body:
        headers = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end is not None else {}
        # A weak ETag never matches (RFC 9110, section 13.1.1): it is compared below.
        if etag is not None and not etag.startswith("W/"):
            headers["If-Match"] = etag
        answer = self._ask("GET", headers)
        if answer.status in (412, 416):
            answer.close()
            raise self._changed(f"HTTP {answer.status}")
        if answer.status not in (200, 206):
            raise self._failure(answer)
        if etag is not None and _opaque(answer.headers.get("ETag", etag)) != _opaque(etag):
            answer.close()
            raise self._changed(f"its ETag was {etag} and is {answer.headers['ETag']}")
        return self._body(answer)

    def part_size(self, stat: Stat) -> int | None:
        return None

    def _body(self, answer: http.Answer) -> Body:
        written = answer.headers.get("Content-Range")
        if written is None and answer.status == 200:
            length = answer.headers.get("Content-Length", "")
            size = int(length) if length.isdecimal() else None
            return Body(0, size, size, answer.read, answer.close, answer.abort)
        match = _CONTENT_RANGE.fullmatch(written or "")
        if match is None:
            answer.close()
            why = f"Content-Range: {written}"
            raise CorruptTransfer("the server sent a part without saying which", where=self.url, why=why, hint="try again later")
        total = int(match[3]) if match[3] != "*" else None
        return Body(int(match[1]), int(match[2]) + 1, total, answer.read, answer.close, answer.abort)

    def _look(self, headers: Mapping[str, str]) -> http.Answer:
        """HEAD, and where that is refused the first byte by GET: some servers know no HEAD, and its errors say nothing."""
        answer = self._ask("HEAD", headers)
        if 400 <= answer.status < 500:
            answer.close()
            answer = self._ask("GET", {**headers, "Range": "bytes=0-0"})
        return answer

    def _told(self, answer: http.Answer) -> Stat:
        if answer.status == 416:
            answer.close()
            return self._facts(0, answer.headers)
        if answer.status not in (200, 206):
            raise self._failure(answer)
        answer.close()
        return self._facts(self._size(answer), answer.headers)

    def _ask(self, method: str, headers: Mapping[str, str]) -> http.Answer:
        """One request. Raises Offline, Unreachable."""
        if self._offline:
            raise Offline(
                "a connection is needed, and offline was asked for",
                where=self.url,
                hint="unset HUBCLIENT_OFFLINE and HF_HUB_OFFLINE (or leave offline out), or name a local mirror in HUBCLIENT_MIRRORS",
            )
        return self._send(method, headers)

    def _send(self, method: str, headers: Mapping[str, str]) -> http.Answer:
        answer = self._send_resolved(method, headers) or self._send_to(self._address, method, headers)
        if answer.status in (200, 206) and answer.url != self._address:
            self._resolved = answer.url
        return answer

    def _send_resolved(self, method: str, headers: Mapping[str, str]) -> http.Answer | None:
        """Asked where the last answer came from; None if there is nothing there any more."""
        if self._resolved is None:
            return None
        try:
            answer = self._send_to(self._resolved, method, headers)
        except Unreachable:
            self._resolved = None
            raise
        if answer.status not in _NO_LONGER_THERE:
            return answer
        answer.close()
        self._resolved = None
        return None

    def _send_to(self, address: str, method: str, headers: Mapping[str, str]) -> http.Answer:
        authorize = self._authorize if http.origin_of(address) == http.origin_of(self._address) else None
        return http.send(method, address, headers, authorize=authorize, silence=self._silence)

    def _failure(self, answer: http.Answer) -> SourceError:
        return http.failure(answer)

    def _facts(self, size: int, headers: Mapping[str, str]) -> Stat:
        return Stat(size, headers.get("ETag"))

    def _size(self, answer: http.Answer) -> int:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        told = match[3] if match else answer.headers.get("Content-Length", "") if answer.status == 200 else ""
        if not told.isdecimal():
            raise SourceError(
                "the server does not say how long the file is", where=self.url, hint="download it by other means, and give its path"
            )
        return int(told)

    def _changed(self, why: str) -> ContentChanged:
        return ContentChanged("the file was changed on the server while it was fetched", where=self.url, why=why, hint="try again")


def _opaque(etag: str | None) -> str | None:
    """For a comparison of weak ETags as of strong ones (RFC 9110, section 8.8.3.2): a server may call one content by both."""
    return etag.removeprefix("W/") if etag is not None else None
