"""hub inspect"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubclient.cli.options import CacheDir, Json, Lang, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import human_size, print_facts, print_json

if TYPE_CHECKING:
    from hubclient.afar.look import Seen
    from hubclient.afar.model import RemoteModel


def inspect(
    ref: Reference, lang: Lang = None, source: Source = None, revision: Revision = None, cache_dir: CacheDir = None, json: Json = False
) -> None:
    """Show what a model's origin says of it, without fetching its weights.

    Of an archive the directory and the small members are read, through ranges; of a Hugging Face repository its settings. Where the card
    says otherwise is said.
    """
    import logging

    seen = hub_for(cache_dir).inspect(ref, lang, source=checked_source(source), revision=revision)
    if json:
        print_json(seen.to_dict())
        return
    for notice in seen.notices:
        logging.getLogger("hubclient").warning("%s", notice)
    print_facts([(name, value) for name, value in _facts(seen) if value])


def _facts(seen: Seen) -> Iterator[tuple[str, str]]:
    model = seen.model
    if seen.card:
        yield "name", seen.card.model_name
        yield "language", seen.card.model_language
    yield "origin", model.url + (f" at {model.commit}" if model.commit else "")
    yield "size", f"{human_size(model.size)} ({model.size:,} bytes)"
    yield "ETag", model.etag or ""
    yield "annotator", model.annotator or ""
    yield "architecture", model.architecture or ""
    yield "task", model.task or ""
    yield "engine", model.engine
    yield "labels", f"{', '.join(model.labels)} ({model.labels_source})" if model.labels else ""
    for name in ("activation", "threshold", "max_length", "lowercase"):
        if fact := model.said().get(name):
            yield name.replace("_", " "), f"{fact.value} ({fact.source})"
    yield "vocabulary", f"{model.vocabulary:,} pieces" if model.vocabulary else ""
    yield from _weights(model)
    yield "cannot be opened", model.refusal or ""
    for difference in seen.disagreements:
        yield "disagreement", str(difference)
    yield "read", f"{model.moved.bytes:,} bytes in {model.moved.requests} requests"


def _weights(model: RemoteModel) -> Iterator[tuple[str, str]]:
    for weights in model.weights:
        unpacked = f", {human_size(weights.unpacked)} unpacked" if weights.unpacked is not None else ""
        yield "weights", f"{weights.name}, {human_size(weights.size)}{unpacked}"
