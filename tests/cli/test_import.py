"""`hub import` of what other programs left: archives, Spark NLP's own cache, native folders; and archives made to do harm."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hubclient import Hub, bundled, pull
from hubclient.errors import ArchiveError, CorruptArchive, HubError, InconsistentModel, NotAnArchive, NotFound, SomeFailed, UnsafeArchive
from hubclient.imports.result import Imported
from hubclient.settings import Settings
from tests.cli.unplugged import unplugged
from tests.e2e import damaged
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, PUBMED, PUBMED_FOLDER, PUBMED_KEY, PUBMED_ZIP, SST2_ONNX_ZIP, TREC6_ZIP
from tests.e2e.shell import holdings, hub
from tests.servers.script import ScriptedServer, file_reply

TREC6 = "bert_tiny_cased_sequence_classifier_trec6"
TEXT = "I really liked that movie!"
DEMO_ID, PUBMED_ID = f"s3://{BUCKET}/{DEMO_KEY}", f"s3://{BUCKET}/{PUBMED_KEY}"


@pytest.fixture
def other(tmp_path: Path, catalogue: Path) -> Hub:
    """Another machine."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "catalogue").symlink_to(catalogue, target_is_directory=True)
    return Hub(settings=Settings(tmp_path / "other", offline=True, live_index=None), progress=False)


def imported(hub: Hub, path: Path) -> Imported:
    """Of the one model. Raises what went wrong."""
    (result,) = hub.import_(path)
    if result.error:
        raise result.error
    return result


def identity(result: Imported) -> str:
    assert result.entry is not None
    return result.entry.identity


def unpacked(archive: Path, folder: Path) -> Path:
    """As Spark NLP leaves an archive in its cache."""
    target = folder / archive.stem
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    return target


class TestKnownArchives:
    """They get the identity that the card's key gives, so that nobody fetches them again."""

    @pytest.mark.parametrize("folder", [False, True], ids=["zip", "folder"])
    def test_pulling_by_name_finds_it(self, folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "other"))
        given = unpacked(PUBMED_ZIP, tmp_path) if folder else PUBMED_ZIP
        guard = unplugged(tmp_path / "unplugged")
        done = hub("import", given, env=guard)
        assert done.code == 0, done.err
        assert f"imported: {given} as en/{PUBMED}" in done.err
        assert hub("pull", PUBMED, env=guard).out == done.out
        (entry,) = Hub(progress=False).store.entries()
        assert entry.identity == PUBMED_ID
        assert json.loads(hub("import", given, "--json", env=guard).out)["state"] == "there already"

    def test_the_overlay_of_its_card_counts(self, other: Hub) -> None:
        """The card's own activation is not the archive's."""
        imported(other, PUBMED_ZIP)
        assert other.pretrained(PUBMED, "en").activation == "sigmoid"

    def test_it_is_what_pulling_it_gives(self, other: Hub, tmp_path: Path) -> None:
        pulled = Path(pull(DEMO))
        for number, given in enumerate((DEMO_ZIP, unpacked(DEMO_ZIP, tmp_path))):
            there = Hub(settings=Settings(tmp_path / str(number), offline=True), progress=False)
            result = imported(there, given)
            assert result.entry is not None
            assert (result.entry.identity, result.entry.digest) == (DEMO_ID, pulled.name)
            assert result.entry.manifest["origin"]["url"] == given.as_uri()

    def test_another_annotator_than_the_card_says(self, other: Hub, tmp_path: Path) -> None:
        (tmp_path / "m").mkdir()
        text = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
        (tmp_path / "m" / f"{DEMO}_en.md").write_text(text.replace("BertForSequence", "RoBertaForSequence"), encoding="utf-8")
        there = Hub(settings=Settings(tmp_path / "other", card_folders=(tmp_path / "m",), offline=True), progress=False)
        with pytest.raises(InconsistentModel, match="not the one that its name says") as caught:
            imported(there, DEMO_ZIP)
        assert caught.value.why == "the card says RoBertaForSequenceClassification, the archive BertForSequenceClassification"
        assert there.store.entries() == []

    def test_a_damaged_one_is_refused(self, other: Hub, tmp_path: Path) -> None:
        target = tmp_path / DEMO_ZIP.name
        for spoil in (damaged.bit_flip_in_the_zip, lambda target: damaged.truncated(target, 0.5)):
            spoil(target)
            with pytest.raises(HubError):
                imported(other, target)
        assert other.store.entries() == []

    def test_a_damaged_folder_is_refused(self, other: Hub, tmp_path: Path) -> None:
        """Hadoop's checksums beside the parts tell."""
        folder = unpacked(DEMO_ZIP, tmp_path)
        part = next(path for path in folder.glob("fields/vocabulary/part-*") if path.stat().st_size > 1000)
        content = bytearray(part.read_bytes())
        content[500] ^= 1
        part.write_bytes(content)
        with pytest.raises(CorruptArchive):
            imported(other, folder)
        assert other.store.entries() == []


class TestLiveIndex:
    """The list that is on this machine tells of archives without a card, and their checksums."""

    @pytest.fixture
    def listed(self, script: ScriptedServer, tmp_path: Path) -> Callable[[str], Hub]:
        def make(md5: str) -> Hub:
            from hubclient.mirror.index import index_line

            index = index_line("own_en_3.4.4_3.0_1635774771318.zip", md5, "BertForSequenceClassification")
            assert index is not None
            script.answer = lambda request: file_reply(request, index + b"\n", '"v1"')
            address = f"s3://{BUCKET}/public/models/metadata.json"
            settings = Settings(tmp_path / "other", s3_endpoint=script.endpoint, live_index=address)
            Hub(settings=settings, progress=False).live.refresh()
            script.requests.clear()
            return Hub(settings=settings, progress=False)

        return make

    @pytest.fixture
    def own(self, tmp_path: Path) -> Path:
        return Path(shutil.copyfile(DEMO_ZIP, tmp_path / "own_en_3.4.4_3.0_1635774771318.zip"))

    def test_it_names_the_archive(self, listed: Callable[[str], Hub], own: Path, script: ScriptedServer) -> None:
        import hashlib

        there = listed(hashlib.md5(own.read_bytes()).hexdigest())
        assert identity(imported(there, own)) == f"s3://{BUCKET}/public/models/{own.name}"
        assert script.requests == []
        assert there.pull("own")
        assert len(script.requests) == 0

    def test_a_zip_with_another_checksum_is_another_one(self, listed: Callable[[str], Hub], own: Path) -> None:
        there = listed("0" * 32)
        with pytest.raises(InconsistentModel, match="not the one that its name says") as caught:
            imported(there, own)
        assert "the live index says 00000000000000000000000000000000" in (caught.value.why or "")
        assert there.store.entries() == []

    def test_of_an_unpacked_one_no_checksum_is_known(self, listed: Callable[[str], Hub], own: Path, tmp_path: Path) -> None:
        there = listed("0" * 32)
        folder = unpacked(own, tmp_path)
        assert identity(imported(there, folder)) == f"s3://{BUCKET}/public/models/{own.name}"


class TestUnknownArchives:
    def test_it_is_found_by_the_name_that_its_file_has(self, other: Hub, tmp_path: Path) -> None:
        result = imported(other, TREC6_ZIP)
        assert identity(result).startswith("sha256:")
        assert other.pull(f"{TREC6}@3.4.4") == other.pull(f"en/{TREC6}")

    def test_by_any_name(self, other: Hub, tmp_path: Path) -> None:
        for name in ("model.zip", "my model.zip"):
            shutil.copyfile(TREC6_ZIP, tmp_path / name)
            result = imported(other, tmp_path / name)
            assert identity(result).startswith("sha256:")
        assert len(other.store.entries()) == 1

    def test_a_hugging_face_folder(self, other: Hub) -> None:
        result = imported(other, PUBMED_FOLDER)
        assert result.entry is not None
        assert other.from_folder(result.entry.path).multi_label


class TestSparkCache:
    """~/cache_pretrained: a folder for each model, some of them of other kinds."""

    @pytest.fixture
    def cache(self, tmp_path: Path) -> Path:
        cache = tmp_path / "cache_pretrained"
        for archive in (DEMO_ZIP, PUBMED_ZIP, TREC6_ZIP, SST2_ONNX_ZIP):
            unpacked(archive, cache)
        pipeline = cache / "explain_document_en_4.0.0_3.0_1656066222624" / "metadata"
        pipeline.mkdir(parents=True)
        said = {"class": "org.apache.spark.ml.PipelineModel", "timestamp": 1, "sparkVersion": "3.0", "uid": "a", "paramMap": {}}
        (pipeline / "part-00000").write_text(json.dumps(said))
        embeddings = cache / "bert_base_en_4.0.0_3.0_1656066222624" / "metadata"
        embeddings.mkdir(parents=True)
        (embeddings / "part-00000").write_text(json.dumps({**said, "class": "com.johnsnowlabs.nlp.embeddings.BertEmbeddings"}))
        (cache / "broken_en_4.0.0_3.0_1656066222624" / "metadata").mkdir(parents=True)
        (cache / ".bert.zip.crc").write_bytes(b"crc")
        (cache / "notes").mkdir()
        (cache / "list.txt").write_text("hello")
        return cache

    def test_whole(self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "other"))
        guard = unplugged(tmp_path / "unplugged")
        done = hub("import", cache, "--json", env=guard)
        assert done.code == SomeFailed.exit_code
        assert "1 of 7 models failed" in done.err
        found = {Path(record["source"]).name.partition("_en_")[0]: record for record in map(json.loads, done.lines)}
        assert {name: record["state"] for name, record in found.items()} == {
            DEMO: "imported",
            PUBMED: "imported",
            TREC6: "imported",
            "explain_document": "skipped",
            "bert_base": "skipped",
            "broken": "failed",
        }
        assert "pipeline" in found["explain_document"]["why"]
        assert "embeddings" in found["bert_base"]["why"]
        names = [(entry.name.own["name"], entry.name.own["lib_version"]) for entry in Hub(progress=False).store.entries()]
        assert sorted(names) == sorted(
            [(DEMO, "3.4.4"), (DEMO, "5.5.3"), (PUBMED, "4.1.0"), (TREC6_ZIP.stem.partition("_en_")[0], "3.4.4")]
        )
        for name in (DEMO, PUBMED, f"{DEMO}@5.5.3"):
            assert hub("predict", name, TEXT, env=guard).code == 0

    def test_again_nothing_is_done(self, cache: Path, other: Hub) -> None:
        list(other.import_(cache))
        assert [result.state for result in other.import_(cache)].count("there already") == 4

    def test_a_person_reads_what_happened(self, cache: Path, tmp_path: Path) -> None:
        shutil.rmtree(cache / "broken_en_4.0.0_3.0_1656066222624")
        done = hub("import", cache, "--cache-dir", tmp_path / "other")
        assert done.code == 0
        assert len(done.lines) == 4
        assert "skipped: " in done.err

    @pytest.mark.parametrize("content", [[], ["folder/file"], ["file.txt"]])
    def test_a_folder_without_models(self, content: list[str], other: Hub, tmp_path: Path) -> None:
        folder = tmp_path / "folder of many"
        folder.mkdir()
        for name in content:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
        with pytest.raises(NotAnArchive, match="holds no model"):
            list(other.import_(folder))


class TestNativeFolders:
    @pytest.fixture
    def local(self, tmp_path: Path) -> Path:
        assert hub("pull", DEMO, "--local-dir", tmp_path / "local").code == 0
        return tmp_path / "local"

    def test_and_back(self, local: Path, other: Hub) -> None:
        result = imported(other, local)
        assert identity(result) == DEMO_ID
        assert other.pull(DEMO).parent == other.settings.cache_dir / "contents"
        assert imported(other, local).state == "there already"

    def test_one_that_was_changed(self, local: Path, other: Hub) -> None:
        (local / "tokenizer.json").write_text((local / "tokenizer.json").read_text(encoding="utf-8") + " ", encoding="utf-8")
        with pytest.raises(CorruptArchive, match="was changed after it was written"):
            imported(other, local)

    def test_one_without_a_marker_is_looked_at(self, local: Path, other: Hub) -> None:
        (local / "complete.json").unlink()
        (local / "model.onnx").write_bytes(b"\xff")
        with pytest.raises(HubError):
            imported(other, local)
        assert other.store.entries() == []

    def test_one_without_a_marker(self, local: Path, other: Hub) -> None:
        (local / "complete.json").unlink()
        assert identity(imported(other, local)) == DEMO_ID

    @pytest.mark.parametrize("marker", [b"", b"[]", b"{}", b'{"files": []}', b'{"files": {"a": 1}}', b"[" * 100_000])
    def test_a_marker_that_cannot_be_read(self, marker: bytes, local: Path, other: Hub) -> None:
        (local / "complete.json").write_bytes(marker)
        with pytest.raises(ArchiveError):
            imported(other, local)

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "folder/file", "missing"])
    def test_a_marker_that_lists_other_files(self, name: str, local: Path, other: Hub) -> None:
        marker = json.loads((local / "complete.json").read_bytes())
        marker["files"][name] = {"size": 1, "sha256": "0" * 64}
        (local / "complete.json").write_text(json.dumps(marker))
        with pytest.raises(UnsafeArchive):
            imported(other, local)

    @pytest.mark.parametrize("marked", [True, False])
    def test_links_are_not_followed(self, marked: bool, local: Path, other: Hub, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes((local / "config.json").read_bytes())
        (local / "config.json").unlink()
        (local / "config.json").symlink_to(tmp_path / "secret")
        if not marked:
            (local / "complete.json").unlink()
        with pytest.raises(UnsafeArchive):
            imported(other, local)
        assert other.store.entries() == []

    def test_a_folder_in_it(self, local: Path, other: Hub) -> None:
        (local / "complete.json").unlink()
        (local / "folder").mkdir()
        with pytest.raises(UnsafeArchive):
            imported(other, local)

    def test_a_model_of_a_repository_keeps_its_name(self, local: Path, other: Hub) -> None:
        (local / "complete.json").unlink()
        manifest = json.loads((local / "manifest.json").read_bytes())
        manifest |= {"name": "hf:owner/repo", "language": None, "origin": {"url": "https://huggingface.co/owner/repo", "commit": "a" * 40}}
        (local / "manifest.json").write_text(json.dumps(manifest))
        assert identity(imported(other, local)) == "hf:owner/repo"
        assert other.pull("hf:owner/repo")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert hub("import", tmp_path / "missing").code == NotFound.exit_code


def test_several_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK")
    done = hub("import", tmp_path / "bad.zip", DEMO_ZIP, "--json")
    assert done.code == SomeFailed.exit_code
    assert [json.loads(line)["state"] for line in done.lines] == ["imported"]
    assert "bad.zip" in done.err


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert hub("import", DEMO_ZIP, "--cache-dir", tmp_path / "file").code == 8


# Archives made to do harm: a real one, with members added that lead elsewhere.


def with_members(*names: str, change: Callable[[zipfile.ZipInfo], None] | None = None, content: bytes = b"evil") -> bytes:
    out = io.BytesIO(DEMO_ZIP.read_bytes())
    with zipfile.ZipFile(out, "a") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            if change:
                change(info)
            archive.writestr(info, content)
    return out.getvalue()


def as_link(info: zipfile.ZipInfo) -> None:
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def as_device(info: zipfile.ZipInfo) -> None:
    info.create_system = 3
    info.external_attr = (stat.S_IFBLK | 0o666) << 16


def as_deflated(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def nested_bomb() -> bytes:
    """The weights of an archive are a zip in the zip: this one's member would become a thousand times as large."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("saved_model.pb", "variables.index", "variables.data-00000-of-00001"):
            archive.writestr(name, bytes(64 << 20))
    members = damaged.read_members(DEMO_ZIP)
    weights = next(name for name in members if name.endswith("_tensorflow"))
    return damaged.zip_of({**members, weights: inner.getvalue()})


def many_members() -> bytes:
    out = io.BytesIO(DEMO_ZIP.read_bytes())
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(10_001):
            archive.writestr(f"files/{number}", b"")
    return out.getvalue()


HARMFUL: dict[str, Callable[[], bytes]] = {
    "zip slip": lambda: with_members("../../evil"),
    "zip slip behind a folder": lambda: with_members("fields/../../../evil"),
    "zip slip on Windows": lambda: with_members("..\\..\\evil"),
    "absolute": lambda: with_members("/tmp/evil"),
    "drive": lambda: with_members("C:/evil"),
    "drive without a slash": lambda: with_members("C:evil"),
    "share": lambda: with_members("\\\\host\\share\\evil"),
    "link": lambda: with_members("evil", change=as_link, content=b"/etc/passwd"),
    "device": lambda: with_members("evil", change=as_device),
    "device of Windows": lambda: with_members("fields/NUL.txt"),
    "stream of Windows": lambda: with_members("metadata/part-00000:evil"),
    "trailing dot": lambda: with_members("evil."),
    "trailing space": lambda: with_members("evil "),
    "control character": lambda: with_members("a\nb"),
    "same in other letters": lambda: with_members("METADATA/part-00000"),
    "same in another normal form": lambda: with_members("é", "e\u0301"),
    "file and folder": lambda: with_members("metadata"),
    "bomb": lambda: with_members("bomb", change=as_deflated, content=bytes(64 << 20)),
    "nested bomb": nested_bomb,
    "many members": many_members,
}


@pytest.mark.parametrize("harm", HARMFUL)
def test_an_archive_that_would_do_harm(harm: str, other: Hub, tmp_path: Path) -> None:
    archive = tmp_path / DEMO_ZIP.name
    archive.write_bytes(HARMFUL[harm]())
    before = {path for path in tmp_path.rglob("*") if "other" not in path.parts}
    with pytest.raises((UnsafeArchive, CorruptArchive)):
        imported(other, archive)
    assert other.store.entries() == []
    assert {path for path in tmp_path.rglob("*") if "other" not in path.parts} == before
    assert not holdings(tmp_path / "other")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice(other: Hub, tmp_path: Path) -> None:
    archive = tmp_path / DEMO_ZIP.name
    archive.write_bytes(with_members("metadata/part-00000"))
    with pytest.raises(UnsafeArchive, match="is there twice"):
        imported(other, archive)


def test_a_folder_with_a_link_out_of_it(other: Hub, tmp_path: Path) -> None:
    folder = unpacked(DEMO_ZIP, tmp_path)
    (tmp_path / "secret").write_text("secret")
    (folder / "fields" / "evil").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafeArchive, match="is a link out of the folder"):
        imported(other, folder)
    os.remove(folder / "fields" / "evil")
    assert imported(other, folder).state == "imported"
