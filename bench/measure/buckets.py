"""An S3 server of the tests, with a small object under the key of every card."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measure.material import ROOT

sys.path.insert(0, str(ROOT))

from tests.servers.seaweed import PUBLIC_BUCKET, Seaweed, running_seaweed

_SEED = 11141


@dataclass(frozen=True)
class Shelf:
    """`sources`: the addresses of all objects."""

    server: Seaweed
    sources: Sequence[str]

    def change(self, share: float) -> int:
        """Remove this share of the objects, and replace as many by others of the same length; gives how many of each."""
        count = round(share * len(self.sources))
        drawn = random.Random(_SEED).sample(self.sources, 2 * count)
        for source in drawn[:count]:
            self.server.delete(*_parted(source))
        for source in drawn[count:]:
            self.server.put(*_parted(source), source.encode()[::-1])
        return count


@contextmanager
def shelf(sources: Sequence[str], folder: Path) -> Iterator[Shelf]:
    """`sources` are `s3://BUCKET/KEY`; every bucket may be read and listed by anybody."""
    buckets = tuple(sorted({_parted(source)[0] for source in sources} - {PUBLIC_BUCKET}))
    with running_seaweed(folder, more_public=buckets) as server:
        for source in sources:
            server.put(*_parted(source), source.encode())
        yield Shelf(server, sources)


def _parted(source: str) -> tuple[str, str]:
    bucket, _, key = source.removeprefix("s3://").partition("/")
    return bucket, key
