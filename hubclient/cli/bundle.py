"""hub bundle"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, References, hub_for
from hubclient.cli.output import human_size, print_json


def bundle(
    refs: References,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; '-' is stdout.")],
    lang: Lang = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Write models into one file, for machines without a network.

    hub import takes them from it. The same models give the same file, which begins with the hashes of all that is in it. Models that
    are not in the cache are pulled first; if one cannot be had, nothing is written.
    """
    to_stdout = output == "-"
    if to_stdout and (json or sys.stdout.isatty()):
        raise typer.BadParameter("a bundle is no text: write it to a file, or to another program", param_hint="--output")
    made = hub_for(cache_dir, offline).bundle(refs, sys.stdout.buffer if to_stdout else output, lang)
    count = f"{len(made.models)} model{'s' if len(made.models) > 1 else ''}"
    print(f"bundled {count} ({human_size(made.size)}), sha256 {made.sha256}", file=sys.stderr)
    if json:
        print_json({"path": output, "size": made.size, "sha256": made.sha256, "models": list(made.models)})
    elif not to_stdout:
        print(output)
