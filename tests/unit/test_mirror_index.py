"""The metadata.json of a mirror."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.catalog.live import count_live, read_live
from hubclient.catalog.live_line import ArchiveFolder, LiveEntry, read_line
from hubclient.mirror.index import file_of, files_in, index_line, with_lines

FILE = "bert_large_sequence_classifier_imdb_en_3.3.2_3.0_1635774771318.zip"
OTHER = "bert_tiny_fr_4.10.0_3.0_1635774771000.zip"
MD5 = "0123456789abcdef0123456789abcdef"
FOLDER = ArchiveFolder("s3://bucket/models", "bucket")


def line(file: str = FILE, md5: str = MD5, annotator: str | None = "BertForSequenceClassification") -> bytes:
    made = index_line(file, md5, annotator)
    assert made is not None
    return made


def test_it_is_the_line_that_spark_nlp_writes() -> None:
    assert json.loads(line()) == {
        "name": "bert_large_sequence_classifier_imdb",
        "language": "en",
        "libVersion": {"parts": [3, 3, 2]},
        "sparkVersion": {"parts": [3, 0]},
        "readyToUse": True,
        "time": "2021-11-01T13:52:51.318Z",
        "isZipped": True,
        "category": "ml",
        "checksum": MD5,
        "annotator": "BertForSequenceClassification",
    }


def test_the_live_index_reads_it_back() -> None:
    entry = read_line(line(), FOLDER)
    assert isinstance(entry, LiveEntry)
    assert (entry.file, entry.checksum, entry.annotator) == (FILE, MD5, "BertForSequenceClassification")
    assert entry.uri == f"s3://bucket/models/{FILE}"


@given(st.integers(10**12, 10**13 - 1))
def test_whatever_the_time_the_file_is_the_same(epoch: int) -> None:
    file = f"a_en_1.0_2.4_{epoch}.zip"
    assert file_of(line(file)) == file


@pytest.mark.parametrize("file", ["model.zip", "a_en_3.4.4_3.0_16357.zip", "a.tar", ""])
def test_of_other_names_no_line_can_tell(file: str) -> None:
    assert index_line(file, MD5, None) is None


def test_without_an_annotator() -> None:
    assert "annotator" not in json.loads(line(annotator=None))


def test_a_new_index() -> None:
    index = with_lines(b"", [line(), line(OTHER)])
    assert index == line() + b"\n" + line(OTHER) + b"\n"
    assert files_in(index) == {FILE, OTHER}


def test_what_is_there_stays_and_a_line_takes_the_place_of_the_one_before() -> None:
    before = b"\n" + line(OTHER) + b"\n{broken\n" + line(md5="f" * 32) + b'\n{"name": "unready", "readyToUse": false}\n'
    after = with_lines(before, [line()])
    assert after.split(b"\n") == [line(OTHER), b"{broken", line(), b'{"name": "unready", "readyToUse": false}', b""]
    assert count_live(read_live(after, FOLDER)).entries == 2
    assert with_lines(after, [line()]) == after
