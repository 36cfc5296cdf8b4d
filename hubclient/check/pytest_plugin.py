"""`pytest --hub-models`: the models that a test suite names are tests of their own, which fail if a model is gone or changed.

pytest loads this module in every environment that has hubclient, so nothing is imported before it is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hubclient.check.finding import Finding, Level, Subject

_MARK = "hub_models"
Answers = dict["Subject", list["Finding"]]
_ANSWERS = pytest.StashKey[Answers]()


class UnavailableModel(Exception):
    """What is wrong with a model, in full."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hubclient", "models of hubclient and Spark NLP")
    group.addoption("--hub-models", action="store_true", help="Check that the models which the tests name are available.")
    group.addoption("--hub-level", metavar="LEVEL", help="exists, size, facts, hash, load or predict; see 'hub check --help'.")
    group.addoption("--hub-lock", metavar="FILE", help="Compare them with this lockfile; hubclient.lock, if it is there.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_MARK}: a model that a test names (made by --hub-models)")
    if level := config.getoption("--hub-level"):
        from hubclient.check.finding import LEVELS

        if level not in LEVELS:
            raise pytest.UsageError(f"--hub-level: '{level}' is not a level; use one of {', '.join(LEVELS)}")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not parent.config.getoption("--hub-models") or file_path.suffix != ".py":
        return None
    file: pytest.Collector = HubFile.from_parent(parent, path=file_path)
    return file


class HubFile(pytest.File):
    """The models that one file of tests names. What nobody can tell from the text is left out."""

    def collect(self) -> Iterator[HubModel]:
        from hubclient.check.finding import Finding
        from hubclient.check.gather import relative
        from hubclient.check.scan import scan_file

        for sighting in scan_file(str(self.path), relative(str(self.path))):
            known = sighting if isinstance(sighting, Finding) else None
            subject = sighting.subject if isinstance(sighting, Finding) else sighting
            if (known is None or known.rule.severity == "error") and subject.place:
                name = f"hub-model[{subject.reference}:{subject.place.line}]"
                yield HubModel.from_parent(self, name=name, subject=subject, known=known)


class HubModel(pytest.Item):
    """`known`: what is wrong with it without asking anybody."""

    def __init__(self, *, subject: Subject, known: Finding | None, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type]
        self.subject, self.known = subject, known
        self.add_marker(_MARK)

    def runtest(self) -> None:
        findings = [self.known] if self.known else _answers(self)[self.subject]
        if bad := [finding for finding in findings if finding.rule.severity == "error"]:
            raise UnavailableModel("\n".join(map(_told, bad)))
        if doubts := [finding for finding in findings if finding.rule.severity == "warning"]:
            pytest.skip(doubts[0].message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, UnavailableModel):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        place = self.subject.place
        return self.path, place.line - 1 if place and place.line else None, self.name


def _answers(item: HubModel) -> Answers:
    """What became of all models of the session, which are asked for at once; of this one alone where several processes share the tests."""
    if hasattr(item.config, "workerinput"):
        return _asked(item.config, [item.subject])
    if _ANSWERS not in item.session.stash:
        subjects = [other.subject for other in item.session.items if isinstance(other, HubModel) and not other.known]
        item.session.stash[_ANSWERS] = _asked(item.config, subjects)
    return item.session.stash[_ANSWERS]


def _asked(config: pytest.Config, subjects: list[Subject]) -> Answers:
    import os

    from hubclient.check.finding import ProbeSettings
    from hubclient.check.gather import default_lock
    from hubclient.check.probe import probe
    from hubclient.hub import Hub

    told = config.getoption("--hub-lock")
    lock = Path(told) if told else default_lock(os.environ)
    level: Level = config.getoption("--hub-level") or ("size" if lock else "exists")
    answers: Answers = defaultdict(list)
    for finding in probe(subjects, level, ProbeSettings(Hub(progress=False), lock)):
        answers[finding.subject].append(finding)
    return answers


def _told(finding: Finding) -> str:
    lines = [f"{finding.subject.place}: {finding.rule.code} {finding.subject.reference}: {finding.message}"]
    if finding.where:
        lines.append(f"  where: {finding.where}")
    return "\n".join([*lines, f"  try: {finding.rule.mend}"])
