"""hub explain"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import one_line, print_json

if TYPE_CHECKING:
    from hubclient.explain import Explanation


def explain(
    ref: Reference,
    lang: Lang = None,
    source: Source = None,
    revision: Revision = None,
    online: Annotated[bool, typer.Option("--online", help="Ask the remote sources whether they have the model.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Say what a reference means and why, and what pulling it would do.

    Every candidate is shown with the reason it was not taken, every source in the order in which it would be tried. Nothing is fetched,
    and without --online nobody is asked.
    """
    hub = hub_for(cache_dir)
    found = hub.explain(ref, lang, source=checked_source(source), revision=revision, online=online)
    if json:
        print_json(found.to_dict())
    else:
        print("\n".join(map(one_line, _lines(found))))
    if found.error:
        raise found.error


def _lines(found: Explanation) -> Iterator[str]:
    told = found.deliberation
    yield str(found.reference)
    for step in told.steps if told else ():
        yield f"  {step}"
    if told and told.candidates:
        yield "candidates"
        for candidate in told.candidates:
            known = candidate.known
            yield f"  {'*' if candidate.verdict is None else '-'} {known.key}  {known.card.annotator or 'no annotator'}"
            yield f"      from {known.layer}" + (f": {known.file}" if known.file else "")
            yield f"      {candidate.verdict or 'chosen'}"
    for notice in told.notices if told else ():
        yield f"note: {notice}"
    if found.sources:
        yield "sources"
        for number, place in enumerate(found.sources, 1):
            yield f"  {number}. {place.role}: {place.location}"
            yield f"      {place.state}; {place.action}"
    yield f"so: {found.outcome}"
