"""The card of a Hugging Face repository that is in the store: its own README.md, or what its config.json tells."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from hubclient.cards import Card
from hubclient.cards.readme import card_of_config, parse_readme
from hubclient.errors import CardError
from hubclient.names import HubReference, parse_reference
from hubclient.native import CONFIG, README, Manifest, read_json

_log = logging.getLogger("hubclient")


def repository_card(folder: Path, manifest: Manifest) -> Card | None:
    """None for a model that did not come by a repository's own name. A README.md that cannot be read is told, and left out."""
    if not (manifest.name or "").startswith("hf:"):
        return None
    reference = parse_reference(manifest.name or "")
    assert isinstance(reference, HubReference)
    path = folder / README
    if os.path.isfile(path):
        try:
            return parse_readme(path.read_text(encoding="utf-8", errors="replace"), repo=reference.repo, path=str(path))
        except CardError as error:
            _log.warning("%s (%s): it is left out", error.what, error.where)
    return card_of_config(read_json(folder / CONFIG), repo=reference.repo)
