"""Tokenizers: what an origin has of one, what becomes of it, and what every kind of tokenizer offers.

Strategy: one kind for each of transformers' tokenizer classes. Its rules are those by which transformers 4.57.1 makes its fast tokenizer
from the files of a slow one, so that the token ids are the same. What is written is tokenizer.json, and settings that name no class of
transformers: later versions build some classes anew from the vocabulary, with other rules.

Source: transformers 4.57.1, convert_slow_tokenizer.py, tokenization_utils_base.py, tokenization_utils_fast.py, models/*/tokenization_*.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from hubclient.errors import InconsistentModel, UnsupportedModel

if TYPE_CHECKING:
    from hubclient.models.sentencepiece_model import SentencePieceModel
    from hubclient.models.special_tokens import Added

# Files of a repository that every kind reads, where they exist.
SETTINGS_FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")

# Taken as it is by every version: nothing is built anew from the vocabulary.
TOKENIZER_CLASS = "PreTrainedTokenizerFast"


@dataclass(frozen=True)
class TokenizerParts:
    """What an origin has of its tokenizer.

    `merges` are in the order of their rank. `settings` are those of a repository (tokenizer_config.json, with the other two of
    SETTINGS_FILES worked in); an archive has none.
    """

    vocabulary: Mapping[str, int] | None = None
    merges: Sequence[tuple[str, str]] | None = None
    sentencepiece: SentencePieceModel | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenizerFiles:
    """The content of tokenizer.json and tokenizer_config.json."""

    tokenizer_json: str
    config: Mapping[str, Any]


class TokenizerKind(Protocol):
    """One of transformers' tokenizer classes. `rows` is the length of the model's embedding table: no token has a higher id."""

    @property
    def tokenizer_class(self) -> str:
        """transformers' name for it, without `Fast`."""
        ...

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the slow tokenizer in a repository."""
        ...

    @property
    def lowercases(self) -> bool | None:
        """Whether it lower-cases where nobody says so; None: it has no such setting."""
        ...

    @property
    def tokens(self) -> Mapping[str, Added]:
        """Role -> the token that has it where nobody names another."""
        ...

    @property
    def more(self) -> tuple[str, ...]:
        """Further special tokens."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it gives a model, unless settings say otherwise."""
        ...

    def from_files(self, files: Mapping[str, bytes]) -> TokenizerParts:
        """`files` by name: all of `self.files`, and those of SETTINGS_FILES that exist. Raises InconsistentModel, UnsupportedModel,
        ArchiveError."""
        ...

    def from_archive(
        self, vocabulary: Mapping[str, int] | None, merges: Mapping[tuple[str, str], int] | None, files: Mapping[str, bytes]
    ) -> TokenizerParts:
        """The features of an archive, and the files at its root whose names end in `_spp`. Raises as `from_files` does."""
        ...

    def check(self, parts: TokenizerParts, rows: int) -> None:
        """Raises InconsistentModel for ids that do not fit the table, UnsupportedModel for parts of another tokenizer."""
        ...

    def is_lowercase(self, parts: TokenizerParts) -> bool | None:
        """True: no piece that a text can give has an upper-case letter. None: the vocabulary shows nothing."""
        ...

    def pad_id(self, parts: TokenizerParts, rows: int) -> int: ...

    def build(self, parts: TokenizerParts, *, rows: int, lowercase: bool | None, max_length: int) -> TokenizerFiles:
        """`lowercase`: None leaves it to the parts' settings, or `lowercases`. Raises what `check` raises."""
        ...


def read_object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """A JSON object; empty where the file does not exist."""
    if name not in files:
        return {}
    try:
        content = json.loads(files[name].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InconsistentModel("the file is not JSON", where=name, why=str(error)) from error
    if not isinstance(content, dict):
        raise InconsistentModel("the file holds no JSON object", where=name)
    return content


def required(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise UnsupportedModel("the repository has no tokenizer that can be read", why=f"it lacks {name}")
    return files[name]


def read_text(files: Mapping[str, bytes], name: str) -> str:
    """Lines end in a line feed, as in a file that Python opens as text."""
    try:
        return required(files, name).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InconsistentModel("the file is not UTF-8", where=name, why=str(error)) from error


def flag(settings: Mapping[str, Any], name: str, default: bool) -> bool:
    value = settings.get(name)
    if not isinstance(value, bool | None):
        raise InconsistentModel(f"{name} is {value!r}, and must be true or false", where=SETTINGS_FILES[0])
    return default if value is None else value


def needed(vocabulary: Mapping[str, int] | None, where: str) -> Mapping[str, int]:
    if vocabulary is None:
        raise UnsupportedModel(f"the {where} has no vocabulary", hint="its model is one that needs a vocabulary with ids")
    return vocabulary


def check_vocabulary(vocabulary: Mapping[str, int], rows: int) -> None:
    """Each piece has an id of its own, and each id a row in an embedding table of `rows`."""
    if not vocabulary:
        raise InconsistentModel("the vocabulary is empty")
    piece, highest = max(vocabulary.items(), key=lambda item: item[1])
    lowest = min(vocabulary.values())
    if lowest < 0 or highest >= rows:
        raise InconsistentModel(
            "the vocabulary does not fit the embedding table",
            why=f"ids run from {lowest} to {highest} ('{piece}'), and the table has {rows} rows",
        )
    if len(set(vocabulary.values())) != len(vocabulary):
        raise InconsistentModel("the vocabulary gives one id to two pieces")
    try:
        "".join(vocabulary).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InconsistentModel("the vocabulary has a piece that is no Unicode text", why=str(error.reason)) from error


def no_case(lowercase: bool | None) -> None:
    """For kinds that have no case setting."""
    if lowercase:
        raise UnsupportedModel("the tokenizer has no setting for lower-casing", hint="leave `lowercase` out")
