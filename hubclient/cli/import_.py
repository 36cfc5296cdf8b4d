"""hub import"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import one_line, print_json
from hubclient.cli.several import conclude, tell

if TYPE_CHECKING:
    from hubclient.imports.result import Imported


def import_(
    paths: Annotated[list[str], typer.Argument(metavar="FILE|FOLDER...", help="What to import; '-' is a bundle on stdin.")],
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Take models into the cache that are on this machine already.

    A bundle, an archive, a native folder, or a folder of them: Spark NLP's own ~/cache_pretrained, whole. What has the name of a known
    archive is stored as that one, so that it is not fetched again. Nobody is asked for anything. A bundle is compared with its hashes as
    it is read, and whatever is not expected in it is refused.
    """
    from hubclient.errors import HubError

    hub = hub_for(cache_dir)
    failed: list[HubError] = []
    count = 0
    for path in paths:
        try:
            for result in hub.import_(sys.stdin.buffer if path == "-" else path):
                count += 1
                _print(result, json)
                failed += [result.error] if result.state == "failed" and result.error else []
        except HubError as error:
            count += 1
            failed.append(error)
            tell(error, path if len(paths) > 1 else None)
    conclude(failed, count)


def _print(result: Imported, json: bool) -> None:
    entry, error = result.entry, result.error
    if json:
        print_json(
            {
                "source": result.source,
                "state": result.state,
                "identity": entry.identity if entry else None,
                "path": str(entry.path) if entry else None,
                "why": error.in_short() if error else None,
            }
        )
    elif entry:
        own = entry.name.own
        name = "/".join(filter(None, (own.get("language"), own.get("name")))) or entry.identity
        print(f"{result.state}: {one_line(result.source)} as {one_line(name)}", file=sys.stderr)
        print(entry.path)
    elif error and result.state == "skipped":
        print(f"skipped: {one_line(result.source)}: {one_line(error.in_short())}", file=sys.stderr)
    elif error:
        tell(error, result.source)
