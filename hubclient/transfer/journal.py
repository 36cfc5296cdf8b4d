"""What is known of a file that has arrived in part: whose content it is, and which bytes are there.

A line of JSON says whose; each further line is a range that has been written, `START END CRC32` in hexadecimal. Lines are only added, so
that a process may be killed at any moment: a last line without its end says nothing. Neither is flushed to the disk: after a power cut
the checksums tell which ranges are really there.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hubclient.transfer.pieces import Span

_FORMAT = 1
_LINE = re.compile(rb"([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]{8})")


@dataclass(frozen=True)
class Content:
    """What tells one content from another: only ranges of the same content make a file. `digest`: any that the source announced."""

    url: str
    size: int
    etag: str | None
    digest: str | None

    @property
    def is_certain(self) -> bool:
        """Whether equal facts mean equal bytes. A weak ETag is the same for what is merely as good."""
        return self.digest is not None or (self.etag is not None and not self.etag.startswith("W/"))


@dataclass(frozen=True)
class Arrived:
    """A range that has been written, and the CRC-32 of its bytes."""

    span: Span
    crc32: int


def head(content: Content) -> bytes:
    return json.dumps({"format": _FORMAT, **asdict(content)}).encode() + b"\n"


def line(arrived: Arrived) -> bytes:
    return b"%x %x %08x\n" % (arrived.span.start, arrived.span.end, arrived.crc32)


def read_journal(text: bytes, content: Content) -> list[Arrived]:
    """The ranges of this content, in order; none if the journal is about another one. What is damaged is not believed."""
    first, *lines = text.split(b"\n")
    if not lines or first + b"\n" != head(content):
        return []
    return _latest([arrived for arrived in map(_parse, lines[:-1]) if arrived and arrived.span.end <= content.size])


def _parse(text: bytes) -> Arrived | None:
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    start, end, crc32 = (int(group, 16) for group in match.groups())
    return Arrived(Span(start, end), crc32) if start < end else None


def _latest(records: Sequence[Arrived]) -> list[Arrived]:
    """Where two overlap, the one that was written later."""
    starts: list[int] = []
    kept: list[Arrived] = []
    for arrived in reversed(records):
        span, place = arrived.span, bisect.bisect(starts, arrived.span.start)
        if (place == 0 or kept[place - 1].span.end <= span.start) and (place == len(kept) or span.end <= kept[place].span.start):
            starts.insert(place, span.start)
            kept.insert(place, arrived)
    return kept
