"""SARIF logs are what the schema demands, and their fingerprints outlive edits elsewhere in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hubclient.sarif import SarifResult, SarifRule, file_uri, sarif_log

RULES = [SarifRule("C1", "first", "warning", "It is so.", "Do that."), SarifRule("C2", "second", "note", "It is otherwise.", "Do this.")]


def log(*results: SarifResult) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(sarif_log(RULES, results, tool="hubclient", version="1.2.3")))
    return made


def results(*given: SarifResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = log(*given)["runs"][0]["results"]
    return found


def prints(*given: SarifResult) -> list[str]:
    return [result["partialFingerprints"]["finding/v1"] for result in results(*given)]


def test_a_log() -> None:
    (run,) = log(SarifResult("C2", "Mend it.", "cards/a b.md", 7))["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("hubclient", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["C1", "C2"]
    assert driver["rules"][0]["defaultConfiguration"] == {"level": "warning"}
    assert driver["rules"][0]["help"] == {"text": "Do that."}
    (result,) = run["results"]
    assert {key: result[key] for key in ("ruleId", "ruleIndex", "level", "message")} == {
        "ruleId": "C2",
        "ruleIndex": 1,
        "level": "note",
        "message": {"text": "Mend it."},
    }
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "cards/a%20b.md", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7},
            }
        }
    ]


def test_a_file_as_a_whole_has_no_region() -> None:
    (result,) = results(SarifResult("C1", "x", "a.md"))
    assert "region" not in result["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.md", "a/b.md"),
        ("./a/b.md", "a/b.md"),
        ("../b.md", "../b.md"),
        ("a#?%.md", "a%23%3F%25.md"),
        ("c:odd.md", "c%3Aodd.md"),
        ("é.md", "%C3%A9.md"),
        ("\udcff.md", "%FF.md"),
        ("/tmp/a b.md", "file:///tmp/a%20b.md"),
        ("D:\\cards\\a.md", "file:///D:/cards/a.md"),
    ],
)
def test_paths_as_uris(path: str, uri: str) -> None:
    assert file_uri(path) == uri


def test_an_absolute_path_is_below_no_root() -> None:
    (result,) = results(SarifResult("C1", "x", "/tmp/a.md", 1))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///tmp/a.md"}


def test_fingerprints() -> None:
    here = SarifResult("C1", "x", "a.md", 1)
    assert prints(here) == prints(SarifResult("C1", "x", "a.md", 99)) == prints(SarifResult("C1", "x", "./a.md", 1))
    others = [SarifResult("C2", "x", "a.md", 1), SarifResult("C1", "y", "a.md", 1), SarifResult("C1", "x", "b.md", 1), here, here]
    assert len({*prints(here, *others)}) == len(others) + 1


def test_logs_are_valid(shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    for given in ([], [SarifResult("C2", "x", "a b.md", 7), SarifResult("C1", "\n", "/tmp/ü.md"), SarifResult("C1", "", "\udcff", 1)]):
        jsonschema.validate(log(*given), schema, format_checker=jsonschema.FormatChecker())
