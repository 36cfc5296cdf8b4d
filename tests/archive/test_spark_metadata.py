from __future__ import annotations

import json

import pytest

from hubclient.archive.metadata import Metadata, parse_metadata
from hubclient.errors import CorruptArchive, NotAnArchive
from tests.archive.builders import metadata
from tests.archive.damage import flips_read, truncations_read


def parse(data: bytes) -> Metadata:
    return parse_metadata(data, label="metadata/part-00000")


def test_params_and_defaults() -> None:
    parsed = parse(metadata())
    assert parsed.annotator == "BertForSequenceClassification"
    assert parsed.class_name.startswith("com.johnsnowlabs.nlp.")
    assert parsed.spark_version == "3.1.3"
    assert parsed.timestamp == 1795318553982
    assert parsed.explicit("maxSentenceLength") == parsed.value("maxSentenceLength") == 64
    assert parsed.explicit("activation") is None
    assert parsed.value("activation") == "softmax"
    assert parsed.value("missing") is None


def test_typed_values() -> None:
    parsed = parse(metadata())
    assert parsed.integer("maxSentenceLength") == 64
    assert parsed.flag("caseSensitive") is True
    assert parsed.text("activation") == "softmax"
    assert parsed.text("activation", explicit=True) is None
    assert parsed.number("threshold") == 0.5
    assert parsed.number("maxSentenceLength") == 64
    assert parsed.flag("missing") is None


@pytest.mark.parametrize(
    ("accessor", "value"),
    [
        ("integer", 1.5),
        ("integer", True),
        ("integer", "64"),
        ("flag", 1),
        ("flag", "true"),
        ("text", 5),
        ("number", "0.5"),
        ("number", False),
    ],
)
def test_values_of_another_type_are_named(accessor: str, value: object) -> None:
    parsed = parse(metadata(params={"setting": value}))
    with pytest.raises(CorruptArchive, match="param 'setting'"):
        getattr(parsed, accessor)("setting")


@pytest.mark.parametrize("name", ["class", "uid", "timestamp", "sparkVersion", "paramMap"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(NotAnArchive, match=f"it has no '{name}'"):
        parse(metadata(changes={name: None}))


@pytest.mark.parametrize(
    ("name", "value"), [("class", 5), ("paramMap", []), ("defaultParamMap", "x"), ("timestamp", True), ("timestamp", 1.5)]
)
def test_what_is_of_another_type_is_named(name: str, value: object) -> None:
    with pytest.raises(CorruptArchive, match=f"'{name}'"):
        parse(metadata(changes={name: value}))


def test_defaults_may_be_missing() -> None:
    assert parse(metadata(changes={"defaultParamMap": None})).value("activation") is None


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b'{"class": ' + b"9" * 5_000 + b"}"])
def test_what_is_no_json_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptArchive, match="not JSON"):
        parse(data)


@pytest.mark.parametrize("value", [[], "text", 5, None])
def test_other_json_is_no_archive(value: object) -> None:
    with pytest.raises(NotAnArchive):
        parse(json.dumps(value).encode())


def test_damage_raises_nothing_else() -> None:
    data = metadata()
    assert truncations_read(parse, data) == [len(data) - 1]
    flips_read(parse, data)
