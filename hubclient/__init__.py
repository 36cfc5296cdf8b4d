"""A client for hubs of pretrained text classifiers that are described by model cards.

>>> from hubclient import pretrained
>>> classifier = pretrained("bert_tiny_sequence_classifier_sst2", "en")
>>> classifier("I really liked that movie!").label
'pos'
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubclient.cards import Card, parse_card
    from hubclient.classifier import Classifier
    from hubclient.entities import Entity
    from hubclient.errors import HubError
    from hubclient.hub import Hub, from_archive, from_folder, load, pretrained, pull
    from hubclient.prediction import Prediction
    from hubclient.tagger import TokenClassifier
    from hubclient.zero_shot import ZeroShotClassifier

__all__ = [
    "Card",
    "Classifier",
    "Entity",
    "Hub",
    "HubError",
    "Prediction",
    "TokenClassifier",
    "ZeroShotClassifier",
    "from_archive",
    "from_folder",
    "load",
    "parse_card",
    "pretrained",
    "pull",
]

__version__ = "0.1.0"

# No module may have the name of a function: importing it would put the module in the function's place.
_HOMES = {
    "Card": "cards",
    "parse_card": "cards",
    "Classifier": "classifier",
    "Entity": "entities",
    "HubError": "errors",
    "Prediction": "prediction",
    "TokenClassifier": "tagger",
    "ZeroShotClassifier": "zero_shot",
}


def __getattr__(name: str) -> object:
    """A public name is imported when it is first asked for: every start of the command imports this package, and few need them all."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'hub')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
