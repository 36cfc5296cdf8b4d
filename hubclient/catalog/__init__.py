"""Many cards: search, and the card that answers to a reference."""

from hubclient.catalog.catalog import Catalog, Resolution
from hubclient.catalog.layer import CardKey, Known, Layer
from hubclient.catalog.resolve import Candidate, Deliberation
from hubclient.catalog.search import Query

__all__ = ["Candidate", "CardKey", "Catalog", "Deliberation", "Known", "Layer", "Query", "Resolution"]
