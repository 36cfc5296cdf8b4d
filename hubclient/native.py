"""The native form of a model: a Hugging Face folder with two more files, `model.onnx` and `manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hubclient.errors import HubError, InconsistentModel, UsageError
from hubclient.facts import Fact
from hubclient.models.casing import lowercases, with_lowercase

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
README = "README.md"
TOKENIZER_CONFIG = "tokenizer_config.json"
WEIGHTS = "model.safetensors"
GRAPH = "model.onnx"
MANIFEST = "manifest.json"

FORMAT_VERSION = 1
# Raised when a builder writes another graph for the same tensors, so that an older graph can be told.
BUILDER_VERSION = 1
ACTIVATIONS = ("softmax", "sigmoid", "none")

T = TypeVar("T")


@dataclass(frozen=True)
class Identity:
    """How the hub calls the model; None is what nobody says."""

    name: str | None = None
    language: str | None = None
    lib_version: str | None = None
    spark_version: str | None = None


@dataclass(frozen=True)
class Origin:
    """What was fetched: `url` as it was asked for; of a Hugging Face repository, `commit` and the SHA-256 of each file
    that the model was made of."""

    url: str
    size: int | None = None
    sha256: str | None = None
    etag: str | None = None
    commit: str | None = None
    files: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Facts:
    """What decides the answers, each with the source that decided it."""

    activation: Fact[str]
    threshold: Fact[float]
    max_length: Fact[int]
    lowercase: Fact[bool | None]  # None: the tokenizer is not one that has a case setting

    def overruled(
        self,
        by: str,
        *,
        activation: str | None = None,
        threshold: float | None = None,
        max_length: int | None = None,
        lowercase: bool | None = None,
    ) -> Facts:
        """The same facts after somebody with more authority (`by`) has spoken; None is silence."""
        return Facts(
            activation=_overrule(self.activation, activation, by),
            threshold=_overrule(self.threshold, threshold, by),
            max_length=_overrule(self.max_length, max_length, by),
            lowercase=_overrule(self.lowercase, lowercase, by),
        )

    def under(self, overlay: Mapping[str, Any], positions: int | None) -> Facts:
        """The same facts after an overlay has spoken; no length is above the position table's."""
        return self.overruled("overlay", **overlay).within(positions)

    def within(self, positions: int | None) -> Facts:
        """The same facts with a maximum length that is not above the position table's, where there is one."""
        stated = self.max_length
        if positions is None or stated.value <= positions:
            return self
        return replace(self, max_length=_overrule(stated, positions, "position table"))


@dataclass(frozen=True)
class ZeroShotFacts:
    """What an archive's zero-shot classifier says: which class means that a text entails a label, which that it contradicts it (None: it
    does not say), and between which labels it chooses where nobody names others."""

    entailment: int
    contradiction: int | None = None
    candidate_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """`labels` are in class order. `positions`: how many tokens a text may have, None if there is no limit.
    `facts` are the origin's; `overlay` is what the overlay said when the model was stored, which outranks them.
    `graph` is `built` from the tensors, `kept` as the origin had it, or there is `none`; `graph_note` says why."""

    name: str | None
    language: str | None
    lib_version: str | None
    spark_version: str | None
    annotator: str | None
    architecture: str
    origin: Origin
    tensors_digest: str
    labels: tuple[str, ...]
    labels_source: str
    positions: int | None
    facts: Facts
    overlay: Mapping[str, Any] = field(default_factory=dict)
    graph: str = "built"
    graph_note: str | None = None
    zero_shot: ZeroShotFacts | None = None
    format_version: int = FORMAT_VERSION
    builder_version: int = BUILDER_VERSION

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_force(self, overlay: Mapping[str, Any] | None = None) -> Manifest:
        """The same with an overlay's facts on top: today's overlay, or (None) the one that the model was stored with."""
        stated = self.overlay if overlay is None else overlay
        return replace(self, facts=self.facts.under(stated, self.positions))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Manifest:
        """Raises KeyError, TypeError or ValueError when `data` is not a manifest of this format."""
        if data["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format version {data['format_version']}, and this hubclient reads {FORMAT_VERSION}")
        facts = Facts(**{name: _fact(value) for name, value in data["facts"].items()})
        zero_shot = _zero_shot(data["zero_shot"]) if data.get("zero_shot") else None
        origin, labels = Origin(**data["origin"]), tuple(data["labels"])
        return cls(**{**data, "origin": origin, "labels": labels, "facts": facts, "zero_shot": zero_shot})


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    # What lies there may be a hard link into another cache.
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Raises InconsistentModel when the file is missing or is not a JSON object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InconsistentModel(f"{path.name} cannot be read", where=str(path), why=str(error), hint="pull the model again") from error
    if not isinstance(data, dict):
        raise InconsistentModel(f"{path.name} is not a JSON object", where=str(path), hint="pull the model again")
    return data


@dataclass(frozen=True)
class NativeModel:
    """A native folder and its manifest: in the store, in the words of the name that it was found by."""

    folder: Path
    manifest: Manifest


def read_manifest(folder: Path, own: Mapping[str, Any] | None = None) -> Manifest:
    """`own`: what the name by which the folder was found says of itself, which outranks the folder. Raises InconsistentModel."""
    try:
        return Manifest.from_dict({**read_json(folder / MANIFEST), **(own or {})})
    except (KeyError, TypeError, ValueError) as error:
        raise InconsistentModel(
            "the manifest cannot be used", where=str(folder / MANIFEST), why=str(error), hint="remove the model and pull it again"
        ) from error


def open_tokenizer(folder: Path, lowercase: bool | None = None) -> Tokenizer:
    """The folder's tokenizer; `lowercase` overrules its case setting. Raises InconsistentModel, UnsupportedModel."""
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(path))
        stated = json.loads(tokenizer.normalizer.__getstate__()) if tokenizer.normalizer else None
        if lowercase is None or lowercase == bool(lowercases(stated)):
            return tokenizer
        return Tokenizer.from_str(with_lowercase(path.read_text(encoding="utf-8"), lowercase))
    except HubError:
        raise
    except Exception as error:  # the library raises nothing narrower
        raise InconsistentModel("the tokenizer cannot be read", where=str(path), why=str(error), hint="pull the model again") from error


def class_named(labels: Iterable[str], prefix: str) -> int | None:
    """The first class whose label starts so, in capitals or not: `entail` of entailment, as transformers finds it."""
    return next((number for number, label in enumerate(labels) if label.lower().startswith(prefix)), None)


def check_activation(activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise UsageError(f"'{activation}' is not an activation", hint=f"use one of {', '.join(ACTIVATIONS)}")
    return activation


def _overrule(fact: Fact[T], value: T | None, by: str) -> Fact[T]:
    if value is None:
        return fact
    earlier = () if fact.value == value else ((fact.source, fact.value),)
    return Fact(value, by, earlier + tuple(said for said in fact.disagreements if said[1] != value))


def _zero_shot(data: Mapping[str, Any]) -> ZeroShotFacts:
    return ZeroShotFacts(data["entailment"], data["contradiction"], tuple(data["candidate_labels"]))


def _fact(data: Mapping[str, Any]) -> Fact[Any]:
    return Fact(data["value"], data["source"], tuple((source, said) for source, said in data["disagreements"]))
