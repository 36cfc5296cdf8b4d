"""Which functions load models: told by where their names come from, and by what Spark NLP calls its classes."""

from __future__ import annotations

import re
from typing import NamedTuple

from hubclient.cards.kinds import kind_of
from hubclient.check.scan.call import Kind

PIPELINE = "PretrainedPipeline"
UNBOUND = "?"
"""The root of a name that nothing in the file defines: it comes from an `import *`, or was there before."""

# No call that is looked for can be written without one of them.
_WORDS = re.compile(r"[pP]retrained|hubclient|johnsnowlabs|nlu")
_OWN = re.compile(r"hubclient(?:\.hub)?(?:\.Hub\(\))?\.(pretrained|load|pull)")
_SPARK_NLP = {"sparknlp", "sparknlp_jsl", "sparkocr", "johnsnowlabs"}
_NLU = re.compile(r"(?:nlu|johnsnowlabs(?:\.nlp)?)\.load")
_OTHER_ENDINGS = ("Model", "Transformer", "SentenceEncoder")  # PerceptronModel, T5Transformer
_CLASS = re.compile(r"(?:.*\.)?([A-Z]\w*)(?:\(\))?")


class Loading(NamedTuple):
    """`annotator`: the class whose model it is, if that is told."""

    kind: Kind
    annotator: str | None = None


def may_load(source: str) -> bool:
    """Whether there can be a call in it at all: in most files there cannot, and following their names would take longer than parsing."""
    return _WORDS.search(source) is not None


def is_spark_nlp(module: str) -> bool:
    return module.partition(".")[0] in _SPARK_NLP


def is_own(module: str) -> bool:
    return module.partition(".")[0] == "hubclient"


def looks_like_annotator(name: str) -> bool:
    """Whether a class is called as Spark NLP's are: for files that do not say where they have it from."""
    return kind_of(name) is not None or name.endswith(_OTHER_ENDINGS)


def loading(origin: str) -> Loading | None:
    """What a function is, by its dotted origin, in which a call is written `()`.

    >>> loading("sparknlp.annotator.BertForSequenceClassification.pretrained")
    Loading(kind='annotator', annotator='BertForSequenceClassification')
    >>> loading("hubclient.Hub().pull"), loading("transformers.AutoModel.from_pretrained")
    (Loading(kind='pull', annotator=None), None)
    """
    if match := _OWN.fullmatch(origin):
        return Loading(_OWN_KINDS[match[1]])
    if _NLU.fullmatch(origin):
        return Loading("nlu")
    parent, _, function = origin.rpartition(".")
    if function == PIPELINE:
        return Loading("pipeline") if is_spark_nlp(origin) or _unsaid(parent) else None
    class_ = _CLASS.fullmatch(parent) if function == "pretrained" else None
    if class_ and (is_spark_nlp(origin) or (_unsaid(origin) and looks_like_annotator(class_[1]))):
        return Loading("annotator", class_[1])
    return None


_OWN_KINDS: dict[str, Kind] = {"pretrained": "pretrained", "load": "load", "pull": "pull"}


def _unsaid(origin: str) -> bool:
    """Whether it comes from a module of the same project, which may have it from Spark NLP, or from nowhere that is told."""
    return origin.partition(".")[0] in (UNBOUND, "")
