"""Lockfiles: written alike for ever, read back whole, refused by line where they are broken."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.errors import AmbiguousModel, LockError, NotLocked
from hubclient.lockfile import Canary, Lock, Pin, read_lock, write_lock
from hubclient.lockfile.lock import Change, changes
from hubclient.lockfile.toml import from_toml, to_toml
from hubclient.names import parse_reference
from hubclient.sources import HubLocation, S3Location

SST2 = Pin(
    "bert_sst2",
    "s3://a.bucket/models/bert_sst2_en_3.4.4_3.0_1635774771318.zip",
    "en",
    "3.4.4",
    size=4_891_541,
    etag='"59a4b1f1"',
    sha256="ab" * 32,
    tensors="cd" * 32,
    labels=("neg", 'po"s', "a, b"),
    lowercase=True,
    max_length=128,
    canaries=(Canary("What a film!", "neg", (0.25, -1.5)),),
)
PUBMED = Pin(
    "pubmed", "s3://a.bucket/pubmed_en_4.1.0_3.0_1662500997655.zip", "en", "4.1.0", size=10, labels=tuple(f"label {n}" for n in range(14))
)
REPO = Pin("hf:someone/tiny", "hf:someone/tiny", commit="f" * 40, files=(("config.json", "1" * 64), ("model.safetensors", "2" * 64)))

TEXT = """\
# Made by hub lock: which models this project uses, byte for byte. Keep it with the code; hub check and hub sync read it.
format = 1

[[model]]
name = "bert_sst2"
language = "en"
version = "3.4.4"
source = "s3://a.bucket/models/bert_sst2_en_3.4.4_3.0_1635774771318.zip"
size = 4891541
etag = '"59a4b1f1"'
sha256 = "abababababababababababababababababababababababababababababababab"
tensors = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
labels = ["neg", 'po"s', "a, b"]
lowercase = true
max_length = 128

[[model.canary]]
text = "What a film!"
answer = "neg"
logits = [0.25, -1.5]

[[model]]
name = "hf:someone/tiny"
source = "hf:someone/tiny"
commit = "ffffffffffffffffffffffffffffffffffffffff"

[model.files]
"config.json" = "1111111111111111111111111111111111111111111111111111111111111111"
"model.safetensors" = "2222222222222222222222222222222222222222222222222222222222222222"
"""


def test_what_is_written_never_changes() -> None:
    assert to_toml(Lock.of([REPO, SST2])) == TEXT
    lock = from_toml(TEXT, "hubclient.lock")
    assert lock.pins == (SST2, REPO)
    assert [pin.line for pin in lock.pins] == [4, 22]
    assert to_toml(lock) == TEXT


def test_one_model_more_changes_no_other_line() -> None:
    more = to_toml(Lock.of([REPO, SST2, PUBMED]))
    assert [line for line in TEXT.split("\n") if line not in more.split("\n")] == []
    assert 'labels = [\n    "label 0",\n' in more


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SHOWN = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1)
PINS = st.builds(
    Pin,
    name=SHOWN,
    source=st.builds(lambda key: f"s3://b/{key}.zip", st.from_regex(r"[a-z0-9]+", fullmatch=True)),
    language=st.none() | SHOWN,
    size=st.none() | st.integers(0, 1 << 60),
    etag=st.none() | SHOWN,
    labels=st.lists(TEXTS).map(tuple),
    lowercase=st.none() | st.booleans(),
    canaries=st.lists(st.builds(Canary, TEXTS, TEXTS, st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple))).map(tuple),
    files=st.dictionaries(TEXTS, st.just("ab" * 32)).map(lambda files: tuple(sorted(files.items()))),
)


@given(st.lists(PINS, max_size=4))
def test_every_lock_comes_back_as_it_was(pins: list[Pin]) -> None:
    lock = Lock.of(pins)
    text = to_toml(lock)
    tomllib.loads(text)
    assert from_toml(text) == lock
    assert to_toml(from_toml(text)) == text


WRONG_LINES = {
    "size = 99999999999999999999999": "size is 9",
    "size = 1.5": "size is 1.5",
    "max_length = 0": "max_length is 0",
    "sha256 = '../../../etc/passwd'": "sha256 is",
    f"sha256 = '{'AB' * 32}'": "sha256 is",
    "tensors = 'abc'": "tensors is",
    "etag = ''": "etag is ''",
    'etag = "a\\r\\nX: y"': "cannot be printed",
    'language = "e\\u001b[31mn"': "cannot be printed",
    "version = '٣.٤'": "not a version",
    f"version = '{'9' * 5000}'": "not a version",
    "version = 2024-01-02": "version is datetime",
    "lowercase = 'true'": "lowercase is 'true'",
    "canary = 5": "canary",
    f"canary = [{{text = 'a', answer = 'b', logits = [{'9' * 400}]}}]": "logits",
    "commit = 'abc'": "not the address",
    "files = {'../../x' = '00'}": "files",
}
WRONG_SOURCES = {
    "source = '/etc/passwd'": "not an address",
    "source = 'file:///etc/passwd.zip'": "not an address",
    "source = '../x.zip'": "not an address",
    "source = 's3://b/../../etc/passwd.zip'": "S3 object",
    "source = 's3://../x.zip'": "S3 object",
    "source = 's3://b/k'": "not the address of an archive",
    "source = 'https://me:secret@host/k.zip'": "write https://host/k.zip",
    "source = 'https://host/k.zip?X-Amz-Signature=feed'": "write https://host/k.zip",
    "source = 'https://host:99999/k.zip'": "not an address",
    'source = "https://host/a\\r\\nX: y.zip"': "cannot be printed",
    "source = 'hf:../..'": "Hugging Face",
    "source = 'hf:a/b/c'": "Hugging Face",
    "source = 'hf:a/b'": "no commit",
    "source = 'hf:a/b'\ncommit = 'main'": "pinned at main",
    "source = 'hf:a/b'\ncommit = '../../x'": "not a revision",
    "source = 'hf:a/b@main'": "no commit",
    f"source = 'hf:a/b@main'\ncommit = '{'a' * 40}'": "not a revision",
    "source = 's3://b/k.zip '": "has another form",
}
BROKEN = {
    "format = 1\n[[model]\n": "Expected",
    "": "format",
    "format = 2\n": "format is 2",
    "format = 1\nmodel = 3\n": r"\[\[model\]\]",
    "format = 1\nother = 3\n": r"\[\[model\]\]",
    "format = 1\n[[model]]\nname = 'a'\n": "no source",
    "format = 1\n[[model]]\nsource = 's3://b/k.zip'\n": "no name",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b'\n": "S3 object",
    "format = 1\n[[model]]\nname = 'a'\nsource = 'ftp://b/k.zip'\n": "not an address",
    "format = 1\n[[model]]\nname = 'a'\nsource = 'hf:'\n": "Hugging Face",
    "format = true\n": "format is True",
    "format = 1.0\n": "format is 1.0",
    "format = 1\nx = " + "9" * 5000: "4300 digits",
    **{f"format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\n{line}\n": why for line, why in WRONG_LINES.items()},
    **{f"format = 1\n[[model]]\nname = 'a'\n{lines}\n": why for lines, why in WRONG_SOURCES.items()},
    "format = 1\n[[model]]\nname = 'a\u009b'\nsource = 's3://b/k.zip'\n": "cannot be printed",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nversion = 'new'\n": "version",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nsize = -1\n": "size is -1",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nsize = true\n": "size is True",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nlabels = [1]\n": "labels",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nsha = 'x'\n": "'sha'",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\nfiles = {a = 1}\n": "files",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\ncanary = [{text = 'a'}]\n": "canary",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\ncanary = [{text = 1, answer = ''}]\n": "canary",
    "format = 1\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\ncanary = [{text = '', answer = '', logits = [nan]}]\n": "logits",
    "format = 1\n" + 2 * "[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\n": "twice",
    "format = 1\nx = " + "[" * 5000: "cannot be used",
}


@pytest.mark.parametrize(("text", "why"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_broken_lock_says_why(text: str, why: str) -> None:
    with pytest.raises(LockError, match=why) as error:
        from_toml(text, "the.lock")
    assert "the.lock" in str(error.value)


def test_the_line_of_what_is_broken() -> None:
    with pytest.raises(LockError) as error:
        from_toml(
            "format = 1\n\n[[model]]\nname = 'a'\nsource = 's3://b/k.zip'\n\n[[model]]\nname = 3\nsource = 's3://b/l.zip'\n", "a.lock"
        )
    assert error.value.where == "a.lock:7"


def test_a_file_is_written_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "hubclient.lock"
    assert write_lock(Lock.of([SST2]), path)
    before = path.stat()
    assert not write_lock(Lock.of([SST2]), path)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert read_lock(path) == Lock((SST2,), str(path))
    assert write_lock(Lock.of([REPO]), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["hubclient.lock"]


def test_a_mark_in_front_of_the_text_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "hubclient.lock"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert read_lock(path).pins == (SST2, REPO)


def test_files_that_are_no_locks(tmp_path: Path) -> None:
    path = tmp_path / "hubclient.lock"
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(path)
    with pytest.raises(LockError, match="cannot be written"):
        write_lock(Lock(), tmp_path / "no" / "folder")


OLD = replace(SST2, version="3.0.0", source="s3://a.bucket/models/bert_sst2_en_3.0.0_3.0_1600000000000.zip")
LATER = replace(SST2, source="s3://a.bucket/models/bert_sst2_en_3.4.4_3.0_1700000000000.zip")
FRENCH = replace(SST2, language="fr", source="s3://a.bucket/models/bert_sst2_fr_3.4.4_3.0_1635774771318.zip")
LOCK = Lock.of([SST2, OLD, LATER, FRENCH, PUBMED, REPO], "hubclient.lock")


@pytest.mark.parametrize(
    ("reference", "pin"),
    [
        ("en/bert_sst2", LATER),
        ("bert_sst2", LATER),
        ("bert_sst2@3.0", OLD),
        ("bert_sst2@<=3.4", OLD),
        ("fr/bert_sst2", FRENCH),
        ("hf:someone/tiny", REPO),
        (f"hf:someone/tiny@{'f' * 40}", REPO),
        (SST2.source, SST2),
    ],
)
def test_the_pin_that_a_reference_means(reference: str, pin: Pin) -> None:
    assert LOCK.find(parse_reference(reference)) == pin


@pytest.mark.parametrize(
    "reference", ["de/bert_sst2", "bert_sst2@5", "other", "hf:someone/tiny@main", "hf:someone/else", "s3://b/k.zip", "./a.zip"]
)
def test_what_is_not_pinned_is_refused(reference: str) -> None:
    with pytest.raises(NotLocked) as error:
        LOCK.find(parse_reference(reference))
    assert error.value.where == "hubclient.lock"


def test_languages_of_which_none_is_the_usual_one() -> None:
    german = replace(FRENCH, language="de", source="s3://a.bucket/models/bert_sst2_de_3.4.4_3.0_1635774771318.zip")
    with pytest.raises(AmbiguousModel, match="2 languages"):
        Lock.of([FRENCH, german]).find(parse_reference("bert_sst2"))


def test_where_a_pin_lies() -> None:
    assert SST2.location == S3Location("a.bucket", "models/bert_sst2_en_3.4.4_3.0_1635774771318.zip")
    assert REPO.location == HubLocation("someone/tiny", "f" * 40)
    assert [str(pin) for pin in (SST2, REPO)] == ["en/bert_sst2@3.4.4", "hf:someone/tiny"]


def test_what_changed_between_two_locks() -> None:
    newer = replace(SST2, version="4.0.0", source="s3://a.bucket/models/bert_sst2_en_4.0.0_3.0_1700000000000.zip", size=5)
    found = list(changes(Lock.of([SST2, PUBMED]), Lock.of([newer, REPO])))
    assert found == [
        Change("changed", SST2, newer, ("source", "version", "size")),
        Change("added", None, REPO),
        Change("removed", PUBMED, None),
    ]
    assert list(changes(LOCK, LOCK)) == []
