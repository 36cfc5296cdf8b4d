"""Known findings that do not count: a pipeline starts with what there is, and ends at what is new.

The file is JSON, a finding a line and in a stable order, so that its changes can be reviewed. A finding is known by its rule, its model,
its file and what was found: lines move, and a model that changes once more is news. What nobody could tell this time is never known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from hubclient.check.finding import Finding
from hubclient.errors import UsageError

_VERSION = 1
_FIELDS = ("code", "reference", "path", "found")


@dataclass(frozen=True, order=True)
class Known:
    """`path`: empty for what was typed. `found`: as JSON, empty where the finding tells nothing."""

    code: str
    reference: str
    path: str
    found: str

    @classmethod
    def of(cls, finding: Finding) -> Known:
        place = finding.subject.place
        found = finding.details.get("found")
        told = "" if found is None else json.dumps(found, sort_keys=True, ensure_ascii=False, default=str)
        return cls(finding.rule.code, finding.subject.reference, place.path if place else "", told)


@dataclass(frozen=True)
class Baseline:
    known: frozenset[Known] = frozenset()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Baseline:
        return cls(frozenset(Known.of(finding) for finding in findings if finding.rule.severity in ("error", "note")))

    @classmethod
    def parse(cls, text: str, path: str) -> Baseline:
        """Raises UsageError."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _no_baseline(path, f"it is not JSON: {error}") from error
        if not isinstance(value, dict) or value.get("version") != _VERSION or not isinstance(value.get("known"), list):
            raise _no_baseline(path, f"it is no list of known findings of version {_VERSION}")
        entries = value["known"]
        if not all(
            isinstance(entry, list) and len(entry) == len(_FIELDS) and all(isinstance(part, str) for part in entry) for entry in entries
        ):
            raise _no_baseline(path, f"an entry is not {', '.join(_FIELDS)}")
        return cls(frozenset(Known(*entry) for entry in entries))

    def text(self) -> str:
        lines = [json.dumps(astuple(known), ensure_ascii=False) for known in sorted(self.known)]
        body = ",\n".join(f"  {line}" for line in lines)
        return f'{{"version": {_VERSION}, "fields": {json.dumps(_FIELDS)}, "known": [\n{body}\n]}}\n' if lines else _EMPTY

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """Those that count, and those that are known."""
        count: list[Finding] = []
        known: list[Finding] = []
        for finding in findings:
            (known if Known.of(finding) in self.known else count).append(finding)
        return count, known

    def outlived(self, findings: Iterable[Finding]) -> int:
        """How many known findings are not there any more."""
        return len(self.known - {Known.of(finding) for finding in findings})


_EMPTY = f'{{"version": {_VERSION}, "fields": {json.dumps(_FIELDS)}, "known": []}}\n'


def _no_baseline(path: str, why: str) -> UsageError:
    return UsageError("this is no baseline", where=path, why=why, hint="hub check --write-baseline FILE writes one")
