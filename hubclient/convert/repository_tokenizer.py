"""The tokenizer of a Hugging Face repository: its fast one as transformers opens it, else one built from the slow files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.cards import Overlay
from hubclient.convert.facts import RepositoryClaims, in_force
from hubclient.errors import InconsistentModel, ModelError, UnsupportedModel
from hubclient.models.casing import lowercases, normalizer_of, with_lowercase
from hubclient.models.fast_tokenizer import TYPES, as_opened, inputs, normalizer_as_opened, part_of, without_types
from hubclient.models.special_tokens import read_settings
from hubclient.models.tokenizer import SETTINGS_FILES, TOKENIZER_CLASS, TokenizerKind, read_object
from hubclient.models.tokenizer_kinds import KINDS, fast_kind_of, kind_of
from hubclient.native import TOKENIZER, TOKENIZER_CONFIG, Facts, open_tokenizer, write_json, write_text
from hubclient.padding import Padding
from hubclient.tokenizer_settings import settle

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SLOW_FILES = frozenset(name for kind in KINDS.values() for name in kind.files)
_CASE = "do_lower_case"
_CLASS = "tokenizer_class"


@dataclass(frozen=True)
class Wanted:
    """What a tokenizer is settled for."""

    config: Mapping[str, Any]
    labels: tuple[str, ...]
    overlay: Overlay
    positions: int | None

    def facts(self, settings: Mapping[str, Any], lowercase: bool | None) -> tuple[Facts, Facts]:
        """The origin's, and those in force, with the overlay's on top."""
        # max_len is what releases before 3.0 called it.
        named = {"model_max_length": settings.get("max_len"), **settings}
        facts = RepositoryClaims(self.config, named, lowercase=lowercase).decide(labels=len(self.labels), positions=self.positions)
        return facts, in_force(facts, self.overlay, self.positions)


def settle_tokenizer(folder: Path, wanted: Wanted) -> Facts:
    """Settle the facts, and write both tokenizer files so that they say the same; gives the origin's facts, without the overlay's."""
    files = {name: (folder / name).read_bytes() for name in (*SLOW_FILES, *SETTINGS_FILES) if (folder / name).exists()}
    try:
        facts = _settle_fast(folder, files, wanted) if _is_fast(folder, files) else _settle_slow(folder, files, wanted)
    except ModelError as error:
        error.where = str(folder / (error.where or ""))
        raise
    for name in (*SLOW_FILES, *SETTINGS_FILES[1:]):
        (folder / name).unlink(missing_ok=True)
    return facts


def _is_fast(folder: Path, files: Mapping[str, bytes]) -> bool:
    """A `tokenizer_file` that is null sends transformers to the slow files, where there are some."""
    stated = read_object(files, TOKENIZER_CONFIG)
    return (folder / TOKENIZER).exists() and (stated.get("tokenizer_file", "") is not None or files.keys() <= set(SETTINGS_FILES))


def _settle_slow(folder: Path, files: Mapping[str, bytes], wanted: Wanted) -> Facts:
    kind = kind_of(wanted.config["model_type"], _class(files, wanted.config))
    parts = kind.from_files(files)
    kind.check(parts, wanted.config["vocab_size"])
    facts, forced = wanted.facts(parts.settings, slow_case(kind, parts.settings))
    built = kind.build(parts, rows=wanted.config["vocab_size"], lowercase=forced.lowercase.value, max_length=forced.max_length.value)
    names = _inputs(parts.settings, kind, wanted)
    write_text(folder / TOKENIZER, _typed(built.tokenizer_json, names, wanted))
    write_json(folder / TOKENIZER_CONFIG, {**built.config, "model_input_names": names})
    open_tokenizer(folder)
    return facts


def _settle_fast(folder: Path, files: Mapping[str, bytes], wanted: Wanted) -> Facts:
    kind = fast_kind_of(wanted.config["model_type"], _class(files, wanted.config))
    tokenizer, text = open_tokenizer(folder), read_text(folder / TOKENIZER)
    settings = read_settings(files, part_of(text, "added_tokens"))
    opened = as_opened(text, tokenizer, settings, kind, wanted.config["vocab_size"])
    facts, forced = wanted.facts(settings, lowercases(normalizer_of(opened)))
    names = _inputs(settings, kind, wanted)
    opened = _typed(with_lowercase(opened, forced.lowercase.value), names, wanted)
    if opened != text:
        write_text(folder / TOKENIZER, opened)
        tokenizer = open_tokenizer(folder)
    check_ids(tokenizer, folder, wanted.config["vocab_size"])
    case = {} if forced.lowercase.value is None else {_CASE: forced.lowercase.value}
    stated = settle(settings, tokenizer, Padding.of(wanted.config, settings), names, forced.max_length.value)
    write_json(folder / TOKENIZER_CONFIG, {_CLASS: TOKENIZER_CLASS, **stated, **case})
    return facts


def slow_case(kind: TokenizerKind, settings: Mapping[str, Any]) -> bool | None:
    """Whether a tokenizer that is built from its slow files lower-cases; `settings` are those of SETTINGS_FILES, worked into one."""
    if kind.lowercases is None:
        return None
    stated = settings.get(_CASE)
    return kind.lowercases if stated is None else bool(stated)


def fast_case(text: str, settings: Mapping[str, Any], kind: TokenizerKind | None) -> bool | None:
    """The same of a tokenizer.json, of which no more is needed than up to the end of the normaliser. Raises InconsistentModel."""
    return lowercases(normalizer_as_opened(normalizer_of(text), settings, kind))


def _class(files: Mapping[str, bytes], config: Mapping[str, Any]) -> str | None:
    """The tokenizer's class, where one is named."""
    named = read_object(files, TOKENIZER_CONFIG).get(_CLASS) or config.get(_CLASS)
    if not isinstance(named, str | None):
        raise InconsistentModel(f"{_CLASS} is {named!r}, and must be a name", where=TOKENIZER_CONFIG)
    return named


def _inputs(settings: Mapping[str, Any], kind: TokenizerKind | None, wanted: Wanted) -> list[str]:
    """What of a tokenizer's the model takes."""
    given = inputs(settings, kind)
    return [name for name in KINDS[wanted.config["model_type"]].inputs if name in given]


def _typed(text: str, names: list[str], wanted: Wanted) -> str:
    """A model that takes token types gets none from a tokenizer that gives none."""
    return without_types(text) if TYPES in KINDS[wanted.config["model_type"]].inputs and TYPES not in names else text


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InconsistentModel("the file is not UTF-8", where=str(path), why=str(error)) from error


def check_ids(tokenizer: Tokenizer, folder: Path, rows: int | None) -> None:
    """No token may have an id that the embedding table has no row for."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    piece, highest = max(vocabulary.items(), key=lambda item: item[1], default=("", -1))
    if highest < 0:
        raise UnsupportedModel("the tokenizer has no vocabulary", where=str(folder / TOKENIZER))
    if rows is not None and highest >= rows:
        raise InconsistentModel(
            "the vocabulary does not fit the embedding table", why=f"'{piece}' has the id {highest}, and the table has {rows} rows"
        )
