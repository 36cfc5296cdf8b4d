"""hub mirror"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, References, hub_for
from hubclient.cli.output import human_size, one_line, print_json
from hubclient.cli.several import conclude, tell

if TYPE_CHECKING:
    from hubclient.errors import HubError
    from hubclient.mirror.copy import Mirrored


def mirror(
    refs: References,
    to: Annotated[str, typer.Option("--to", metavar="s3://BUCKET[/PREFIX]|DIR", help="Where the copies go.")],
    endpoint: Annotated[str | None, typer.Option("--endpoint", metavar="URL", help="Of the bucket's service, if it is not AWS.")] = None,
    lang: Lang = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Copy archives into a folder or a bucket of your own.

    They lie under their keys, and beside them a metadata.json that tells of them. A folder serves as HUBCLIENT_MIRRORS, a bucket
    by HUBCLIENT_S3_ENDPOINT or HUBCLIENT_LIVE_INDEX, and to Spark NLP itself. Copies that are there and equal are left; archives
    that were not kept (hub pull --keep-archive) are fetched again.
    """
    failed: list[HubError] = []
    for result in hub_for(cache_dir, offline).mirror(refs, to, lang, endpoint=endpoint):
        if json:
            _print(result)
        if result.error:
            failed.append(result.error)
            tell(result.error, result.reference if len(refs) > 1 else None)
        elif not json:
            state = "copied" if result.copied else "there already"
            told = "" if result.listed else "; metadata.json cannot tell of it: it is not named as Spark NLP names its archives"
            print(f"{state}: {one_line(result.reference)} ({human_size(result.size or 0)}){told}", file=sys.stderr)
            print(result.address)
    conclude(failed, len(refs))


def _print(result: Mirrored) -> None:
    print_json(
        {
            "reference": result.reference,
            "address": result.address,
            "size": result.size,
            "state": "failed" if result.error else "copied" if result.copied else "there already",
            "listed": result.listed,
            "error": str(result.error) if result.error else None,
        }
    )
