"""Shared caches: looked in after the user's own, and never written to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hubclient.errors import StoreUnwritable
from hubclient.store import Store
from tests.store.contents import FILES, ID, OTHER, READ_ONLY, add, everything, in_namespace, manifest

THIRD = "hf:owner/repo"


@pytest.fixture
def shared(tmp_path: Path) -> Store:
    """A cache with one model."""
    store = Store(tmp_path / "shared")
    add(store)
    return store


@pytest.fixture
def layered(store: Store, shared: Store) -> Store:
    return Store(store.root, [shared.root])


def state(root: Path) -> dict[str, tuple[int, int]]:
    """All that a write would change."""
    return {str(path.relative_to(root)): (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in (root, *root.rglob("*"))}


def test_what_is_shared_is_found_and_never_written_to(layered: Store, shared: Store) -> None:
    before = state(shared.root)
    entry = layered.find(ID)
    assert entry is not None
    assert entry.path.is_relative_to(shared.root)
    assert layered.entries() == [entry]
    assert layered.use(entry)
    assert layered.verify(entry.name) == []
    with pytest.raises(StoreUnwritable, match="shared cache"):
        layered.remove([entry.name], force=True)
    assert layered.holdings() == []
    assert layered.clean() == layered.leftovers() == []
    add(layered, OTHER, {"config.json": b"other"})
    assert state(shared.root) == before


def test_a_content_that_is_shared_is_not_stored_twice(layered: Store, shared: Store) -> None:
    entry = add(layered, OTHER)
    assert entry.path.is_relative_to(shared.root)
    assert layered.find(OTHER) == entry
    assert not list((layered.root / "contents").glob("*"))
    assert layered.leftovers() == []
    assert shared.find(OTHER) is None
    # The name is the user's own, and may go; the content stays.
    assert layered.remove([entry.name]) == 0
    assert layered.find(OTHER) is None
    assert layered.find(ID) is not None


def test_ones_own_comes_first(layered: Store, shared: Store) -> None:
    own = add(layered, ID, {"config.json": b"own"})
    assert own.path.is_relative_to(layered.root)
    assert layered.find(ID) == own
    assert layered.entries() == [own]
    assert shared.find(ID) != own
    layered.remove([own.name])
    assert layered.find(ID) == shared.find(ID)


def test_several_are_looked_in_in_their_order(store: Store, shared: Store, tmp_path: Path) -> None:
    second = Store(tmp_path / "second")
    add(second, ID, {"config.json": b"second"})
    both = add(second, OTHER, {"config.json": b"other"})
    layered = Store(store.root, [shared.root, tmp_path / "nowhere", second.root, store.root])
    assert layered.find(ID) == shared.find(ID)
    assert layered.find(OTHER) == both
    assert {entry.identity for entry in layered.entries()} == {ID, OTHER}


def test_a_shared_cache_that_vanishes_costs_a_fetch(layered: Store, shared: Store) -> None:
    add(layered, OTHER)
    shutil.rmtree(shared.root)
    assert layered.find(ID) is None
    assert layered.find(OTHER) is None
    assert add(layered, OTHER).path.is_relative_to(layered.root)


def test_a_damaged_shared_model_is_mended_in_ones_own_cache(layered: Store, shared: Store) -> None:
    entry = layered.find(ID)
    assert entry is not None
    (entry.path / "config.json").write_bytes(b"[]")
    assert [finding.file for finding in layered.verify(entry.name)] == ["config.json"]
    mended = add(layered, ID, FILES, afresh=True)
    assert mended.path.is_relative_to(layered.root)
    assert layered.find(ID) == mended
    assert layered.verify(mended.name) == []


def test_a_resized_file_of_a_shared_model(layered: Store) -> None:
    entry = layered.find(ID)
    assert entry is not None
    (entry.path / "config.json").write_bytes(b"longer")
    assert layered.find(ID) is None
    assert add(layered).path.is_relative_to(layered.root)


def test_a_shared_cache_on_a_read_only_disk(layered: Store, shared: Store) -> None:
    add(shared, THIRD, {**FILES, "manifest.json": manifest("three")})
    code = """
        import sys
        from pathlib import Path
        from hubclient.store import Store
        store = Store(Path(sys.argv[2]), [Path(sys.argv[1])])
        for entry in store.entries():
            print(entry.identity, store.use(entry), store.verify(entry.name))
    """
    printed = in_namespace(READ_ONLY, code, shared.root, layered.root)
    assert sorted(printed.splitlines()) == [f"{THIRD} True []", f"{ID} True []"]
    assert everything(shared.root)


def test_a_hostile_shared_record_leads_nowhere(layered: Store, shared: Store, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (record,) = (shared.root / "names").iterdir()
    text = record.read_text()
    digest = os.listdir(shared.root / "contents")[0]
    record.write_text(text.replace(digest, "../../secret"))
    assert layered.find(ID) is None
    assert layered.entries() == []
