"""hub check"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Offline, hub_for
from hubclient.cli.output import counting, print_rows

if TYPE_CHECKING:
    from hubclient.check.baseline import Baseline
    from hubclient.check.finding import Level
    from hubclient.check.gather import Gathered
    from hubclient.check.report import Report
    from hubclient.hub import Hub

_TABLE = "table"
# What GitHub shows of a summary: 1 MiB.
_MOST_SUMMARY = 1_000_000

Text = str | None


def check(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WHAT]...", help="Models, files and folders of code, cards, hubclient.lock; none is this folder."),
    ] = None,
    level: Annotated[Text, typer.Option("--level", metavar="LEVEL", help="exists, size, facts, hash, load or predict.")] = None,
    lock: Annotated[Path | None, typer.Option("--lock", metavar="FILE", help="Compare with this lockfile (HUBCLIENT_LOCK).")] = None,
    no_lock: Annotated[bool, typer.Option("--no-lock", help="Compare with no lockfile, though ./hubclient.lock is there.")] = False,
    since: Annotated[Path | None, typer.Option("--since", metavar="LOCK", help="Show only what is not as in this lockfile.")] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="PATTERN", help="Leave such files and folders out.")] = None,
    catalogue: Annotated[bool, typer.Option("--catalogue", help="Check every card that hubclient knows.")] = False,
    task: Annotated[Text, typer.Option("--task", metavar="TASK", help="Of the catalogue only these: text-classification.")] = None,
    lang: Annotated[Text, typer.Option("--lang", "-l", metavar="CODE", help="Of the catalogue only this language.")] = None,
    annotator: Annotated[Text, typer.Option("--annotator", metavar="CLASS", help="Of the catalogue only this class.")] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", metavar="FILE", help="Findings in it are known and do not count.")] = None,
    write_baseline: Annotated[Path | None, typer.Option("--write-baseline", metavar="FILE", help="Write what is found as known.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What nobody can tell counts as well, and so do notes.")] = False,
    lenient: Annotated[bool, typer.Option("--lenient", help="End with 0 where nobody could tell.")] = False,
    format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, junit, sarif, github, markdown or html.")
    ] = _TABLE,
    output: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="FORMAT=FILE", help="Write a report there, too; give several.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not print what is available.")] = False,
    rate: Annotated[float | None, typer.Option("--rate", metavar="N", min=0.01, help="Requests a second to one host, at most.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="How many are asked for at once.")] = None,
    tolerance: Annotated[
        float | None, typer.Option("--tolerance", metavar="SHARE", min=0, help="By how much a size may differ from the card's.")
    ] = None,
    fresh: Annotated[float, typer.Option("--fresh", metavar="SECONDS", min=0, help="Believe for so long what was found well.")] = 0,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Say which models are gone, changed or cannot be had.

    They are found in code (Python, notebooks, Scala, Java), in model cards and in hubclient.lock, or named as for 'hub pull'. The level is
    'size' where there is a lockfile, else 'exists'. Exit codes: 0 fine, 1 findings, 2 unusable input, 3 nobody could tell.
    docs/check.md explains every rule.
    """
    from hubclient.check.baseline import Baseline
    from hubclient.check.finding import ProbeSettings
    from hubclient.check.last import keep_last
    from hubclient.check.probe import probe
    from hubclient.check.report import UNKNOWN
    from hubclient.check.run import Judgement, run

    files = [_output(written) for written in output or ()]
    form = _format("json" if json else format)
    hub = hub_for(cache_dir, offline)
    some = catalogue or any((task, lang, annotator))
    gathered = _gathered(what or ([str(since)] if since else []), exclude or [], default=not some)
    if some:
        _add_catalogue(gathered, hub, task, lang, annotator)
    pinned = None if no_lock else lock or since or _lock(gathered)
    settings = ProbeSettings(hub, pinned, rate, jobs, tolerance, fresh)
    judgement = Judgement(strict, since is not None, _baseline(baseline))
    with counting("models", total=len(gathered.subjects), results_follow=True) as advance:
        report = run(gathered, _level(level, pinned), settings, probe=probe, judgement=judgement, advance=advance)
    keep_last(report, hub.settings.cache_dir)
    for kind, path in files:
        _write(path, _text(report, kind))
    _print(report.without_good_news() if quiet else report, form)
    if "github" in (form, *(kind for kind, _ in files)):
        _add_summary(report)
    print(report.summary(), file=sys.stderr)
    _tell_outlived(report, judgement.baseline)
    if write_baseline:
        _write(write_baseline, Baseline.of((*report.findings, *report.accepted)).text())
    elif report.exit_code and not (lenient and report.exit_code == UNKNOWN):
        raise typer.Exit(report.exit_code)


def _format(name: str) -> str:
    from hubclient.check.reports import FORMATS

    if name not in FORMATS:
        raise typer.BadParameter(f"'{name}' is not a format; use {_either(list(FORMATS))}", param_hint="--format, --output")
    return name


def _output(written: str) -> tuple[str, Path]:
    kind, equals, path = written.partition("=")
    if not equals or not path:
        raise typer.BadParameter(f"'{written}' is not FORMAT=FILE; write junit=report.xml", param_hint="--output")
    return _format(kind), Path(path)


def _level(name: str | None, lock: Path | None) -> Level:
    from hubclient.check.finding import LEVELS

    if name is None:
        return "size" if lock else "exists"
    for level in LEVELS:
        if level == name:
            return level
    raise typer.BadParameter(f"'{name}' is not a level; use {_either(LEVELS)}", param_hint="--level")


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _gathered(what: Sequence[str], exclude: Sequence[str], *, default: bool) -> Gathered:
    """`default`: nothing that is named means the folder here, with its lockfile."""
    from hubclient.check.gather import default_lock, gather

    if what or not default:
        return gather(what, exclude)
    lock = default_lock(os.environ)
    return gather([os.curdir, *([str(lock)] if lock else [])], exclude)


def _add_catalogue(gathered: Gathered, hub: Hub, task: str | None, lang: str | None, annotator: str | None) -> None:
    from hubclient.catalog import Query
    from hubclient.check.gather import catalogue_subject

    cards = hub.catalog.search(Query(task=task, language=lang, annotator=annotator), limit=None, every_version=True)
    gathered.subjects.extend(sorted(map(catalogue_subject, cards), key=lambda subject: subject.reference))


def _lock(gathered: Gathered) -> Path | None:
    """The lockfile that is checked itself, else the one that is in force here."""
    from hubclient.check.gather import default_lock
    from hubclient.errors import UsageError

    if len(gathered.locks) > 1:
        told = ", ".join(map(str, gathered.locks))
        raise UsageError("one lockfile can be compared with at a time", where=told, hint="check them one after the other, or give --lock")
    return gathered.locks[0] if gathered.locks else default_lock(os.environ)


def _baseline(path: Path | None) -> Baseline:
    from hubclient.check.baseline import Baseline
    from hubclient.errors import UsageError

    if path is None:
        return Baseline()
    try:
        return Baseline.parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            "the baseline cannot be read", where=str(path), why=why, hint="hub check --write-baseline FILE writes one"
        ) from error


def _text(report: Report, kind: str) -> str:
    from hubclient.check.reports import FORMATS, workflow_commands

    return workflow_commands(report, root=_below_workspace()) if kind == "github" else FORMATS[kind](report)


def _below_workspace() -> str:
    """What leads from the checkout to this folder: GitHub counts paths from there."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    below = os.path.relpath(os.curdir, workspace) if workspace else os.curdir
    return "" if below == os.curdir or below.startswith(os.pardir) else below.replace(os.sep, "/") + "/"


def _print(report: Report, kind: str) -> None:
    from hubclient.check.reports import HEADERS, rows

    if kind == _TABLE:
        print_rows(HEADERS, list(rows(report)))
    else:
        sys.stdout.write(_text(report, kind))


def _write(path: Path, text: str) -> None:
    from hubclient.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(
            "a report cannot be written", where=str(path), why=error.strerror, hint="name a file in a folder that is there"
        ) from error


def _add_summary(report: Report) -> None:
    """The page that GitHub shows for a job."""
    from hubclient.check.reports import markdown

    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        text = markdown(report)
        if len(text.encode()) > _MOST_SUMMARY:
            text = markdown(report.without_good_news())
        with open(path, "ab") as file:
            file.write(text.encode()[:_MOST_SUMMARY])


def _tell_outlived(report: Report, baseline: Baseline) -> None:
    if outlived := baseline.outlived((*report.findings, *report.accepted)):
        print(f"{outlived:,} of the baseline's findings are not there any more: --write-baseline forgets them", file=sys.stderr)
