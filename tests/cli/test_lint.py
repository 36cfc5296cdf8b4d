"""`hub lint`: what is looked at, what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hubclient.catalog.lint import Report, lint_paths
from hubclient.errors import UsageError
from tests.cards.lint_cases import FILE
from tests.cards.shared import archive, card_text
from tests.e2e.shell import HUB, hub

GOOD = card_text()
NO_ANNOTATOR = card_text(front={"annotator": None})
LINKED = next(number for number, line in enumerate(GOOD.splitlines(), 1) if "s3://" in line)
BCE = card_text(more="## References\n\nBCELoss\n")
SIGMOID = "activation: sigmoid\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, text: str | bytes) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def look(*paths: str, stdin: bytes = b"") -> Report:
    return lint_paths(paths, stdin=io.BytesIO(stdin))


def codes(*paths: str, stdin: bytes = b"") -> list[tuple[str, str]]:
    return [(finding.rule.code, finding.path) for finding in look(*paths, stdin=stdin).findings]


# What is looked at


def test_files_folders_and_stdin(folder: Path) -> None:
    put("cards/deep/a_en.md", NO_ANNOTATOR)
    put("cards/README.md", "# No card\n")
    put("cards/.hidden/b_en.md", "no card")
    put("cards/notes.txt", "no card")
    text = card_text(front={"annotator": None}, file=archive(version="3.4.3")).replace("3.4.2+", "3.4.3+").replace("NLP 3.4.2", "NLP 3.4.3")
    loose = put("small_model_en.md", text)
    assert codes("cards", loose) == [("C004", "cards/deep/a_en.md"), ("C101", "cards/deep/a_en.md"), ("C101", loose)]
    assert codes(".", str(folder), "./cards/deep/a_en.md") == codes("cards", loose)
    assert look("cards", loose).cards == 2
    assert codes("-", stdin=NO_ANNOTATOR.encode()) == [("C101", "<stdin>")]
    assert codes("cards/README.md") == [("C001", "cards/README.md")]


def test_a_checkout_of_the_documentation(folder: Path) -> None:
    card = put("spark-nlp/docs/_posts/someone/small_model_en.md", NO_ANNOTATOR)
    put("spark-nlp/CHANGES.md", "# No card\n")
    assert codes("spark-nlp") == [("C101", card)]


def test_a_broken_card_stops_no_other(folder: Path) -> None:
    put("a.md", b"---\nname: \xff\n---\n")
    put("b.md", "---\nname: [a\n")
    put("c.md", "")
    put("d.md/x.txt", "")
    put("small_model_en.md", NO_ANNOTATOR)
    os.symlink("nowhere", "e.md")
    os.mkfifo("f.md")
    found = look(".").findings
    assert [(finding.path, finding.rule.code) for finding in found] == [
        *((f"{name}.md", "C001") for name in "abcef"),
        ("small_model_en.md", "C101"),
    ]
    assert [(finding.line, finding.message) for finding in found[:2]] == [
        (2, "the text is not UTF-8: byte 10: invalid start byte"),
        (3, "the front matter has no end: no second line of '---' follows the first"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_finding(folder: Path) -> None:
    put("a.md", GOOD)
    Path("a.md").chmod(0)
    Path("closed").mkdir(0)
    assert codes(".") == [("C001", "a.md"), ("C001", "closed")]


def test_a_path_that_is_not_there(folder: Path) -> None:
    put(FILE, GOOD)
    with pytest.raises(UsageError, match="there is no file or folder 'nothing'"):
        look(FILE, "nothing")


# Overlays


def test_a_card_goes_with_the_overlay_beside_it(folder: Path) -> None:
    put(f"a/{FILE}", BCE)
    assert codes("a") == [("C701", f"a/{FILE}")]
    overlay = put(f"a/{FILE.removesuffix('.md')}.overlay.yaml", SIGMOID)
    assert codes("a") == codes(f"a/{FILE}") == codes(f"./a/{FILE}") == codes(overlay) == []
    put("a/small_model_en.overlay.yaml", "activation: softmax\n")
    assert codes("a") == []
    os.remove(overlay)
    assert codes("a") == [("C701", f"a/{FILE}")]


def test_an_overlay_of_the_name_and_language_in_another_folder(folder: Path) -> None:
    put(f"a/{FILE}", BCE)
    put("b/small_model_en.overlay.yaml", SIGMOID)
    assert codes("a", "b") == codes("b", "a") == []
    assert codes("a") == [("C701", f"a/{FILE}")]
    put(f"a/{FILE.removesuffix('.md')}.overlay.yaml", "activation: softmax\n")
    assert codes("a", "b") == []
    assert codes("b", "a") == [("C701", f"a/{FILE}")]


def test_a_broken_overlay(folder: Path) -> None:
    put(FILE, GOOD)
    broken = put("small_model_en.overlay.yaml", "lowercase: true\nactivation: relu\n")
    for paths in ([FILE], ["."], [broken], [broken, FILE, "."]):
        (finding,) = look(*paths).findings
        assert (finding.rule.code, finding.path, finding.line) == ("C901", broken, 2)
        assert "'activation'" in finding.message
        assert "softmax" in finding.hint


def test_an_overlay_that_no_card_has(folder: Path) -> None:
    put(f"a/{FILE}", GOOD)
    lone = put("a/small-model_en.overlay.yaml", SIGMOID)
    assert codes("a") == [("C902", lone)]
    assert codes(lone) == codes(f"a/{FILE}") == []
    os.rename(lone, f"a/{FILE.removesuffix('.md')}.overlay.yaml")
    put(f"a/{FILE}", "broken")
    assert codes("a") == [("C001", f"a/{FILE}")]


# Several cards


def test_several_cards_are_compared_over_all_paths(folder: Path) -> None:
    put(f"a/{FILE}", GOOD)
    put(f"b/{FILE}", GOOD)
    assert codes("a") == codes(f"a/{FILE}", f"./a/{FILE}") == []
    assert codes("a", f"b/{FILE}") == [("C903", f"a/{FILE}"), ("C903", f"b/{FILE}")]


# What is printed


def test_a_pipe_gets_lines_that_editors_read(folder: Path) -> None:
    put(f"b c/{FILE}", NO_ANNOTATOR)
    done = hub("lint", "b c")
    assert done.out == f"b c/{FILE}:1:1: warning: C101 the front matter has no 'annotator'\n"
    assert done.err == "1 card: 1 warning in 1 file\n"
    assert done.code == 1
    # Visual Studio Code's matcher for compilers, which many CI servers have too.
    assert re.fullmatch(r"(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error|note):\s+(.*)", done.lines[0])


def test_notes_alone_are_no_failure(folder: Path) -> None:
    put(FILE, card_text(front={"deprecated": "true"}))
    done = hub("lint", FILE)
    assert (done.code, len(done.lines)) == (0, 1)
    assert " note: C107 " in done.out
    assert done.err == "1 card: 1 note in 1 file\n"


def test_nothing_found(folder: Path) -> None:
    put(FILE, GOOD)
    done = hub("lint", FILE)
    assert (done.code, done.out, done.err) == (0, "", "1 card: nothing found\n")
    assert json.loads(hub("lint", FILE, "--sarif").out)["runs"][0]["results"] == []


def test_a_card_on_stdin(folder: Path) -> None:
    done = hub("lint", "-", text=NO_ANNOTATOR)
    assert (done.code, done.out) == (1, "<stdin>:1:1: warning: C101 the front matter has no 'annotator'\n")


def test_json(folder: Path) -> None:
    put(FILE, card_text(file=archive("other_model")))
    done = hub("lint", ".", "--json")
    (first,) = map(json.loads, done.lines)
    assert done.code == 1
    assert first["path"] == FILE
    assert (first["line"], first["code"], first["name"], first["severity"]) == (5, "C201", "name-and-key", "error")
    assert "'small_model'" in first["message"]
    assert "'other_model'" in first["message"]
    assert first["hint"]


def test_choosing_rules(folder: Path) -> None:
    put(FILE, card_text(front={"annotator": None, "title": None, "deprecated": "true"}))

    def found(*options: str) -> list[str]:
        return [json.loads(line)["code"] for line in hub("lint", FILE, "--json", *options).lines]

    assert found() == ["C101", "C105", "C107"]
    assert found("--select", "C101") == found("--select", "no-annotator") == ["C101"]
    assert found("--select", "c101, C107") == found("--select", "C101", "--select", "C107") == ["C101", "C107"]
    assert found("--ignore", "C105") == ["C101", "C107"]
    assert found("--select", "C1", "--ignore", "C105,C107") == ["C101"]
    assert found("--select", "C2") == []
    assert hub("lint", FILE, "--ignore", "C101,C105").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.md"], "there is no file or folder 'nothing.md'"),
        ([".", "--select", "C999"], "no rule is called 'C999'"),
        ([".", "--ignore", "C1,,C2"], "no rule is called ''"),
        ([".", "--json", "--sarif"], "--json"),
        ([], "PATH"),
    ],
)
def test_what_cannot_be_done(folder: Path, arguments: list[str], said: str) -> None:
    done = hub("lint", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def sarif(*arguments: str | Path) -> Any:
    return json.loads(hub("lint", "--sarif", *arguments).out)


def test_sarif(folder: Path, shared: Path) -> None:
    put(f"a b/{FILE}", NO_ANNOTATOR)
    put("a b/broken.md", "broken")
    put("a b/lone.overlay.yaml", "activation: x\n")
    outside = Path(folder.parent, "outside.md")
    outside.write_text(NO_ANNOTATOR, encoding="utf-8")
    log = sarif("a b", str(folder / "a b" / FILE), outside)
    jsonschema.validate(
        log, json.loads((shared / "schemas" / "sarif-2.1.0.json").read_text("utf-8")), format_checker=jsonschema.FormatChecker()
    )
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) > 50
    assert [rule["id"] for rule in rules] == sorted(rule["id"] for rule in rules)
    found = [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in run["results"]
    ]
    assert ("C101", "warning", f"a%20b/{FILE}", 1) in found
    assert ("C001", "error", "a%20b/broken.md", 1) in found
    assert ("C901", "error", "a%20b/lone.overlay.yaml", 1) in found
    assert ("C101", "warning", f"file://{outside}", 1) in found
    assert ("C903", "error", f"a%20b/{FILE}", LINKED - 1) in found
    assert len({result["partialFingerprints"]["finding/v1"] for result in run["results"]}) == len(found)
    assert [rule["id"] for rule in sarif("a b", "--select", "C1")["runs"][0]["tool"]["driver"]["rules"]][:1] == ["C101"]


def test_sarif_of_absolute_paths_is_relative_to_where_it_is_run(folder: Path) -> None:
    put(f"a/{FILE}", NO_ANNOTATOR)
    (here,) = sarif("a")["runs"][0]["results"]
    assert sarif(folder / "a")["runs"][0]["results"] == [here]


def watched(*arguments: str) -> tuple[str, str]:
    """Standard output and standard error, each as a terminal of its own shows it."""
    shown = []
    terminals = [pty.openpty() for _ in range(2)]
    with subprocess.Popen([HUB, *arguments], stdin=subprocess.DEVNULL, stdout=terminals[0][1], stderr=terminals[1][1]) as process:
        for ours, theirs in terminals:
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(ours, 1 << 16):
                    text += chunk
            except OSError:  # how Linux says that nobody holds the other end any more
                pass
            os.close(ours)
            shown.append(text.decode().replace("\r\n", "\n"))
        process.wait()
    return shown[0], shown[1]


def test_a_person_gets_advice_and_the_findings_of_a_file_together(folder: Path) -> None:
    put("small_model_en.md", card_text(front={"annotator": None, "title": None}))
    put("x/a\x1b[31m.md", "broken")
    out, err = watched("lint", ".")
    first, second = out.split("\n\n")
    assert first.splitlines()[0] == "small_model_en.md:1: warning C101 the front matter has no 'annotator'"
    assert first.splitlines()[1].startswith("    try: ")
    assert len(first.splitlines()) == 4
    assert second.startswith("x/a\\x1b[31m.md:1: error C001 ")
    assert "\x1b" not in out
    assert "2 cards: 1 error, 2 warnings in 2 files" in err
    assert " cards" in err.partition("2 cards:")[0]
