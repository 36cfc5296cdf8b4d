"""hub export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import human_size, print_json


def export(
    ref: Reference,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder to make.")],
    format: Annotated[str, typer.Option("--format", metavar="onnx|hf", help="What to write.")] = "onnx",
    force: Annotated[bool, typer.Option("--force", help="Replace what was exported there before.")] = False,
    lang: Lang = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Write a model out for others, and print the folder.

    onnx: model.onnx with its weights (beside it where they are more than 2 GB), config.json and the tokenizer. hf: a Hugging Face folder.
    It is pulled first if need be.
    """
    import sys

    from hubclient.export import export as write_out
    from hubclient.way import manifest_in_force, obtain

    if format not in ("onnx", "hf"):
        raise typer.BadParameter(f"'{format}' is not a format; use onnx or hf", param_hint="--format")
    hub = hub_for(cache_dir, offline)
    target = hub.find(ref, lang, source=checked_source(source), revision=revision)
    model = obtain(hub.workshop, target)
    manifest = manifest_in_force(model, target.card, target.wanted.overlay)
    made = write_out(model.folder, path, manifest, format="hf" if format == "hf" else "onnx", force=force)
    files = {file.name: file.stat().st_size for file in sorted(made.iterdir())}
    print(f"exported {manifest.origin.url} ({human_size(sum(files.values()))})", file=sys.stderr)
    if json:
        print_json({"path": str(made), "format": format, "files": files})
    else:
        print(made)
