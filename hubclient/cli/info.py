"""hub info"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubclient.cli.options import CacheDir, Json, Lang, Reference, hub_for
from hubclient.cli.output import human_size, print_facts, print_json, print_section

if TYPE_CHECKING:
    from hubclient import names
    from hubclient.cards import Card
    from hubclient.hub import Hub
    from hubclient.native import Manifest, NativeModel
    from hubclient.way import Target


def info(ref: Reference, lang: Lang = None, cache_dir: CacheDir = None, json: Json = False) -> None:
    """Show a model's card, and its manifest once it is pulled.

    Where the two disagree is said. A card that is known from the bundled index alone has facts and no prose: the address of its page is
    shown.
    """
    from hubclient.disagreements import disagreements
    from hubclient.way import whole_card

    hub = hub_for(cache_dir).unlocked()
    target = hub.find(ref, lang)
    model = _model(hub, target, hub.parse(ref, lang))
    folder = model.folder if model else None
    overlay = target.wanted.overlay.to_dict() if target.card else None
    manifest = model.manifest.in_force(overlay) if model else None
    card = whole_card(target.card, model)
    differences = disagreements(manifest, card) if manifest else []
    if json:
        print_json(
            {
                "card": card.to_dict() if card else None,
                "manifest": manifest.to_dict() if manifest else None,
                "path": str(folder) if folder else None,
                "disagreements": [vars(difference) for difference in differences],
            }
        )
        return
    print_facts(
        [
            *(_card_facts(card) if card else ()),
            *(_page(hub, ref, lang) if target.card and not target.card.path else ()),
            ("pulled", str(folder) if folder else "no"),
            *(_manifest_facts(manifest) if manifest else ()),
            *(("disagreement", str(difference)) for difference in differences),
        ]
    )
    for title, text in _sections(card) if card else ():
        print_section(title, text)


def _model(hub: Hub, target: Target, reference: names.Reference) -> NativeModel | None:
    """The model; None for a card's that was not pulled. Without a card, there is nothing else to show: raises NotFound."""
    import os
    from pathlib import Path

    from hubclient.native import MANIFEST, NativeModel, read_manifest
    from hubclient.plan import UseStored
    from hubclient.stored import stored_entries
    from hubclient.way import model_of

    if isinstance(target.plan, UseStored):
        return model_of(target.plan.entry)
    if isinstance(target.plan, Path) and os.path.isfile(target.plan / MANIFEST):
        return NativeModel(target.plan, read_manifest(target.plan))
    return None if target.card else model_of(stored_entries(hub.store, reference, hub.known)[0])


def _card_facts(card: Card) -> Iterator[tuple[str, str]]:
    said: dict[str, object] = {
        "name": card.model_name,
        "language": card.model_language,
        "title": card.title,
        "version": ".".join(map(str, card.version)),
        "edition": card.edition,
        "Spark version": card.spark_version,
        "date": card.date,
        "author": card.author,
        "annotator": card.annotator,
        "engine": card.engine,
        "task": ", ".join(card.task),
        "tags": ", ".join(card.tags),
        "supported": card.supported,
        "deprecated": card.deprecated,
        "labels (card)": ", ".join(card.labels),
        "size": f"{card.size_mb:g} MB" if card.size_mb is not None else None,
        "case-sensitive (card)": card.case_sensitive,
        "max length (card)": card.max_sentence_length,
        "archive": card.s3_uri or card.download_url,
        "Hugging Face": card.hf_origin,
        "NLU": card.nlu_ref,
        "card": card.path,
    }
    return ((name, str(value)) for name, value in said.items() if value not in (None, ""))


def _page(hub: Hub, ref: str, lang: str | None) -> Iterator[tuple[str, str]]:
    """Where the whole card is that the bundled index has the facts of."""
    from hubclient.catalog.site import page_address
    from hubclient.convert.annotators import can_open
    from hubclient.names import CardReference

    reference = hub.parse(ref, lang)
    chosen = hub.catalog.deliberate(reference, can_open=can_open).chosen if isinstance(reference, CardReference) else None
    address = page_address(chosen.file) if chosen and chosen.file else None
    if address:
        yield "page", address


def _sections(card: Card) -> Iterator[tuple[str, str]]:
    from hubclient.cards.prose import readable

    usage = "\n\n".join(f"# {language}\n{code}" for language, code in card.how_to_use.items())
    said = {
        "Description": card.description,
        "How to use": usage,
        "Results": card.results,
        "Data Source": card.data_source,
        "Benchmarking": card.benchmarking,
        "References": card.references,
        **card.other_sections,
    }
    for title, text in said.items():
        if text and (shown := readable(text)):
            yield title, shown


def _manifest_facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    origin, facts = manifest.origin, manifest.facts
    yield "origin", origin.url + (f" at {origin.commit}" if origin.commit else "")
    if origin.size is not None:
        yield "fetched", human_size(origin.size)
    if origin.sha256:
        yield "sha256", origin.sha256
    yield "architecture", manifest.architecture
    yield "labels", f"{', '.join(manifest.labels)} ({manifest.labels_source})"
    for name in ("activation", "threshold", "max_length", "lowercase"):
        fact = getattr(facts, name)
        yield name.replace("_", " "), f"{fact.value} ({fact.source})"
