"""Special and added tokens: which there are, how they are found in a text, and their ids.

Strategy: a tokenizer finds these tokens in a text before it is split. Each class of transformers has its own seven roles with defaults, and
a way of finding each; a repository's settings may name others. A token that the vocabulary lacks gets the next free id, and is left out
where the embedding table has no row for it: its letters are then read as any others.

Source: transformers 4.57.1, PreTrainedTokenizerBase._from_pretrained and PreTrainedTokenizerFast.__init__.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel
from hubclient.models.tokenizer import SETTINGS_FILES, TOKENIZER_CLASS, read_object

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# In the order in which those that a vocabulary lacks get their ids.
ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_MORE = "additional_special_tokens"
_BY_ID = "added_tokens_decoder"


@dataclass(frozen=True)
class Added:
    """`lstrip`, `rstrip`: takes the blanks beside it. `normalized`: is looked for in the normalised text."""

    text: str
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False
    special: bool = True


@dataclass(frozen=True)
class SpecialTokens:
    """`tokens` are all that are added, in this order; `stated` are ids that the settings give to some."""

    roles: Mapping[str, Added]
    tokens: tuple[Added, ...]
    stated: Mapping[str, int]


def read_settings(files: Mapping[str, bytes], fast: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """tokenizer_config.json, with the older files worked in that stand beside it: they count where it has no added_tokens_decoder.

    `fast`: the added tokens of a tokenizer.json, which count over those of the older files.
    """
    config, mapped, added = (read_object(files, name) for name in SETTINGS_FILES)
    if _BY_ID in config:
        return config
    mapped = {role: _special(token) for role, token in mapped.items()}
    settings = {**config, **mapped}
    if isinstance(config.get(_MORE), list) and isinstance(mapped.get(_MORE), list):
        settings[_MORE] = [*config[_MORE], *(token for token in mapped[_MORE] if token not in config[_MORE])]
    named = _texts(settings.get(role) for role in ROLES) | _texts(_list(settings.get(_MORE)))
    tokens = {str(index): {"content": text, "special": text in named, "normalized": text not in named} for text, index in added.items()}
    tokens |= {str(token["id"]): dict(token) for token in fast}
    return {**settings, _BY_ID: tokens} if tokens else settings


def special_tokens(settings: Mapping[str, Any], defaults: Mapping[str, Added], more: Sequence[str] = ()) -> SpecialTokens:
    """`defaults`: role -> token, and the way in which a token of that role is found; `more`: further ones that the class has."""
    numbered = _numbered(settings)
    known = {token.text: token for token in numbered.values()}
    roles = {}
    for role in ROLES:
        token = defaults.get(role) if role not in settings else _role(settings[role], defaults.get(role), role)
        if token:
            roles[role] = token
    special = [*roles.values(), *(_token(token, None, _MORE) for token in _list(settings.get(_MORE, more)))]
    named = {token.text for token in special}
    tokens = {text: replace(token, special=token.special or text in named) for text, token in known.items()}
    for token in special:
        tokens.setdefault(token.text, replace(token, special=True))
    return SpecialTokens(roles, tuple(tokens.values()), {token.text: index for index, token in numbered.items()})


def assign(tokens: Iterable[Added], vocabulary: Mapping[str, int], size: int, rows: int) -> dict[str, int]:
    """The id of each token that has a row. `size` is the number of the model's pieces."""
    taken = set(vocabulary.values()) if max(vocabulary.values(), default=-1) >= size else frozenset()
    ids: dict[str, int] = {}
    free = size
    for token in tokens:
        index = vocabulary.get(token.text, free)
        if token.text not in ids and (token.text in vocabulary or (token.text and index < rows and index not in taken)):
            ids[token.text] = index
            free = max(free, index + 1)
    return ids


def check_stated(special: SpecialTokens, ids: Mapping[str, int], rows: int) -> None:
    """An id that the settings give to a token is the one that it has, and a token that is no special one has a row."""
    for token in special.tokens:
        stated, index = special.stated.get(token.text), ids.get(token.text)
        if stated is not None and index is not None and stated != index:
            raise InconsistentModel(f"the settings give '{token.text}' the id {stated}, and the vocabulary leads to {index}")
        if index is None and not token.special:
            raise InconsistentModel(f"the added token '{token.text}' has no row in the embedding table", why=f"it has {rows} rows")


def add(tokenizer: Tokenizer, tokens: Iterable[Added], ids: Mapping[str, int]) -> None:
    """Adds those that have an id. A later token replaces an earlier one of the same text."""
    from tokenizers import AddedToken

    tokenizer.add_tokens(
        [
            AddedToken(
                token.text,
                single_word=token.single_word,
                lstrip=token.lstrip,
                rstrip=token.rstrip,
                normalized=token.normalized,
                special=token.special,
            )
            for token in {token.text: token for token in tokens if token.text in ids}.values()
        ]
    )


def config(special: SpecialTokens, ids: Mapping[str, int], *, max_length: int, inputs: Sequence[str]) -> dict[str, Any]:
    """The part of tokenizer_config.json that all kinds have. Roles whose tokens were left out are null, so that nobody adds them."""
    roles = {role: special.roles[role].text if role in special.roles and special.roles[role].text in ids else None for role in ROLES}
    used = set(roles.values())
    more = [token.text for token in special.tokens if token.special and token.text in ids and token.text not in used]
    return {
        "tokenizer_class": TOKENIZER_CLASS,
        "model_max_length": max_length,
        "model_input_names": list(inputs),
        **roles,
        **({_MORE: more} if more else {}),
    }


def _special(token: object) -> object:
    """A token that stands in special_tokens_map.json is a special one, whatever it says."""
    if isinstance(token, list):
        return [_special(each) for each in token]
    return {**token, "special": True} if isinstance(token, Mapping) else token


def _numbered(settings: Mapping[str, Any]) -> dict[int, Added]:
    """added_tokens_decoder: id -> token, in the order of ids."""
    stated = settings.get(_BY_ID, {})
    if not isinstance(stated, Mapping):
        raise InconsistentModel(f"{_BY_ID} is no object", where=SETTINGS_FILES[0])
    try:
        numbers = {int(index): value for index, value in stated.items()}
    except (TypeError, ValueError) as error:
        raise InconsistentModel(f"{_BY_ID} has an id that is no number", where=SETTINGS_FILES[0], why=str(error)) from error
    return {index: _token(numbers[index], None, f"{_BY_ID} {index}") for index in sorted(numbers)}


def _role(value: object, usual: Added | None, role: str) -> Added | None:
    return None if value is None else _token(value, usual, role)


def _token(value: object, usual: Added | None, where: str) -> Added:
    """A text is found as `usual` is; an object states how it is found."""
    if isinstance(value, str):
        token = replace(usual, text=value) if usual else Added(value)
    elif isinstance(value, Mapping) and isinstance(value.get("content"), str):
        special = _switch(value, "special", False, where)
        token = Added(
            value["content"],
            lstrip=_switch(value, "lstrip", False, where),
            rstrip=_switch(value, "rstrip", False, where),
            single_word=_switch(value, "single_word", False, where),
            normalized=_switch(value, "normalized", not special, where),
            special=special,
        )
    else:
        raise InconsistentModel(f"{where} is no token", where=SETTINGS_FILES[0], why=repr(value)[:200])
    try:
        token.text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InconsistentModel(f"{where} is no Unicode text", where=SETTINGS_FILES[0], why=str(error.reason)) from error
    return token


def _switch(value: Mapping[str, Any], name: str, default: bool, where: str) -> bool:
    stated = value.get(name, default)
    if not isinstance(stated, bool):
        raise InconsistentModel(f"{name} of {where} is {stated!r}, and must be true or false", where=SETTINGS_FILES[0])
    return stated


def _list(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InconsistentModel(f"{_MORE} is no list", where=SETTINGS_FILES[0])
    return value


def _texts(values: Iterable[object]) -> set[str]:
    contents = (value.get("content") if isinstance(value, Mapping) else value for value in values)
    return {content for content in contents if isinstance(content, str)}
