"""The commands, put together. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from hubclient import __version__
from hubclient.cli import (
    bundle,
    cards,
    check,
    env,
    evaluate,
    explain,
    export,
    import_,
    info,
    inspect,
    lint,
    lock,
    ls,
    mirror,
    notebook,
    outdated,
    path,
    predict,
    prune,
    pull,
    refresh,
    rm,
    search,
    serve,
    site,
    sync,
    ui,
    verify,
)

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    *(pull, predict, evaluate, search, info, inspect, explain, path, ls, verify, rm, prune, bundle, import_, mirror, export, notebook),
    *(serve, ui, refresh, lint, check, lock, sync, outdated, env),
):
    function = getattr(module, module.__name__.rpartition(".")[2])
    app.command(name=function.__name__.rstrip("_"))(function)
app.add_typer(cards.app, name="cards")
app.add_typer(site.app, name="site")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hubclient {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Pretrained text classifiers by the names of their model cards.

    Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 findings or unwritable output, 2 unusable input, 3 broken card,
    4 no such model, 5 the source failed, 6 broken archive, 7 the model cannot be opened, 8 the cache failed,
    9 of several models some failed, 130 interrupted.
    """
