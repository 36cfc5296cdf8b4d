"""Model cards: text -> Card, pure."""

from typing import TYPE_CHECKING

from hubclient.cards.card import Card
from hubclient.cards.location import S3Location, parse_s3_uri, parse_s3_url
from hubclient.cards.overlay import Overlay, parse_overlay

if TYPE_CHECKING:
    from hubclient.cards.parse import parse_card, parse_facts

__all__ = ["Card", "Overlay", "S3Location", "parse_card", "parse_facts", "parse_overlay", "parse_s3_uri", "parse_s3_url"]


def __getattr__(name: str) -> object:
    """Most cards come from an index: what reads their text is imported when a text is to be read."""
    if name not in ("parse_card", "parse_facts"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from hubclient.cards import parse

    return getattr(parse, name)
