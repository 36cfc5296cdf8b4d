"""hub verify"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, hub_for
from hubclient.cli.output import one_line, print_json, print_rows

if TYPE_CHECKING:
    from hubclient.hub import Hub
    from hubclient.store import Finding, Name


def verify(
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF...]", help="What to verify, as for hub pull.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every model in the cache.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Fetch what is damaged again, from where it came from.")] = False,
    lang: Lang = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Read and hash every byte of stored models again, and print what is damaged.

    A repaired model is what it was: of an archive with the same SHA-256, or of a repository at the same commit. Where the origin has
    something else by now, that is an error; hub rm and hub pull take it. Exit code 1: damage is left.
    """
    if bool(refs) == every:
        raise typer.BadParameter("name models, or give --all")
    hub = hub_for(cache_dir, offline)
    damaged = 0
    rows: list[tuple[str, str, str]] = []
    for name in hub.store.names() if every else _named(hub, refs or [], lang):
        findings = _findings(hub, name)
        repaired = bool(findings) and repair and _repaired(hub, name, findings)
        damaged += bool(findings) and not repaired
        rows += [(name.identity, finding.file, finding.problem) for finding in findings]
        if json:
            _print(hub, name, findings, repaired)
    if rows and not json:
        print_rows(("model", "file", "problem"), rows)
    if damaged:
        hint = "" if repair else ": hub verify --repair fetches what is damaged again"
        print(f"{damaged} model{'s are' if damaged > 1 else ' is'} damaged{hint}", file=sys.stderr)
        raise typer.Exit(1)


def _named(hub: Hub, refs: list[str], lang: str | None) -> list[Name]:
    from hubclient.stored import stored_names

    found = (name for ref in refs for name in stored_names(hub.store, hub.parse(ref, lang), hub.known))
    return list({name.identity: name for name in found}.values())


def _findings(hub: Hub, name: Name) -> list[Finding]:
    entry = hub.store.find(name.identity)
    with hub.progress.task(f"verifying {name.own.get('name') or name.identity}", entry.size if entry else None) as advance:
        return hub.store.verify(name, advance)


def _repaired(hub: Hub, name: Name, findings: list[Finding]) -> bool:
    """Says why, where a model cannot be repaired: the others are, all the same."""
    from hubclient.errors import HubError
    from hubclient.repair import repair

    try:
        entry = repair(hub.workshop, name, findings)
    except HubError as error:
        print(f"{one_line(name.identity)}: {one_line(error.in_short())}", file=sys.stderr)
        return False
    print(f"repaired {one_line(name.identity)}", file=sys.stderr)
    return not hub.store.verify(entry.name)


def _print(hub: Hub, name: Name, findings: list[Finding], repaired: bool) -> None:
    told = [vars(finding) for finding in findings]
    state = "repaired" if repaired else "damaged" if findings else "whole"
    print_json({"identity": name.identity, "path": str(hub.store.folder_of(name)), "state": state, "findings": told})
