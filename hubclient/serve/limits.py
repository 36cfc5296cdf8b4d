"""What one request may ask for, what all together may, and how long anything may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """body: bytes of a request. texts: of one request. characters: of one text. queue: texts that wait or are worked on, of all requests.
    seconds: until an answer. connections: at once.

    head_bytes, head_seconds: the request's line and headers, all of them. body_seconds: the whole body. linger_seconds: what a client still
    sends after its answer is read for so long, so that it sees the answer. stop_seconds: how long the end waits for answers."""

    body: int = 2 << 20
    texts: int = 256
    characters: int = 20_000
    queue: int = 4096
    seconds: float = 30.0
    connections: int = 512
    head_bytes: int = 16 << 10
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    linger_seconds: float = 5.0
    stop_seconds: float = 60.0
