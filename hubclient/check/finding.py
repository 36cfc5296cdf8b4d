"""What is checked, and what was found: the words that everything in this part shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from hubclient.cards import Card
    from hubclient.hub import Hub
    from hubclient.plan import SourceChoice

Verdict = Literal["available", "changed", "gone", "forbidden", "invalid", "unknown"]
Severity = Literal["error", "warning", "note", "none"]
Level = Literal["exists", "size", "facts", "hash", "load", "predict"]

Loader = Literal["hubclient", "spark-nlp", "nlu"]

LEVELS: tuple[Level, ...] = ("exists", "size", "facts", "hash", "load", "predict")
"""Each asks for more than the one before, and includes it."""


@dataclass(frozen=True)
class Rule:
    """`code` never changes its meaning. `summary` says what is the matter, `mend` what to do about it.

    An error breaks whoever uses the model, a warning may: nobody could tell. A note is for people alone, and `none` is good news.
    """

    code: str
    name: str
    verdict: Verdict
    severity: Severity
    summary: str
    mend: str


@dataclass(frozen=True)
class Place:
    """Where a reference is written. Lines and columns count from 1. `cell`: of a notebook, from 1; the line is the file's own."""

    path: str
    line: int | None = None
    column: int | None = None
    cell: int | None = None

    def __str__(self) -> str:
        """As compilers write it.

        >>> str(Place("src/a.py", 3, 7)), str(Place("hubclient.lock"))
        ('src/a.py:3:7', 'hubclient.lock')
        """
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Subject:
    """One thing to check. `reference`: as `hubclient.names` has it, language and version included (`fr/NAME@3.3.2`); what is no
    reference is found out by the probe. `place`: None where it was typed as an argument.

    `card`: this card's archive and no other is meant, as where a folder of cards is checked. `source`, `revision`: as `pull` takes them.
    `loader`: what the code loads it with. Spark NLP opens what hubclient cannot, and NLU has references that no card tells of.
    `annotator`, `remote`: the class that loads it in the code (`BertForSequenceClassification`), and the folder that Spark NLP is told
    to look in (`clinical/models`)."""

    reference: str
    place: Place | None = None
    card: Card | None = field(default=None, repr=False)
    source: SourceChoice | None = None
    revision: str | None = None
    loader: Loader = "hubclient"
    annotator: str | None = None
    remote: str | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """Equal for subjects of which one answer serves all."""
        archive = (self.card.s3_uri or self.card.download_url, self.card.path) if self.card else None
        return (self.reference, archive, self.source, self.revision, self.loader, self.annotator, self.remote)


@dataclass(frozen=True)
class Finding:
    """`where`: the address or file that was asked. `details`: JSON values for programs, such as `expected` and `found`."""

    rule: Rule
    subject: Subject
    message: str
    where: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def verdict(self) -> Verdict:
        return self.rule.verdict


@dataclass(frozen=True)
class ProbeSettings:
    """`hub`: the catalogue, the sources and their settings. `lock`: what is found is held against this lockfile.

    `rate`: requests a second to one host, at most; None is polite to public hosts. `jobs`: how many are under way at once.
    `tolerance`: the share by which an archive may differ from the megabytes that a card rounds. `fresh_for`: for how many seconds
    a success is believed without asking again. None: the probe's own default.
    """

    hub: Hub
    lock: Path | None = None
    rate: float | None = None
    jobs: int | None = None
    tolerance: float | None = None
    fresh_for: float | None = None


class Probe(Protocol):
    def __call__(self, subjects: Iterable[Subject], level: Level, settings: ProbeSettings) -> Iterator[Finding]:
        """Ask the sources, up to a level. Every subject has at least one finding, those of one subject follow each other, and subjects
        come in the order in which they are done. Nothing that can happen to one subject stops the others."""
