"""Deciding what the sources leave open, by the order in which they are to be believed. A default says nothing about a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubclient.archive.metadata import Metadata
from hubclient.cards import Overlay
from hubclient.errors import UnsupportedModel
from hubclient.facts import Fact, decide
from hubclient.native import ACTIVATIONS, Facts

_MULTILABEL = {True: "sigmoid", False: "softmax"}
# transformers' text-classification pipeline, by config.json's problem_type.
_PROBLEM_TYPES = {"multi_label_classification": "sigmoid", "single_label_classification": "softmax", "regression": "none"}
# Above this, tokenizer_config.json's model_max_length is a placeholder for "no limit".
_NO_LIMIT = 100_000
_THRESHOLD = 0.5
_USUAL_LENGTH = 512  # of models that have no limit


@dataclass(frozen=True)
class ArchiveClaims:
    """What an archive's metadata claims; `has_case`: its tokenizer has a case setting; `vocabulary_lowercase` is what its vocabulary
    shows, None if it shows nothing."""

    metadata: Metadata
    has_case: bool
    vocabulary_lowercase: bool | None

    def decide(self, *, labels: int, positions: int | None) -> Facts:
        threshold = self.metadata.number("threshold", explicit=True)
        cased = self.metadata.flag("caseSensitive")
        case = [
            ("archive vocabulary", self.vocabulary_lowercase),
            ("archive caseSensitive", None if cased is None else not cased),
        ]
        length = [("archive maxSentenceLength", self.metadata.integer("maxSentenceLength"))]
        return Facts(
            activation=self._activation(labels),
            threshold=decide([("archive paramMap.threshold", threshold)], _THRESHOLD, "Spark NLP's default"),
            max_length=decide(length, *_longest(positions)),
            lowercase=decide(case, False, "no source says") if self.has_case else Fact(None, "the tokenizer has no such setting"),
        ).within(positions)

    def _activation(self, labels: int) -> Fact[str]:
        multilabel = self.metadata.flag("multilabel", explicit=True)
        claims = [
            ("archive paramMap.activation", self.metadata.text("activation", explicit=True)),
            ("archive paramMap.multilabel", None if multilabel is None else _MULTILABEL[multilabel]),
            ("one output", "sigmoid" if labels == 1 else None),
        ]
        default = self.metadata.text("activation")
        if default is None:
            return decide(claims, "softmax", "Spark NLP's default")
        return decide(claims, default, "archive defaultParamMap.activation")


@dataclass(frozen=True)
class RepositoryClaims:
    """What a Hugging Face repository's config.json and tokenizer files claim."""

    config: Mapping[str, Any]
    tokenizer_config: Mapping[str, Any]
    lowercase: bool | None

    def decide(self, *, labels: int, positions: int | None) -> Facts:
        stated = self.tokenizer_config.get("model_max_length")
        limit = int(stated) if isinstance(stated, int | float) and 0 < stated < _NO_LIMIT else None
        problem = self.config.get("problem_type")
        if problem == "single_label_classification" and labels == 1:
            problem = None  # transformers' pipeline asks for the number of labels first
        claims = [
            ("config.json problem_type", _PROBLEM_TYPES.get(str(problem), str(problem)) if problem is not None else None),
            ("one output", "sigmoid" if labels == 1 else None),
        ]
        return Facts(
            activation=decide(claims, "softmax", "transformers' default"),
            threshold=Fact(_THRESHOLD, "Spark NLP's default"),
            max_length=decide([("tokenizer_config.json model_max_length", limit)], *_longest(positions)),
            lowercase=decide([("tokenizer files", self.lowercase)], None, "the tokenizer has no such setting"),
        ).within(positions)


def _longest(positions: int | None) -> tuple[int, str]:
    """The length that is taken when no source tells one, and where it comes from."""
    return (_USUAL_LENGTH, "hubclient's default") if positions is None else (positions, "position table")


def in_force(facts: Facts, overlay: Overlay, positions: int | None) -> Facts:
    """The facts with the overlay's on top, which the written files must agree with. Raises UnsupportedModel for an unknown activation."""
    forced = facts.under(overlay.to_dict(), positions)
    if forced.activation.value not in ACTIVATIONS:
        raise UnsupportedModel(
            f"the activation '{forced.activation.value}' is not known",
            where=forced.activation.source,
            hint=f"known are {', '.join(ACTIVATIONS)}; an overlay can say which",
        )
    return forced
