"""Architecture families: one file each, picked by what the weights are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    from hubclient.models.family import Family


class _Families(Mapping[str, "Family"]):
    """By model type. Each is imported when it is first asked for: opening a model needs none, converting one needs one."""

    # Where each lies: a module that is a family itself, or its constant in a module.
    _places: Mapping[str, tuple[str, str | None]] = MappingProxyType(
        {
            "bert": ("bert", "BERT"),
            "distilbert": ("distilbert", "DISTILBERT"),
            "electra": ("electra", "ELECTRA"),
            "roberta": ("roberta", "ROBERTA"),
            "xlm-roberta": ("roberta", "XLM_ROBERTA"),
            "camembert": ("roberta", "CAMEMBERT"),
            "albert": ("albert", "ALBERT"),
            "mpnet": ("mpnet", "MPNET"),
            "longformer": ("longformer", "LONGFORMER"),
            "deberta-v2": ("deberta", None),
            "xlnet": ("xlnet", None),
        }
    )

    def __getitem__(self, model_type: str) -> Family:
        module, constant = self._places[model_type]
        found = import_module(f"hubclient.models.{module}")
        return cast("Family", getattr(found, constant) if constant else found)

    def __contains__(self, model_type: object) -> bool:
        return model_type in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


FAMILIES: Mapping[str, Family] = _Families()

# Prefixes of variables and tensors in transformers' models, to tell by name what cannot be opened.
_OTHERS = MappingProxyType(
    {
        "convbert": "ConvBERT",
        "ernie": "ERNIE",
        "funnel": "Funnel Transformer",
        "mobilebert": "MobileBERT",
        "rembert": "RemBERT",
        "deberta": "DeBERTa",
    }
)


def family_of(names: Iterable[str], told: str | None = None) -> Family:
    """The family whose weights have these names, TensorFlow's or PyTorch's; of several it is the one that was told of, by its model type.

    Raises UnsupportedModel, by name where it is a known one.
    """
    names = list(names)
    if fitting := [family for family in FAMILIES.values() if family.recognises(names)]:
        return next((family for family in fitting if family.model_type == told), fitting[0])
    found = named(names)
    raise UnsupportedModel(
        f"the weights are those of {found}, which is not supported yet" if found else "the weights are of no known architecture",
        why=f"their names start as '{min(names, default='')}'; supported are: {', '.join(sorted(FAMILIES))}",
    )


def named(names: Iterable[str]) -> str | None:
    """The title of the unsupported architecture that these names are of, where it is a known one."""
    parts = {part for name in names for part in name.replace(".", "/").split("/")}
    return min((title for prefix, title in _OTHERS.items() if prefix in parts), default=None)
