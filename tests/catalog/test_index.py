"""The index on a real disk: what is noticed, what is read again, and what damage does."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from hubclient import __version__
from hubclient.catalog import Catalog, Layer, reading
from hubclient.catalog.reading import Answer, Task, read_files
from hubclient.errors import UnknownModel
from hubclient.names import CardReference
from tests.cards.shared import ROOT, archive, card_text

LONG_AGO = time.time() - 3600


def write(folder: Path, name: str, *, title: str = "A title", age: float = LONG_AGO) -> Path:
    path = folder / f"{name}_en.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card_text(file=archive(name), front={"name": name, "title": title}), encoding="utf-8")
    os.utime(path, (age, age))
    return path


def titles(catalog: Catalog) -> dict[str, str | None]:
    return {card.name: card.title for card in catalog.cards.values()}


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    for name in ("one", "two", "three"):
        write(tmp_path / "cards", name)
    return tmp_path / "cards"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read, in order of names."""
    seen: list[str] = []

    def noting(tasks: Sequence[Task]) -> list[Answer]:
        answers = list(read_files(tasks))
        seen.extend(sorted(Path(answer.path).stem + ("" if answer.row else " unchanged") for answer in answers))
        return answers

    monkeypatch.setattr(reading, "read_files", noting)
    return seen


def opened(cards: Path, cache: Path | None) -> Catalog:
    return Catalog([Layer("folder", cards, own=True)], folder=cache)


def test_an_unchanged_folder_is_not_read_again(cards: Path, cache: Path, read: list[str]) -> None:
    assert titles(opened(cards, cache)).keys() == {"one", "two", "three"}
    assert read == ["one_en", "three_en", "two_en"]
    assert titles(opened(cards, cache)).keys() == {"one", "two", "three"}
    assert len(read) == 3


def test_only_what_changed_is_read_and_parsed(cards: Path, cache: Path, read: list[str]) -> None:
    titles(opened(cards, cache))
    read.clear()
    write(cards, "two", title="Another title", age=LONG_AGO + 1)
    write(cards / "sub", "four")
    (cards / "three_en.md").unlink()
    os.utime(cards / "one_en.md", (LONG_AGO + 5, LONG_AGO + 5))
    assert titles(opened(cards, cache)) == {"one": "A title", "two": "Another title", "four": "A title"}
    assert read == ["four_en", "one_en unchanged", "two_en"]
    read.clear()
    assert len(titles(opened(cards, cache))) == 3
    assert read == []


def test_a_change_that_keeps_time_and_size_is_noticed_while_the_file_is_fresh(cards: Path, cache: Path, read: list[str]) -> None:
    now = time.time()
    write(cards, "two", title="Fresh", age=now)
    assert titles(opened(cards, cache))["two"] == "Fresh"
    write(cards, "two", title="Newer"[:5], age=now)
    assert titles(opened(cards, cache))["two"] == "Newer"


def test_a_catalog_looks_again_when_it_is_told(cards: Path, cache: Path) -> None:
    catalog = opened(cards, cache)
    assert len(catalog.cards) == 3
    write(cards, "four")
    assert len(catalog.cards) == 3
    catalog.refresh()
    assert len(catalog.cards) == 4
    assert catalog.resolve(CardReference("four")).card.name == "four"


def test_a_broken_card_is_mended(cards: Path, cache: Path) -> None:
    (cards / "two_en.md").write_text("---\nname: two\n", encoding="utf-8")
    (problem,) = opened(cards, cache).problems
    assert problem.where == f"{cards / 'two_en.md'}:3"
    assert str(opened(cards, cache).problems[0]) == str(problem)
    write(cards, "two")
    catalog = opened(cards, cache)
    assert (len(catalog.cards), catalog.problems) == (3, ())


def test_folders_share_one_index_and_stay_apart(cards: Path, cache: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "five")
    assert titles(opened(tmp_path / "other", cache)).keys() == {"five"}
    assert len(titles(opened(cards, cache))) == 3
    both = Catalog([Layer("folder", cards), Layer("folder", tmp_path / "other")], folder=cache)
    assert len(both.cards) == 4
    assert [path.name for path in cache.iterdir()] == [f"index-{__version__}.sqlite"]


def test_a_file_whose_name_is_no_text(cards: Path, cache: Path) -> None:
    odd = os.fsdecode(os.fsencode(str(cards)) + b"/\xff\xfe.md")
    shutil.copy(cards / "one_en.md", odd)
    (cards / "one_en.md").unlink()
    assert opened(cards, cache).resolve(CardReference("one")).card.path == odd


def database(cache: Path) -> Path:
    return cache / f"index-{__version__}.sqlite"


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "facts", "no table", "zeros"])
def test_a_damaged_index_is_built_anew(cards: Path, cache: Path, damage: str) -> None:
    titles(opened(cards, cache))
    file = database(cache)
    data = file.read_bytes()
    if damage == "facts":
        file.write_bytes(data.replace(b'"title":"A title"', b'"title":"A t1tle"'))
    elif damage == "no table":
        connection = sqlite3.connect(file)
        connection.execute("DROP TABLE card")
        connection.close()
    else:
        half = len(data) // 2
        broken = {
            "empty": b"",
            "text": b"nonsense" * 1000,
            "truncated": data[:half],
            "zeros": data[:4096] + bytes(len(data) - 4096),
        }
        file.write_bytes(broken[damage])
    catalog = opened(cards, cache)
    assert catalog.resolve(CardReference("one")).card.title == "A title"
    assert titles(catalog) == {"one": "A title", "two": "A title", "three": "A title"}
    assert titles(opened(cards, cache)) == titles(catalog)


def test_damage_at_any_place_does_not_change_an_answer(cards: Path, cache: Path) -> None:
    titles(opened(cards, cache))
    data = database(cache).read_bytes()
    for place in range(0, len(data), 509):
        database(cache).write_bytes(data[:place] + bytes(255 - byte for byte in data[place : place + 16]) + data[place + 16 :])
        for name in ("one", "two", "three"):
            try:
                assert opened(cards, cache).resolve(CardReference(name)).card.title == "A title"
            except UnknownModel:
                pytest.fail(f"damage at byte {place} hides '{name}'")


def test_where_nothing_can_be_written_memory_serves(cards: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    catalog = opened(cards, tmp_path / "file" / "cache")
    assert len(catalog.cards) == 3


READ_ONLY = """
import os, sys
os.chmod({file!r}, 0o444)
os.chmod({cache!r}, 0o555)
from pathlib import Path
from hubclient.catalog import Catalog, Layer
Catalog.load([Path({cards!r})]).cards  # Python itself may lie where only root may read
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
catalog = Catalog([Layer("folder", Path({cards!r}))], folder=Path({cache!r}))
print(sorted(card.name for card in catalog.cards.values()))
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions are set the POSIX way")
@pytest.mark.parametrize("stale", [False, True])
def test_a_read_only_cache_serves_and_stays_as_it_is(reachable: Path, *, stale: bool) -> None:
    cards, cache = reachable / "cards", reachable / "cache"
    for name in ("one", "two", "three"):
        write(cards, name)
    titles(opened(cards, cache))
    before = database(cache).read_bytes()
    if stale:
        write(cards, "four")
    code = READ_ONLY.format(cache=str(cache), cards=str(cards), file=str(database(cache)))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    cache.chmod(0o755)
    assert done.stdout == f"{sorted(['one', 'two', 'three', *(['four'] if stale else [])])}\n", done.stderr
    assert database(cache).read_bytes() == before


BUILD = """
import sys
from pathlib import Path
from hubclient.catalog import Catalog, Layer
print(len(Catalog([Layer("folder", Path(sys.argv[1]))], folder=Path(sys.argv[2])).cards))
"""


def test_processes_that_build_at_once(cards: Path, cache: Path) -> None:
    for number in range(60):
        write(cards, f"more_{number}")
    command = [sys.executable, "-c", BUILD, str(cards), str(cache)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in running] == ["63\n"] * 4
    assert len(opened(cards, cache).cards) == 63


def test_threads_share_a_catalog(cards: Path, cache: Path) -> None:
    catalog = opened(cards, cache)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda name=name: found.append(catalog.resolve(CardReference(name)).card.name))
        for name in ("one", "two", "three") * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(("one", "two", "three") * 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_catalog_survives_a_fork(cards: Path, cache: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from hubclient.catalog import Catalog, Layer\nfrom hubclient.names import CardReference\n"
        "catalog = Catalog([Layer('folder', Path(sys.argv[1]))], folder=Path(sys.argv[2]))\n"
        "catalog.resolve(CardReference('one'))\nchild = os.fork()\nassert catalog.resolve(CardReference('two')).card.name == 'two'\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else 0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(cards), str(cache)], cwd=ROOT, check=False).returncode == 0


def test_many_files_are_read_by_processes_of_their_own(cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MANY", 2)
    monkeypatch.setattr(reading, "_processors", lambda: 3)
    monkeypatch.setattr(reading, "_read", lambda task: pytest.fail("read in this process"))
    (cards / "broken.md").write_bytes(b"---\nname: \xff\n---\n")
    answers = {Path(answer.path).stem: answer for answer in read_files([Task(str(path)) for path in sorted(cards.iterdir())])}
    assert sorted(answers) == ["broken", "one_en", "three_en", "two_en"]
    row, problem = answers["one_en"].row, answers["broken"].problem
    assert row is not None
    assert problem is not None
    assert (row.name, row.epoch_ms) == ("one", 1646352000000)
    assert problem[0] == "the text is not UTF-8"


@pytest.mark.parametrize("program", ["import sys; sys.exit(3)", "print('half a portion', end='')", None])
def test_what_a_dead_process_left_is_read_all_the_same(cards: Path, monkeypatch: pytest.MonkeyPatch, program: str | None) -> None:
    monkeypatch.setattr(reading, "_MANY", 2)
    monkeypatch.setattr(reading, "_processors", lambda: 2)
    if program:
        monkeypatch.setattr(reading, "_PROGRAM", program)
    else:
        monkeypatch.setattr(sys, "executable", str(cards / "missing"))
    answers = list(read_files([Task(str(path)) for path in sorted(cards.iterdir())]))
    assert sorted(Path(answer.path).stem for answer in answers if answer.row) == ["one_en", "three_en", "two_en"]


def test_what_python_prints_when_it_starts_is_no_answer(cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MANY", 2)
    monkeypatch.setattr(reading, "_processors", lambda: 2)
    monkeypatch.setattr(reading, "_read", lambda task: pytest.fail("read in this process"))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('init is done', end='N')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path, b"odd"])
    answers = list(read_files([Task(str(path)) for path in sorted(cards.iterdir())]))
    assert sorted(Path(answer.path).stem for answer in answers if answer.row) == ["one_en", "three_en", "two_en"]


def test_processes_end_with_the_work(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as nobody wants more answers: after Ctrl-C, or when the disk is full."""
    started: list[subprocess.Popen[bytes]] = []
    start = reading._started

    def noting() -> subprocess.Popen[bytes]:
        started.append(start())
        return started[-1]

    monkeypatch.setattr(reading, "_MANY", 2)
    monkeypatch.setattr(reading, "_processors", lambda: 2)
    monkeypatch.setattr(reading, "_PORTION", 1)
    monkeypatch.setattr(reading, "_started", noting)
    monkeypatch.setattr(
        reading, "_PROGRAM", "import time; from hubclient.catalog import reading; reading._PORTION = 1; reading.main(); time.sleep(60)"
    )
    answers = read_files([Task(str(path)) for path in sorted(cards.iterdir())])
    assert isinstance(answers, Generator)
    next(answers)
    assert [process.poll() for process in started] == [None, None]
    answers.close()
    assert None not in [process.poll() for process in started]
