"""Which of Spark NLP's annotators can be opened, and what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    from hubclient.archive.sparknlp import Engine
    from hubclient.models.family import Head

Task = Literal["text-classification", "zero-shot-classification", "token-classification"]
HEADS: Mapping[Task, Head] = MappingProxyType(
    {"text-classification": "sequence", "zero-shot-classification": "sequence", "token-classification": "token"}
)


@dataclass(frozen=True)
class Annotator:
    """`model_type` is the family's that the name tells of; the weights decide, and may be another family's. `engines`: whose weights its
    archives may hold."""

    model_type: str
    task: Task
    engines: tuple[Engine, ...] = ("tensorflow", "onnx")

    @property
    def head(self) -> Head:
        return HEADS[self.task]


ANNOTATORS: Mapping[str, Annotator] = MappingProxyType(
    {
        "BertForSequenceClassification": Annotator("bert", "text-classification"),
        "BertForZeroShotClassification": Annotator("bert", "zero-shot-classification"),
        "BertForTokenClassification": Annotator("bert", "token-classification"),
        "DistilBertForSequenceClassification": Annotator("distilbert", "text-classification"),
        "DistilBertForZeroShotClassification": Annotator("distilbert", "zero-shot-classification"),
        "DistilBertForTokenClassification": Annotator("distilbert", "token-classification"),
        "RoBertaForSequenceClassification": Annotator("roberta", "text-classification"),
        "RoBertaForZeroShotClassification": Annotator("roberta", "zero-shot-classification"),
        "RoBertaForTokenClassification": Annotator("roberta", "token-classification"),
        "XlmRoBertaForSequenceClassification": Annotator("xlm-roberta", "text-classification"),
        "XlmRoBertaForZeroShotClassification": Annotator("xlm-roberta", "zero-shot-classification"),
        "XlmRoBertaForTokenClassification": Annotator("xlm-roberta", "token-classification"),
        "CamemBertForSequenceClassification": Annotator("camembert", "text-classification"),
        "CamemBertForZeroShotClassification": Annotator("camembert", "zero-shot-classification"),
        "CamemBertForTokenClassification": Annotator("camembert", "token-classification"),
        "AlbertForSequenceClassification": Annotator("albert", "text-classification"),
        "AlbertForZeroShotClassification": Annotator("albert", "zero-shot-classification"),
        "AlbertForTokenClassification": Annotator("albert", "token-classification"),
        "DeBertaForSequenceClassification": Annotator("deberta-v2", "text-classification"),
        "DeBertaForZeroShotClassification": Annotator("deberta-v2", "zero-shot-classification"),
        "DeBertaForTokenClassification": Annotator("deberta-v2", "token-classification"),
        "MPNetForSequenceClassification": Annotator("mpnet", "text-classification", ("onnx",)),
        "MPNetForTokenClassification": Annotator("mpnet", "token-classification", ("onnx",)),
        "LongformerForSequenceClassification": Annotator("longformer", "text-classification"),
        "LongformerForTokenClassification": Annotator("longformer", "token-classification"),
        "XlnetForSequenceClassification": Annotator("xlnet", "text-classification"),
        "XlnetForTokenClassification": Annotator("xlnet", "token-classification"),
    }
)
# Cards and archives differ in case: AlBertForSequenceClassification, AlbertForSequenceClassification.
_FOLDED = MappingProxyType({name.casefold(): annotator for name, annotator in ANNOTATORS.items()})
SUPPORTED = "docs/supported.md lists what can be opened; hub search --task text-classification finds models"
# How the names of other annotators end, and what these are.
_OTHERS = MappingProxyType(
    {
        "ClassifierDLModel": "a classifier over sentence embeddings, which a model of its own has to give",
        "MultiClassifierDLModel": "a classifier over sentence embeddings, which a model of its own has to give",
        "SentimentDLModel": "a classifier over sentence embeddings, which a model of its own has to give",
        "ViveknSentimentModel": "a sentiment model over word counts",
        "PipelineModel": "a pipeline of several models",
        "Embeddings": "a model that gives embeddings and no classes",
        "UniversalSentenceEncoder": "a model that gives embeddings and no classes",
        "ForQuestionAnswering": "a model that answers questions",
        "ForImageClassification": "a model of images",
        "ForCTC": "a model of speech",
        "Transformer": "a model that generates text",
        "NerDLModel": "a tagger over word embeddings, which a model of its own has to give",
        "NerCrfModel": "a tagger over word embeddings, which a model of its own has to give",
    }
)


def find_annotator(name: str) -> Annotator | None:
    return _FOLDED.get(name.casefold())


def can_open(annotator: str | None) -> bool:
    """None, where a card does not say: then the archive decides."""
    return annotator is None or find_annotator(annotator) is not None


def what_else(annotator: str) -> str | None:
    """What an annotator is whose models cannot be opened, where that is known: then no archive has to be fetched to say so."""
    if find_annotator(annotator):
        return None
    return next((what for ending, what in sorted(_OTHERS.items(), key=lambda item: -len(item[0])) if annotator.endswith(ending)), None)


def unsupported(annotator: str, where: str | None) -> UnsupportedModel:
    what = what_else(annotator)
    why = f"{annotator} is {what}" if what else None
    return UnsupportedModel(f"the annotator {annotator} is not supported", where=where, why=why, hint=SUPPORTED)
