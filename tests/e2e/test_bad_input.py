"""What cannot be used is refused: by the right error, in words that help, with its exit code, and nothing of it stays in the store."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubclient import HubError, bundled, load, parse_card, pretrained
from hubclient.errors import (
    AmbiguousModel,
    CardError,
    CorruptArchive,
    CorruptTransfer,
    Forbidden,
    InconsistentModel,
    InvalidReference,
    InvalidText,
    NotAnArchive,
    NotFound,
    Offline,
    ResolutionError,
    ServerFailure,
    SourceError,
    StoreFull,
    StoreUnwritable,
    UnknownLanguage,
    UnknownModel,
    UnknownVersion,
    Unreachable,
    UnsafeArchive,
    UnsupportedModel,
    UsageError,
)
from tests.e2e import damaged
from tests.e2e.material import DEMO, DEMO_ZIP, IMDB, PUBMED, PUBMED_FOLDER
from tests.e2e.shell import HUB, cache, holdings, hub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer, file_reply

TEXT = "I really liked that movie!"


@pytest.fixture(autouse=True)
def _something_in_the_store() -> None:
    """Something that a failure could spoil."""
    pretrained(DEMO, "en")


@dataclass(frozen=True)
class Refusal:
    error: type[HubError]
    words: tuple[str, ...]

    def check(self, reference: str | Path, *arguments: str, **options: Any) -> None:
        """Through Python, and through the command with `arguments`."""
        before = holdings()
        self.check_python(lambda: load(str(reference), **options))
        assert holdings() == before
        self.check_command("predict", str(reference), *arguments, TEXT)
        assert holdings() == before

    def check_python(self, action: Callable[[], object]) -> None:
        with pytest.raises(HubError) as caught:
            action()
        error = caught.value
        assert type(error) is self.error
        assert error.what
        # What the caller wrote is itself the place, and such a message may say at once what to write.
        assert error.where or issubclass(self.error, (UsageError, ResolutionError)), str(error)
        assert error.hint or issubclass(self.error, UsageError), str(error)
        for word in self.words:
            assert word in str(error)

    def check_command(self, *arguments: str) -> None:
        done = hub(*arguments)
        assert done.code == self.error.exit_code, done.err
        assert done.out == ""
        assert "error: " in done.err
        assert "Traceback" not in done.err
        for word in self.words:
            assert word in done.err


def refused(error: type[HubError], *words: str) -> Refusal:
    return Refusal(error, words)


# Names


@pytest.mark.parametrize(
    ("reference", "refusal"),
    [
        ("bert_tiny_sequence_classifer_sst2", refused(UnknownModel, "did you mean", DEMO)),
        ("BERT_tiny_sequence_classifier_sst2", refused(UnknownModel, "case-sensitive", DEMO)),
        ("nothing-like-any-of-them", refused(UnknownModel, "hub search")),
        (f"fr/{DEMO}", refused(UnknownLanguage, "'fr'", "en")),
        (f"{DEMO}@9.9", refused(UnknownVersion, "9.9", "3.4.4")),
        ("owner/repo", refused(InvalidReference, "two ways", "hf:owner/repo", "./owner/repo")),
        (f"{DEMO}@new", refused(InvalidReference, "'new'")),
        ("hf:a/b/c", refused(InvalidReference, "hf:OWNER/REPO")),
        ("hf:owner/repo@..", refused(InvalidReference, "'..'", "revision")),
        ("hf:owner/repo@", refused(InvalidReference, "revision")),
        ("s3://bucket/key", refused(InvalidReference, ".zip")),
        (" ", refused(InvalidReference, "non-empty")),
        ("https://[::1/a.zip", refused(InvalidReference, "https://[::1/a.zip", "https://HOST")),
        ("https://host:99999/a.zip", refused(InvalidReference, "https://HOST")),
        ("https:///a.zip", refused(InvalidReference, "https://HOST")),
        ("\udcff", refused(InvalidReference, "Unicode")),
        ("s3://bucket/\udcff.zip", refused(InvalidReference, "Unicode")),
        ("hf:owner/repo@\udcff", refused(InvalidReference, "Unicode")),
        ("./" + 300 * "n", refused(SourceError, "too long")),
        ("./no-such-file.zip", refused(NotFound, "no-such-file.zip")),
        ("./no-such-folder", refused(NotFound, "no-such-folder")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.error.__name__,
)
def test_references_that_name_nothing(reference: str, refusal: Refusal) -> None:
    refusal.check(reference)


def test_two_languages_at_once() -> None:
    refused(InvalidReference, "two languages", f"en/{DEMO}").check(f"en/{DEMO}", "--lang", "fr", lang="fr")


@pytest.fixture
def own_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    monkeypatch.setenv("HUBCLIENT_CARDS", str(folder))
    return folder


def shipped_card() -> str:
    return (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")


def test_a_name_in_several_languages_none_of_them_english(own_cards: Path) -> None:
    for language in ("fr", "de"):
        text = shipped_card().replace(DEMO, "two_tongues").replace("two_tongues_en", f"two_tongues_{language}")
        (own_cards / f"two_tongues_{language}.md").write_text(text.replace("language: en", f"language: {language}"), encoding="utf-8")
    refused(AmbiguousModel, "fr/two_tongues", "de/two_tongues").check("two_tongues")


def test_a_card_that_is_malformed(own_cards: Path) -> None:
    text = shipped_card().replace(DEMO, "broken_card").replace("\ntask: Text Classification", "\ntask: [Text Classification")
    card = own_cards / "broken_card_en.md"
    card.write_text(text, encoding="utf-8")
    with pytest.raises(CardError) as caught:
        parse_card(text, path=str(card))
    assert caught.value.where is not None
    line = int(caught.value.where.removeprefix(f"{card}:"))
    assert 8 <= line <= 10
    refused(UnknownModel, f"{card}:{line}").check("broken_card")


def test_a_card_that_is_malformed_does_not_spoil_the_others(own_cards: Path) -> None:
    (own_cards / "other_en.md").write_text("---\nname: [\n---\n", encoding="utf-8")
    assert hub("predict", DEMO, TEXT).code == 0


def test_an_overlay_that_is_malformed(own_cards: Path) -> None:
    overlay = own_cards / f"{DEMO}_en.overlay.yaml"
    overlay.write_text("max_length: 64\nactivation: sigmiod\n", encoding="utf-8")
    refused(CardError, f"{overlay}:2", "softmax, sigmoid").check(DEMO)


# Sources


@pytest.mark.parametrize(
    ("reply", "refusal"),
    [
        (Reply(404), refused(NotFound, IMDB, "404")),
        (Reply(403), refused(Forbidden, IMDB, "403")),
        (Reply(401), refused(Forbidden, IMDB, "401")),
        (Reply(500, headers={"Retry-After": "600"}), refused(ServerFailure, IMDB, "500")),
        (Reply(503, headers={"Retry-After": "600"}), refused(ServerFailure, IMDB, "503")),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
def test_what_s3_answers_is_told_apart(reply: Reply, refusal: Refusal, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answer = lambda request: reply
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    refusal.check(IMDB)


def test_a_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    refused(Unreachable, IMDB).check(IMDB)


def test_offline() -> None:
    refused(Offline, IMDB).check(IMDB, "--offline", offline=True)


def test_content_that_is_not_what_the_server_announced(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    content = damaged.flipped(DEMO_ZIP.read_bytes(), 1000)
    script.answer = lambda request: file_reply(request, content, '"0123456789abcdef0123456789abcdef"')
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    refused(CorruptTransfer, IMDB).check(IMDB)


def test_an_archive_that_was_truncated_before_it_was_uploaded(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    content = DEMO_ZIP.read_bytes()[:3_000_000]
    script.answer = lambda request: file_reply(request, content, '"v1"')
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    refused(CorruptArchive, f"{script.endpoint}/", IMDB).check(IMDB)


def test_a_page_in_place_of_an_archive(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answer = lambda request: file_reply(request, b"<html>Log in to the network first</html>", '"v1"')
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    refused(NotAnArchive, f"{script.endpoint}/", IMDB).check(IMDB)


# Archives


def plain_zip(target: Path) -> Path:
    target.write_bytes(damaged.zip_of({"notes.txt": b"hello", "folder/more.txt": b"world"}))
    return target


def text_file(target: Path) -> Path:
    target.write_text("This is no archive at all.\n" * 50)
    return target


def empty_file(target: Path) -> Path:
    target.touch()
    return target


def folder_of_something(target: Path) -> Path:
    folder = target.with_suffix("")
    folder.mkdir()
    (folder / "notes.txt").write_text("hello")
    return folder


def unpacked_and_damaged(target: Path) -> Path:
    with zipfile.ZipFile(damaged.truncated_java(target)) as archive:
        archive.extractall(target.with_suffix(""))
    return target.with_suffix("")


ARCHIVES: dict[str, tuple[Callable[[Path], Path], Refusal]] = {
    "truncated in the middle": (lambda target: damaged.truncated(target, 0.5), refused(CorruptArchive)),
    "truncated near the end": (lambda target: damaged.truncated(target, 0.9999), refused(CorruptArchive)),
    "a bit flipped in the zip": (damaged.bit_flip_in_the_zip, refused(CorruptArchive, damaged.WEIGHTS)),
    "a bit flipped in the tensors": (
        lambda target: damaged.bit_flip_in_the_tensors(target, ".data-00000-of-00001"),
        refused(CorruptArchive, "CRC-32C"),
    ),
    "a bit flipped in the index": (lambda target: damaged.bit_flip_in_the_tensors(target, ".index"), refused(CorruptArchive, "CRC-32C")),
    "a plain zip": (plain_zip, refused(NotAnArchive, "metadata")),
    "a text file": (text_file, refused(NotAnArchive)),
    "an empty file": (empty_file, refused(NotAnArchive)),
    "a folder of something": (folder_of_something, refused(NotAnArchive)),
    "no weights": (lambda target: damaged.rewritten(target, {damaged.WEIGHTS: None}), refused(NotAnArchive, "weights")),
    "metadata that are not JSON": (
        lambda target: damaged.rewritten(target, {damaged.METADATA: b'{"class": '}),
        refused(CorruptArchive, "metadata"),
    ),
    "another annotator": (
        lambda target: damaged.other_metadata(target, **{"class": "com.johnsnowlabs.nlp.annotators.classifier.dl.T5Transformer"}),
        refused(UnsupportedModel, "T5Transformer", "docs/supported.md"),
    ),
    "a pipeline": (
        lambda target: damaged.other_metadata(target, **{"class": "org.apache.spark.ml.PipelineModel"}),
        refused(UnsupportedModel, "pipeline"),
    ),
    "an unknown activation": (
        lambda target: damaged.other_default_activation(target, "tanh"),
        refused(UnsupportedModel, "tanh", "softmax, sigmoid"),
    ),
    "a truncated Java stream": (damaged.truncated_java, refused(CorruptArchive, damaged.LABELS)),
    "a truncated Java stream, unpacked": (unpacked_and_damaged, refused(CorruptArchive, damaged.LABELS)),
    "a Java object of another class": (damaged.java_of_another_class, refused(UnsafeArchive, "java.util.PriorityQueue")),
    "a Java array that claims too much": (damaged.java_that_claims_too_much, refused(CorruptArchive, damaged.LABELS)),
    "a member outside of the folder": (
        lambda target: damaged.rewritten(target, {"../../evil.txt": b"evil"}),
        refused(UnsafeArchive, "../../evil.txt"),
    ),
    "a piece beyond the embedding table": (
        lambda target: damaged.with_piece(target, "##zzzz", damaged.pieces()),
        refused(InconsistentModel, str(damaged.pieces())),
    ),
    "more labels than outputs": (
        lambda target: damaged.with_labels(target, ("neg", 0), ("pos", 1), ("other", 2)),
        refused(InconsistentModel, "3 labels", "2 outputs"),
    ),
    "fewer labels than outputs": (lambda target: damaged.with_labels(target, ("pos", 0)), refused(InconsistentModel, "2 outputs")),
    "labels with a gap": (lambda target: damaged.with_labels(target, ("neg", 0), ("pos", 2)), refused(InconsistentModel, "pos: 2")),
}


@pytest.mark.parametrize(("make", "refusal"), ARCHIVES.values(), ids=ARCHIVES.keys())
def test_archives_that_cannot_be_used(make: Callable[[Path], Path], refusal: Refusal, tmp_path: Path) -> None:
    path = make(tmp_path / "archive.zip")
    refusal.check(path)
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_the_rewritten_archive_is_good_where_nothing_is_wrong(tmp_path: Path) -> None:
    labels = damaged.with_labels(tmp_path / "archive.zip", ("bad", 0), ("good", 1))
    assert load(str(labels))(TEXT).label == "good"


# The disk


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk, writing more than that fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [1000, 100_000, 1_000_000, 4_000_000])
def test_files_that_cannot_grow(size: int, tmp_path: Path) -> None:
    archive = damaged.with_labels(tmp_path / "other.zip", ("bad", 0), ("good", 1))
    with largest_file(size):
        refused(StoreFull, str(cache())).check(archive)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_CACHE", str(small_disk))
    refused(StoreFull, str(small_disk), "bytes are free").check(DEMO)
    assert not holdings()


def test_a_full_disk_is_seen_before_anything_is_fetched(small_disk: Path, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    content = DEMO_ZIP.read_bytes()
    script.answer = lambda request: file_reply(request, content, '"v1"')
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HUBCLIENT_CACHE", str(small_disk))
    refused(StoreFull, f"{len(content):,} bytes are needed").check(IMDB)
    assert script.sent == 0


def test_a_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "file" / "cache"))
    refused(StoreUnwritable, str(tmp_path / "file"), "HUBCLIENT_CACHE").check(DEMO)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    monkeypatch.setenv("HUBCLIENT_CACHE", str(folder))
    refused(StoreUnwritable, str(folder), "HUBCLIENT_CACHE").check(DEMO)


def test_a_cache_on_a_read_only_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if subprocess.run(["mount", "-o", "remount,ro", small_disk]).returncode:
        pytest.skip("the small disk cannot be made read-only")
    monkeypatch.setenv("HUBCLIENT_CACHE", str(small_disk))
    refused(StoreUnwritable, str(small_disk), "HUBCLIENT_CACHE").check(DEMO)


# Texts and options


@pytest.mark.parametrize(
    "text", [None, 3, b"bytes", ["good", None], [["nested"]], {"a": 1}, "\ud800", ["good", "\udfff"], [("a", "b", "c")]]
)
def test_what_is_no_text(text: Any) -> None:
    classifier = pretrained(DEMO)
    refused(InvalidText).check_python(lambda: classifier(text))
    if isinstance(text, list):
        refused(InvalidText).check_python(lambda: classifier.predict(text))
        refused(InvalidText).check_python(lambda: classifier.encode(text[-1]))


def test_bytes_that_are_no_text_in_the_shell() -> None:
    for arguments, given in (([DEMO, b"caf\xe9"], b""), ([DEMO], b"good\ncaf\xe9\n"), ([DEMO, b"-"], b"caf\xe9")):
        done = subprocess.run([HUB, "predict", *arguments], input=given, capture_output=True)
        assert done.returncode == InvalidText.exit_code
        assert b"error: " in done.stderr
        assert b"Traceback" not in done.stderr
    assert b"line 1" in done.stderr


@pytest.mark.parametrize(
    ("options", "arguments", "refusal"),
    [
        ({"max_length": 513}, ["--max-length", "513"], refused(UsageError, "513", "512")),
        ({"threshold": float("nan")}, ["--threshold", "nan"], refused(UsageError, "nan", "must be a number")),
        ({"engine": "tensorflow"}, ["--engine", "tensorflow"], refused(UsageError, "tensorflow", "onnx, openvino, torch")),
    ],
    ids=["max_length", "threshold", "engine"],
)
def test_options_that_cannot_be_met(options: dict[str, Any], arguments: list[str], refusal: Refusal) -> None:
    refusal.check(DEMO, *arguments, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "tanh"}, ("tanh", "softmax, sigmoid, none")),
        ({"source": "ftp"}, ("ftp", "'s3'", "'hf'")),
        ({"max_length": 0}, ("0",)),
        ({"max_length": "many"}, ("many",)),
        ({"threshold": "0.5"}, ("'0.5'",)),
        ({"task": "translation"}, ("translation", "text-classification")),
    ],
)
def test_options_that_only_python_takes(options: dict[str, Any], words: tuple[str, ...]) -> None:
    before = holdings()
    refused(UsageError, *words).check_python(lambda: pretrained(DEMO, "en", **options))
    assert holdings() == before


def test_options_of_a_call() -> None:
    classifier = pretrained(DEMO)
    refused(UsageError, "top_k").check_python(lambda: classifier(TEXT, top_k=0))
    refused(UsageError, "threshold").check_python(lambda: classifier(TEXT, threshold=float("nan")))
    refused(UsageError, "batch_size").check_python(lambda: classifier([TEXT], batch_size=0))


def test_options_that_the_command_refuses() -> None:
    for arguments in (
        ["predict", DEMO, "--source", "ftp", TEXT],
        ["pull", PUBMED, "--source", "ftp"],
        ["predict", DEMO, "--top-k", "0", TEXT],
    ):
        done = hub(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Traceback" not in done.err


@pytest.mark.parametrize("reference", ["hf:owner/repo", "s3://bucket/key.zip", "./folder"])
def test_a_source_belongs_to_a_name(reference: str) -> None:
    refused(InvalidReference, reference, "takes no source").check(reference, "--source", "s3", source="s3")


@pytest.mark.parametrize("reference", ["s3://bucket/key.zip", "./folder"])
def test_a_revision_belongs_to_a_name_or_a_repository(reference: str) -> None:
    refused(InvalidReference, reference, "takes no revision").check(reference, "--revision", "v1", revision="v1")


@pytest.mark.parametrize("reference", [None, 5, Path("a.zip"), b"name", "./a\0b"])
def test_what_is_no_reference(reference: Any) -> None:
    with pytest.raises((InvalidReference, NotFound)):
        load(reference)


@pytest.mark.parametrize("name", ["HUBCLIENT_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "HF_ENDPOINT"])
def test_an_endpoint_without_a_scheme(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "127.0.0.1:8333")
    refused(UsageError, name, "127.0.0.1:8333", "https://HOST").check(DEMO)


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:port", "https://"])
def test_an_endpoint_that_is_no_address(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", endpoint)
    refused(UsageError, "HUBCLIENT_S3_ENDPOINT", endpoint).check(IMDB)


# Hugging Face folders


def repository(folder: Path, **changes: Any) -> Path:
    """The small pubmed repository with other settings."""
    shutil.copytree(PUBMED_FOLDER, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **changes}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_attention_heads", 0),
        ("hidden_size", None),
        ("hidden_size", "128"),
        ("num_hidden_layers", True),
        ("layer_norm_eps", None),
        ("layer_norm_eps", "1e-12"),
    ],
)
def test_settings_that_cannot_be(name: str, value: Any, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model", **{name: value})
    refused(InconsistentModel, name, repr(value), str(folder)).check(folder)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("tokenizer_config.json", b'{"do_lower_case": "yes"}', ("do_lower_case", "'yes'")),
        ("tokenizer.json", b'{"normalizer": 1, "model": {"type": "None", "vocab": {}}}', ("tokenizer",)),
        ("vocab.txt", b"\xff\n", ("vocab.txt", "UTF-8")),
    ],
)
def test_tokenizer_files_that_cannot_be(file: str, content: bytes, words: tuple[str, ...], tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    if file == "vocab.txt":
        (folder / "tokenizer.json").unlink()
    (folder / file).write_bytes(content)
    refused(InconsistentModel, str(folder), *words).check(folder)


def test_an_activation_function_that_is_none(tmp_path: Path) -> None:
    refused(UnsupportedModel, "['gelu']", str(tmp_path)).check(repository(tmp_path / "model", hidden_act=["gelu"]))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    folder.chmod(0)
    try:
        refused(NotAnArchive, str(folder)).check(folder)
    finally:
        folder.chmod(0o700)


# The store


def test_a_model_that_was_not_pulled() -> None:
    for command in ("path", "rm"):
        refused(NotFound, IMDB, "hub pull").check_command(command, IMDB)


def test_a_damaged_entry_is_pulled_anew() -> None:
    folder = pretrained(DEMO).path
    (folder / "model.safetensors").write_bytes(b"cut")
    assert pretrained(DEMO)(TEXT).label == "pos"
    shutil.rmtree(folder)
    assert pretrained(DEMO)(TEXT).label == "pos"
