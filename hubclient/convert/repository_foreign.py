"""The tokenizer of a repository whose architecture is none of ours: its fast one, or the one that transformers makes of the slow files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubclient.convert.repository_tokenizer import Wanted, check_ids, read_text
from hubclient.errors import InconsistentModel, MissingExtra, UnsupportedModel
from hubclient.models.casing import lowercases, normalizer_of, with_lowercase
from hubclient.native import TOKENIZER, TOKENIZER_CONFIG, Facts, open_tokenizer, read_json, write_json, write_text

_CASE = "do_lower_case"


def settle_foreign_tokenizer(folder: Path, kind: str, wanted: Wanted) -> Facts:
    """Settle the facts, and write both tokenizer files so that they say the same. Raises MissingExtra, ModelError."""
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
    settings = _settings(folder)
    fast = read_text(folder / TOKENIZER)
    facts, forced = wanted.facts(settings, foreign_case(fast, settings))
    if (changed := with_lowercase(fast, forced.lowercase.value)) != fast:
        write_text(folder / TOKENIZER, changed)
    check_ids(open_tokenizer(folder), folder, wanted.config.get("vocab_size"))
    case = {} if forced.lowercase.value is None else {_CASE: forced.lowercase.value}
    write_json(folder / TOKENIZER_CONFIG, {**settings, **case, "model_max_length": forced.max_length.value})
    return facts


def foreign_case(text: str, settings: Mapping[str, Any]) -> bool | None:
    """Whether the tokenizer of a tokenizer.json lower-cases; no more of it is needed than up to the end of the normaliser."""
    normalizer = normalizer_of(text)
    stated = lowercases(normalizer)
    if stated is not None and _has_switch(normalizer) and settings.get(_CASE) is not None:
        return bool(settings[_CASE])  # transformers sets BERT's normaliser by it
    return stated


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / TOKENIZER_CONFIG
    settings = read_json(path) if path.exists() else {}
    if not isinstance(settings.get(_CASE), bool | None):
        raise InconsistentModel(f"{_CASE} is {settings[_CASE]!r}, and must be true or false", where=str(path))
    return settings


def _has_switch(normalizer: Mapping[str, Any] | None) -> bool:
    return normalizer is not None and normalizer.get("type") == "BertNormalizer"
