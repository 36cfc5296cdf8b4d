"""Searching folders of code: what is found where, and that nothing which lies there is too much."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hubclient.check.finding import Subject
from hubclient.check.scan import Sighting, is_excluded, scan_file, scan_folder
from tests.check.sample import EXPECTED, PYTHON, notebook, write_sample
from tests.e2e.test_layering import PACKAGE, imports

SCAN = PACKAGE / "check" / "scan"
OUTSIDE = {SCAN / "__init__.py", SCAN / "walk.py"}


def told(sightings: list[Sighting]) -> list[tuple[str, int, str]]:
    found = []
    for sighting in sightings:
        subject = sighting if isinstance(sighting, Subject) else sighting.subject
        assert subject.place is not None
        found.append(
            (subject.place.path, subject.place.line or 0, sighting.reference if isinstance(sighting, Subject) else sighting.rule.name)
        )
    return sorted(found)


def scan(folder: str = ".", *exclude: str) -> list[tuple[str, int, str]]:
    return [(path.removeprefix("./"), line, what) for path, line, what in told(list(scan_folder(folder, exclude)))]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def why(path: str) -> str:
    (found,) = scan_file(path)
    assert not isinstance(found, Subject)
    assert found.rule.name == "unscanned-file"
    return found.message


def test_the_sample_repository(folder: Path) -> None:
    write_sample(folder)
    assert scan() == EXPECTED


def test_what_is_known_of_the_calls(folder: Path) -> None:
    write_sample(folder)
    found = {(sighting.reference, sighting.loader): sighting for sighting in scan_folder("src") if isinstance(sighting, Subject)}
    forbidden = found["fr/forbidden_model", "spark-nlp"]
    assert (forbidden.annotator, forbidden.remote) == ("BertForTokenClassification", None)
    assert found["en/licensed_model", "spark-nlp"].remote == "clinical/models"
    assert forbidden.place is not None
    assert forbidden.place.column == PYTHON.splitlines()[21].index("pretrained") + 1
    assert found["en/good_pipeline", "spark-nlp"].annotator is None
    assert found["en.good", "nlu"].remote is None
    assert found["hf:owner/good-repo", "hubclient"].annotator is None
    cells = [sighting.place.cell for sighting in scan_folder("notebooks") if isinstance(sighting, Subject) and sighting.place]
    assert cells == [4, 4]


def test_what_is_excluded(folder: Path) -> None:
    write_sample(folder)
    assert {path for path, *_ in scan(".", "*.py", "jvm")} == {"notebooks/explore.ipynb"}
    assert {path for path, *_ in scan(".", "src/*", "Main.*", "./notebooks/")} == set()
    (folder / "src" / "environment").mkdir()
    (folder / "src" / "environment" / "a.py").write_text(PYTHON)
    assert any("environment" in path for path, *_ in scan())
    (folder / "src" / "environment" / "pyvenv.cfg").write_text("")
    assert scan() == EXPECTED
    assert not is_excluded("src/app.py", [])


def test_a_folder_that_is_named_is_searched_whatever_it_is_called(folder: Path) -> None:
    write_sample(folder)
    assert len(scan(".venv")) == sum(path == "src/app.py" for path, *_ in EXPECTED)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.py", b"pretrained(\n", "'(' was never closed"),
        ("a.py", b"no words that matter", "invalid syntax"),
        ("a.py", b"\xff\xfep\0r\0e\0t\0r\0a\0i\0n\0e\0d\0", "binary"),
        ("a.py", b"\x7fELF\0\0\0", "binary"),
        ("a.scala", b"\0", "binary"),
        ("a.py", b"# coding: nonsense\npretrained", "encoding"),
        ("a.py", b"x = '\xe9' # pretrained", "encoding"),
        ("a.java", b"// pretrained\n// \xe9", "byte 17"),
        ("a.ipynb", b"pretrained {", "it is not JSON"),
        ("a.ipynb", b'["pretrained"]', "no notebook"),
        ("a.ipynb", b'{"cells": 1, "pretrained": 2}', "no notebook"),
        ("a.ipynb", b'"pretrained"' + b"[" * 100_000, "not JSON"),
        ("a.ipynb", b'{"pretrained":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        ("a.ipynb", b'{"pretrained": ' + b"1" * 5000 + b"}", "numbers too long"),
        ("a.py", b"pretrained" + b"(" * 100_000, "nested"),
        ("a.py", b"pretrained" + b"-" * 1_500_000 + b"1", "nested"),
        ("a.py", b"#" * 2_000_000, "2,000,000 bytes"),
        ("a.ipynb", b" " * 10_000_000, "10,000,000 bytes"),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_what_cannot_be_read_is_said_to_be_so(folder: Path, name: str, data: bytes, said: str) -> None:
    (folder / name).write_bytes(data)
    assert said in why(name)


@pytest.mark.parametrize("path", sorted({*SCAN.glob("*.py"), *SCAN.parent.glob("reports/*.py")} - OUTSIDE), ids=lambda path: path.name)
def test_what_reads_and_writes_texts_touches_nothing_else(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & {"os", "pathlib", "socket", "subprocess", "tempfile", "urllib3"}


def test_old_encodings_and_marks_are_read(folder: Path) -> None:
    line = 'from hubclient import pretrained as öffne; öffne("å", "sv")\n'
    (folder / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\r\n" + line.encode("latin-1"))
    (folder / "b.py").write_bytes(b"\xef\xbb\xbf" + line.encode())
    (folder / "c.scala").write_bytes(b'\xef\xbb\xbfBertEmbeddings\r\n.pretrained(\r\n"a")')
    assert scan() == [("a.py", 2, "sv/å"), ("b.py", 1, "sv/å"), ("c.scala", 2, "en/a")]
    (found, *_) = [sighting for sighting in scan_file("a.py") if isinstance(sighting, Subject)]
    assert found.place is not None
    assert found.place.column == line.index('öffne("') + 1


def test_links(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "real.py").write_text('from hubclient import pull\npull("a")\n')
    os.symlink("real.py", "src/linked.py")
    os.symlink("..", "src/up")
    os.symlink("itself.py", "src/itself.py")
    os.symlink("nowhere.py", "src/nowhere.py")
    assert scan("src") == [
        ("src/itself.py", 0, "unscanned-file"),
        ("src/linked.py", 2, "a"),
        ("src/nowhere.py", 0, "unscanned-file"),
        ("src/real.py", 2, "a"),
        ("src/up", 0, "unscanned-file"),
    ]


def test_what_is_no_file(folder: Path) -> None:
    os.mkfifo("pipe.py")
    (folder / "folder.py").mkdir()
    (folder / "folder.py" / "a.py").write_text('import hubclient\nhubclient.load("hf:a/b")\n')
    assert scan() == [("folder.py/a.py", 2, "hf:a/b"), ("pipe.py", 0, "unscanned-file")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(folder: Path) -> None:
    (folder / "a.py").write_text("pretrained")
    (folder / "a.py").chmod(0)
    (folder / "closed").mkdir(0)
    assert scan() == [("a.py", 0, "unscanned-file"), ("closed", 0, "unscanned-file")]


def test_names_that_are_no_text(folder: Path) -> None:
    with open(b"\xff.py", "w") as file:
        file.write('from hubclient import pull\npull("a")\n')
    assert scan() == [("\udcff.py", 2, "a")]


def test_a_large_notebook_below_the_limit_is_read(folder: Path) -> None:
    text = notebook().replace('"outputs": []', f'"outputs": [{{"data": {{"image/png": "{"A" * 9_000_000}"}}, "source": "pretrained"}}]', 1)
    (folder / "a.ipynb").write_text(text)
    start = time.monotonic()
    assert [what for *_, what in scan()] == ["changed_model", "en/good_model", "unscanned-file"]
    assert time.monotonic() - start < 20
