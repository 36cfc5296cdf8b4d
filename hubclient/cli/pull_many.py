"""hub pull, of several models: the plan, and what became of each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hubclient.cli.output import human_size, one_line, print_json, print_rows
from hubclient.cli.search import megabytes
from hubclient.cli.several import conclude, references_in, tell
from hubclient.errors import HubError, UnknownModel
from hubclient.local_copy import copy_to, local_names
from hubclient.sources.disk import demand_room

if TYPE_CHECKING:
    from hubclient.cards import Card
    from hubclient.cli.pull import Order, Selection
    from hubclient.hub import Hub
    from hubclient.pulling import Planned, Pulled, PullPlan, State


_HEADERS = ("model", "state", "size", "from")
_WORDS: dict[State, str] = {"cached": "cached", "local": "on this machine", "failed": "failed"}


def dry_run(hub: Hub, chosen: Selection, order: Order) -> None:
    plan = _planned(hub, chosen, order)
    if order.json:
        for planned in plan.models:
            print_json(_record(planned))
    else:
        print_rows(_HEADERS, [_row(planned) for planned in plan.models])
    failed = [planned.error for planned in plan.models if planned.error]
    for planned in plan.models:
        if planned.error:
            tell(planned.error, planned.reference)
    _print_summary(plan)
    demand_room(hub.store.root, plan.total)
    conclude(failed, len(plan.models))


def pull_many(hub: Hub, chosen: Selection, order: Order, *, ask: bool) -> None:
    plan = _planned(hub, chosen, order)
    if sys.stderr.isatty():
        print_rows(_HEADERS, [_row(planned) for planned in plan.models], to=sys.stderr)
    _print_summary(plan)
    demand_room(hub.store.root, plan.total)
    if ask and chosen.by_kind and sys.stdin.isatty() and sys.stderr.isatty() and not typer.confirm("Pull them?", err=True):
        raise typer.Exit(1)
    results = hub.pull_all(plan, keep_archive=order.keep_archive, done=_print_done)
    folders, failed = _placed(results, order.local_dir)
    for result, folder in zip(results, folders, strict=True):
        if order.json:
            print_json(_result(result, folder))
        elif folder is not None:
            print(folder)
    conclude(failed, len(results))


def _planned(hub: Hub, chosen: Selection, order: Order) -> PullPlan:
    if chosen.by_kind:
        references, lang = _of_kind(hub, chosen), None
    else:
        references, lang = [*chosen.refs, *(references_in(chosen.file) if chosen.file else ())], chosen.lang
    return hub.plan_pulls(references, lang, source=order.source, revision=order.revision, keep_archive=order.keep_archive)


def _of_kind(hub: Hub, chosen: Selection) -> list[str]:
    """Of each model the version that its name stands for. Those that cannot be opened are counted, and left out."""
    from hubclient.convert.annotators import can_open

    kind = chosen.kind
    found = hub.search(
        task=kind.task,
        lang=chosen.lang,
        annotator=kind.annotator,
        label=kind.label,
        max_size_mb=megabytes(kind.max_size),
        origin=kind.origin,
        limit=None,
    )
    cards = [card for card in found if can_open(card.annotator)]
    if len(cards) < len(found):
        print(f"{len(found) - len(cards)} of {len(found)} models cannot be opened, and are left out", file=sys.stderr)
    if not cards:
        raise UnknownModel("no card matches that can be opened", hint="hub search shows what there is")
    return [_reference(card) for card in cards]


def _reference(card: Card) -> str:
    version = f"@{'.'.join(map(str, card.version))}" if card.version else ""
    return f"{card.model_language}/{card.model_name}{version}"


def _row(planned: Planned) -> tuple[str, str, str, str]:
    size = "?" if planned.size is None and planned.state == "fetch" else human_size(planned.size or 0) if planned.size else "-"
    about = "" if planned.exact or planned.size is None else "about "
    return planned.reference, planned.state, about + size, planned.source or (planned.error.what if planned.error else "-")


def _record(planned: Planned) -> dict[str, object]:
    return {
        "reference": planned.reference,
        "state": planned.state,
        "size": planned.size,
        "exact": planned.exact,
        "source": planned.source,
        "error": str(planned.error) if planned.error else None,
    }


def _print_summary(plan: PullPlan) -> None:
    states = Counter(planned.state for planned in plan.models)
    unknown = f" and {plan.unknown} of unknown size" if plan.unknown else ""
    told = [f"{states['fetch']} to fetch ({human_size(plan.total)}{unknown})"]
    told += [f"{states[state]} {word}" for state, word in _WORDS.items() if states[state]]
    free = f"; {human_size(plan.free)} free" if plan.free is not None else ""
    print(f"{len(plan.models)} models: {', '.join(told)}{free}", file=sys.stderr)


def _print_done(pulled: Pulled) -> None:
    if pulled.error:
        tell(pulled.error, pulled.reference)
    else:
        print(f"{'cached' if pulled.cached else 'pulled'}: {one_line(pulled.reference)}", file=sys.stderr)


def _placed(results: Sequence[Pulled], folder: Path | None) -> tuple[list[Path | None], list[HubError]]:
    """Where each model is, None for one that failed, and what failed."""
    failed = [result.error for result in results if result.error]
    places: list[Path | None] = [result.model.folder if result.model else None for result in results]
    if folder is None:
        return places, failed
    models = {number: result.model for number, result in enumerate(results) if result.model}
    for (number, model), name in zip(models.items(), local_names([model.manifest for model in models.values()]), strict=True):
        try:
            copy_to(model, folder / name)
            places[number] = folder / name
        except HubError as error:
            tell(error, results[number].reference)
            failed.append(error)
            places[number] = None
    return places, failed


def _result(result: Pulled, folder: Path | None) -> dict[str, object]:
    manifest = result.model.manifest.to_dict() if result.model else {}
    error = str(result.error) if result.error else None
    return {"reference": result.reference, "path": str(folder) if folder else None, "cached": result.cached, "error": error, **manifest}
