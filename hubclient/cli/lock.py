"""hub lock"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Source, checked_source, hub_for
from hubclient.cli.output import counting, one_line, print_json

if TYPE_CHECKING:
    from hubclient.check.finding import Level, Subject
    from hubclient.check.locking import Relocked
    from hubclient.hub import Hub
    from hubclient.lockfile import Lock
    from hubclient.lockfile.lock import Change
    from hubclient.plan import SourceChoice

_SOME_UNPINNED = 1  # the exit code
_LEVELS = ("size", "facts", "hash", "predict")

Text = str | None


def lock(
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF]...", help="Models, named as for 'hub pull'.")] = None,
    scan: Annotated[
        list[str] | None, typer.Option("--scan", metavar="PATH", help="The models that code there loads, and no others.")
    ] = None,
    from_cards: Annotated[bool, typer.Option("--from-cards", help="The models of all cards that hubclient knows, and no others.")] = False,
    task: Annotated[Text, typer.Option("--task", metavar="TASK", help="Of the cards only these: text-classification.")] = None,
    lang: Annotated[Text, typer.Option("--lang", "-l", metavar="CODE", help="Of the cards only this language.")] = None,
    annotator: Annotated[Text, typer.Option("--annotator", metavar="CLASS", help="Of the cards only this class.")] = None,
    update: Annotated[list[str] | None, typer.Option("--update", metavar="NAME", help="Pin the newest version of it.")] = None,
    level: Annotated[str, typer.Option("--level", metavar="LEVEL", help="How much is pinned: size, facts, hash or predict.")] = "predict",
    file: Annotated[Path | None, typer.Option("--lock", metavar="FILE", help="The lockfile (HUBCLIENT_LOCK, ./hubclient.lock).")] = None,
    source: Source = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="N", min=0.01, help="Requests a second to one host, at most.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="How many are asked for at once.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Pin models in hubclient.lock: where they come from, and what they are, byte for byte.

    What is pinned already stays as it is. The level says how much is looked at: 'size' asks for headers alone, 'facts' reads the small
    parts, 'hash' fetches everything, 'predict' keeps a few answers as well. The exit code is 1 if some model could not be pinned.
    """
    from hubclient.check.finding import ProbeSettings
    from hubclient.check.locking import relock
    from hubclient.lockfile import write_lock

    chosen, hub = _level(level), hub_for(cache_dir)
    some_cards = from_cards or any((task, lang, annotator))
    if not (refs or scan or some_cards or update):
        raise typer.BadParameter("name models, or say where they are named: --scan src/, --from-cards", param_hint="REF")
    path = file or Path(os.environ.get("HUBCLIENT_LOCK") or "hubclient.lock")
    subjects = [*_named(refs or [], checked_source(source)), *_scanned(scan or [])]
    if some_cards:
        subjects += _of_cards(hub, task, lang, annotator)
    settings = ProbeSettings(hub, rate=rate, jobs=jobs)
    with counting("models", total=len(subjects) + len(update or []), results_follow=True) as advance:
        done = relock(_present(path), subjects, chosen, settings, update=update or (), exact=bool(scan) or some_cards, advance=advance)
    if not dry_run:
        write_lock(done.lock, path)
    _print(done, path, json)
    if done.unpinned:
        raise typer.Exit(_SOME_UNPINNED)


def _level(name: str) -> Level:
    from hubclient.check.finding import LEVELS

    for level in LEVELS:
        if level == name and name in _LEVELS:
            return level
    raise typer.BadParameter(f"'{name}' is not a level; use {', '.join(_LEVELS[:-1])} or {_LEVELS[-1]}", param_hint="--level")


def _present(path: Path) -> Lock:
    """The lock that is there, or an empty one."""
    from hubclient.lockfile import Lock, read_lock

    return read_lock(path) if os.path.lexists(path) else Lock(path=str(path))


def _named(refs: list[str], source: SourceChoice | None) -> list[Subject]:
    from hubclient.check.finding import Subject

    return [Subject(ref.strip(), source=source) for ref in refs]


def _scanned(paths: list[str]) -> list[Subject]:
    """What cannot be told from the code is said, and left out."""
    from hubclient.check.gather import gather

    gathered = gather(paths) if paths else None
    for finding in gathered.findings if gathered else ():
        print(one_line(f"{finding.subject.place}: {finding.message}: it is left out"), file=sys.stderr)
    return gathered.subjects if gathered else []


def _of_cards(hub: Hub, task: str | None, lang: str | None, annotator: str | None) -> list[Subject]:
    from hubclient.catalog import Query
    from hubclient.check.gather import catalogue_subject

    cards = hub.catalog.search(Query(task=task, language=lang, annotator=annotator), limit=None, every_version=True)
    return [catalogue_subject(card) for card in cards]


def _print(done: Relocked, path: Path, json: bool) -> None:
    for change in done.changes:
        if json:
            print_json({"change": change.kind, "model": _model(change), "what": list(change.what)})
        else:
            print("\t".join([change.kind, one_line(_model(change)), *([", ".join(change.what)] if change.what else [])]))
    for failure in done.unpinned:
        place = f"{failure.subject.place}: " if failure.subject.place else ""
        print(one_line(f"{place}{failure.subject.reference}: {failure.why}: it is not pinned"), file=sys.stderr)
    count = len(done.lock.pins)
    print(f"{path}: {count:,} model{'' if count == 1 else 's'}, {len(done.changes):,} changed", file=sys.stderr)


def _model(change: Change) -> str:
    """What it was is told by the diff of the file."""
    pin = change.after or change.before
    return str(pin)
