"""A client for hubs of pretrained text classifiers that are described by model cards.

>>> from hubclient import pretrained
>>> classifier = pretrained("bert_tiny_sequence_classifier_sst2", "en")
>>> classifier("I really liked that movie!").label
'pos'
"""

from hubclient.cards import Card, parse_card
from hubclient.classifier import Classifier
from hubclient.errors import HubError
from hubclient.hub import Hub, from_archive, from_folder, load, pretrained, pull
from hubclient.prediction import Prediction

__all__ = [
    "Card",
    "Classifier",
    "Hub",
    "HubError",
    "Prediction",
    "from_archive",
    "from_folder",
    "load",
    "parse_card",
    "pretrained",
    "pull",
]
