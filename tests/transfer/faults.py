"""Servers and lines at their worst, and what shall become of a transfer: the right bytes, or one error."""

from __future__ import annotations

import functools
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hubclient.errors import ContentChanged, CorruptTransfer, Forbidden, NotFound, ServerFailure, SourceError, Unreachable
from tests.servers.script import Reply, Request, file_reply

# One stream brings the one, several the other.
SMALL = bytes(range(251)) * 4000
LARGE = b"".join(hashlib.sha256(b"%d" % number).digest() * 1024 for number in range(640))


@functools.lru_cache
def etag_of(content: bytes) -> str:
    """As S3 has it."""
    return f'"{hashlib.md5(content).hexdigest()}"'


@dataclass
class Case:
    """A server in trouble, and the content that it has now. `released`: all that is held up goes on."""

    content: bytes
    released: threading.Event = field(default_factory=threading.Event)

    def good(self, request: Request, **differently: Any) -> Reply:
        return replace(file_reply(request, self.content, etag_of(self.content)), **differently)

    def range_of(self, request: Request) -> tuple[int, int]:
        """What is asked for: start and end."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", "bytes=0-"))
        assert match
        return int(match[1]), int(match[2] or len(self.content) - 1) + 1

    def part(self, start: int, end: int, *, total: int | None = None, status: int = 206, etag: str | None = None) -> Reply:
        facts = {"Content-Range": f"bytes {start}-{end - 1}/{total or len(self.content)}", "ETag": etag or etag_of(self.content)}
        return Reply(status, self.content[start:end], facts)


Answer = Callable[[Case, Request, int], Reply]
"""To a request, which is the so-manyth one for content, or for facts."""


@dataclass(frozen=True)
class Fault:
    """`error`: what it comes to, if not to the right bytes. `facts`: how questions for facts are answered, if not well."""

    name: str
    answer: Answer
    error: type[SourceError] | None = None
    facts: Answer | None = None


def good(case: Case, request: Request, number: int) -> Reply:
    return case.good(request)


def first(times: int, bad: Answer) -> Answer:
    return lambda case, request, number: (bad if number <= times else good)(case, request, number)


def always(reply: Reply) -> Answer:
    return lambda case, request, number: reply


def cut(count: int, **differently: Any) -> Answer:
    return lambda case, request, number: case.good(request, cut=count, **differently)


def asked(case: Case, request: Request) -> Reply:
    return case.part(*case.range_of(request))


def stalled(count: int, **differently: Any) -> Answer:
    return lambda case, request, number: case.good(request, cut=count, hold=case.released, **differently)


def flipped(case: Case, request: Request, number: int) -> Reply:
    reply = case.good(request)
    return replace(reply, body=reply.body[:-1] + bytes([reply.body[-1] ^ 1]))


def whole(case: Case, request: Request, number: int) -> Reply:
    return Reply(200, case.content, {"ETag": etag_of(case.content)})


def whole_at_first_cut(case: Case, request: Request, number: int) -> Reply:
    return replace(whole(case, request, number), cut=len(case.content) // 2 if number == 1 else None)


def whole_after_the_first(case: Case, request: Request, number: int) -> Reply:
    return (good if number == 1 else whole)(case, request, number)


def chunked(case: Case, request: Request, number: int) -> Reply:
    reply = case.good(request)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(reply.body), reply.body)
    return replace(reply, body=body, headers={**reply.headers, "Transfer-Encoding": "chunked"})


def replaced(case: Case, request: Request, number: int) -> Reply:
    """Another content lies there once something of the first has come."""
    if number == 1:
        return case.good(request, cut=100_000)
    if number == 2:
        case.content = case.content[::-1]
    return case.good(request)


def replaced_without_conditions(case: Case, request: Request, number: int) -> Reply:
    """The same by a server that looks at no If-Match."""
    if number == 1:
        return case.good(request, cut=100_000)
    if number == 2:
        case.content = case.content[::-1]
    return case.part(*case.range_of(request))


def replaced_again_and_again(case: Case, request: Request, number: int) -> Reply:
    case.content = case.content[1:] + case.content[:1]
    return case.good(request)


FAULTS = (
    Fault("every answer is cut short", cut(200_000)),
    Fault("the first answers are cut at once", first(3, cut(10))),
    Fault("every answer is cut at once", cut(10), Unreachable),
    Fault(
        "longer answers are announced than come",
        lambda case, request, number: replace(asked(case, request), cut=99_999, body_length=77_000_000),
    ),
    Fault("connections are reset", cut(150_000, reset=True)),
    Fault("connections are reset at once, at first", first(3, cut(0, reset=True))),
    Fault("connections are reset at once", cut(0, reset=True), Unreachable),
    Fault("a burst of 503", first(3, always(Reply(503)))),
    Fault("a burst of 429 with Retry-After", first(3, always(Reply(429, headers={"Retry-After": "7"})))),
    Fault("503 now and then", lambda case, request, number: Reply(503) if number % 3 == 1 else case.good(request)),
    Fault("nothing but 503", always(Reply(503)), ServerFailure),
    Fault("nothing but 429", always(Reply(429, headers={"Retry-After": "7"})), ServerFailure),
    Fault("a burst of 500 to the question for facts", good, facts=first(3, always(Reply(500)))),
    Fault("the first answers stall in the middle", first(3, stalled(200_000))),
    Fault("the first answers stall before they begin", first(3, stalled(0, silent=True))),
    Fault("every answer stalls at once", stalled(10), Unreachable),
    Fault("the question for facts is not answered", good, Unreachable, facts=stalled(0, silent=True)),
    Fault("the first answers trickle", first(2, stalled(1000, trickle=True))),
    Fault("a bit is flipped", first(1, flipped)),
    Fault("a bit is always flipped", flipped, CorruptTransfer),
    Fault("ranges are ignored", whole),
    Fault("ranges are ignored, and the answer breaks off", whole_at_first_cut),
    Fault("ranges are ignored after a while", whole_after_the_first),
    Fault("200 with a Content-Range", lambda case, request, number: case.part(*case.range_of(request), status=200)),
    Fault("answers have no length", chunked),
    Fault("less comes than was asked for", lambda case, request, number: case.part(s := case.range_of(request)[0], s + 300_000)),
    Fault("more comes than was asked for", lambda case, request, number: case.part(case.range_of(request)[0], len(case.content))),
    Fault("answers begin earlier", lambda case, request, number: case.part(max(0, case.range_of(request)[0] - 1000), len(case.content))),
    Fault(
        "answers begin later", lambda case, request, number: case.part(case.range_of(request)[0] + 1, len(case.content)), CorruptTransfer
    ),
    Fault("a part does not say which", always(Reply(206, b"?" * 1000)), CorruptTransfer),
    Fault("another length is told", lambda case, request, number: case.part(*case.range_of(request), total=77_000_000), ContentChanged),
    Fault("another ETag is told", lambda case, request, number: case.part(*case.range_of(request), etag='"other"'), ContentChanged),
    Fault("the content is replaced on the way", replaced),
    Fault("the content is replaced, without a word", replaced_without_conditions),
    Fault("the content is replaced again and again", replaced_again_and_again, ContentChanged),
    Fault("ranges cannot be satisfied", always(Reply(416)), ContentChanged),
    Fault("conditions fail", always(Reply(412)), ContentChanged),
    Fault(
        "the content vanishes on the way",
        lambda case, request, number: cut(100_000)(case, request, 1) if number == 1 else Reply(404),
        NotFound,
    ),
    Fault(
        "access is withdrawn on the way",
        lambda case, request, number: cut(100_000)(case, request, 1) if number == 1 else Reply(403),
        Forbidden,
    ),
    Fault(
        "facts are only told with content",
        good,
        facts=lambda case, request, number: Reply(403) if request.method == "HEAD" else good(case, request, 1),
    ),
)
