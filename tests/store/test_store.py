"""The store: what is found was complete, and nothing that goes wrong changes that."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from pathlib import Path

import filelock
import pytest

from hubclient.errors import StoreError, StoreFull, StoreUnwritable
from hubclient.locks import Hold, try_lock
from hubclient.store import Entry, Finding, Store, staging
from hubclient.store.naming import key_of

ID = "s3://models.example/public/models/Tiny_en_3.4.4.zip"
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 1000, "onnx/model.onnx": b"graph"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def add(store: Store, identity: str = ID, files: dict[str, bytes] = FILES) -> Entry:
    with store.staging(identity) as folder:
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return store.commit(folder, identity)


def left_in_staging(store: Store) -> list[Path]:
    return list((store.root / "staging").iterdir())


def test_what_was_committed_is_found(store: Store) -> None:
    assert store.find(ID) is None
    assert store.entries() == []
    entry = add(store)
    assert store.find(ID) == entry
    assert store.entries() == [entry]
    assert {name: (entry.path / name).read_bytes() for name in entry.files} == FILES
    assert entry.files["config.json"].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert entry.size == sum(map(len, FILES.values()))
    assert store.verify(entry) == []
    assert left_in_staging(store) == []


def test_what_was_not_committed_is_gone(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "model").write_bytes(b"half")
    with suppress(KeyError), store.staging(ID) as folder:
        (folder / "model").write_bytes(b"half")
        raise KeyError
    assert left_in_staging(store) == []
    assert store.find(ID) is None


def test_hashes_that_are_known_are_not_computed_again(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "big").write_bytes(b"content")
        entry = store.commit(folder, ID, {"big": "f" * 64})
    assert entry.files["big"].sha256 == "f" * 64


def test_identities_that_differ_in_case_only_are_two(store: Store) -> None:
    one, two = add(store, ID), add(store, ID.replace("Tiny", "tiny"))
    assert one.path.name.lower() != two.path.name.lower()
    assert len(store.entries()) == 2


@pytest.mark.parametrize(
    "identity",
    [
        "hf:Owner/Name@main",
        "s3://b/con.zip",
        "s3://b/aux.v1.zip",
        "s3://b/..zip",
        "s3://b/é ü?.zip",
        "https://h/" + "x" * 300 + ".zip",
        "hf:a/b@c/d",
        "",
    ],
)
def test_keys_are_safe_everywhere(identity: str) -> None:
    key = key_of(identity)
    assert len(key) < 120
    assert key == key.lower()
    assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert key.partition(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert not key.startswith(".")


def test_a_complete_entry_stays_when_another_comes(store: Store) -> None:
    first = add(store)
    inode = (first.path / "config.json").stat().st_ino
    assert add(store, files={"config.json": b"other"}) == first
    assert (first.path / "config.json").stat().st_ino == inode
    assert left_in_staging(store) == []


def test_a_missing_or_resized_file_makes_it_no_entry_and_is_replaced(store: Store) -> None:
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"?"), lambda path: (path.unlink(), path.symlink_to("/etc/passwd"))):
        entry = add(store)
        spoil(entry.path / "model.safetensors")
        assert store.find(ID) is None
        assert store.entries() == []
        assert store.verify(add(store)) == []


@pytest.mark.parametrize(
    "marker",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"complete"',
        b"\xff\xfe",
        b"{}",
        b'{"format": 2, "identity": "", "files": {}}',
        b'{"format": 1, "identity": "", "files": []}',
        b'{"format": 1, "identity": "", "files": {"a": 1}}',
        b'{"format": 1, "identity": "", "files": {"a": {"size": "x", "sha256": ""}}}',
        b'{"format": 1, "identity": "", "files": {"../../../etc/passwd": {"size": 1, "sha256": ""}}}',
        b'{"format": 1, "identity": "", "files": {"a\\u0000": {"size": 1, "sha256": ""}}}',
    ],
)
def test_without_a_whole_marker_there_is_no_entry(store: Store, marker: bytes) -> None:
    entry = add(store)
    (entry.path / "complete.json").write_bytes(marker)
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


def test_an_entry_copied_under_another_name_is_not_found(store: Store) -> None:
    entry = add(store)
    entry.path.rename(entry.path.with_name(key_of("s3://b/other.zip")))
    assert store.find("s3://b/other.zip") is None


def test_a_file_in_the_place_of_an_entry_is_replaced(store: Store) -> None:
    place = store.root / "models" / key_of(ID)
    place.parent.mkdir(parents=True)
    place.write_text("not a folder")
    assert add(store).path == place
    assert store.find(ID) is not None


def test_links_are_not_stored(store: Store) -> None:
    with store.staging(ID) as folder:
        (folder / "link").symlink_to("/etc/passwd")
        with pytest.raises(StoreError, match="plain files"):
            store.commit(folder, ID)
    assert store.find(ID) is None


def test_verify_says_what_is_wrong(store: Store) -> None:
    entry = add(store)
    (entry.path / "config.json").write_bytes(b"[]")
    (entry.path / "model.safetensors").unlink()
    (entry.path / "extra").write_text("")
    findings = store.verify(entry)
    assert [finding.file for finding in findings] == ["config.json", "model.safetensors", "extra"]
    assert "SHA-256" in findings[0].problem
    assert findings[1] == Finding("model.safetensors", "is missing")


def test_remove(store: Store) -> None:
    entry = add(store)
    assert store.remove(entry) == entry.size
    assert store.find(ID) is None
    assert store.remove(entry) == 0
    assert left_in_staging(store) == []


def test_the_manifest_is_read_when_asked_for(store: Store) -> None:
    entry = add(store, files={"manifest.json": json.dumps({"name": "tiny"}).encode()})
    assert entry.manifest == {"name": "tiny"}
    for broken in (b"{", b"[]"):
        (entry.path / "manifest.json").write_bytes(broken)
        with pytest.raises(StoreError, match="manifest"):
            _ = Entry(entry.identity, entry.path, entry.files).manifest


def test_committed_folders_can_be_read_by_others(store: Store) -> None:
    mask = os.umask(0o022)
    try:
        entry = add(store)
    finally:
        os.umask(mask)
    assert entry.path.stat().st_mode & 0o777 == 0o755


def test_a_cache_below_a_file_reads_as_empty_and_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "cache")
    assert store.find(ID) is None
    assert store.entries() == []
    with pytest.raises(StoreUnwritable, match="HUBCLIENT_CACHE"), store.staging(ID):
        pass
    with pytest.raises(StoreUnwritable), store.lock(ID):
        pass


def python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_two_processes_that_commit_the_same_make_one_entry(store: Store) -> None:
    code = """
        import sys
        from pathlib import Path
        from hubclient.store import Store
        store = Store(Path(sys.argv[1]))
        for turn in range(20):
            identity = f"s3://b/{turn}.zip"
            with store.staging(identity) as folder:
                (folder / "model").write_bytes(sys.argv[2].encode() * 1000)
                entry = store.commit(folder, identity)
                assert store.find(identity) == entry
    """
    processes = [python(code, store.root, letter) for letter in "abc"]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    entries = store.entries()
    assert len(entries) == 20
    assert all(store.verify(entry) == [] for entry in entries)
    assert left_in_staging(store) == []


STAGE_AND_WAIT = """
    import sys
    from pathlib import Path
    from hubclient.store import Store
    with Store(Path(sys.argv[1])).staging(sys.argv[2]) as folder:
        (folder / "model").write_bytes(b"half")
        print("staged", flush=True)
        sys.stdin.read()
"""


def test_a_killed_process_leaves_a_store_that_works_and_is_swept(store: Store) -> None:
    with python(STAGE_AND_WAIT, store.root, ID) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"staged\n"
        process.send_signal(signal.SIGKILL)
    assert left_in_staging(store)
    assert store.find(ID) is None
    assert store.verify(add(store)) == []
    assert left_in_staging(store) == []


def test_what_a_living_process_stages_is_left_alone(store: Store) -> None:
    with python(STAGE_AND_WAIT, store.root, ID) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before = set(left_in_staging(store))
        add(store, "s3://b/other.zip")
        assert set(left_in_staging(store)) == before
        process.communicate(b"")
    assert left_in_staging(store) == []


def test_leftovers_without_a_lock_are_swept_when_they_are_old(store: Store) -> None:
    young, old = store.root / "staging" / "young.1", store.root / "staging" / "old.1"
    for folder in (young, old):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    add(store)
    assert left_in_staging(store) == [young]


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    waited = threading.Event()
    inside: list[str] = []

    def second() -> None:
        with store.lock(ID, waited.set):
            inside.append("second")

    with store.lock(ID):
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(60)
        inside.append("first")
    thread.join()
    assert inside == ["first", "second"]


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "no locks"), OSError(errno.ENOTSUP, "no locks"), NotImplementedError()])
def test_a_file_system_without_locks_is_no_failure(store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def acquire(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with store.lock(ID):
        assert store.verify(add(store)) == []
    assert left_in_staging(store) == []


def in_namespace(mount: str, code: str, *arguments: object) -> str:
    """Run Python where `mount` is possible without any rights outside: what it prints."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces cannot be made here")
    script = f'{mount} && shift && exec "$0" -c "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable, str(arguments[0]), textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mount namespaces are Linux's")
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from hubclient.errors import StoreFull
        from hubclient.sources.disk import disk_errors
        from hubclient.store import Store
        store = Store(Path(sys.argv[1]))
        try:
            with store.staging("s3://b/a.zip") as folder, disk_errors(folder, needed=2_000_000):
                (folder / "model").write_bytes(bytes(2_000_000))
        except StoreFull as error:
            print(error)
        print(os.listdir(store.root / "staging"), store.entries())
    """
    printed = in_namespace('mount -t tmpfs -o size=1m none "$1"', code, tmp_path)
    assert "2,000,000 bytes are needed" in printed
    assert printed.endswith("[] []\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mount namespaces are Linux's")
def test_a_cache_that_cannot_be_written_can_be_read(store: Store) -> None:
    add(store)
    code = """
        import sys
        from pathlib import Path
        from hubclient.errors import StoreUnwritable
        from hubclient.store import Store
        store = Store(Path(sys.argv[1]))
        entry, = store.entries()
        print(store.find(entry.identity) == entry, store.verify(entry))
        attempts = (lambda: store.remove(entry), lambda: store.staging("s3://b/c.zip").__enter__(), lambda: store.lock("x").__enter__())
        for attempt in attempts:
            try:
                attempt()
            except StoreUnwritable as error:
                print(error.why)
    """
    printed = in_namespace('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"', code, store.root)
    assert printed.splitlines() == ["True []", *3 * [os.strerror(errno.EROFS)]]


def test_a_full_disk_is_told_with_what_is_needed() -> None:
    from hubclient.sources.disk import disk_failure

    full = disk_failure(OSError(errno.ENOSPC, "No space left on device", "/x/y"), Path("/"), 7)
    assert isinstance(full, StoreFull)
    assert "7 bytes are needed" in str(full)


def test_a_lock_file_that_a_sweep_took_is_given_up_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []

    def first_busy(path: Path) -> Hold:
        tried.append(path)
        return Hold("busy") if len(tried) == 1 else try_lock(path)

    monkeypatch.setattr(staging, "try_lock", first_busy)
    with Store(tmp_path).staging("one") as folder:
        assert tried[1] == folder.with_name(folder.name + ".lock") != tried[0]
