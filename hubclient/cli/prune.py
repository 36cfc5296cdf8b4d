"""hub prune"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import human_size, one_line, print_json, print_rows

if TYPE_CHECKING:
    from hubclient.store import Leftover, Store
    from hubclient.store.prune import PrunePlan, Removal


def prune(
    max_size: Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="Remove until no more is left: 20GB.")] = None,
    older_than: Annotated[str | None, typer.Option("--older-than", metavar="AGE", help="Remove what was not used for: 30d.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Make the cache smaller, least recently used models first.

    The plan is printed, and asked for on a terminal. What another process uses is left alone. What processes left that were killed is
    removed in any case.
    """
    from hubclient.cli.quantities import age_in, size_in
    from hubclient.store.prune import plan_prune

    size = size_in(max_size, "--max-size") if max_size is not None else None
    age = age_in(older_than, "--older-than") if older_than is not None else None
    store = hub_for(cache_dir).store
    leftovers = store.leftovers()
    plan = plan_prune(store.holdings(), datetime.now(UTC), max_size=size, older_than=age)
    _print_plan(plan, leftovers, json)
    for spared in plan.spared:
        print(f"left alone: {_names(spared)}: {spared.why}", file=sys.stderr)
    if not plan.removals and not leftovers:
        print("there is nothing to prune", file=sys.stderr)
    elif dry_run or not (yes or _confirmed()):
        print("nothing was removed", file=sys.stderr)
    else:
        _carry_out(store, plan)


def _carry_out(store: Store, plan: PrunePlan) -> None:
    from hubclient.errors import StoreInUse

    freed = sum(leftover.size for leftover in store.clean())
    left = plan.before
    for removal in plan.removals:
        try:
            removed = store.remove(removal.holding.names)
        except StoreInUse as error:
            print(f"left alone: {_names(removal)}: {error.why}", file=sys.stderr)
            continue
        freed, left = freed + removed, left - removed
    print(f"freed {human_size(freed)}, models take {human_size(left)}", file=sys.stderr)


def _confirmed() -> bool:
    """Whoever cannot be asked has said it by the options."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return typer.confirm("Remove this?", err=True)


def _print_plan(plan: PrunePlan, leftovers: list[Leftover], json: bool) -> None:
    now = datetime.now(UTC)
    if json:
        for leftover in leftovers:
            print_json({"path": str(leftover.path), "size": leftover.size, "why": leftover.what})
        for removal in plan.removals:
            identities = [name.identity for name in removal.holding.names]
            used = removal.holding.used.isoformat(timespec="seconds")
            print_json({"models": identities, "size": removal.holding.size, "used": used, "why": removal.why})
        return
    from hubclient.cli.quantities import age_of

    rows = [(leftover.path.name, human_size(leftover.size), "-", leftover.what) for leftover in leftovers]
    rows += [(_names(item), human_size(item.holding.size), age_of(item.holding.used, now), item.why) for item in plan.removals]
    if rows:
        print_rows(("what", "size", "used", "why"), rows)


def _names(removal: Removal) -> str:
    return one_line(", ".join(str(name.own.get("name") or name.identity) for name in removal.holding.names))
