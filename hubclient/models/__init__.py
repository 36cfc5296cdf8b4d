"""Architecture families: one file each, picked by what the weights are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hubclient.errors import UnsupportedModel
from hubclient.models import deberta, xlnet
from hubclient.models.albert import ALBERT
from hubclient.models.bert import BERT
from hubclient.models.distilbert import DISTILBERT
from hubclient.models.electra import ELECTRA
from hubclient.models.family import Family
from hubclient.models.longformer import LONGFORMER
from hubclient.models.mpnet import MPNET
from hubclient.models.roberta import CAMEMBERT, ROBERTA, XLM_ROBERTA

_FAMILIES: tuple[Family, ...] = (
    BERT,
    DISTILBERT,
    ELECTRA,
    ROBERTA,
    XLM_ROBERTA,
    CAMEMBERT,
    ALBERT,
    MPNET,
    LONGFORMER,
    deberta,
    xlnet,
)
FAMILIES: Mapping[str, Family] = MappingProxyType({family.model_type: family for family in _FAMILIES})

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
