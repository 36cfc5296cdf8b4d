from __future__ import annotations

import io
import json

import pytest

from hubclient.archive.sidecar import verify
from hubclient.archive.sparknlp import Archive, read_archive
from hubclient.archive.zipmembers import ZipMembers
from hubclient.errors import CorruptArchive, HubError, InconsistentModel, NotAnArchive, UnsafeArchive, UnsupportedModel
from tests.archive.builders import JavaWriter, map_feature, metadata, sequence_file, sidecar, spark_members, zipped
from tests.archive.damage import flips_read, truncations_read


def read(members: dict[str, bytes]) -> Archive:
    return read_archive(ZipMembers(io.BytesIO(zipped(members)), "model.zip"))


def test_everything_but_the_weights_is_read() -> None:
    archive = read(spark_members(bert_classification_notes=b"", albert_spp=b"model"))
    assert archive.metadata.annotator == "BertForSequenceClassification"
    assert (archive.engine, archive.weights) == ("tensorflow", "bert_classification_tensorflow")
    assert archive.labels == ("neg", "pos")
    assert archive.vocabulary == {f"token{index}": index for index in range(25)}
    assert archive.signatures == {"logits": "StatefulPartitionedCall:0"}
    assert archive.merges is None
    assert archive.features == ("labels", "signatures", "vocabulary")
    assert archive.files == ("bert_classification_notes", "albert_spp")
    with pytest.raises(TypeError):
        archive.vocabulary["x"] = 1  # type: ignore[index]


def test_features_may_be_missing() -> None:
    archive = read(
        spark_members(**dict.fromkeys(["fields__labels__part-00000", "fields__labels__part-00001", "fields__vocabulary__part-00000"]))
    )
    assert (archive.labels, archive.vocabulary, archive.features) == ((), None, ("signatures",))


def test_one_top_folder_is_left_out() -> None:
    members = {f"model/{name}": data for name, data in spark_members().items()}
    archive = read(members | {"__MACOSX/model/._x": b""})
    assert archive.labels == ("neg", "pos")
    assert archive.weights in archive.members.names()


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_other_engines(engine: str) -> None:
    changes = {
        "bert_classification_tensorflow": None,
        f"bert_classification_{engine}": b"x",
        "metadata__part-00000": metadata(params={"engine": engine}),
    }
    assert read(spark_members(**changes)).engine == engine


def test_parts_may_have_spark_4_names() -> None:
    name = "metadata__part-00000-0f2ae3a5-b8ad-4a1b-c000.txt"
    archive = read(spark_members(**{"metadata__part-00000": None, name: metadata(), "metadata__part-00001-0f2ae3a5-c000.txt": b""}))
    assert archive.metadata.spark_version == "3.1.3"


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"metadata__part-00000": None}, NotAnArchive, "no metadata/part-00000"),
        ({"metadata__part-00000": b"\n"}, NotAnArchive, "metadata are empty"),
        ({"metadata__part-00001": metadata()}, NotAnArchive, "several metadata"),
        ({"metadata__part-00000": b"{}"}, NotAnArchive, "no 'class'"),
        ({"metadata__part-00000": metadata("org.apache.spark.ml.PipelineModel")}, UnsupportedModel, "pipeline"),
        ({"bert_classification_tensorflow": None}, NotAnArchive, "ends in _tensorflow, _onnx, _openvino"),
        ({"other_onnx": b""}, InconsistentModel, "bert_classification_tensorflow, other_onnx"),
        ({"metadata__part-00000": metadata(params={"engine": "onnx"})}, InconsistentModel, "engine is onnx, and its weights are"),
        ({"metadata__part-00000": metadata(params={"engine": "jax"})}, UnsupportedModel, "'jax'.*\n.*\n.*tensorflow, onnx, openvino"),
        ({"metadata__part-00000": metadata(params={"engine": 5})}, CorruptArchive, "param 'engine'"),
        ({"fields__labels__part-00000": map_feature([("pos", 2)])}, InconsistentModel, "neg: 0, pos: 2"),
        ({"fields__labels__part-00000": map_feature([("pos", 0)])}, InconsistentModel, "not numbered"),
        ({"fields__labels__part-00000": map_feature([("neg", 1)])}, InconsistentModel, "two values"),
        ({"fields__labels__part-00000": b"gzip"}, NotAnArchive, "member 'fields/labels/part-00000'"),
        (
            {"fields__vocabulary__part-00000": sequence_file([b"\xac\xed\0\x05sr\0\x11java.util.HashMap"])},
            UnsafeArchive,
            "java.util.HashMap",
        ),
        (
            {"fields__vocabulary__part-00000": sequence_file([JavaWriter().write([("a", 1)])[:-2]])},
            CorruptArchive,
            "vocabulary/part-00000', byte",
        ),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, bytes | None], error: type[HubError], match: str) -> None:
    with pytest.raises(error, match=match) as caught:
        read(spark_members(**changes))
    assert "model.zip" in str(caught.value)


def test_other_zips_are_no_archives() -> None:
    for members in ({}, {"model.onnx": b"x"}, {"a/model": b"x", "b/model": b"x"}, {"config.json": json.dumps({}).encode()}):
        with pytest.raises(NotAnArchive, match="not a Spark NLP archive"):
            read(members)


def test_checksums_beside_a_part_are_compared() -> None:
    data = spark_members()["fields/vocabulary/part-00000"]
    assert read(spark_members(**{"fields__vocabulary__.part-00000.crc": sidecar(data)})).vocabulary
    with pytest.raises(CorruptArchive, match="vocabulary/part-00000', byte 512"):
        read(spark_members(**{"fields__vocabulary__.part-00000.crc": sidecar(data[:600] + b"\xff" + data[601:])}))


def test_every_flip_and_truncation_is_seen_by_checksums() -> None:
    data = spark_members()["fields/vocabulary/part-00000"]
    sums = sidecar(data)
    assert flips_read(lambda part: verify(part, sums, "part"), data) == []
    assert truncations_read(lambda part: verify(part, sums, "part"), data) == []
    assert truncations_read(lambda part: verify(data, part, "part"), sums) == []
    flips_read(lambda part: verify(data, part, "part"), sums)


def test_damaged_archives_raise_nothing_else() -> None:
    data = zipped(spark_members(), method=0)

    def read_bytes(part: bytes) -> None:
        read_archive(ZipMembers(io.BytesIO(part), "model.zip"))

    assert truncations_read(read_bytes, data, dense=200, every=61) == []
    flips_read(read_bytes, data, every=31)
