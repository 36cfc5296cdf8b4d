"""The tokenizer of a Hugging Face repository: its fast one as it is but for case and length, else one built from the slow files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubclient.cards import Overlay
from hubclient.convert.facts import RepositoryClaims, in_force
from hubclient.errors import InconsistentModel, MissingExtra, ModelError, UnsupportedModel
from hubclient.models.casing import lowercases, normalizer_of, with_lowercase
from hubclient.models.tokenizer import SETTINGS_FILES, TokenizerKind
from hubclient.models.tokenizer_kinds import KINDS, kind_of
from hubclient.native import TOKENIZER, TOKENIZER_CONFIG, Facts, open_tokenizer, read_json, write_json, write_text

SLOW_FILES = frozenset(name for kind in KINDS.values() for name in kind.files)
_CASE = "do_lower_case"


def settle_tokenizer(folder: Path, config: Mapping[str, Any], labels: tuple[str, ...], overlay: Overlay, positions: int | None) -> Facts:
    """Settle the facts, and write both tokenizer files so that they say the same; gives the origin's facts, without the overlay's."""
    settings = _settings(folder)
    if (folder / TOKENIZER).exists():
        return _settle_fast(folder, settings, config, labels, overlay, positions)
    kind = kind_of(str(config["model_type"]), settings.get("tokenizer_class") or config.get("tokenizer_class"))
    files = {name: (folder / name).read_bytes() for name in (*kind.files, *SETTINGS_FILES) if (folder / name).exists()}
    try:
        parts = kind.from_files(files)
        kind.check(parts, config["vocab_size"])
    except ModelError as error:
        error.where = str(folder / (error.where or ""))
        raise
    stated = slow_case(kind, parts.settings)
    facts = RepositoryClaims(config, settings, lowercase=stated).decide(labels=len(labels), positions=positions)
    forced = in_force(facts, overlay, positions)
    built = kind.build(parts, rows=config["vocab_size"], lowercase=forced.lowercase.value, max_length=forced.max_length.value)
    write_text(folder / TOKENIZER, built.tokenizer_json)
    write_json(folder / TOKENIZER_CONFIG, built.config)
    open_tokenizer(folder)
    return facts


def settle_foreign_tokenizer(
    folder: Path, kind: str, config: Mapping[str, Any], labels: tuple[str, ...], overlay: Overlay, positions: int | None
) -> Facts:
    """That of an architecture which is none of ours; where there is no fast one, transformers makes it. Raises MissingExtra."""
    try:
        import torch  # noqa: F401 - what opens the model later is asked for before it is fetched
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra("torch", f"the architecture '{kind}'") from error
    if not (folder / TOKENIZER).exists():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
        except (OSError, ValueError, RuntimeError, AttributeError, ImportError) as error:
            raise UnsupportedModel(
                "transformers makes no fast tokenizer of this repository's", why=str(error).partition("\n")[0]
            ) from error
    return _settle_fast(folder, _settings(folder), {"vocab_size": None, **config}, labels, overlay, positions)


def _settle_fast(
    folder: Path,
    settings: Mapping[str, Any],
    config: Mapping[str, Any],
    labels: tuple[str, ...],
    overlay: Overlay,
    positions: int | None,
) -> Facts:
    fast = _read(folder / TOKENIZER)
    stated = fast_case(fast, settings)
    facts = RepositoryClaims(config, settings, lowercase=stated).decide(labels=len(labels), positions=positions)
    forced = in_force(facts, overlay, positions)
    if (changed := with_lowercase(fast, forced.lowercase.value)) != fast:
        write_text(folder / TOKENIZER, changed)
    _check_ids(folder, config["vocab_size"])
    case = {} if forced.lowercase.value is None else {_CASE: forced.lowercase.value}
    write_json(folder / TOKENIZER_CONFIG, {**settings, **case, "model_max_length": forced.max_length.value})
    return facts


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / TOKENIZER_CONFIG
    settings = read_json(path) if path.exists() else {}
    if not isinstance(settings.get(_CASE), bool | None):
        raise InconsistentModel(f"{_CASE} is {settings[_CASE]!r}, and must be true or false", where=str(path))
    return settings


def fast_case(text: str, settings: Mapping[str, Any]) -> bool | None:
    """Whether the tokenizer of a tokenizer.json lower-cases; None: it has no such setting. `text`: no more is needed than up to the end of
    the normaliser. Raises InconsistentModel, UnsupportedModel."""
    normalizer = normalizer_of(text)
    stated = lowercases(normalizer)
    if stated is not None and _has_switch(normalizer) and settings.get(_CASE) is not None:
        stated = bool(settings[_CASE])  # transformers sets BERT's normaliser by it
    return stated


def slow_case(kind: TokenizerKind, settings: Mapping[str, Any]) -> bool | None:
    """The same of a tokenizer that is built from its slow files; `settings` are those of SETTINGS_FILES, worked into one."""
    if kind.lowercases is None:
        return None
    stated = settings.get(_CASE)
    return kind.lowercases if stated is None else bool(stated)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InconsistentModel("the file is not UTF-8", where=str(path), why=str(error)) from error


def _has_switch(normalizer: Mapping[str, Any] | None) -> bool:
    return normalizer is not None and normalizer.get("type") == "BertNormalizer"


def _check_ids(folder: Path, rows: int | None) -> None:
    """No token may have an id that the embedding table has no row for."""
    vocabulary = open_tokenizer(folder).get_vocab(with_added_tokens=True)
    piece, highest = max(vocabulary.items(), key=lambda item: item[1], default=("", -1))
    if highest < 0:
        raise UnsupportedModel("the tokenizer has no vocabulary", where=str(folder / TOKENIZER))
    if rows is not None and highest >= rows:
        raise InconsistentModel(
            "the vocabulary does not fit the embedding table", why=f"'{piece}' has the id {highest}, and the table has {rows} rows"
        )
