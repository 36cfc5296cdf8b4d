"""Many cards: search, and the card that answers to a reference."""

from hubclient.catalog.catalog import CardKey, Catalog, Resolution

__all__ = ["CardKey", "Catalog", "Resolution"]
