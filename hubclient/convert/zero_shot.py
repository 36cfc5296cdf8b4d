"""What an archive of a zero-shot classifier says about its classes and its candidate labels.

Source: Spark NLP's HasCandidateLabelsProperties, and BertForZeroShotClassification.loadSavedModel, which finds the classes by the names of
the labels as transformers does, and takes the classes themselves for candidate labels until somebody sets others.
"""

from __future__ import annotations

from collections.abc import Sequence

from hubclient.archive.metadata import Metadata
from hubclient.convert.annotators import find_annotator
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel
from hubclient.native import ZeroShotFacts, class_named

_ENTAILMENT = "entailmentIdParam"
_CONTRADICTION = "contradictionIdParam"


def zero_shot_facts(metadata: Metadata, labels: Sequence[str]) -> ZeroShotFacts | None:
    """None for an archive of another kind. Raises InconsistentModel where params and labels contradict each other, UnsupportedModel where
    neither tells the class for entailment (a default says nothing), CorruptArchive."""
    annotator = find_annotator(metadata.annotator)
    if annotator is None or annotator.task != "zero-shot-classification":
        return None
    entailment = _class(metadata, _ENTAILMENT, labels, "entail")
    contradiction = _class(metadata, _CONTRADICTION, labels, "contradict")
    if entailment is None:
        raise UnsupportedModel(
            "nothing says which class of the zero-shot classifier means entailment",
            where=metadata.label,
            why=f"{_ENTAILMENT} is not set, and the labels are {', '.join(labels)}",
        )
    if entailment == contradiction:
        raise InconsistentModel("one class means entailment and contradiction", where=metadata.label, why=f"it is {labels[entailment]}")
    return ZeroShotFacts(entailment, contradiction, _candidates(metadata, labels))


def _class(metadata: Metadata, param: str, labels: Sequence[str], prefix: str) -> int | None:
    stated, named = metadata.integer(param, explicit=True), class_named(labels, prefix)
    if stated is not None and not 0 <= stated < len(labels):
        raise InconsistentModel(f"{param} is {stated}, and there are {len(labels)} classes", where=metadata.label)
    if None not in (stated, named) and stated != named:
        raise InconsistentModel(f"{param} is {stated}, and the labels are {', '.join(labels)}", where=metadata.label)
    return named if stated is None else stated


def _candidates(metadata: Metadata, labels: Sequence[str]) -> tuple[str, ...]:
    stated = metadata.explicit("candidateLabels")
    if stated is None:
        return ()
    if not isinstance(stated, list) or not all(isinstance(label, str) for label in stated):
        raise CorruptArchive("param 'candidateLabels' is not a list of texts", where=metadata.label)
    candidates = tuple(dict.fromkeys(str(label) for label in stated))
    return () if set(candidates) == set(labels) else candidates
