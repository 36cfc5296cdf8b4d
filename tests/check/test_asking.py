"""Asking with manners."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient.check.asking import Asking
from hubclient.errors import Offline
from hubclient.settings import Settings
from hubclient.sources.location import location_at
from hubclient.sources.manners import Manners


def test_offline_nobody_waits_for_a_turn(tmp_path: Path) -> None:
    waited: list[float] = []
    asking = Asking(Settings(cache_dir=tmp_path, offline=True), Manners(0.001), sleep=waited.append)
    for _ in range(3):
        with pytest.raises(Offline):
            asking.stat(location_at("https://example.com/a.zip"))
    assert waited == []
