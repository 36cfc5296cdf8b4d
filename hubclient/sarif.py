"""A SARIF 2.1.0 log of what was found in files: what code-scanning pages and editors read.

The format is OASIS's, https://docs.oasis-open.org/sarif/sarif/v2.1.0/; sections are given where a choice was made.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

Level = Literal["error", "warning", "note"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True)
class SarifRule:
    """`name` is for programs, `summary` and `help` for people."""

    id: str
    name: str
    level: Level
    summary: str
    help: str


@dataclass(frozen=True)
class SarifResult:
    """`path`: as it is on disk, relative ones to the root of the sources; None for what stands in no file. `line`, `column` count from 1;
    None for a file as a whole. `level`: where it is not the rule's. `identity`: what tells it from others of its rule and file, where its
    message does not stay the same. `accepted`: known, and of no account."""

    rule_id: str
    message: str
    path: str | None
    line: int | None = None
    column: int | None = None
    level: Level | None = None
    identity: str | None = None
    accepted: bool = False


def sarif_log(rules: Sequence[SarifRule], results: Iterable[SarifResult], *, tool: str, version: str) -> dict[str, Any]:
    """The log as JSON values. Every result's rule must be among the rules."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": tool, "version": version, "rules": [_rule(rule) for rule in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": list(_results(rules, results)),
            }
        ],
    }


def file_uri(path: str) -> str:
    """A path as a URI reference: a relative path stays relative, an absolute one has the scheme `file`.

    >>> file_uri("cards/a b.md"), file_uri("/tmp/a.md"), file_uri("C:\\\\a.md"), file_uri("./a:b.md")
    ('cards/a%20b.md', 'file:///tmp/a.md', 'file:///C:/a.md', 'a%3Ab.md')
    """
    if _DRIVE.match(path.replace("\\", "/")):
        return "file:///" + quote(path.replace("\\", "/"), safe="/:", errors="surrogateescape")
    written = quote(path.removeprefix("./"), safe="/", errors="surrogateescape")
    return f"file://{written}" if path.startswith("/") else written


def _rule(rule: SarifRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.level},
    }


def _results(rules: Sequence[SarifRule], results: Iterable[SarifResult]) -> Iterator[dict[str, Any]]:
    places = {rule.id: index for index, rule in enumerate(rules)}
    twins: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        same = (result.rule_id, result.path or "", result.message if result.identity is None else result.identity)
        twins[same] += 1
        made = {
            "ruleId": result.rule_id,
            "ruleIndex": places[result.rule_id],
            "level": result.level or rules[places[result.rule_id]].level,
            "message": {"text": result.message},
            "partialFingerprints": {"finding/v1": _fingerprint(*same, twins[same])},
        }
        if result.path is not None:
            made["locations"] = [{"physicalLocation": _location(result.path, result)}]
        if result.accepted:
            made["suppressions"] = [{"kind": "external"}]
        yield made


def _location(path: str, result: SarifResult) -> dict[str, Any]:
    artifact: dict[str, Any] = {"uri": file_uri(path)}
    if not artifact["uri"].startswith("file:"):
        artifact["uriBaseId"] = "%SRCROOT%"
    if result.line is None:
        return {"artifactLocation": artifact}
    column = {"startColumn": result.column} if result.column is not None else {}
    return {"artifactLocation": artifact, "region": {"startLine": result.line, **column}}


def _fingerprint(rule_id: str, path: str, message: str, number: int) -> str:
    """What stays when lines are put in above (section 3.27.17): everything but the line; `number` tells equal ones apart."""
    text = "\n".join((rule_id, file_uri(path), message, str(number)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
