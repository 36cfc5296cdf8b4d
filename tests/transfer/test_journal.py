"""The journal: what a killed process wrote is read, whatever its last line looks like, and nothing else is believed."""

from __future__ import annotations

import pytest

from hubclient.transfer.journal import Arrived, Content, head, line, read_journal
from hubclient.transfer.pieces import Span

CONTENT = Content("https://example.org/a.zip", 1000, '"etag"', None)
RECORDS = [Arrived(Span(0, 100), 1), Arrived(Span(500, 600), 0xFFFFFFFF), Arrived(Span(100, 200), 7)]
TEXT = head(CONTENT) + b"".join(map(line, RECORDS))
IN_ORDER = [RECORDS[0], RECORDS[2], RECORDS[1]]


def test_ranges_are_read_in_order() -> None:
    assert read_journal(TEXT, CONTENT) == IN_ORDER


@pytest.mark.parametrize("length", range(len(TEXT)))
def test_cut_anywhere_it_says_less_and_nothing_wrong(length: int) -> None:
    read = read_journal(TEXT[:length], CONTENT)
    assert set(read) <= set(RECORDS)
    assert len(read) == max(0, TEXT[:length].count(b"\n") - 1)


@pytest.mark.parametrize(
    "other",
    [
        Content("https://example.org/b.zip", 1000, '"etag"', None),
        Content("https://example.org/a.zip", 1001, '"etag"', None),
        Content("https://example.org/a.zip", 1000, '"other"', None),
        Content("https://example.org/a.zip", 1000, '"etag"', "ab" * 32),
    ],
)
def test_one_about_other_content_says_nothing(other: Content) -> None:
    assert read_journal(TEXT, other) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"64 c8 00000007",
        b"100 100 00000000\n",
        b"c8 64 00000000\n",
        b"0 3e9 00000000\n",
        b"0 1 0000000\n",
        b"-1 5 00000000\n",
        b"\xff\xfe\n",
        b"\n",
        b"{}\n",
    ],
)
def test_lines_that_cannot_be_are_passed_over(damage: bytes) -> None:
    assert read_journal(TEXT + damage + line(Arrived(Span(900, 1000), 3)), CONTENT)[: len(IN_ORDER)] == IN_ORDER


def test_of_overlapping_ranges_the_later_one_counts() -> None:
    later = Arrived(Span(50, 150), 9)
    assert read_journal(TEXT + line(later), CONTENT) == [later, RECORDS[1]]


@pytest.mark.parametrize(
    ("etag", "digest", "certain"),
    [('"e"', None, True), ('W/"e"', None, False), (None, None, False), (None, "ab", True), ('W/"e"', "ab", True)],
)
def test_what_makes_two_contents_the_same(etag: str | None, digest: str | None, certain: bool) -> None:
    assert Content("https://example.org/a.zip", 1, etag, digest).is_certain == certain
