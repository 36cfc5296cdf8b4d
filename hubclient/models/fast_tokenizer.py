"""A repository's own tokenizer.json, as the class that transformers opens it with makes it.

Strategy: such a class sets switches and adds tokens, by the settings beside the file or, where these say nothing, by defaults of its own,
whatever the file says. That is done here to the text, so that what is written can be taken as it is.

Source: transformers 4.57.1, PreTrainedTokenizerBase._from_pretrained in tokenization_utils_base.py, PreTrainedTokenizerFast.__init__ in
tokenization_utils_fast.py, models/{bert,mpnet,roberta}/tokenization_*_fast.py.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel
from hubclient.models import special_tokens as specials
from hubclient.models.bytelevel import ByteLevel
from hubclient.models.json_value import value_of, with_value
from hubclient.models.special_tokens import Added
from hubclient.models.template import template
from hubclient.models.tokenizer import SETTINGS_FILES, TokenizerKind, flag
from hubclient.models.wordpiece import MPNET, WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Json = dict[str, Any]
TYPES = "token_type_ids"


def as_opened(text: str, tokenizer: Tokenizer, settings: Mapping[str, Any], kind: TokenizerKind | None, rows: int) -> str:
    """`tokenizer` is what the text says. `kind` is None for a class without defaults; `rows` is the length of the embedding table.

    Raises InconsistentModel.
    """
    for key, change in (("normalizer", normalizer_as_opened), ("pre_tokenizer", _pre_tokenizer), ("post_processor", _post_processor)):
        stated = part_of(text, key)
        changed = stated and change(stated, settings, kind)
        if changed != stated:
            text = with_value(text, key, changed)
    return _with_tokens(text, tokenizer, settings, kind, rows)


def part_of(text: str, key: str) -> Any:
    """A part of a tokenizer.json, which the tokenizers library has read already. Raises InconsistentModel."""
    try:
        return value_of(text, key)
    except (ValueError, RecursionError) as error:
        raise InconsistentModel(f"tokenizer.json has no {key}", why=str(error)) from error


def inputs(settings: Mapping[str, Any], kind: TokenizerKind | None) -> tuple[str, ...]:
    """What a tokenizer of this kind gives a model. Raises InconsistentModel."""
    usual = ("input_ids", TYPES, "attention_mask") if kind is None else kind.inputs
    stated = settings.get("model_input_names", usual)
    if not isinstance(stated, list | tuple) or not all(isinstance(name, str) for name in stated):
        raise InconsistentModel(f"model_input_names is {stated!r}, and must be a list of names", where=SETTINGS_FILES[0])
    return tuple(stated)


def without_types(text: str) -> str:
    """A tokenizer.json that gives every token the type 0, as models take it that are told no types."""
    stated = part_of(text, "post_processor")
    changed = _untyped(stated)
    return text if changed == stated else with_value(text, "post_processor", changed)


def normalizer_as_opened(stated: Json | None, settings: Mapping[str, Any], kind: TokenizerKind | None) -> Json | None:
    """The normaliser of a tokenizer.json with the class' own switches set. Raises InconsistentModel."""
    if not isinstance(kind, WordPiece) or not stated or stated.get("type") != "BertNormalizer":
        return stated
    accents = None if settings.get("strip_accents") is None else flag(settings, "strip_accents", False)
    changed = {**stated, "lowercase": flag(settings, "do_lower_case", True), "strip_accents": accents}
    return changed if kind is MPNET else {**changed, "handle_chinese_chars": flag(settings, "tokenize_chinese_chars", True)}


def _pre_tokenizer(stated: Json, settings: Mapping[str, Any], kind: TokenizerKind | None) -> Json:
    return {**stated, "add_prefix_space": flag(settings, "add_prefix_space", False)} if stated.get("type") == "ByteLevel" else stated


def _post_processor(stated: Json, settings: Mapping[str, Any], kind: TokenizerKind | None) -> Json:
    if not isinstance(kind, ByteLevel) or stated.get("type") not in ("RobertaProcessing", "ByteLevel"):
        return stated
    space, trim = flag(settings, "add_prefix_space", False), flag(settings, "trim_offsets", True)
    return {**stated, "add_prefix_space": space, "trim_offsets": trim}


def _with_tokens(text: str, tokenizer: Tokenizer, settings: Mapping[str, Any], kind: TokenizerKind | None, rows: int) -> str:
    """A special token that has no row in the table is left out."""
    there = {token.content: token for token in tokenizer.get_added_tokens_decoder().values()}
    new = [token for token in _tokens(settings, kind, there) if not (token.text in there and _same(token, there[token.text]))]
    if not new:
        return text
    pieces = tokenizer.get_vocab_size(with_added_tokens=False)
    free = max(pieces, 1 + max(tokenizer.get_added_tokens_decoder(), default=-1))
    ids = specials.assign(new, tokenizer.get_vocab(with_added_tokens=True), free, rows)
    for token in new:
        if token.text not in ids and not token.special:
            raise InconsistentModel(f"the added token '{token.text}' has no row in the embedding table", why=f"it has {rows} rows")
    if not ids:
        return text
    specials.add(tokenizer, new, ids)
    return with_value(text, "added_tokens", json.loads(tokenizer.to_str())["added_tokens"])


def _tokens(settings: Mapping[str, Any], kind: TokenizerKind | None, there: Container[str]) -> list[Added]:
    """What the class adds to those that the file has, or puts in their place."""
    defaults = {role: replace(token, normalized=False) for role, token in kind.tokens.items()} if kind else {}
    special = specials.special_tokens(settings, defaults, kind.more if kind else ())
    # A token that takes the blank before it is made by the class, unless the settings fill its role.
    own = {token.text: token for role, token in defaults.items() if role not in settings and token.lstrip}
    counting = {*special.stated, *own}
    return [own.get(token.text, token) for token in special.tokens if token.text in counting or token.text not in there]


def _same(token: Added, other: Any) -> bool:
    return all(getattr(token, name) == getattr(other, name) for name in ("lstrip", "rstrip", "single_word", "normalized", "special"))


def _untyped(processor: Any) -> Any:
    if isinstance(processor, list):
        return [_untyped(part) for part in processor]
    if not isinstance(processor, dict):
        return processor
    if processor.get("type") == "BertProcessing":
        (first, one), (last, two) = processor["cls"], processor["sep"]
        made = template("cls:0 $A:0 sep:0", "cls:0 $A:0 sep:0 $B:0 sep:0", {first: one, last: two}, cls=first, sep=last)
        return json.loads(made.__getstate__())
    return {key: 0 if key == "type_id" else _untyped(value) for key, value in processor.items()}
