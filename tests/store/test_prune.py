"""Which models go so that the cache is smaller, and what killed processes left."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubclient import locks
from hubclient.store import Holding, Name, Store
from hubclient.store.naming import key_of
from hubclient.store.prune import plan_prune
from tests.store.contents import ID, OTHER, add, everything

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def held(name: str, size: int, days: float, user: str | None = None) -> Holding:
    return Holding(name * 64, (Name(name, name * 64),), size, NOW - days * DAY, user)


# Least recently used first, as the store gives them.
HELD = (held("a", 100, 90), held("b", 10, 40), held("c", 50, 10), held("d", 40, -5))


@pytest.mark.parametrize(
    ("max_size", "older_than", "gone"),
    [
        (None, None, ""),
        (200, None, ""),
        (199, None, "a"),
        (100, None, "a"),
        (99, None, "ab"),
        (0, None, "abcd"),
        (None, 30, "ab"),
        (None, 40, "a"),
        (None, 1000, ""),
        (None, 0, "abc"),
        (60, 60, "abc"),
        (150, 60, "a"),
    ],
)
def test_plans(max_size: int | None, older_than: float | None, gone: str) -> None:
    age = None if older_than is None else older_than * DAY
    plan = plan_prune(HELD, NOW, max_size=max_size, older_than=age)
    assert "".join(removal.holding.names[0].identity for removal in plan.removals) == gone
    assert plan.spared == ()
    assert plan.before == 200
    assert plan.after == 200 - sum(holding.size for holding in HELD if holding.names[0].identity in gone)


def test_what_is_in_use_is_spared_and_others_go_in_its_place() -> None:
    holdings = (replace(HELD[0], user="7"), *HELD[1:])
    plan = plan_prune(holdings, NOW, max_size=150)
    assert [removal.holding.names[0].identity for removal in plan.removals] == ["b", "c"]
    assert [removal.why for removal in plan.spared] == ["in use by the process 7"]
    assert plan_prune(holdings, NOW, older_than=30 * DAY).after == 190


def used(store: Store, identity: str, seconds_ago: float) -> None:
    then = time.time() - seconds_ago
    os.utime(store.root / "names" / f"{key_of(identity)}.json", (then, then))


def test_holdings_come_least_recently_used_first_and_shared_contents_once(store: Store) -> None:
    for identity, files in ((ID, {"a": b"1"}), (OTHER, {"a": b"22"}), ("third", {"a": b"1"}), ("hf:a/b", {"a": b"4444"})):
        add(store, identity, files)
    for identity, ago in ((ID, 100), (OTHER, 50), ("third", 1), ("hf:a/b", 70)):
        used(store, identity, ago)
    holdings = store.holdings()
    assert [sorted(name.identity for name in holding.names) for holding in holdings] == [["hf:a/b"], [OTHER], sorted([ID, "third"])]
    freed = [store.remove(holding.names) for holding in holdings]
    assert freed == [holding.size for holding in holdings]
    assert everything(store.root) == set()


def test_a_kept_archive_is_counted_and_goes_with_its_model(store: Store) -> None:
    entries = [add(store, identity, files) for identity, files in ((ID, {"a": b"1"}), (OTHER, {"a": b"22"}), ("third", {"a": b"1"}))]
    for entry in entries[:2]:
        with store.staging(ID) as folder:
            (folder / "archive.zip").write_bytes(b"archive")
            kept = store.keep_archive(entry, folder / "archive.zip", "f" * 64)
        assert kept.archive is not None
        assert kept.archive.read_bytes() == b"archive"
        assert store.archive_of(kept.name) == kept.archive
    first, second = (store.find(identity) for identity in (ID, OTHER))
    assert first is not None
    assert second is not None
    # Its archive is another name's too, its content a third one's.
    assert store.remove([first.name]) == 0
    archive = second.archive
    assert archive is not None
    assert store.holdings()[-1].size > len(b"archive")
    assert store.freed_by([second.name]) == store.remove([second.name])
    assert not archive.exists()


def test_an_archive_is_verified_and_stays_with_a_model_that_comes_again(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "archive.zip").write_bytes(b"archive")
        sha256 = "39c9af4f6deb8d3ee4a5fc2d2b1a8b7a3c2ab76fc5f66b7e6b6c9aa1fdfa5e8e"
        kept = store.keep_archive(add(store), folder / "archive.zip", sha256)
    assert kept.archive is not None
    (finding,) = store.verify(kept.name)
    assert finding.file == str(kept.archive)
    assert "SHA-256" in finding.problem
    assert add(store, afresh=True).archive == kept.archive
    kept.archive.unlink()
    (finding,) = store.verify(kept.name)
    assert finding.problem == "is missing"


LEFT = {
    "staging/killed.1234/half": "left by a process that ended",
    "contents/" + "a" * 64 + "/config.json": "no name means it",
    "contents/not-a-digest/x": "no name means it",
    "archives/" + "b" * 64 + ".zip": "no name means it",
    "names/broken-0123.json": "a name without a content",
    "names/tiny.json.1234.part": "a name without a content",
    "transfers/some-key/part": "a transfer that was given up",
}


def leave(store: Store, *, days: float) -> None:
    then = time.time() - days * 86400
    for name in LEFT:
        path = store.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
        os.utime(path, (then, then))
        os.utime(path.parent, (then, then))


@pytest.mark.parametrize("days", [2, -2, -10_000], ids=["two days ago", "a clock that was set back", "a clock that was far off"])
def test_leftovers_are_found_and_removed(store: Store, days: float) -> None:
    entry = add(store)
    before = everything(store.root)
    leave(store, days=days)
    found = store.leftovers()
    told = {leftover.path.relative_to(store.root).as_posix(): leftover.what for leftover in found}
    assert {name: what for name, what in LEFT.items() if name in told or name.rpartition("/")[0] in told} == LEFT
    assert set(told.values()) == set(LEFT.values())
    assert all(leftover.size == 4 for leftover in found)
    assert [leftover.path for leftover in store.clean()] == [leftover.path for leftover in found]
    assert everything(store.root) == before
    assert store.find(ID) == entry
    assert store.leftovers() == []


def test_a_pull_cleans_up_too(store: Store) -> None:
    add(store)
    before = everything(store.root)
    leave(store, days=2)
    add(Store(store.root), OTHER, {"other": b""})
    assert len(everything(store.root) - before) == 4
    assert {name for name in LEFT if (store.root / name).exists()} == set()


def test_what_is_young_may_still_be_somebodys(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transfers and staging folders always; contents and names where there are no locks to tell."""
    add(store)
    leave(store, days=0)
    young = {"left by a process that ended", "a transfer that was given up"}
    assert {leftover.what for leftover in store.leftovers()} == set(LEFT.values()) - young
    monkeypatch.setattr(locks, "_lock", lambda descriptor: "unsupported")
    assert store.leftovers() == store.clean() == []
    assert all((store.root / name).exists() for name in LEFT)


def test_a_transfer_that_somebody_works_on_is_left_alone(store: Store) -> None:
    folder = store.root / "transfers" / "key"
    folder.mkdir(parents=True)
    hold = locks.try_lock(folder / "lock")
    for path in (folder / "lock", folder):
        os.utime(path, (1, 1))
    assert store.leftovers() == []
    hold.release()
    assert [leftover.path for leftover in store.clean()] == [folder]


def test_locks_that_nobody_holds_are_removed_when_they_are_old(store: Store) -> None:
    add(store)
    with store.lock(ID), store.lock(OTHER):
        pass
    (held_file, *others) = sorted((store.root / "locks").glob("tiny*"))
    for path in (held_file, *others):
        os.utime(path, (1, 1))
    hold = locks.try_lock(held_file)
    store.clean()
    assert held_file.exists()
    assert not any(path.exists() for path in others)
    hold.release()


def test_a_cache_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert store.leftovers() == []
    assert store.holdings() == []
    assert not store.root.exists()


def test_a_record_whose_content_is_gone_is_cleaned_up(store: Store) -> None:
    entry = add(store)
    entry.path.rename(store.root / "away")
    assert [leftover.what for leftover in store.leftovers()] == ["a name without a content"]
    store.clean()
    assert store.names() == []


def test_a_damaged_model_is_none_of_the_leftovers(store: Store) -> None:
    entry = add(store)
    (entry.path / "config.json").unlink()
    assert store.leftovers() == []
    assert [holding.digest for holding in store.holdings()] == [entry.digest]
