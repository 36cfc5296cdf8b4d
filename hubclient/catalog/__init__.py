"""Many cards: search, and the card that answers to a reference."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubclient.catalog.catalog import Catalog, Resolution
    from hubclient.catalog.layer import CardKey, Known, Layer
    from hubclient.catalog.resolve import Candidate, Deliberation
    from hubclient.catalog.search import Query

__all__ = ["Candidate", "CardKey", "Catalog", "Deliberation", "Known", "Layer", "Query", "Resolution"]

_HOMES = {"CardKey": "layer", "Known": "layer", "Layer": "layer", "Candidate": "resolve", "Deliberation": "resolve", "Query": "search"}


def __getattr__(name: str) -> object:
    """A name is imported when it is first asked for: processes that only read cards start in half the time."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'catalog')}"), name)
    globals()[name] = value
    return value
