"""What transformers must be told beside tokenizer.json, so that every version of it gives the same token ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.models.tokenizer import SETTINGS_FILES
from hubclient.native import read_json
from hubclient.padding import Padding

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def tokenizer_settings(folder: Path, tokenizer: Tokenizer, padding: Padding, inputs: Sequence[str], max_length: int) -> dict[str, Any]:
    """What the class that takes tokenizer.json as it is (TOKENIZER_CLASS) does not know: special tokens, the model's inputs."""
    stated: dict[str, Any] = {}
    for name in reversed(SETTINGS_FILES):
        if (folder / name).exists():
            stated |= read_json(folder / name)
    return settle(stated, tokenizer, padding, inputs, max_length)


def settle(stated: Mapping[str, Any], tokenizer: Tokenizer, padding: Padding, inputs: Sequence[str], max_length: int) -> dict[str, Any]:
    """The same, from settings that were read."""
    return {
        "model_max_length": max_length,
        "model_input_names": list(inputs),
        "padding_side": padding.side,
        "truncation_side": "right",
        **_special_tokens(stated, tokenizer, padding),
        **_leading_blank(tokenizer),
    }


def _leading_blank(tokenizer: Tokenizer) -> dict[str, bool]:
    """Whether bytes are read as if a blank stood before the text: the class sets that, whatever tokenizer.json says."""
    stated = json.loads(tokenizer.pre_tokenizer.__getstate__()) if tokenizer.pre_tokenizer else {}
    return {name: stated[name] for name in ("add_prefix_space",) if name in stated}


def _special_tokens(stated: Mapping[str, Any], tokenizer: Tokenizer, padding: Padding) -> dict[str, str]:
    """Only those that tokenizer.json has as such: others would be added to it."""
    found = {name: _content(stated.get(name)) for name in _NAMES}
    found["pad_token"] = found["pad_token"] or tokenizer.id_to_token(padding.token)
    found["unk_token"] = found["unk_token"] or getattr(tokenizer.model, "unk_token", None)
    known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    return {name: token for name, token in found.items() if token in known}


def _content(token: object) -> str | None:
    """A token may be written with its settings."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None
