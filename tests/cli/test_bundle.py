"""`hub bundle` and what `hub import` takes from a bundle: all of it if it is right, and nothing that is not expected."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.bundles.form import FILE
from hubclient.bundles.tar import BLOCK, header
from hubclient.errors import ArchiveError, CorruptArchive, HubError, NotAnArchive, SomeFailed, StoreFull, UnsafeArchive, UsageError
from hubclient.imports.result import Imported
from hubclient.settings import Settings
from tests.cli.bundle_parts import Part, put_together, taken_apart, with_file, with_manifest
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, IMDB, PUBMED, TREC6_ZIP
from tests.e2e.shell import HUB, holdings, hub

TEXT = "I really liked that movie!"
DEMO_ID = f"s3://{BUCKET}/{DEMO_KEY}"


@pytest.fixture(scope="session")
def good(stocked: Path) -> bytes:
    """The bundle of two models."""
    out = io.BytesIO()
    Hub(settings=Settings(stocked, offline=True), progress=False).bundle([DEMO, PUBMED], out)
    return out.getvalue()


@pytest.fixture
def other(tmp_path: Path, catalogue: Path) -> Hub:
    """Another machine."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "catalogue").symlink_to(catalogue, target_is_directory=True)
    return Hub(settings=Settings(tmp_path / "other", offline=True, live_index=None), progress=False)


def imported(hub: Hub, bundle: bytes, tmp_path: Path) -> list[Imported]:
    (tmp_path / "b.tar").write_bytes(bundle)
    return list(hub.import_(tmp_path / "b.tar"))


class TestThere:
    def test_and_back(self, shop: Path, tmp_path: Path) -> None:
        done = hub("bundle", DEMO, PUBMED, "-o", tmp_path / "b.tar")
        assert (done.code, done.out) == (0, f"{tmp_path / 'b.tar'}\n"), done.err
        assert f"sha256 {hashlib.sha256((tmp_path / 'b.tar').read_bytes()).hexdigest()}" in done.err
        env = {"HUBCLIENT_CACHE": str(tmp_path / "other")}
        taken = hub("import", tmp_path / "b.tar", env=env)
        assert taken.code == 0, taken.err
        assert [Path(line).parent for line in taken.lines] == [tmp_path / "other" / "contents"] * 2
        assert hub("predict", DEMO, TEXT, env=env).out.startswith("pos\t")
        assert hub("verify", "--all", env=env).code == 0
        again = hub("import", tmp_path / "b.tar", "--json", env=env)
        assert [json.loads(line)["state"] for line in again.lines] == ["there already"] * 2

    def test_by_pipe(self, shop: Path, tmp_path: Path) -> None:
        env = {**os.environ, "PYTHONWARNINGS": "error"}
        with subprocess.Popen([HUB, "bundle", DEMO, "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as sender:
            taken = subprocess.run(
                [HUB, "import", "-", "--cache-dir", tmp_path / "other", "--json"], stdin=sender.stdout, capture_output=True, env=env
            )
        assert (sender.returncode, taken.returncode) == (0, 0), taken.stderr
        assert json.loads(taken.stdout)["identity"] == DEMO_ID

    def test_the_same_models_give_the_same_bytes(self, stocked: Path, good: bytes) -> None:
        out = io.BytesIO()
        made = Hub(settings=Settings(stocked, offline=True), progress=False).bundle([PUBMED, DEMO, PUBMED], out)
        assert out.getvalue() == good
        assert (made.size, made.sha256) == (len(good), hashlib.sha256(good).hexdigest())

    def test_it_is_a_tar_file_that_begins_with_its_hashes(self, good: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(good)) as tar:
            first, *others = tar.getmembers()
            manifest = json.load(tar.extractfile(first))  # type: ignore[arg-type]
            for info in others:
                _, digest, name = info.name.split("/")
                content = tar.extractfile(info).read()  # type: ignore[union-attr]
                assert manifest["contents"][digest][name] == {"size": info.size, "sha256": hashlib.sha256(content).hexdigest()}
        assert first.name == FILE
        assert [name["own"]["name"] for name in manifest["names"]] == [PUBMED, DEMO]

    def test_several_names_of_one_content_share_it(self, stocked: Path, tmp_path: Path, other: Hub) -> None:
        sender = Hub(settings=Settings(tmp_path / "cache", offline=True), progress=False)
        sender.pull(DEMO)
        key = DEMO_KEY.replace(DEMO, "twin")
        (tmp_path / "mirror" / BUCKET / key).parent.mkdir(parents=True)
        (tmp_path / "mirror" / BUCKET / key).write_bytes((Path(__file__).parents[2] / "mirror" / BUCKET / DEMO_KEY).read_bytes())
        Hub(settings=Settings(tmp_path / "cache", mirrors=(tmp_path / "mirror",), offline=True), progress=False).pull(
            f"s3://{BUCKET}/{key}"
        )
        made = sender.bundle([DEMO, f"s3://{BUCKET}/{key}"], tmp_path / "b.tar")
        assert len(made.models) == 2
        assert made.size < 1.1 * sum(path.stat().st_size for path in sender.pull(DEMO).iterdir())
        results = list(other.import_(tmp_path / "b.tar"))
        assert len({result.entry.digest for result in results if result.entry}) == 1
        assert {entry.name.own["name"] for entry in other.store.entries()} == {DEMO, "twin"}

    def test_what_is_not_here_is_pulled_first(self, tmp_path: Path) -> None:
        Hub(progress=False, offline=True).bundle([DEMO], tmp_path / "b.tar")
        assert [part.folder[:9] for part in taken_apart((tmp_path / "b.tar").read_bytes())[1:]] == ["contents/"] * 6

    def test_all_or_nothing(self, shop: Path, tmp_path: Path) -> None:
        done = hub("bundle", DEMO, IMDB, "no_such_model", "-o", tmp_path / "b.tar")
        assert done.code == SomeFailed.exit_code
        assert "nothing was bundled" in done.err
        assert hub("bundle", DEMO, IMDB, "-o", tmp_path / "b.tar").code == 5
        assert list(tmp_path.iterdir()) == []

    def test_a_native_folder_is_not_in_the_cache(self, shop: Path, tmp_path: Path) -> None:
        hub("pull", DEMO, "--local-dir", tmp_path / "local")
        with pytest.raises(UsageError, match="a bundle is made of what is"):
            Hub(progress=False).bundle([str(tmp_path / "local")], tmp_path / "b.tar")

    def test_a_model_that_is_damaged_is_not_passed_on(self, tmp_path: Path) -> None:
        sender = Hub(progress=False, offline=True)
        weights = sender.pull(DEMO) / "model.safetensors"
        damaged = bytearray(weights.read_bytes())
        damaged[-1] ^= 1
        weights.write_bytes(damaged)
        with pytest.raises(HubError, match="a stored model is damaged"):
            sender.bundle([DEMO], tmp_path / "b.tar")
        assert not [path for path in tmp_path.iterdir() if path.is_file()]

    @pytest.mark.parametrize("arguments", [["-o", "-", "--json"], []])
    def test_a_bundle_is_no_text(self, arguments: list[str], shop: Path) -> None:
        done = hub("bundle", DEMO, *arguments)
        assert (done.code, done.out) == (2, "")


class TestDamaged:
    """Models that are right are taken; one that is not is told."""

    def test_a_byte_of_one_model(self, good: bytes, other: Hub, tmp_path: Path) -> None:
        parts = taken_apart(good)
        parts[1].data = b"?" + parts[1].data[1:]
        bad, fine = imported(other, put_together(parts), tmp_path)
        assert (bad.state, fine.state) == ("failed", "imported")
        assert isinstance(bad.error, CorruptArchive)
        assert len(other.store.entries()) == 1
        assert not list((tmp_path / "other" / "staging").iterdir())

    def test_the_exit_code_says_so(self, good: bytes, tmp_path: Path) -> None:
        parts = taken_apart(good)
        parts[1].data = b"?" + parts[1].data[1:]
        (tmp_path / "b.tar").write_bytes(put_together(parts))
        done = hub("import", tmp_path / "b.tar", "--json", "--cache-dir", tmp_path / "other")
        assert done.code == SomeFailed.exit_code
        states = [(record["state"], record["path"] is None) for record in map(json.loads, done.lines)]
        assert states == [("failed", True), ("imported", False)]
        assert "1 of 2 models failed" in done.err

    def test_cut_off_anywhere_nothing_of_it_is_taken(self, good: bytes, other: Hub, tmp_path: Path) -> None:
        for size in (0, 1, 511, 512, 700, len(good) // 2, len(good) - 1025, len(good) - 512, len(good) - 1):
            with pytest.raises(ArchiveError):
                imported(other, good[:size], tmp_path)
        assert other.store.entries() == []

    def test_cut_off_in_a_pipe_what_was_whole_by_then_is_there(self, good: bytes, other: Hub) -> None:
        results = other.import_(Pipe(good[: len(good) - 2000]))
        assert next(results).state == "imported"
        with pytest.raises(CorruptArchive, match="cut off"):
            list(results)
        assert len(other.store.entries()) == 1
        assert other.store.leftovers() == []

    def test_no_room(self, good: bytes, other: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hubclient.sources.disk.room_at", lambda place: 1000)
        with pytest.raises(StoreFull):
            imported(other, good, tmp_path)


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def renamed(name: str) -> Callable[[bytes], bytes]:
    """A bundle whose manifest and headers agree on a file of this name."""

    def change(good: bytes) -> bytes:
        parts = taken_apart(good)
        manifest = json.loads(parts[0].data)
        digest = parts[1].folder.rpartition("/")[2]
        manifest["contents"][digest][name] = {"size": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
        evil = Part.of(f"contents/{digest}", name[:100] or "evil", b"evil")
        return put_together([Part.of("", FILE, json.dumps(manifest).encode()), evil, *parts[1:]])

    return change


def typed(kind: bytes, link: bytes = b"") -> Callable[[bytes], bytes]:
    """A bundle whose first file is a link, a device, a folder."""

    def change(good: bytes) -> bytes:
        parts = taken_apart(good)
        block = bytearray(parts[1].header)
        block[156:157] = kind
        block[157 : 157 + len(link)] = link
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        parts[1].header = bytes(block)
        return put_together(parts)

    return change


def inserted(*more: Part, at: int) -> Callable[[bytes], bytes]:
    def change(good: bytes) -> bytes:
        parts = taken_apart(good)
        return put_together([*parts[:at], *more, *parts[at:]])

    return change


def doubled(good: bytes) -> bytes:
    parts = taken_apart(good)
    return put_together([*parts[:2], parts[1], *parts[2:]])


def swapped(good: bytes) -> bytes:
    parts = taken_apart(good)
    return put_together([parts[0], parts[2], parts[1], *parts[3:]])


def said(*path: str, value: Any) -> Callable[[bytes], bytes]:
    """A bundle whose manifest says something else; `*` is the first key, or number."""

    def change(manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for step in path[:-1]:
            place = place[_first(place) if step == "*" else step]
        place[_first(place) if path[-1] == "*" else path[-1]] = value

    return lambda good: with_manifest(good, change)


def _first(place: Any) -> Any:
    return 0 if isinstance(place, list) else next(iter(place))


def with_raw(manifest: bytes) -> Callable[[bytes], bytes]:
    return lambda good: put_together([Part.of("", FILE, manifest), *taken_apart(good)[1:]])


def _dirty_padding(good: bytes) -> bytes:
    end = BLOCK + len(taken_apart(good)[0].data)
    assert good[end : end + 1] == b"\0"
    return good[:end] + b"x" + good[end + 1 :]


def _header_byte(good: bytes, at: int, value: bytes) -> bytes:
    parts = taken_apart(good)
    assert parts[1].header[at : at + 1] != value
    parts[1].header = parts[1].header[:at] + value + parts[1].header[at + 1 :]
    return put_together(parts)


EVIL = Part.of("", "evil", b"evil")
HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    # Names.
    "traversal": renamed("../../evil"),
    "traversal on Windows": renamed("..\\..\\evil"),
    "absolute": renamed("/tmp/evil"),
    "drive": renamed("C:\\evil"),
    "drive without a slash": renamed("C:evil"),
    "share": renamed("\\\\host\\share\\evil"),
    "device of Windows": renamed("NUL.txt"),
    "trailing dot": renamed("evil."),
    "stream": renamed("config.json:evil"),
    "folder": renamed("folder/evil"),
    "dot": renamed("."),
    "empty": renamed(""),
    "case": renamed("CONFIG.json"),
    "too long": renamed("a" * 101),
    "marker": renamed("Complete.json"),
    "control character": renamed("a\nb"),
    # Members.
    "link": typed(b"2", b"/etc/passwd"),
    "hard link": typed(b"1", b"../../names/x.json"),
    "device": typed(b"3"),
    "pipe": typed(b"6"),
    "directory": typed(b"5"),
    "pax header": typed(b"x"),
    "long name": typed(b"L"),
    "sparse": typed(b"S"),
    "another member first": inserted(EVIL, at=0),
    "another member": inserted(EVIL, at=1),
    "another member last": inserted(EVIL, at=13),
    "member twice": doubled,
    "order": swapped,
    "after the end": lambda good: good + b"evil",
    "blocks after the end": lambda good: good + bytes(10240),
    "between members": _dirty_padding,
    "owner": lambda good: _header_byte(good, 108, b"1"),
    "mode": lambda good: _header_byte(good, 104, b"7"),
    "checksum": lambda good: _header_byte(good, 148, b"7"),
    # The manifest.
    "not JSON": with_raw(b"{"),
    "not an object": with_raw(b"[]"),
    "nested": with_raw(b"[" * 100_000),
    "not UTF-8": with_raw(b'{"format": 1, "\xff": 1}'),
    "field twice": lambda good: with_raw(taken_apart(good)[0].data.replace(b"{", b'{"format": 1, ', 1))(good),
    "huge": with_raw(b" " * ((16 << 20) + 1)),
    "another format": said("format", value=2),
    "more fields": said("evil", value=1),
    "contents of another kind": said("contents", value=[]),
    "names of another kind": said("names", value={"a": 1}),
    "no names": said("names", value=[]),
    "digest": said("contents", value={"../evil": {}}),
    "file without facts": said("contents", "*", "*", value=1),
    "size is not a number": said("contents", "*", "*", "size", value="1"),
    "negative size": said("contents", "*", "*", "size", value=-1),
    "size is true": said("contents", "*", "*", "size", value=True),
    "enormous size": said("contents", "*", "*", "size", value=1 << 62),
    "size is less": said("contents", "*", "*", "size", value=1),
    "size is more": said("contents", "*", "*", "size", value=10_000),
    "hash": said("contents", "*", "*", "sha256", value="x"),
    "empty content": said("contents", "*", value={}),
    "name of nothing": said("names", "*", "content", value="0" * 64),
    "identity of another kind": said("names", "*", "identity", value=1),
    "identity that steers": said("names", "*", "identity", value="s3://a\x1b[31m"),
    "identity without end": said("names", "*", "identity", value="a" * 5000),
    "own of another kind": said("names", "*", "own", value=1),
    "own that decides": said("names", "*", "own", "facts", value={}),
    "name's kind": said("names", "*", "own", "name", value={"a": 1}),
    "more about a name": said("names", "*", "archive", value={"size": 1, "sha256": "0" * 64}),
}


class TestHostile:
    @pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
    @pytest.mark.parametrize("attack", HOSTILE)
    def test_nothing_of_it_is_taken(self, attack: str, pipe: bool, good: bytes, other: Hub, tmp_path: Path) -> None:
        bad = HOSTILE[attack](good)
        (tmp_path / "b.tar").write_bytes(bad)
        before = {path for path in tmp_path.rglob("*") if "other" not in path.parts}
        with pytest.raises(ArchiveError):
            list(other.import_(Pipe(bad) if pipe else tmp_path / "b.tar"))
        # In a pipe, the last member is met after all models were taken, each of which is right.
        late = pipe and attack in ("another member last", "after the end", "blocks after the end")
        assert bool(other.store.entries()) == late
        assert {path for path in tmp_path.rglob("*") if "other" not in path.parts} == before
        taken = [path for path in (tmp_path / "other").rglob("*") if path.name != "catalogue"]
        assert not [path for path in taken if "evil" in path.name or path.is_symlink()]

    def test_a_manifest_that_declares_more_than_there_is_room_for(self, good: bytes, other: Hub) -> None:
        bad = said("contents", "*", "config.json", "size", value=1 << 39)(good)
        with pytest.raises((StoreFull, ArchiveError)):
            list(other.import_(Pipe(bad)))
        assert other.store.entries() == []

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("config.json", b"[]"),
            ("manifest.json", b"{}"),
            ("tokenizer.json", b"{}"),
            ("model.onnx", b"\xff" * 100),
            ("model.onnx", b""),
            ("model.safetensors", b"\xff" * 100),
        ],
    )
    def test_files_that_make_no_model(self, name: str, data: bytes, good: bytes, other: Hub, tmp_path: Path) -> None:
        bad, fine = imported(other, with_file(good, name, data), tmp_path)
        assert (bad.state, fine.state) == ("failed", "imported")
        assert len(other.store.entries()) == 1

    def test_a_graph_that_reads_other_files(self, good: bytes, other: Hub, tmp_path: Path) -> None:
        import onnx

        graph = next(part.data for part in taken_apart(good) if part.name == "model.onnx")
        for place in ("../../../etc/passwd", "/etc/passwd", "other.data"):
            model = onnx.load_from_string(graph)
            for tensor in model.graph.initializer:
                for entry in tensor.external_data:
                    if entry.key == "location":
                        entry.value = place
            bad, fine = imported(other, with_file(good, "model.onnx", model.SerializeToString()), tmp_path)
            assert (bad.state, isinstance(bad.error, UnsafeArchive)) == ("failed", True), bad.error
            other.store.remove([fine.entry.name] if fine.entry else [])

    def test_a_content_that_is_not_what_its_name_says(self, good: bytes, other: Hub, tmp_path: Path) -> None:
        """All hashes are right; only the digest, which the content is called by, is another's."""
        bad, fine = imported(other, with_file(good, "README.md", b"evil"), tmp_path)
        assert bad.state == "failed"
        assert bad.error is not None
        assert "the content is not what its name says" in bad.error.what
        assert fine.state == "imported"

    def test_a_name_gets_the_content_that_is_imported_last(self, good: bytes, other: Hub, tmp_path: Path) -> None:
        """Who imports a bundle wants what is in it."""
        other.pull(DEMO)
        before = other.store.find(DEMO_ID)
        parts = taken_apart(good)
        manifest = json.loads(parts[0].data)
        for name in manifest["names"]:
            name["identity"] = DEMO_ID if name["identity"] != DEMO_ID else f"{DEMO_ID}.zip"
        results = imported(other, put_together([Part.of("", FILE, json.dumps(manifest).encode()), *parts[1:]]), tmp_path)
        assert {result.state for result in results} == {"imported"}
        after = other.store.find(DEMO_ID)
        assert before is not None
        assert after is not None
        assert after.digest != before.digest


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b" + bytes(100), bytes(1024)])
def test_what_is_neither_a_bundle_nor_an_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    done = hub("import", tmp_path / "file")
    assert done.code == NotAnArchive.exit_code
    assert "this is neither a bundle nor an archive" in done.err


def test_an_ordinary_tar_file(other: Hub, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.add(TREC6_ZIP, "model.zip")
    with pytest.raises(NotAnArchive, match="this is not a bundle"):
        list(other.import_(tmp_path / "b.tar"))


def test_nothing_is_left_of_an_interrupted_import(good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one cleans up, and takes all of it."""
    monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "other"))
    with subprocess.Popen([HUB, "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(good[: len(good) // 3])
        process.stdin.flush()
        while not list((tmp_path / "other").rglob("model.safetensors")):
            assert process.poll() is None
        process.kill()
    (tmp_path / "b.tar").write_bytes(good)
    assert hub("import", tmp_path / "b.tar").code == 0
    assert not [name for name in holdings(tmp_path / "other") if name.startswith("staging")]


def test_headers_are_made_here_as_there() -> None:
    """What `bundle_parts` writes is what hubclient writes."""
    assert Part.of("folder", "name", b"12345").header == header("folder", "name", 5)
