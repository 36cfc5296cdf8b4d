"""Disks that are full or read-only, caches that vanish, clocks and locks that do not work: the right bytes, or one clear error."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient import Hub, locks
from hubclient.errors import HubError, StoreError, StoreFull, StoreUnwritable
from hubclient.locks import Hold, try_lock
from hubclient.settings import Settings
from hubclient.store import Store, gate, staging
from hubclient.store import store as module
from tests.e2e.material import DEMO_ZIP, PUBMED_FOLDER
from tests.store.contents import FILES, ID, OTHER, READ_ONLY, add, everything, fill, in_namespace, manifest


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


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF])
def test_a_file_system_without_locks_is_no_failure(store: Store, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", flock)
    with store.lock(ID), store.lock(ID, lambda: pytest.fail("nobody waits")):
        entry = add(store)
    assert store.verify(entry.name) == []
    assert store.use(entry)
    assert add(store, OTHER).path == entry.path
    assert not [name for name in everything(store.root) if name.startswith("staging/")]
    assert store.remove([entry.name]) == 0
    assert try_lock(store.root / "locks" / "any").state == "unsupported"


def test_nobody_waits_for_ever_for_a_process_that_hangs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = add(store)
    monkeypatch.setattr(gate, "PATIENCE", 0.1)
    hanging = try_lock(store.root / "locks" / "names.lock")
    assert add(store, OTHER).path == entry.path
    assert store.remove([entry.name]) == 0
    assert store.leftovers() == []
    hanging.release()
    assert [found.identity for found in store.entries()] == [OTHER]


def test_a_lock_that_fails_otherwise_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(StoreUnwritable), store.lock(ID):
        pass


def test_a_lock_file_that_was_removed_while_it_was_waited_for_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    taken = locks._lock

    def removed_first(descriptor: int) -> locks.State:
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            monkeypatch.setattr(locks, "_lock", taken)
            path.unlink()
        return taken(descriptor)

    monkeypatch.setattr(locks, "_lock", removed_first)
    hold = try_lock(path)
    assert hold.state == "held"
    assert try_lock(path).state == "busy"
    hold.release()
    hold.release()
    assert try_lock(path).state == "held"


def test_a_lock_file_that_a_sweep_took_is_given_up_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []

    def first_busy(path: Path) -> Hold:
        tried.append(path)
        return Hold("busy") if len(tried) == 1 else try_lock(path)

    monkeypatch.setattr(staging, "try_lock", first_busy)
    with staging.staging_folder(tmp_path, "one") as folder:
        assert tried[1] == folder.with_name(folder.name + ".lock") != tried[0]


def test_without_locks_what_another_process_committed_meanwhile_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_out = staging.taken_out

    def late(path: Path, root: Path) -> Path | None:
        monkeypatch.setattr(module, "taken_out", taken_out)
        away = taken_out(path, root)
        add(Store(store.root), OTHER)
        return away

    monkeypatch.setattr(locks, "_lock", lambda descriptor: "unsupported")
    monkeypatch.setattr(module, "taken_out", late)
    entry = add(store)
    assert store.verify(entry.name) == []
    assert len(store.entries()) == 2


FULL = """
    import os, subprocess, sys
    from pathlib import Path
    from hubclient.errors import StoreFull
    from hubclient.store import Store
    root = Path(sys.argv[1])
    store = Store(root)
    told = []
    for size in range(100, 260, 4):
        # A disk of so many KiB: the files of the model fit in, or their marker, their name, or nothing does.
        subprocess.run(["mount", "-o", f"remount,size={size}k", root], check=True)
        try:
            with store.staging(sys.argv[2]) as folder:
                for name in range(4):
                    (folder / f"{name}.bin").write_bytes(os.urandom(40_000))
                store.commit(folder, sys.argv[2])
        except StoreFull as error:
            told.append("full")
        except OSError as error:
            assert error.errno == 28, error
            told.append("full while written")
        else:
            told.append("stored")
            store.remove([store.find(sys.argv[2]).name])
        left = [path for path in root.rglob("*") if path.is_file() and path.suffix not in (".lock", ".lease")]
        assert left == [], left
        assert store.entries() == []
    print(*dict.fromkeys(told), sep="\\n")
"""


def test_a_full_disk_leaves_nothing_whenever_it_is_full(tmp_path: Path) -> None:
    printed = in_namespace('mount -t tmpfs -o size=1m none "$1"', FULL, tmp_path, ID).splitlines()
    assert printed == ["full while written", "full", "stored"]


@pytest.mark.parametrize("failing", ["complete.json", ".part"])
def test_no_room_for_the_marker_or_for_the_name(store: Store, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    write = Path.write_text

    def full(path: Path, *arguments: str, **options: str) -> int:
        if path.name.endswith(failing):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StoreFull, match="no room"):
        add(store)
    assert everything(store.root) == set()
    monkeypatch.undo()
    assert store.verify(add(store).name) == []


def test_no_room_for_a_second_name_leaves_the_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = add(store)
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(errno.EDQUOT, "quota")))
    with pytest.raises(StoreFull):
        add(store, OTHER)
    assert store.entries() == [entry]


def test_a_full_disk_is_told_with_what_is_needed() -> None:
    from hubclient.sources.disk import disk_failure

    full = disk_failure(OSError(errno.ENOSPC, "No space left on device", "/x/y"), Path("/"), 7)
    assert isinstance(full, StoreFull)
    assert "7 bytes are needed" in str(full)


def test_a_cache_that_cannot_be_written_can_be_read(store: Store) -> None:
    add(store)
    before = everything(store.root)
    code = """
        import sys
        from pathlib import Path
        from hubclient.errors import StoreUnwritable
        from hubclient.store import Store
        store = Store(Path(sys.argv[1]))
        entry, = store.entries()
        print(store.find(entry.identity) == entry, store.verify(entry.name), store.use(entry), store.leftovers(), len(store.holdings()))
        staging, lock = store.staging, lambda: store.lock("x").__enter__()
        for attempt in (lambda: store.remove([entry.name]), lambda: staging("s3://b/c.zip").__enter__(), lock, store.clean):
            try:
                attempt()
            except StoreUnwritable as error:
                print(error.why)
    """
    printed = in_namespace(READ_ONLY, code, store.root)
    assert printed.splitlines() == ["True [] True [] 1", *4 * [os.strerror(errno.EROFS)]]
    assert everything(store.root) == before


def test_a_cache_below_a_file_reads_as_empty_and_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "cache")
    assert store.find(ID) is None
    assert not any(listed() for listed in (store.entries, store.names, store.holdings, store.leftovers))
    with pytest.raises(StoreUnwritable, match="HUBCLIENT_CACHE"), store.staging(ID):
        pass
    with pytest.raises(StoreUnwritable), store.lock(ID):
        pass


@contextmanager
def mask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("value", [0o000, 0o002, 0o022, 0o027, 0o077], ids=oct)
def test_modes_are_what_the_umask_says(store: Store, value: int) -> None:
    with mask(value), store.lock(ID), store.staging(ID) as folder:
        fill(folder, FILES)
        (folder.parent / "archive.zip").write_bytes(b"archive")
        entry = store.keep_archive(store.commit(folder, ID), folder.parent / "archive.zip", "f" * 64)
        store.use(entry)
        found = [store.root, *store.root.rglob("*")]
        wrong = [path for path in found if path.stat().st_mode & 0o777 != (0o777 if path.is_dir() else 0o666) & ~value]
        places = {path.parent.name for path in found if path.is_file()}
    assert wrong == []
    assert places >= {entry.digest, "names", "locks", "leases", "archives", "staging"}


def test_a_cache_deleted_while_a_model_is_built_is_one_error(store: Store) -> None:
    with store.staging(ID) as folder:
        fill(folder, FILES)
        shutil.rmtree(store.root)
        with pytest.raises(StoreError):
            store.commit(folder, ID)
    assert store.find(ID) is None
    assert store.verify(add(store).name) == []


def test_a_cache_deleted_between_content_and_name_is_one_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Store._write

    def gone(self: Store, name: object) -> None:
        shutil.rmtree(store.root)
        write(self, name)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "_write", gone)
    with pytest.raises(StoreError):
        add(store)
    monkeypatch.undo()
    assert store.find(ID) is None
    assert store.verify(add(store).name) == []


def test_a_cache_deleted_at_any_time(store: Store) -> None:
    """Whatever is deleted under it, a process has the right bytes or a HubError."""
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            time.sleep(0.004)
            shutil.rmtree(store.root, ignore_errors=True)

    thread = threading.Thread(target=delete)
    thread.start()
    outcomes = []
    try:
        for _ in range(150):
            try:
                with store.lock(ID), store.staging(ID) as folder:
                    try:
                        fill(folder, {**FILES, "manifest.json": manifest("one")})
                    except OSError:  # which is for who writes there to tell
                        continue
                    entry = store.commit(folder, ID)
                outcomes.append("stored")
                store.use(entry)
                store.entries()
            except HubError:
                outcomes.append("told")
    finally:
        stop.set()
        thread.join()
    assert outcomes
    assert store.verify(add(store).name) == []


def test_times_in_the_future_do_no_harm(store: Store) -> None:
    """A clock that is set back leaves files of times to come."""
    entry = add(store)
    then = time.time() + 10 * 365 * 86400
    for path in [store.root, *store.root.rglob("*")]:
        os.utime(path, (then, then))
    assert store.find(ID) == entry
    assert store.leftovers() == []
    assert store.use(entry)
    found = store.find(ID)
    assert found is not None
    assert found.used.timestamp() < time.time() + 60
    assert add(store, OTHER, {"other": b""}) in store.entries()
    assert store.verify(entry.name) == []


CONVERTING = """
    import os, subprocess, sys
    from pathlib import Path
    from hubclient import Hub
    from hubclient.errors import StoreFull
    from hubclient.settings import Settings

    root = Path(sys.argv[1])
    hub = Hub(settings=Settings(cache_dir=root, offline=True), progress=False)
    told = []
    for kilobytes in range(int(sys.argv[3]), 100_000, int(sys.argv[4])):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", root], check=True)
        try:
            folder = hub.pull(sys.argv[2])
        except StoreFull as error:
            told.append(str(error).splitlines()[0])
        left = [path for path in root.rglob("*") if path.is_file() and path.suffix not in (".lock", ".lease")]
        if hub.store.entries():
            break
        assert left == [], left
    (entry,) = hub.store.entries()
    assert hub.store.verify(entry.name) == []
    assert all(path.parent == entry.path or path.parent.name == "names" for path in left), left
    print(len(told), *dict.fromkeys(told), sep="\\n")
"""


@pytest.mark.parametrize(
    ("origin", "first", "step"), [(DEMO_ZIP, 1_000, 2_500), (PUBMED_FOLDER, 100, 200)], ids=["an archive", "a repository"]
)
def test_a_disk_that_fills_up_while_a_model_is_converted(tmp_path: Path, origin: Path, first: int, step: int) -> None:
    printed = in_namespace('mount -t tmpfs -o size=1m none "$1"', CONVERTING, tmp_path, origin, first, step).splitlines()
    assert int(printed[0]) >= 3
    assert set(printed[1:]) == {"there is no room left to store the model"}


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """A quota, as far as a process can have one to itself."""
    resource = pytest.importorskip("resource")
    hub = Hub(settings=Settings(cache_dir=tmp_path / "cache", offline=True), progress=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreFull):
            hub.pull(str(PUBMED_FOLDER))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert everything(hub.store.root) == set()
    assert hub.pull(str(PUBMED_FOLDER)).is_dir()
