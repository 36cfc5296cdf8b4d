"""What is found in a card, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]

_SHOWN = 160


@dataclass(frozen=True)
class Rule:
    """`code` never changes its meaning. `summary` says what is wrong, `mend` what an author does about it.

    An error misleads whoever uses the card, a warning may, a note is a matter of form.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    mend: str


@dataclass(frozen=True)
class Remark:
    """What a check says: the line (from 1), what is the matter, and how to mend it where the rule's own advice is too general."""

    line: int
    message: str
    hint: str | None = None


Remarks = Iterator[Remark]


@dataclass(frozen=True)
class Finding:
    rule: Rule
    path: str
    line: int
    message: str
    hint: str

    @classmethod
    def of(cls, rule: Rule, path: str, remark: Remark) -> Finding:
        return cls(rule, path, remark.line, harmless(remark.message), harmless(remark.hint or rule.mend))

    @property
    def counts(self) -> bool:
        """Whether the card should be mended before it is published: a note does not count."""
        return self.rule.severity != "note"

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "line": self.line,
            "code": self.rule.code,
            "name": self.rule.name,
            "severity": self.rule.severity,
            "message": self.message,
            "hint": self.hint,
        }


def harmless(text: str) -> str:
    """On one line, and unable to steer a terminal.

    >>> harmless("a\\nb")
    'a\\\\nb'
    """
    return text if text.isprintable() else "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def quoted(text: str) -> str:
    """A value of a card in a message, cut where it would be endless."""
    return f"'{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}'"


def listed(texts: tuple[str, ...] | list[str], most: int = 4) -> str:
    """Several values, the first few of them by name."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(map(quoted, texts[:most])) + more
