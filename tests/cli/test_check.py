"""`hub check`: what is looked at, what counts, what is printed and written, and how it ends."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from tests.cards.shared import archive
from tests.check.shop import GONE, GOOD, SECRET, SIZE, card_of, open_shop
from tests.cli.test_lint import watched
from tests.e2e.shell import Run, hub
from tests.servers.script import ScriptedServer

CODE = "from hubclient import pretrained\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def shop(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    return open_shop(script, tmp_path / "cards", monkeypatch)


def put(path: str, text: str) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return path


def check(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Run:
    return hub("check", *arguments, env=env)


def told(*arguments: str | Path) -> list[tuple[str, str]]:
    """The reference and the name of the rule of every finding."""
    return [(value["reference"], value["name"]) for value in map(json.loads, check(*arguments, "--json").lines)]


# What is looked at


def test_models_by_their_names(shop: ScriptedServer, folder: Path) -> None:
    assert told(GOOD, f"en/{GONE}", "nothing_of_the_kind") == [
        (f"en/{GONE}", "gone"),
        (GOOD, "available"),
        ("nothing_of_the_kind", "no-such-model"),
    ]
    assert check(GOOD).code == 0


def test_code_cards_and_names_together(shop: ScriptedServer, folder: Path) -> None:
    put("src/a.py", f"{CODE}pretrained('{GOOD}', 'en')\npretrained('{GONE}', 'en')\n")
    put("cards/one.md", card_of(GONE))
    put("cards/page.md", "# A page\n")
    put("cards/broken.md", "---\nname: a\nlanguage: [en\n")
    put("loose.py", f"{CODE}pretrained(name)\n")
    assert told("src", "cards", "loose.py", SECRET) == [
        (SECRET, "forbidden"),
        ("cards/broken.md", "unreadable-card"),
        (f"en/{GONE}@3.4.2", "gone"),
        ("pretrained(name)", "dynamic-reference"),
        (f"en/{GOOD}", "available"),
        (f"en/{GONE}", "gone"),
    ]
    lines = [json.loads(line)["line"] for line in check("cards", "--json").lines]
    assert lines[1] == next(
        number for number, line in enumerate(Path("cards/one.md").read_text().splitlines(), 1) if line.startswith("[Copy S3 URI]")
    )


def test_nothing_that_is_named_is_this_folder(shop: ScriptedServer, folder: Path) -> None:
    put("a/b.py", f"{CODE}pretrained('{GOOD}')\n")
    put("a/.venv/b.py", f"{CODE}pretrained('{GONE}')\n")
    put("old/c.py", f"{CODE}pretrained('{GONE}')\n")
    assert told() == [(GOOD, "available"), (GONE, "gone")]
    assert told("--exclude", "old") == [(GOOD, "available")]
    assert told("old/c.py", "--exclude", "old/*") == []


def test_the_catalogue(shop: ScriptedServer, folder: Path) -> None:
    assert told("--catalogue", "--annotator", "BertForSequenceClassification", "--lang", "en", "--task", "text-classification")
    names = {reference for reference, _ in told("--lang", "en", "--task", "text-classification")}
    assert {f"en/{GOOD}@3.4.2", f"en/{GONE}@3.4.2"} <= names
    assert len(names) > 3
    assert told("--lang", "qq") == []


def test_an_empty_folder_is_fine(folder: Path) -> None:
    done = check()
    assert (done.code, done.out, done.err) == (0, "", "0 checked: nothing to check\n")


# What counts


@pytest.mark.parametrize(
    ("code", "exits", "strict"),
    [
        ("x = 1", 0, 0),
        (f"pretrained('{GOOD}')", 0, 0),
        ("pretrained(name)", 0, 1),
        (f"pretrained('{GONE}')", 1, 1),
        ("pretrained('hf:a/b')", 3, 1),
        (f"pretrained('hf:a/b'); pretrained('{SECRET}')", 1, 1),
    ],
)
def test_exit_codes(shop: ScriptedServer, folder: Path, code: str, exits: int, strict: int) -> None:
    put("a.py", f"{CODE}{code}\n")
    assert (check().code, check("--strict").code) == (exits, strict)
    assert check("--lenient").code == exits % 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "pdf"], "'pdf' is not a format"),
        (["--output", "junit"], "FORMAT=FILE"),
        (["--output", "pdf=x"], "'pdf' is not a format"),
        (["--output", "junit=no/such/folder/x.xml"], "a report cannot be written"),
        (["--level", "deep"], "'deep' is not a level"),
        (["no/such/folder/"], "there is no file or folder 'no/such/folder/'"),
        (["missing.py"], "there is no file or folder 'missing.py'"),
        (["--baseline", "missing.json"], "the baseline cannot be read"),
        (["--baseline", "a.py"], "this is no baseline"),
        (["--lock", "missing.lock"], "the lockfile cannot be read"),
        (["--rate", "0"], "--rate"),
    ],
)
def test_what_cannot_be_done(shop: ScriptedServer, folder: Path, arguments: list[str], said: str) -> None:
    put("a.py", "x = 1\n")
    done = check(*arguments)
    assert (done.code, said in done.err) == (2, True), done.err
    assert "Traceback" not in done.err


def test_known_findings(shop: ScriptedServer, folder: Path) -> None:
    put("a.py", f"{CODE}pretrained('{GONE}')\npretrained(name)\n")
    written = check("--write-baseline", "known.json")
    assert (written.code, written.lines[0].split("\t")[0]) == (0, "gone")
    put("a.py", f"{CODE}\n\n# moved\npretrained('{GONE}')\npretrained(name)\n")
    accepted = check("--baseline", "known.json", "--strict")
    assert (accepted.code, accepted.out) == (0, "")
    assert "2 known findings accepted" in accepted.err
    put("a.py", f"{CODE}pretrained('{GONE}')\npretrained('{SECRET}')\n")
    more = check("--baseline", "known.json")
    assert (more.code, len(more.lines)) == (1, 1)
    assert "1 of the baseline's findings are not there any more" in more.err
    assert check("--baseline", "known.json", "--write-baseline", "known.json").code == 0
    assert check("--baseline", "known.json").code == 0


# The lockfile

LOCK = f"""\
format = 1

[[model]]
name = "{GOOD}"
language = "en"
version = "3.4.2"
source = "s3://models/public/models/{archive(GOOD)}"
size = {SIZE}
etag = '"e"'
"""


def test_the_lockfile_here_is_compared_with(shop: ScriptedServer, folder: Path) -> None:
    put("a.py", f"{CODE}pretrained('{GOOD}', 'en')\n")
    put("hubclient.lock", LOCK)
    assert [name for _, name in told()] == ["available", "available"]
    put("hubclient.lock", LOCK.replace(str(SIZE), "5"))
    assert {name for _, name in told()} == {"size-changed"}
    assert [json.loads(line)["path"] for line in check("--json").lines] == ["a.py", "hubclient.lock"]
    assert {name for _, name in told("--level", "exists")} == {"available"}
    assert told("a.py", "--no-lock") == [(f"en/{GOOD}", "available")]
    os.rename("hubclient.lock", "other.lock")
    assert told("a.py") == [(f"en/{GOOD}", "available")]
    assert told("a.py", "--lock", "other.lock") == [(f"en/{GOOD}", "size-changed")]
    assert told("a.py", "--since", "other.lock") == [(f"en/{GOOD}", "size-changed")]


def test_since(shop: ScriptedServer, folder: Path) -> None:
    put("then.lock", LOCK + LOCK.partition("\n")[2].replace(GOOD, GONE))
    assert told("--since", "then.lock") == [(f"en/{GONE}@3.4.2", "gone")]
    put("a.py", f"{CODE}pretrained('{GOOD}', 'en')\npretrained(name)\n")
    assert told("a.py", "--since", "then.lock") == []


def test_two_lockfiles_are_one_too_many(folder: Path) -> None:
    put("a.lock", "format = 1\n")
    put("b.lock", "format = 1\n")
    done = check("a.lock", "b.lock")
    assert (done.code, "one lockfile" in done.err) == (2, True)
    assert check("a.lock", "b.lock", "--lock", "a.lock").code == 0


# What is printed and written


def test_a_table_in_a_pipe(shop: ScriptedServer, folder: Path) -> None:
    put("a.py", f"{CODE}pretrained('{GOOD}', 'en')\npretrained('{GONE}', 'en')\n")
    done = check()
    first, second = (line.split("\t") for line in done.lines)
    assert first[:4] == ["available", "A100", f"en/{GOOD}", "a.py:2:1"]
    assert second[:4] == ["gone", "A102", f"en/{GONE}", "a.py:3:1"]
    assert done.err == "2 checked: 1 gone, 1 available\n"
    assert [line.split("\t")[0] for line in check("--quiet").lines] == ["gone"]
    assert check("-q").err == done.err


def test_a_person_gets_a_table_with_headers(shop: ScriptedServer, folder: Path) -> None:
    put("a.py", f"{CODE}pretrained('{GONE}', 'en')\n")
    out, err = (re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", text) for text in watched("check"))
    header, row = out.splitlines()[:2]
    assert header.split() == ["verdict", "rule", "model", "place", "what"]
    assert row.split()[:4] == ["gone", "A102", f"en/{GONE}", "a.py:2:1"]
    assert "1 checked: 1 gone" in err


def test_several_reports_at_once(shop: ScriptedServer, folder: Path, shared: Path) -> None:
    put("src/a.py", f"{CODE}pretrained('{GOOD}', 'en')\npretrained('{GONE}', 'en')\npretrained(name)\n")
    outputs = [f"{kind}=report.{kind}" for kind in ("json", "junit", "sarif", "github", "markdown", "html", "table")]
    done = check("src", "--format", "markdown", *(part for output in outputs for part in ("--output", output)))
    assert done.code == 1
    assert done.out == Path("report.markdown").read_text()
    assert [json.loads(line)["code"] for line in Path("report.json").read_text().splitlines()] == ["A100", "A102", "A002"]
    xmlschema.XMLSchema(str(shared / "schemas" / "junit.xsd")).validate("report.junit")
    assert [case[0].tag if len(case) else None for case in ElementTree.parse("report.junit").iter("testcase")] == [
        None,
        "failure",
        "skipped",
    ]
    log = json.loads(Path("report.sarif").read_text())
    jsonschema.validate(log, json.loads((shared / "schemas" / "sarif-2.1.0.json").read_text("utf-8")))
    assert [(result["ruleId"], lines(result)) for result in log["runs"][0]["results"]] == [("A102", 3), ("A002", 4)]
    assert re.findall(r"::(\w+) file=([^,]+),line=(\d+)", Path("report.github").read_text()) == [
        ("error", "src/a.py", "3"),
        ("notice", "src/a.py", "4"),
    ]
    assert "Some models need attention" in Path("report.html").read_text()
    assert Path("report.table").read_text().count("\n") == 3


def lines(result: dict[str, Any]) -> int:
    found: int = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    return found


def test_paths_are_told_from_where_it_runs(shop: ScriptedServer, folder: Path) -> None:
    put("src/a.py", f"{CODE}pretrained('{GOOD}', 'en')\n")
    for word in ("src", "./src", str(folder / "src"), "src/a.py", str(folder / "src" / "a.py"), "../here/src"):
        (finding,) = map(json.loads, check(word, "--json").lines)
        assert finding["path"] == ("../here/src/a.py" if word.startswith("..") else "src/a.py")


def test_github_gets_a_summary_and_paths_from_the_checkout(shop: ScriptedServer, folder: Path) -> None:
    put("sub/a.py", f"{CODE}pretrained('{GONE}', 'en')\n")
    put("summary.md", "# Before\n")
    env = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "GITHUB_WORKSPACE": str(folder)}
    assert check("--format", "github", env=env).out.startswith("::error file=sub/a.py,line=2,")
    assert Path("summary.md").read_text().startswith("# Before\n## Models\n")
    os.chdir("sub")
    assert check("--format", "github", env=env).out.startswith("::error file=sub/a.py,line=2,")
    assert check("--output", "github=x", env={**env, "GITHUB_WORKSPACE": "/elsewhere"}).code == 1
    assert Path("x").read_text().startswith("::error file=a.py,")
    assert (folder / "summary.md").read_text().count("## Models") == 3


def test_names_of_files_that_are_no_text(shop: ScriptedServer, folder: Path) -> None:
    with open(b"\xff\n.py", "w") as file:
        file.write(f"{CODE}pretrained('{GONE}')\n")
    kinds = ("table", "json", "junit", "sarif", "github", "markdown", "html")
    done = check("--format", "json", *(f"--output={kind}=out.{kind}" for kind in kinds))
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert json.loads(done.out)["path"] == "\udcff\n.py"
    for kind in kinds:
        assert "gone" in Path(f"out.{kind}").read_text(encoding="utf-8", errors="surrogateescape")
