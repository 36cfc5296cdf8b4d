"""Names: safe on every file system, shared by nobody by accident, and a damaged or hostile one only costs a fetch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hubclient.store import Store, parse_name
from hubclient.store.naming import key_of
from tests.store.contents import FILES, ID, OTHER, add, manifest

LONGEST = "https://h/" + "x" * 300 + ".zip"


def test_identities_that_differ_in_case_only_are_two(store: Store) -> None:
    one, two = add(store, ID), add(store, ID.replace("Tiny", "tiny"), {"config.json": b"other"})
    records = [path.name for path in (store.root / "names").iterdir()]
    assert len({name.lower() for name in records}) == 2
    assert {entry.digest for entry in store.entries()} == {one.digest, two.digest}


@pytest.mark.parametrize(
    "identity",
    [
        "hf:Owner/Name@main",
        "s3://b/con.zip",
        "s3://b/aux.v1.zip",
        "s3://b/COM9.zip",
        "s3://b/..zip",
        "s3://b/trailing. .zip",
        "s3://b/a:b*c?d\"e<f>g|h.zip",
        "s3://b/é ü?.zip",
        LONGEST,
        "hf:a/b@c/d",
        "s3://b/a.zip from hf:a/b",
        "",
    ],
)  # fmt: skip
def test_keys_are_safe_everywhere(store: Store, identity: str) -> None:
    key = key_of(identity)
    assert key == key.lower()
    assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert key.partition(".")[0] not in {"con", "prn", "aux", "nul", "com9", "lpt1"}
    assert not key.startswith(".")
    assert add(store, identity) == store.find(identity)


def test_no_path_below_a_cache_is_long(store: Store) -> None:
    """Windows takes 259 characters, and has the cache in a folder of the user's."""
    longest: list[int] = []
    with store.lock(LONGEST), store.staging(LONGEST) as folder:
        (folder / "tokenizer_config.json").write_text("{}")
        longest += (len(str(path.relative_to(store.root))) for path in store.root.rglob("*"))
        entry = store.commit(folder, LONGEST)
    store.use(entry)
    longest += (len(str(path.relative_to(store.root))) for path in store.root.rglob("*"))
    assert max(longest) <= 130


def record_of(store: Store, identity: str = ID) -> Path:
    return store.root / "names" / f"{key_of(identity)}.json"


def change(store: Store, **fields: Any) -> bytes:
    return json.dumps({**json.loads(record_of(store).read_bytes()), **fields}).encode()


HOSTILE: list[dict[str, Any]] = [
    {"content": "../../../../etc"},
    {"content": "/etc"},
    {"content": "..\\..\\secrets"},
    {"content": "C:\\Windows"},
    {"content": ""},
    {"content": None},
    {"content": ["0" * 64]},
    {"content": "0" * 63 + "G"},
    {"content": "0" * 64 + "\n"},
    {"content": "0" * 64},
    {"identity": OTHER},
    {"identity": None},
    {"format": 2},
    {"stored": "yesterday"},
    {"stored": "2026-01-01T00:00:00"},
    {"stored": 7},
    {"own": {"labels": ["evil"]}},
    {"own": {"origin": {"url": "s3://b/k.zip", "run": "me"}}},
    {"own": {"origin": {"url": 7}}},
    {"own": {"origin": {"size": 7}}},
    {"own": {"origin": []}},
    {"own": {"name": ["a"]}},
    {"own": []},
    {"archive": {"size": 1, "sha256": "../../../../etc/passwd"}},
    {"archive": {"size": "x", "sha256": "0" * 64}},
    {"archive": 7},
]


@pytest.mark.parametrize("fields", HOSTILE, ids=str)
def test_a_hostile_record_costs_a_fetch_and_nothing_else(store: Store, fields: dict[str, Any]) -> None:
    add(store, files={**FILES, "manifest.json": manifest("one")})
    record_of(store).write_bytes(change(store, **fields))
    assert store.find(ID) is None
    assert store.entries() == []
    assert store.find(OTHER) is None
    assert {store.folder_of(name).parent for name in store.names()} <= {store.root / "contents"}
    entry = add(store, files={**FILES, "manifest.json": manifest("one")})
    assert store.find(ID) == entry
    assert entry.manifest["name"] == "one"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, b" " * (1 << 21)], ids=range(7))
def test_a_record_that_is_none(store: Store, content: bytes) -> None:
    entry = add(store)
    record_of(store).write_bytes(content)
    assert store.find(ID) is None
    assert store.entries() == []
    # The content is as good as ever: who pulls it again has it by its old folder.
    assert add(store) == entry


def test_a_record_cut_anywhere_is_none(store: Store) -> None:
    add(store, files={**FILES, "manifest.json": manifest("one")})
    whole = record_of(store).read_bytes().rstrip()
    for length in range(len(whole)):
        record_of(store).write_bytes(whole[:length])
        assert store.find(ID) is None


def test_a_record_copied_under_another_name_is_not_found(store: Store) -> None:
    add(store)
    record_of(store, OTHER).write_bytes(record_of(store).read_bytes())
    assert store.find(OTHER) is None
    assert [name.identity for name in store.names()] == [ID]


def test_a_link_in_the_place_of_a_record_is_replaced_not_written_through(store: Store, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (store.root / "names").mkdir(parents=True)
    record_of(store).symlink_to(tmp_path / "victim")
    add(store)
    assert (tmp_path / "victim").read_text() == "mine"
    assert not record_of(store).is_symlink()


def test_a_record_is_what_was_written(store: Store) -> None:
    name = add(store, files={**FILES, "manifest.json": manifest("é\u2028")}).name
    assert parse_name(name.to_json().encode()).own == name.own
    assert record_of(store).read_text(encoding="utf-8") == name.to_json()


def test_using_a_model_is_remembered(store: Store) -> None:
    entry = add(store)
    os.utime(record_of(store), (1, 1))
    before = store.find(ID)
    assert before is not None
    assert before.used.year == 1970
    assert store.use(entry)
    after = store.find(ID)
    assert after is not None
    assert after.used > entry.name.stored.replace(year=2000)


@pytest.mark.parametrize("time", [-(1 << 33), 1 << 33, 1 << 40])
def test_clocks_may_say_anything(store: Store, time: int) -> None:
    entry = add(store)
    try:
        os.utime(record_of(store), (time, time))
    except OSError:
        pytest.skip("the file system has no such time")
    assert store.find(ID) == entry
    assert store.entries() == [entry]
