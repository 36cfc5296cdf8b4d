"""hub pull"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Revision, Source, checked_source, hub_for
from hubclient.cli.output import human_size, print_json

if TYPE_CHECKING:
    from hubclient.hub import Hub
    from hubclient.native import NativeModel
    from hubclient.plan import SourceChoice
    from hubclient.settings import Limits


@dataclass(frozen=True)
class Kind:
    """Models chosen by what they are, as `hub search` finds them."""

    task: str | None = None
    annotator: str | None = None
    label: str | None = None
    max_size: str | None = None
    origin: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which models: by references, by those in a file, or by their kind."""

    refs: tuple[str, ...]
    file: str | None
    lang: str | None
    kind: Kind

    def __post_init__(self) -> None:
        named = bool(self.refs or self.file)
        if named and self.kind != Kind():
            raise typer.BadParameter("take references, or models of a kind", param_hint="REF")
        if not (named or self.lang) and self.kind == Kind():
            raise typer.BadParameter("name a model, a file of references, or a kind of models", param_hint="REF")

    @property
    def by_kind(self) -> bool:
        return not (self.refs or self.file)

    @property
    def only(self) -> str | None:
        """The one reference that was given."""
        return self.refs[0] if len(self.refs) == 1 and not self.file else None


@dataclass(frozen=True)
class Order:
    """How they are pulled, and what is printed."""

    source: SourceChoice | None
    revision: str | None
    keep_archive: bool
    local_dir: Path | None
    json: bool


Refs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[REF...]", help="NAME, fr/NAME, NAME@3.3.2, hf:OWNER/REPO, s3://BUCKET/KEY.zip or a path."),
]


def pull(
    refs: Refs = None,
    lang: Lang = None,
    source: Source = None,
    revision: Revision = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="FILE", help="Read references, one a line; '-' is stdin.")] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="All models of this task, as hub search has it.")] = None,
    annotator: Annotated[str | None, typer.Option("--annotator", metavar="CLASS", help="All models of Spark NLP's class.")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="LABEL", help="All models with this label on the card.")] = None,
    max_size: Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="Of these, archives of at most: 500MB.")] = None,
    origin: Annotated[str | None, typer.Option("--origin", metavar="OWNER[/REPO]", help="All models that came from there.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be done, and how large it is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before all models of a kind are pulled.")] = False,
    local_dir: Annotated[
        Path | None, typer.Option("--local-dir", metavar="DIR", help="Copy the model there too; of several, each to DIR/NAME.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, max=64, help="Connections at once.")] = None,
    limit_rate: Annotated[str | None, typer.Option("--limit-rate", metavar="RATE", help="Bytes a second, of all: 10M.")] = None,
    keep_archive: Annotated[bool, typer.Option("--keep-archive", help="Keep the archive too, for hub mirror.")] = False,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Fetch models and print their folders.

    They are verified and converted; what the cache has is not fetched again. Several are fetched at the same time, after a plan; one that
    fails does not stop the others, and the exit code is 9 if any did. Without references, --task, --annotator, --label, --origin,
    --max-size and --lang choose models as hub search finds them.
    """
    chosen = Selection(tuple(refs or ()), from_, lang, Kind(task, annotator, label, max_size, origin))
    order = Order(checked_source(source), revision, keep_archive, local_dir, json)
    hub = hub_for(cache_dir, offline, _limits(jobs, limit_rate))
    if chosen.only is not None and not dry_run:
        _pull_one(hub, chosen.only, lang, order)
        return
    from hubclient.cli.pull_many import dry_run as only_plan
    from hubclient.cli.pull_many import pull_many

    if dry_run:
        only_plan(hub, chosen, order)
    else:
        pull_many(hub, chosen, order, ask=not yes)


def _pull_one(hub: Hub, ref: str, lang: str | None, order: Order) -> None:
    import time

    start = time.monotonic()
    model, cached = _obtained(hub, ref, lang, order)
    folder, manifest = model.folder, model.manifest
    if cached:
        print(f"cached: {manifest.origin.url}", file=sys.stderr)
    else:
        size = f" ({human_size(manifest.origin.size)})" if manifest.origin.size is not None else ""
        print(f"pulled {manifest.origin.url}{size} in {time.monotonic() - start:.1f} s", file=sys.stderr)
    if order.local_dir is not None:
        from hubclient.local_copy import copy_to

        copy_to(model, order.local_dir)
        folder = order.local_dir
    if order.json:
        print_json({"path": str(folder), "cached": cached, **manifest.to_dict()})
    else:
        print(folder)


def _obtained(hub: Hub, ref: str, lang: str | None, order: Order) -> tuple[NativeModel, bool]:
    from hubclient.plan import UseStored
    from hubclient.way import obtain

    workshop = replace(hub.workshop, keep_archive=order.keep_archive)
    target = hub.find(ref, lang, source=order.source, revision=order.revision, workshop=workshop)
    return obtain(workshop, target), isinstance(target.plan, UseStored)


def _limits(jobs: int | None, rate: str | None) -> Limits | None:
    if jobs is None and rate is None:
        return None
    from hubclient.cli.quantities import size_in
    from hubclient.settings import Limits

    limits = Limits(jobs or Limits().jobs, size_in(rate.removesuffix("/s"), "--limit-rate") if rate is not None else None)
    if limits.rate == 0:
        raise typer.BadParameter("nothing would ever arrive", param_hint="--limit-rate")
    return limits
