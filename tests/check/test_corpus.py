"""All public cards at once: a lock of their archives' sizes and ETags, and what has happened to the archives since."""

from __future__ import annotations

import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.check.finding import ProbeSettings
from hubclient.check.gather import catalogue_subject, lock_subjects
from hubclient.check.locking import relock
from hubclient.check.probe import Probing
from hubclient.lockfile import Lock, read_lock, write_lock
from hubclient.settings import Settings
from hubclient.sources import S3Location
from tests.servers.seaweed import Seaweed, running_seaweed

pytestmark = pytest.mark.slow

COMMUNITY = "community.johnsnowlabs.com"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[tuple[Hub, Seaweed]]:
    """The cards, and a server that has a small object under each of their keys."""
    cards = tmp_path_factory.mktemp("cards")
    with zipfile.ZipFile(shared / "corpus" / "cards.zip") as archive:
        archive.extractall(cards)
    with running_seaweed(tmp_path_factory.mktemp("seaweed"), more_public=(COMMUNITY,)) as server:
        settings = Settings(cache_dir=tmp_path_factory.mktemp("cache"), card_folders=(cards,), s3_endpoint=server.endpoint, live_index=None)
        yield Hub(settings=settings, progress=False), server


def test_what_is_missing_and_what_was_replaced_is_found_exactly(hub: tuple[Hub, Seaweed], tmp_path: Path) -> None:
    hub_, server = hub
    settings = ProbeSettings(hub_)
    subjects = [catalogue_subject(card) for card in hub_.cards.values() if card.s3_parsed]
    assert len(subjects) >= 11_141
    sources = sorted({card.s3_parsed.uri for card in hub_.cards.values() if card.s3_parsed})
    for source in sources:
        location = S3Location.parse(source)
        server.put(location.bucket, location.key, source.encode())

    done = relock(Lock(), subjects, "size", settings)
    assert done.unpinned == ()
    mirrored = {str(pin) for pin in done.lock.pins if pin.etag is None}
    assert len(done.lock.pins) == len(sources)
    assert len(mirrored) <= 1  # the model that comes with hubclient
    path = tmp_path / "hubclient.lock"
    write_lock(done.lock, path)
    lock = read_lock(path)

    drawn = random.Random(11_141).sample([pin.source for pin in lock.pins if pin.etag], 222)
    missing, replaced = set(drawn[:111]), set(drawn[111:])
    for source in drawn:
        location = S3Location.parse(source)
        if source in missing:
            server.delete(location.bucket, location.key)
        else:
            # As long as before: the ETag alone tells.
            server.put(location.bucket, location.key, source.encode()[::-1])

    for lists in (True, False):
        told: dict[str, set[str]] = {}
        for finding in Probing("size", ProbeSettings(hub_, lock=path), lists=lists).findings(lock_subjects(lock, str(path))):
            told.setdefault(finding.rule.name, set()).add(lock.find(hub_.parse(finding.subject.reference)).source)
        assert {name: len(found) for name, found in told.items()} == {
            "available": len(sources) - 222,
            "gone": 111,
            "etag-changed": 111,
        }
        assert told["gone"] == missing
        assert told["etag-changed"] == replaced
    counted = Counter(finding.rule.name for finding in Probing("size", ProbeSettings(hub_, lock=path)).findings(subjects))
    assert counted["gone"] >= 111
    assert set(counted) == {"available", "gone", "etag-changed"}
