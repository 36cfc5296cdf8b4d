"""hub notebook"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Reference, hub_for
from hubclient.cli.output import print_json


def notebook(
    ref: Reference,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The notebook to write, as model.ipynb.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    lang: Lang = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Write a Jupyter notebook that opens a model, asks it, and draws its answers.

    Nothing is fetched: the notebook does that when it is run.
    """
    from hubclient.authoring.file import write
    from hubclient.notebook import Subject
    from hubclient.notebook import notebook as notebook_of
    from hubclient.portrait import portrait

    found = portrait(hub_for(cache_dir), ref, lang)
    subject = Subject(found.reference, found.card, found.task or "text-classification", found.labels)
    write(output, notebook_of(subject), replace=force)
    if json:
        print_json({"path": str(output)})
    else:
        print(output)
