"""Model cards: text -> Card, pure."""

from hubclient.cards.card import Card
from hubclient.cards.location import S3Location, parse_s3_uri, parse_s3_url
from hubclient.cards.overlay import Overlay, parse_overlay
from hubclient.cards.parse import parse_card, parse_facts

__all__ = ["Card", "Overlay", "S3Location", "parse_card", "parse_facts", "parse_overlay", "parse_s3_uri", "parse_s3_url"]
