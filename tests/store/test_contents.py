"""What is found was committed whole, and a content is named by what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient.errors import StoreError
from hubclient.store import Store
from tests.store.contents import FILES, ID, OTHER, add, everything, fill, manifest

Spoil = Callable[[Path], object]


def test_what_was_committed_is_found(store: Store) -> None:
    assert store.find(ID) is None
    assert store.entries() == []
    entry = add(store)
    assert store.find(ID) == entry
    assert store.entries() == [entry]
    assert {name: (entry.path / name).read_bytes() for name in entry.files} == FILES
    assert entry.files["config.json"].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert entry.size == sum(map(len, FILES.values()))
    assert store.verify(entry.name) == []
    assert not list((store.root / "staging").iterdir())


def test_what_was_not_committed_is_gone(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "model").write_bytes(b"half")
    with suppress(KeyError), store.staging(ID) as folder:
        (folder / "model").write_bytes(b"half")
        raise KeyError
    assert everything(store.root) == set()
    assert store.find(ID) is None


def test_hashes_that_are_known_are_not_computed_again(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "big").write_bytes(b"content")
        entry = store.commit(folder, ID, {"big": "f" * 64})
    assert entry.files["big"].sha256 == "f" * 64


def test_two_names_of_one_content_share_it_and_each_says_its_own(store: Store) -> None:
    one, two = (add(store, identity, {**FILES, "manifest.json": manifest(name)}) for identity, name in ((ID, "one"), (OTHER, "two")))
    assert one.path == two.path
    assert [path.name for path in (store.root / "contents").iterdir()] == [one.digest]
    for identity, name in ((ID, "one"), (OTHER, "two")):
        said = store.find(identity)
        assert said is not None
        assert (said.manifest["name"], said.manifest["origin"]["url"], said.manifest["activation"]) == (
            name,
            f"s3://b/{name}.zip",
            "softmax",
        )


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "manifest.json": manifest("one", activation="sigmoid")},
        {**FILES, "manifest.json": manifest("one"), "config.json": b"[]"},
        {**FILES, "manifest.json": manifest("one"), "more.json": b""},
        {"config.json": FILES["config.json"], "manifest.json": manifest("one")},
        {**FILES, "manifest.json": b"not json"},
        {**FILES, "manifest.json": b"[]"},
        FILES,
    ],
    ids=["a fact", "a file", "one more", "fewer", "no JSON", "no object", "no manifest"],
)
def test_whatever_decides_answers_is_in_the_digest(store: Store, files: dict[str, bytes]) -> None:
    first = add(store, ID, {**FILES, "manifest.json": manifest("one")})
    assert add(store, OTHER, files).digest != first.digest


def test_a_digest_does_not_depend_on_the_order_of_the_manifest(store: Store) -> None:
    written = manifest("one")
    turned = json.dumps(dict(reversed(json.loads(written).items()))).encode()
    assert add(store, ID, {"manifest.json": written}).digest == add(store, OTHER, {"manifest.json": turned}).digest


def test_the_same_name_may_come_to_mean_another_content(store: Store) -> None:
    first = add(store)
    second = add(store, files={"config.json": b"other"})
    assert store.find(ID) == second
    assert store.entries() == [second]
    # Nobody means the first one any more: it goes with the next pull.
    assert [leftover.path for leftover in store.leftovers()] == [first.path]
    Store(store.root).clean()
    assert not first.path.exists()


def test_a_whole_content_stays_when_it_comes_again(store: Store) -> None:
    first = add(store)
    inode = (first.path / "config.json").stat().st_ino
    assert add(store) == first
    assert (first.path / "config.json").stat().st_ino == inode
    add(store, afresh=True)
    assert (first.path / "config.json").stat().st_ino != inode


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: path.write_bytes(b"?"),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["missing", "resized", "a link", "a folder"],
)
def test_a_damaged_content_is_none_and_is_replaced(store: Store, spoil: Spoil) -> None:
    entry = add(store)
    spoil(entry.path / "model.safetensors")
    assert store.find(ID) is None
    assert store.entries() == []
    assert [name.identity for name in store.names()] == [ID]
    assert store.verify(add(store).name) == []


MARKERS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"complete"',
    b"\xff\xfe",
    b"{}",
    b"[" * 100_000,
    b'{"format": 1, "digest": "DIGEST", "files": {}}',
    b'{"format": 2, "digest": "other", "files": {}}',
    b'{"format": 2, "digest": "DIGEST", "files": []}',
    b'{"format": 2, "digest": "DIGEST", "files": {"a": 1}}',
    b'{"format": 2, "digest": "DIGEST", "files": {"a": {"size": "x", "sha256": ""}}}',
    b'{"format": 2, "digest": "DIGEST", "files": {"../../../etc/passwd": {"size": 1, "sha256": ""}}}',
    b'{"format": 2, "digest": "DIGEST", "files": {"C:\\\\Windows\\\\win.ini": {"size": 1, "sha256": ""}}}',
    b'{"format": 2, "digest": "DIGEST", "files": {"a\\u0000": {"size": 1, "sha256": ""}}}',
]


@pytest.mark.parametrize("marker", MARKERS, ids=range(len(MARKERS)))
def test_without_a_whole_marker_there_is_no_content(store: Store, marker: bytes) -> None:
    entry = add(store)
    (entry.path / "complete.json").write_bytes(marker.replace(b"DIGEST", entry.digest.encode()))
    assert store.find(ID) is None
    assert store.entries() == []
    assert add(store) == entry


def test_the_marker_cut_anywhere_is_no_marker(store: Store) -> None:
    entry = add(store)
    marker = entry.path / "complete.json"
    whole = marker.read_bytes().rstrip()
    for length in range(len(whole)):
        marker.write_bytes(whole[:length])
        assert store.find(ID) is None


def test_a_content_copied_under_another_digest_is_not_found(store: Store) -> None:
    entry = add(store)
    other = add(store, OTHER, {"config.json": b"other"})
    other.path.rename(store.root / "away")
    entry.path.rename(other.path)
    assert store.find(OTHER) is None


def test_a_file_in_the_place_of_a_content_is_replaced(store: Store) -> None:
    place = add(store).path
    place.rename(store.root / "away")
    place.write_text("not a folder")
    assert add(store).path == place
    assert store.find(ID) is not None


@pytest.mark.parametrize("target", ["/etc/passwd", "config.json", "nowhere"])
def test_links_are_not_stored(store: Store, target: str) -> None:
    with store.staging(ID) as folder:
        fill(folder, FILES)
        (folder / "link").symlink_to(target)
        with pytest.raises(StoreError, match="plain files"):
            store.commit(folder, ID)
    assert store.find(ID) is None


@pytest.mark.parametrize("broken", [b"{", b"[]", b"[" * 100_000])
def test_a_manifest_that_cannot_be_read_is_told(store: Store, broken: bytes) -> None:
    entry = add(store, files={"manifest.json": broken})
    with pytest.raises(StoreError, match="manifest"):
        _ = entry.manifest


def test_a_finished_content_is_added_with_all_its_names(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "elsewhere")
    names = [add(there, identity, {**FILES, "manifest.json": manifest(name)}).name for identity, name in ((ID, "one"), (OTHER, "two"))]
    source = there.entries()[0]
    with store.staging(ID) as folder:
        fill(folder, {name: (source.path / name).read_bytes() for name in source.files})
        entries = store.add(folder, names, {name: file.sha256 for name, file in source.files.items()})
    assert [entry.manifest["name"] for entry in entries] == ["one", "two"]
    assert {entry.path for entry in entries} == {store.root / "contents" / source.digest}
    assert entries == store.entries()


def test_a_content_that_is_not_what_its_names_say_is_not_added(store: Store) -> None:
    name = add(store).name
    for damaged in (replace(name, content="0" * 64), name):
        with store.staging(OTHER) as folder:
            fill(folder, {**FILES, "config.json": b"[]"})
            with pytest.raises(StoreError, match="not what its name says"):
                store.add(folder, [replace(damaged, identity=OTHER)])
    assert store.find(OTHER) is None


def test_verify_says_what_is_wrong(store: Store) -> None:
    entry = add(store)
    (entry.path / "config.json").write_bytes(b"[]")
    (entry.path / "model.safetensors").unlink()
    (entry.path / "extra").write_text("")
    (entry.path / "link").symlink_to("extra")
    findings = store.verify(entry.name)
    assert [finding.file for finding in findings] == ["config.json", "model.safetensors", "extra", "link"]
    assert "SHA-256" in findings[0].problem
    assert findings[1].problem == "is missing"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "config.json").write_bytes(b"[]"), "config.json has SHA-256"),
        (lambda folder: (folder / "config.json").write_bytes(b""), "config.json has 0 bytes, 2 were stored"),
        (lambda folder: ((folder / "config.json").unlink(), (folder / "config.json").mkdir()), "config.json is not a plain file"),
        (lambda folder: (folder / "complete.json").write_bytes(b"{"), ". its complete.json cannot be used"),
        (lambda folder: (folder / "complete.json").unlink(), ". its complete.json cannot be used"),
        (lambda folder: folder.rename(folder.parent / "away"), ". is missing"),
        (lambda folder: rewrite(folder, b"[]"), ". is not the content that its name says"),
    ],
    ids=["a flipped byte", "cut off", "a folder", "a broken marker", "no marker", "no content", "a marker that lies"],
)
def test_verify_finds_every_kind_of_damage(store: Store, spoil: Spoil, told: str) -> None:
    entry = add(store)
    spoil(entry.path)
    (finding,) = store.verify(entry.name)
    assert f"{finding.file} {finding.problem}".startswith(told)


def rewrite(folder: Path, content: bytes) -> None:
    """A file and what the marker says of it: only the content's own name tells."""
    marker = json.loads((folder / "complete.json").read_bytes())
    (folder / "config.json").write_bytes(content)
    marker["files"]["config.json"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "complete.json").write_text(json.dumps(marker))


def test_verify_tells_how_far_it_is(store: Store) -> None:
    told: list[int] = []
    entry = add(store)
    store.verify(entry.name, told.append)
    assert sum(told) == entry.size
