"""Architecture families: one file each, picked by what the weights are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hubclient.errors import UnsupportedModel
from hubclient.models import bert, xlnet
from hubclient.models.family import Family

_FAMILIES: tuple[Family, ...] = (
    bert,
    xlnet,
)
FAMILIES: Mapping[str, Family] = MappingProxyType({family.model_type: family for family in _FAMILIES})

# Prefixes of variables and tensors in transformers' models, to tell by name what cannot be opened.
_OTHERS = MappingProxyType(
    {
        "electra": "ELECTRA",
        "distilbert": "DistilBERT",
        "roberta": "RoBERTa",
        "albert": "ALBERT",
        "deberta": "DeBERTa",
        "longformer": "Longformer",
        "mpnet": "MPNet",
        "camembert": "CamemBERT",
    }
)


def family_of(names: Iterable[str]) -> Family:
    """The family whose weights have these names, TensorFlow's or PyTorch's. Raises UnsupportedModel, by name where it is a known one."""
    names = list(names)
    for family in FAMILIES.values():
        if family.recognises(names):
            return family
    found = named(names)
    raise UnsupportedModel(
        f"the weights are those of {found}, which is not supported yet" if found else "the weights are of no known architecture",
        why=f"their names start as '{min(names, default='')}'; supported are: {', '.join(sorted(FAMILIES))}",
    )


def named(names: Iterable[str]) -> str | None:
    """The title of the unsupported architecture that these names are of, where it is a known one."""
    parts = {part for name in names for part in name.replace(".", "/").split("/")}
    return min((title for prefix, title in _OTHERS.items() if prefix in parts), default=None)
