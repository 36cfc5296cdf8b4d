"""The lines of a live index: what each says, what is broken, and what is found of them without parsing all."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.catalog.live import BrokenLine, LiveCount, count_live, entries_named, read_live
from hubclient.catalog.live_line import ArchiveFolder, LeftOut, LiveEntry, read_line
from hubclient.errors import CardError
from hubclient.names import CardReference, is_name, parse_reference
from tests.catalog.live_lines import ABSENT, INDEX, fields, line

FOLDER = ArchiveFolder.of(INDEX)


def entry(data: bytes, folder: ArchiveFolder = FOLDER) -> LiveEntry:
    read = read_line(data, folder)
    assert isinstance(read, LiveEntry)
    return read


def why(data: bytes) -> str:
    (read,) = read_live(data, FOLDER)
    assert isinstance(read, BrokenLine)
    return read.why


def test_a_line_as_spark_nlp_writes_it() -> None:
    data = (
        b'{"name":"bert_sst2","language":"en","libVersion":{"parts":[3,3,2]},"sparkVersion":{"parts":[3,0]},"readyToUse":true,'
        b'"time":"2021-11-01T13:52:51.318Z","isZipped":true,"category":"ml","checksum":"0123456789ABCDEF0123456789abcdef",'
        b'"annotator":"BertForSequenceClassification","engine":"onnx"}'
    )
    assert entry(data) == LiveEntry(
        "bert_sst2",
        "en",
        (3, 3, 2),
        (3, 0),
        1635774771318,
        FOLDER,
        "BertForSequenceClassification",
        "ml",
        "onnx",
        "0123456789abcdef0123456789abcdef",
    )


def test_the_address_of_the_archive() -> None:
    assert entry(line()).uri == "s3://models.example.org/public/models/bert_sst2_en_3.3.2_3.0_1635774771318.zip"
    assert entry(line(), ArchiveFolder.of("s3://bucket/metadata.json")).uri == "s3://bucket/bert_sst2_en_3.3.2_3.0_1635774771318.zip"


def test_the_card_of_a_line() -> None:
    card = entry(line(libVersion={"parts": [4, 10, 0]}, engine="onnx")).card()
    assert (card.name, card.language, card.lib_version, card.spark_version) == ("bert_sst2", "en", "4.10.0", "3.0")
    assert (card.version, card.epoch_ms, card.annotator, card.engine) == (
        (4, 10, 0),
        1635774771318,
        "BertForSequenceClassification",
        "onnx",
    )
    assert card.s3_uri == "s3://models.example.org/public/models/bert_sst2_en_4.10.0_3.0_1635774771318.zip"
    assert card.s3_parsed is not None
    assert (card.s3_parsed.bucket, card.s3_parsed.uri, card.model_name, card.model_language) == (
        "models.example.org",
        card.s3_uri,
        "bert_sst2",
        "en",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"sparkVersion": {"parts": [2]}, "libVersion": {"parts": [1, 5]}},
        {"language": "pt_br"},
        {"language": "zh-Hans-CN"},
        {"time": "2001-01-01T00:00:00.000Z"},
        {"name": "modèle_en_3.3.2_3.0_1635774771318.zip"},
    ],
)
def test_what_a_line_says_is_not_read_off_the_archives_name(changed: dict[str, object]) -> None:
    said = entry(line(**changed))
    card = said.card()
    assert (card.model_name, card.model_language, card.version, card.epoch_ms) == (
        said.name,
        said.language,
        said.lib_version,
        said.epoch_ms,
    )


def test_an_index_on_a_web_server() -> None:
    card = entry(line("café"), ArchiveFolder.of("https://me:pw@example.org/a%20b/metadata.json?X-Amz-Signature=feed#top")).card()
    assert card.download_url == "https://example.org/a%20b/caf%C3%A9_en_3.3.2_3.0_1635774771318.zip"
    assert (card.s3_uri, card.s3_parsed, card.version) == (None, None, (3, 3, 2))


def test_an_index_at_amazons_own_address_lies_in_its_bucket() -> None:
    assert ArchiveFolder.of("https://s3.amazonaws.com/models.example.org/public/models/metadata.json") == FOLDER
    with pytest.raises(CardError):
        ArchiveFolder.of("s3://bucket/")


@pytest.mark.parametrize("key", ["annotator", "category", "checksum", "engine"])
@pytest.mark.parametrize("value", [ABSENT, None, ""])
def test_old_lines_say_less(key: str, value: object) -> None:
    assert getattr(entry(line(**{key: value})), key) is None


def test_words_that_say_nothing() -> None:
    assert entry(line(engine="unk")).engine is None
    assert entry(line(checksum="sha256:00")).checksum is None


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("2021-11-01T13:52:51.318Z", 1635774771318),
        ("2021-11-01T13:52:51Z", 1635774771000),
        ("2021-11-01T13:52:51.3Z", 1635774771300),
        ("2021-11-01T13:52:51.318999Z", 1635774771318),
        ("2021-11-01T13:52:51.318+0000", 1635774771318),
        ("2021-11-01T13:52:51.318+00:00", 1635774771318),
        ("2021-11-01T19:22:51.318+05:30", 1635774771318),
        ("2021-11-01T09:52:51.318-0400", 1635774771318),
        ("1970-01-01T00:00:00.000Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        (1635774771318, 1635774771318),
    ],
)
def test_times(written: object, milliseconds: int) -> None:
    assert entry(line(time=written)).epoch_ms == milliseconds


@given(st.integers(0, 253_402_300_799_999), st.integers(-14 * 60, 14 * 60))
def test_times_are_exact(milliseconds: int, offset: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    try:
        local = moment.astimezone(timezone(timedelta(minutes=offset)))
    except OverflowError:
        return
    assert entry(line(time=local.isoformat(timespec="milliseconds"))).epoch_ms == milliseconds


@pytest.mark.parametrize(
    "written",
    [
        "2021-11-01T13:52:51.318",
        "2021-11-01",
        "2021-11-01Z",
        "2021-11-31T00:00:00Z",
        "2021-11-01x13:52:51Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
        "",
        "1635774771318",
        1635774771318.0,
        -1,
        10**15,
        10**400,
        True,
        None,
        [],
        ABSENT,
    ],
)
def test_times_that_are_none(written: object) -> None:
    assert why(line(time=written)) == "time is no time with an offset from UTC"


@pytest.mark.parametrize("key", ["libVersion", "sparkVersion"])
@pytest.mark.parametrize(
    "value",
    [
        ABSENT, None, {}, [], "3.3.2", [3, 3, 2], {"parts": []}, {"parts": None}, {"parts": "3"}, {"parts": ["3"]}, {"parts": [3.0]},
        {"parts": [True]}, {"parts": [-1]}, {"parts": [10**9]}, {"parts": [10**4000]}, {"parts": [[3]]},
    ],
)  # fmt: skip
def test_versions_that_are_none(key: str, value: object) -> None:
    assert why(line(**{key: value})) == f"{key} is no version"


@pytest.mark.parametrize("key", ["name", "language"])
@pytest.mark.parametrize("value", [ABSENT, None, "", 5, ["en"], "a/b", "../b", "a b", "a@b", "a:b", "a\\b", "a\x00", "a\x1b[2J", "\ud800"])
def test_names_that_no_archive_can_have(key: str, value: object) -> None:
    data = fields(**{key: value})
    assert key in why(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("changed", "left_out"),
    [
        ({"readyToUse": False}, LeftOut.NOT_READY),
        ({"readyToUse": False, "isZipped": False}, LeftOut.NOT_READY),
        ({"readyToUse": False, "libVersion": None}, LeftOut.NOT_READY),
        ({"isZipped": False}, LeftOut.NOT_ZIPPED),
        ({"isZipped": ABSENT}, LeftOut.NOT_ZIPPED),
    ],
)
def test_lines_with_nothing_to_fetch(changed: dict[str, object], left_out: LeftOut) -> None:
    assert read_line(line(**changed), FOLDER) is left_out


@pytest.mark.parametrize("value", [ABSENT, None, 1, "true"])
def test_whether_it_is_ready_must_be_said(value: object) -> None:
    assert why(line(readyToUse=value)) == "readyToUse is neither true nor false"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not JSON"),
        (b'{"name": "a",}', "not JSON"),
        (line()[:-1], "not JSON"),
        (line() + line(), "not JSON"),
        (b"null", "not a JSON object"),
        (b"[" + line() + b"]", "not a JSON object"),
        (b"\x00" * 20, "not JSON"),
        (line().replace(b"bert", b"be\x00rt"), "not JSON"),
        (line().replace(b"bert", b"b\xe9rt"), "not UTF-8: byte"),
        (line().decode().encode("utf-16"), "not UTF-8"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_900, "nested too deeply"),
        (line(extra=0).replace(b'"extra": 0', b'"extra": ' + b"9" * 5_000), "too many digits"),
        (line(extra=0).replace(b'"extra": 0', b'"extra": NaN'), "not JSON: NaN"),
        (line().replace(b'"readyToUse"', b'"name": "b", "readyToUse"'), "twice"),
        (line().replace(b'"parts": [3, 0]', b'"parts": [3, 0], "parts": [9]'), "twice"),
        (line(annotator=5), "annotator"),
        (line(checksum=["0"]), "checksum"),
        (line(category="m\x1bl"), "category"),
        (line("n" * 70_000), "longer than 65,536 bytes"),
    ],
)
def test_broken_lines(data: bytes, words: str) -> None:
    assert words in why(data)


def test_all_lines_are_counted_and_the_first_broken_ones_are_told() -> None:
    lines = [line("a"), b"", b"broken", line("b", readyToUse=False), b"\r", line("c", isZipped=False), line("d") + b"\r", *[b"{"] * 20]
    count = count_live(read_live(b"\xef\xbb\xbf" + b"\n".join(lines), FOLDER))
    assert dataclasses.replace(count, first_broken=()) == LiveCount(entries=2, not_ready=1, not_zipped=1, broken=21)
    assert [broken.number for broken in count.first_broken] == [3, *range(8, 17)]


def test_an_appended_line_begins_with_a_line_break() -> None:
    names = [read.name for read in read_live(b"\n" + line("a") + b"\n" + line("b") + b"\n\n" + line("c"), FOLDER)]  # type: ignore[union-attr]
    assert names == ["a", "b", "c"]


def test_separators_of_other_formats_part_no_lines() -> None:
    (read,) = read_live(line("a", more="\u2028\x85").replace(b"\\u2028\\u0085", "\u2028\x85".encode()), FOLDER)
    assert isinstance(read, LiveEntry)


@given(st.lists(st.sampled_from([line("a"), line("é"), b"", b"{", b"\xff", line("n" * 66_000)]), max_size=6), st.data())
def test_it_does_not_matter_where_the_content_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    content = b"\xef\xbb\xbf" + b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=5)))
    chunks = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert list(read_live(chunks, FOLDER)) == list(read_live(content, FOLDER))
    for name in ("a", "é"):
        assert entries_named(chunks, name, FOLDER) == entries_named(content, name, FOLDER)


def long_line() -> Iterator[bytes]:
    yield line("a") + b"\n{"
    for _ in range(50):
        yield bytes(1 << 20)
    yield b'"a"\n' + line("a")


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    tracemalloc.start()
    try:
        count = count_live(read_live(long_line(), FOLDER))
        found = entries_named(long_line(), "a", FOLDER)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (count.entries, count.first_broken, len(found)) == (2, (BrokenLine(2, "longer than 65,536 bytes"),), 2)
    assert peak < 8 << 20


def spellings(name: str) -> Iterator[str]:
    """Of a JSON text."""
    yield json.dumps(name)
    yield json.dumps(name, ensure_ascii=False)
    yield '"' + "".join(f"\\u{unit:04X}" for unit in memoryview(name.encode("utf-16-le")).cast("H")) + '"'
    yield json.dumps(name, ensure_ascii=False).replace("e", "\\u0065")


@pytest.mark.parametrize("name", ["bert_sst2", "modèle", "模型", "a😀b", 'a"b', "a.b-c", "(b|c)*", "name", "e"])
def test_a_name_is_found_however_it_is_spelled(name: str) -> None:
    plain = [line("X", language=f"l{number}").decode().replace('"X"', text) for number, text in enumerate(spellings(name))]
    texts = [spelled for text in plain for spelled in (text, text.replace('"name": ', '"n\\u0061me" \t:\r '))]
    others = [
        line(name + "2"),
        line("2" + name),
        line("other", annotator=name, category="name", extra={"name": name}),
        line(name.upper() + "_"),
    ]
    content = b"\n".join([*others, *(text.encode() for text in texts), *others])
    assert [found.language for found in entries_named(content, name, FOLDER)] == [f"l{number // 2}" for number in range(8)]


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([line(), line()[:90], b'"name":"a"', b"\\", b"\n"])), max_size=8))
def test_no_content_is_an_error(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    lines = [text for text in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if text.strip()]
    assert len(list(read_live(content, FOLDER))) == len(lines)
    entries_named(content, "a", FOLDER)


WORDS = st.sampled_from(["a", "é", "name", "en", '"', "\\", "n", ":", "{", "\u2028", "😀", "\n"])
LINES = st.builds(
    lambda said, ascii_only, tight, broken: json.dumps(
        said, ensure_ascii=ascii_only, separators=(",", ":") if tight else None
    ).encode("utf-8", "surrogatepass")[broken:],
    st.builds(
        lambda name, annotator, extra: fields(name, annotator=annotator, extra=extra),
        st.lists(WORDS, max_size=3).map("".join),
        st.lists(WORDS, max_size=2).map("".join),
        st.dictionaries(st.lists(WORDS, max_size=2).map("".join), st.lists(WORDS, max_size=2).map("".join), max_size=2),
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 0, 0, 1]),
)  # fmt: skip


@given(st.lists(LINES, max_size=6), st.lists(WORDS, max_size=3).map("".join))
def test_what_is_found_is_what_parsing_everything_finds(lines: list[bytes], name: str) -> None:
    content = b"\n".join(lines)
    everything = [read for read in read_live(content, FOLDER) if isinstance(read, LiveEntry)]
    assert entries_named(content, name, FOLDER) == [read for read in everything if read.name == name]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "\ud800", "a\x00"])
def test_what_is_no_name_is_not_found(name: str) -> None:
    assert entries_named(line(name), name, FOLDER) == []


@given(st.text(max_size=5))
def test_a_name_of_the_index_can_be_written_as_a_reference(name: str) -> None:
    if is_name(name) and not name.startswith(("~", ".")):
        reference = parse_reference(name)
        assert isinstance(reference, CardReference)
        assert reference.name == name
