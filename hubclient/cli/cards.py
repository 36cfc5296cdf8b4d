"""hub cards add, remove, list, new"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import one_line, print_json, print_problems, print_rows

if TYPE_CHECKING:
    from hubclient.authoring.new import Written

app = typer.Typer(no_args_is_help=True, help="Folders of model cards that hubclient knows.")

# Where the hub's own models lie.
PLACE = "s3://auxdata.johnsnowlabs.com/public/models/"
Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="A folder of cards, or a checkout that has docs/_posts.")]


@app.command()
def add(folders: Folders, cache_dir: CacheDir = None) -> None:
    """Know the cards of these folders from now on.

    They outrank those that come with hubclient; of several folders the last one counts most.
    """
    from hubclient.card_folders import CardFolders
    from hubclient.settings import config_dir

    kept = CardFolders(config_dir())
    for folder in folders:
        if not kept.add(folder):
            print(f"{folder} was there already", file=sys.stderr)
    _print_layers(cache_dir, {Path(os.path.abspath(folder)) for folder in folders})


@app.command()
def remove(folders: Folders) -> None:
    """Forget these folders; nothing in them is touched."""
    from hubclient.card_folders import CardFolders
    from hubclient.settings import config_dir

    kept = CardFolders(config_dir())
    for folder in folders:
        kept.remove(folder)


@app.command(name="list")
def list_(cache_dir: CacheDir = None, json: Json = False) -> None:
    """List what cards are known, the most telling folder last."""
    _print_layers(cache_dir, None, json)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the model will be called.")],
    from_archive: Annotated[Path | None, typer.Option("--from-archive", metavar="FILE", help="The model's archive.")] = None,
    from_hf: Annotated[str | None, typer.Option("--from-hf", metavar="OWNER/REPO", help="The model's Hugging Face repository.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the card is written.")] = Path(),
    lang: Annotated[
        str | None, typer.Option("--lang", "-l", metavar="CODE", help="The model's language. [default: as the origin says]")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="The name for display.")] = None,
    author: Annotated[str | None, typer.Option("--author", help="Who publishes the card.")] = None,
    date: Annotated[str | None, typer.Option("--date", metavar="DATE", help="As 2022-09-06. [default: when the archive was made]")] = None,
    s3: Annotated[str, typer.Option("--s3", metavar="FOLDER", help="Where the archive is, or will be.")] = PLACE,
    lib_version: Annotated[
        str | None, typer.Option("--lib-version", metavar="X.Y.Z", help="Of Spark NLP. [default: as the archive's name says]")
    ] = None,
    spark_version: Annotated[
        str | None, typer.Option("--spark-version", metavar="X.Y", help="Of Spark. [default: as the archive says]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a card that is there.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Write a card from what a model's weights say.

    The model is fetched and converted, so that it is understood before it is described. An overlay is written beside the card where the
    card's form has no field for what the weights say. hub evaluate --write-card adds the benchmark.
    """
    from hubclient.authoring.new import Said, draft_of_archive, draft_of_repository, write_card

    if (from_archive is None) == (from_hf is None):
        raise typer.BadParameter("name one of the two", param_hint="--from-archive, --from-hf")
    said = Said(name, lang, lib_version, spark_version, date, title, author, s3)
    hub = hub_for(cache_dir)
    draft = draft_of_archive(hub.workshop, said, from_archive) if from_archive else draft_of_repository(hub.workshop, said, from_hf or "")
    written = write_card(draft, output, force=force)
    print(f"the card says that the archive is {draft.place.uri}", file=sys.stderr)
    _print_findings(written)
    if json:
        print_json({"path": str(written.card), "overlay": str(written.overlay) if written.overlay else None, "archive": draft.place.uri})
    else:
        print(written.card)


def _print_findings(written: Written) -> None:
    """What hub lint would say of it: what the origin says cannot always be said well."""
    from hubclient.catalog.lint import lint_paths

    for finding in lint_paths([str(written.card)], stdin=sys.stdin.buffer).findings:
        print(one_line(f"{finding.path}:{finding.line}: {finding.rule.severity}: {finding.message}"), file=sys.stderr)


def _print_layers(cache_dir: Path | None, only: set[Path] | None, json: bool = False) -> None:
    hub = hub_for(cache_dir)
    counts = [count for count in hub.catalog.counts() if only is None or count.layer.path in only]
    print_problems(hub.catalog.problems)
    if json:
        for count in counts:
            layer = count.layer
            print_json({"kind": layer.kind, "path": str(layer.path), "own": layer.own, "cards": count.cards, "broken": count.broken})
        return
    rows = [(f"{count.cards:,}", f"{count.broken:,}", "you" if count.layer.own else "hubclient", str(count.layer.path)) for count in counts]
    print_rows(("cards", "broken", "from", "path"), rows)
