"""All models of a lockfile checked in a process that has imported what is needed; each prints how long it took and what was found.

`heads ENDPOINT LOCK CACHE` asks for the headers of each object, `lists …` may look into the lists of the buckets; `by-hand …` sends the
same HEAD requests over a few sockets and looks at nothing but the status.
"""

from __future__ import annotations

import json
import resource
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from hubclient import Hub
from hubclient.check.finding import ProbeSettings
from hubclient.check.gather import lock_subjects
from hubclient.check.probe import Probing
from hubclient.lockfile import read_lock
from hubclient.settings import Settings

_SOCKETS = 8


def checked(endpoint: str, lock: str, cache: str, *, lists: bool) -> dict[str, Any]:
    hub = Hub(settings=Settings(cache_dir=Path(cache), s3_endpoint=endpoint, live_index=None), progress=False)
    subjects = list(lock_subjects(read_lock(Path(lock)), lock))
    start = time.perf_counter()
    found = Counter(finding.verdict for finding in Probing("size", ProbeSettings(hub, lock=Path(lock)), lists=lists).findings(subjects))
    return {"seconds": time.perf_counter() - start, "found": found}


def by_hand(endpoint: str, lock: str, cache: str) -> dict[str, Any]:
    parts = urlsplit(endpoint)
    requests = [
        f"HEAD /{quote(pin.source.removeprefix('s3://'), safe='/~')} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        for pin in read_lock(Path(lock)).pins
    ]
    statuses: Counter[str] = Counter()
    threads = [
        threading.Thread(target=_send, args=((parts.hostname, parts.port), requests[n::_SOCKETS], statuses)) for n in range(_SOCKETS)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - start, "found": statuses}


def _send(address: tuple[str, int], requests: list[bytes], statuses: Counter[str]) -> None:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(1 << 16)
            statuses[answer[9:12].decode()] += 1


def main(mode: str, *arguments: str) -> None:
    if mode == "by-hand":
        said: Mapping[str, Any] = by_hand(*arguments)
    else:
        said = checked(*arguments, lists=mode == "lists")
    print(json.dumps({**said, "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
