"""Every kind of tokenizer, by the architecture that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hubclient.errors import UnsupportedModel
from hubclient.models import bytelevel, sentencepiece, wordpiece
from hubclient.models.tokenizer import TokenizerKind

# The keys are transformers' model types.
KINDS: Mapping[str, TokenizerKind] = MappingProxyType(
    {
        "albert": sentencepiece.ALBERT,
        "bert": wordpiece.BERT,
        "camembert": sentencepiece.CAMEMBERT,
        "deberta-v2": sentencepiece.DEBERTA_V2,
        "distilbert": wordpiece.DISTILBERT,
        "electra": wordpiece.ELECTRA,
        "longformer": bytelevel.LONGFORMER,
        "mpnet": wordpiece.MPNET,
        "roberta": bytelevel.ROBERTA,
        "xlm-roberta": sentencepiece.XLM_ROBERTA,
        "xlnet": sentencepiece.XLNET,
    }
)

# Classes without defaults: of a tokenizer.json they change only what the settings say.
_PLAIN = frozenset({"PreTrainedTokenizer", "TokenizersBackend", "HerbertTokenizer"})


def kind_of(model_type: str, tokenizer_class: str | None = None) -> TokenizerKind:
    """`tokenizer_class`: what tokenizer_config.json says, else config.json; it outranks the architecture. Raises UnsupportedModel."""
    if tokenizer_class is None:
        if model_type not in KINDS:
            raise UnsupportedModel(f"no tokenizer of the architecture '{model_type}' is known", why=f"known are {', '.join(KINDS)}")
        return KINDS[model_type]
    name = tokenizer_class.removesuffix("Fast")
    for kind in KINDS.values():
        if kind.tokenizer_class == name:
            return kind
    known = ", ".join(sorted(kind.tokenizer_class for kind in KINDS.values()))
    raise UnsupportedModel(f"a tokenizer of the class '{tokenizer_class}' is not supported", why=f"known are {known}")


def fast_kind_of(model_type: str, tokenizer_class: str | None = None) -> TokenizerKind | None:
    """The same for a tokenizer.json, where None is a class without defaults. Raises UnsupportedModel."""
    if tokenizer_class is not None and tokenizer_class.removesuffix("Fast") in _PLAIN:
        return None
    return kind_of(model_type, tokenizer_class)
