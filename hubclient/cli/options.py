"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hubclient.hub import Hub
    from hubclient.plan import SourceChoice
    from hubclient.settings import Limits

Reference = Annotated[str, typer.Argument(metavar="REF", help="NAME, fr/NAME, NAME@3.3.2, hf:OWNER/REPO, s3://BUCKET/KEY.zip or a path.")]
Lang = Annotated[str | None, typer.Option("--lang", "-l", metavar="CODE", help="The card's language.")]
Source = Annotated[str | None, typer.Option("--source", metavar="s3|hf", help="Take the model from there alone.")]
Revision = Annotated[str | None, typer.Option("--revision", metavar="REV", help="Branch, tag or commit of the Hugging Face repository.")]
CacheDir = Annotated[Path | None, typer.Option("--cache-dir", metavar="DIR", help="Where models are kept (HUBCLIENT_CACHE).")]
Offline = Annotated[bool, typer.Option("--offline", help="Open no connection.")]
References = Annotated[list[str], typer.Argument(metavar="REF...", help="As for hub pull.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one value a line.")]


def hub_for(cache_dir: Path | None, offline: bool = False, limits: Limits | None = None) -> Hub:
    """The hub that a command works with, and its notices on stderr."""
    import logging
    import sys

    from hubclient.cli.output import one_line
    from hubclient.hub import Hub

    class OneLine(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return one_line(record.getMessage())

    logger = logging.getLogger("hubclient")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return Hub(cache_dir=cache_dir, offline=offline or None, limits=limits)


def checked_source(source: str | None) -> SourceChoice | None:
    if source == "s3":
        return "s3"
    if source == "hf":
        return "hf"
    if source is None:
        return None
    raise typer.BadParameter(f"'{source}' is not a source; use s3 or hf", param_hint="--source")
