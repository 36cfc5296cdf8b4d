"""The facts of an archive that stays where it is: the same as after a pull, for a small part of its bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.afar.archive import archive_afar
from hubclient.afar.model import RemoteModel
from hubclient.errors import NotAnArchive, NotFound, UnsupportedModel, UsageError
from hubclient.native import Manifest, read_manifest
from hubclient.settings import Settings
from hubclient.sources import S3Location, remote_file
from hubclient.sources.local import LocalFile
from tests.archive.builders import metadata, spark_members, zipped
from tests.e2e.material import (
    BUCKET,
    DEMO,
    DEMO_KEY,
    DEMO_ZIP,
    PUBMED,
    PUBMED_KEY,
    PUBMED_ZIP,
    SHARED,
    SST2_ONNX_ZIP,
    TREC6_ZIP,
    make_mirror,
)
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

MINILM = SHARED / "bert_minilm_sequence_classifier_sst2_en_3.4.4_3.0_1635774771318.zip"
COMMITTED = (DEMO_ZIP, TREC6_ZIP, SST2_ONNX_ZIP, PUBMED_ZIP)


def agree(model: RemoteModel, manifest: Manifest) -> bool:
    return (
        model.facts == manifest.facts
        and (model.annotator, model.labels, model.labels_source) == (manifest.annotator, manifest.labels, manifest.labels_source)
        and model.zero_shot == manifest.zero_shot
        and not model.unsaid
        and model.refusal is None
    )


@pytest.mark.parametrize("path", [*COMMITTED, *sorted(SHARED.glob("*.zip"))], ids=lambda path: path.stem)
def test_the_facts_are_those_of_a_full_pull(path: Path, tmp_path: Path) -> None:
    hub = Hub(settings=Settings(cache_dir=tmp_path), progress=False)
    manifest = read_manifest(hub.pull(str(path)))
    seen = hub.inspect(str(path))
    assert agree(seen.model, manifest)
    assert seen.disagreements == ()


def served(script: ScriptedServer, path: Path) -> RemoteModel:
    content = path.read_bytes()
    script.answer = lambda request: file_reply(request, content, '"e"') if "metadata.json" not in request.path else Reply(404)
    settings = Settings(cache_dir=Path("unused"), s3_endpoint=script.endpoint)
    return archive_afar(remote_file(S3Location(BUCKET, f"models/{path.name}"), settings))


@pytest.mark.skipif(not MINILM.exists(), reason="the shared archives are not here")
def test_minilm_moves_a_twentieth_of_its_bytes_at_most(script: ScriptedServer) -> None:
    model = served(script, MINILM)
    assert script.sent <= 0.05 * MINILM.stat().st_size
    assert model.moved.bytes == script.sent
    assert len(script.requests) <= 4
    assert model.labels == ("neg", "pos")
    assert model.vocabulary == 30_522
    (weights,) = model.weights
    assert (weights.size, weights.unpacked) == (53_988_252, 95_511_408)


def test_the_weights_are_not_read(script: ScriptedServer) -> None:
    """They may be damaged for all that can be told from afar."""
    content = bytearray(DEMO_ZIP.read_bytes())
    with zipfile.ZipFile(DEMO_ZIP) as archive:
        info = archive.getinfo("bert_classification_tensorflow")
    middle = info.header_offset + info.compress_size // 2
    content[middle : middle + 1000] = bytes(1000)
    script.answer = lambda request: file_reply(request, bytes(content), '"e"')
    settings = Settings(cache_dir=Path("unused"), s3_endpoint=script.endpoint)
    model = archive_afar(remote_file(S3Location(BUCKET, DEMO_KEY), settings))
    assert model.labels == ("neg", "pos")
    assert script.sent < 200_000


def test_over_a_real_server(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seaweed.put(seaweed.public_bucket, PUBMED_KEY, PUBMED_ZIP)
    settings = Settings(cache_dir=tmp_path, s3_endpoint=seaweed.endpoint)
    seen = Hub(settings=settings, progress=False).inspect(PUBMED, "en")
    assert seen.model.url == f"{seaweed.endpoint}/{BUCKET}/{PUBMED_KEY}"
    assert seen.model.moved.bytes < PUBMED_ZIP.stat().st_size / 10
    assert seen.card is not None
    # The overlay of the seed card counts, as it does when the model is opened.
    assert seen.model.facts is not None
    assert (seen.model.facts.activation.value, seen.model.facts.activation.source) == ("sigmoid", "overlay")
    assert len(seen.model.labels) == 14


def test_a_model_that_is_gone(seaweed: Seaweed, tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, s3_endpoint=seaweed.endpoint)
    with pytest.raises(NotFound):
        Hub(settings=settings, progress=False).inspect(f"s3://{BUCKET}/nothing/here.zip")


def test_a_mirror_is_asked_before_the_bucket(script: ScriptedServer, tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    settings = Settings(cache_dir=tmp_path / "cache", mirrors=(mirror,), s3_endpoint=script.endpoint, offline=True)
    hub = Hub(settings=settings, progress=False)
    assert hub.inspect(PUBMED, "en").model.url.startswith("file:")
    assert hub.inspect(DEMO, "en").model.url.startswith("file:")
    assert script.requests == []


def test_where_the_card_says_otherwise(tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", {DEMO_KEY: DEMO_ZIP})
    cards = tmp_path / "cards"
    cards.mkdir()
    text = (Path(__file__).parents[2] / "cards" / f"{DEMO}_en.md").read_text(encoding="utf-8")
    (cards / f"{DEMO}_en.md").write_text(text.replace("|Max sentence length:|128|", "|Max sentence length:|99|").replace("`neg`", "`bad`"))
    settings = Settings(cache_dir=tmp_path / "cache", mirrors=(mirror,), card_folders=(cards,), offline=True)
    seen = Hub(settings=settings, progress=False).inspect(DEMO, "en")
    assert {(found.fact, found.said) for found in seen.disagreements} >= {("max_length", 99), ("labels", "bad, pos")}


def local(tmp_path: Path, members: dict[str, bytes]) -> RemoteModel:
    path = tmp_path / "model.zip"
    path.write_bytes(zipped(members))
    return archive_afar(LocalFile(path))


def test_an_archive_in_a_folder_of_its_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(DEMO_ZIP) as archive:
        members = {f"sst2/{name}": archive.read(name) for name in archive.namelist()}
    model = local(tmp_path, members)
    assert model == local_demo(model)
    assert model.labels == ("neg", "pos")
    assert model.weights[0].name == "bert_classification_tensorflow"


def local_demo(like: RemoteModel) -> RemoteModel:
    from dataclasses import replace

    plain = archive_afar(LocalFile(DEMO_ZIP))
    assert plain.weights[0].unpacked == like.weights[0].unpacked
    return replace(plain, url=like.url, size=like.size, etag=like.etag, moved=like.moved, weights=like.weights)


def test_an_annotator_that_cannot_be_opened_is_told_with_what_is_known(tmp_path: Path) -> None:
    model = local(tmp_path, spark_members(**{"metadata__part-00000": metadata("com.johnsnowlabs.nlp.annotators.LemmatizerModel")}))
    assert (model.annotator, model.facts, model.labels) == ("LemmatizerModel", None, ())
    assert model.refusal is not None
    assert "LemmatizerModel" in model.refusal


def test_a_length_that_only_the_weights_tell_is_not_guessed(tmp_path: Path) -> None:
    said = metadata(params={"caseSensitive": True}, changes={"defaultParamMap": {}})
    model = local(tmp_path, spark_members(**{"metadata__part-00000": said}))
    assert model.unsaid == ("max_length",)
    assert "max_length" not in model.said()
    assert "max_length" not in model.to_dict()["facts"]


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "page.zip"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(NotAnArchive):
        archive_afar(LocalFile(path))
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a", b"b")
    path.write_bytes(plain.getvalue())
    with pytest.raises(NotAnArchive, match="not a Spark NLP archive"):
        archive_afar(LocalFile(path))


def test_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="pipeline"):
        local(tmp_path, spark_members(**{"metadata__part-00000": metadata("org.apache.spark.ml.PipelineModel")}))


def test_a_folder_is_for_info(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        Hub(settings=Settings(cache_dir=tmp_path), progress=False).inspect(str(tmp_path))
