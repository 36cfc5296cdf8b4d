"""The bundled index: the facts of many cards in one compressed file, which the package carries.

An xz stream (one, and nothing after it) of UTF-8 text. The first line is the header, a JSON object: `format` (1), `cards` (how many),
`origin` (where the facts come from, and their licence), `sha256` (of all that follows the line). Each further line is a card: a JSON object
whose first key is `file`, the card's path below its folder, and whose other keys are those of `hubclient.cards.facts_form`. The lines are
sorted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient.errors import CardError

FORMAT = 1

# The corpus of 11,000 cards unpacks to 16 MB: a file that grows beyond this is none of ours.
_MOST_BYTES = 128 * 2**20
# Longer than all that is compressed, so that a card finds what an earlier one said, wherever that was.
_DICTIONARY = 32 * 2**20
_MOST_MEMORY = 2 * _DICTIONARY
_LINE_START = '{"file":'
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class BundledCard:
    """`file` is the card's path below its folder, `text` its facts as a JSON object."""

    file: str
    text: str

    def facts(self) -> dict[str, Any]:
        """What `from_facts` takes. Raises CardError."""
        try:
            facts = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise _damaged(self.file, f"its facts are not JSON: {error}") from error
        if not isinstance(facts, dict):
            raise _damaged(self.file, "its facts are not a JSON object")
        return facts


@dataclass(frozen=True)
class Bundle:
    """`origin` says where the facts come from and under which licence; `sha256` is that of the cards' lines."""

    origin: str
    sha256: str
    cards: tuple[BundledCard, ...]


def write_bundle(cards: Iterable[tuple[str, Mapping[str, Any]]], *, origin: str) -> bytes:
    """The file for these cards, each a path and what `to_facts` gave; whatever their order, the bytes are the same.

    Raises CardError for what cannot be written as JSON in UTF-8.
    """
    import lzma

    lines = b"".join(sorted(_line(file, facts) for file, facts in cards))
    header = {"format": FORMAT, "cards": lines.count(b"\n"), "origin": origin, "sha256": hashlib.sha256(lines).hexdigest()}
    # Told in full, so that no other default of a later Python changes the file.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _DICTIONARY}]
    return lzma.compress(_json(header).encode() + b"\n" + lines, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, filters=filters)


def read_bundle(data: bytes, *, path: str | None = None) -> Bundle:
    """The cards of a bundled index; `path` only serves error messages.

    The digest vouches for the lines: their JSON is not looked into here. Raises CardError if the file is not whole.
    """
    where = path or "<bundled index>"
    header, _, lines = _unpacked(data, where).partition(b"\n")
    said = _header(header, where)
    if hashlib.sha256(lines).hexdigest() != said["sha256"]:
        raise _damaged(where, "its content has another SHA-256 than its header says")
    cards = tuple(_card(line, f"{where}:{number}") for number, line in enumerate(lines.split(b"\n")[:-1], 2))
    if len(cards) != said["cards"]:
        raise _damaged(where, f"it holds {len(cards)} cards and says that it holds {said['cards']}")
    return Bundle(said["origin"], said["sha256"], cards)


def bundle_bytes(path: Path) -> bytes:
    """The file's bytes. Raises CardError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CardError("the bundled index cannot be read", where=str(path), why=error.strerror, hint="install hubclient again") from error


def _unpacked(data: bytes, where: str) -> bytes:
    import lzma

    stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
    try:
        content = stream.decompress(data, _MOST_BYTES + 1)
    except lzma.LZMAError as error:
        raise _damaged(where, str(error)) from error
    if len(content) > _MOST_BYTES:
        raise _damaged(where, f"it unpacks to more than {_MOST_BYTES:,} bytes")
    if not stream.eof:
        raise _damaged(where, "it ends too soon")
    if stream.unused_data:
        raise _damaged(where, "something follows its end")
    return content


def _header(line: bytes, where: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"{where}:1", f"the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise _damaged(f"{where}:1", "the header is not a JSON object")
    if header.get("format") != FORMAT:
        raise _damaged(f"{where}:1", f"it is not of format {FORMAT}, the only one that this hubclient reads")
    if not isinstance(header.get("origin"), str):
        raise _damaged(f"{where}:1", "the header does not say where the facts come from")
    return {"cards": None, "sha256": None, **header}


def _line(file: str, facts: Mapping[str, Any]) -> bytes:
    try:
        return _json({"file": file, **facts}).encode() + b"\n"
    except ValueError as error:  # half of a surrogate pair, or a number that is none
        raise CardError("a card's facts cannot be written as JSON in UTF-8", where=ascii(file), why=str(error)) from error


def _card(line: bytes, where: str) -> BundledCard:
    """The path is taken off the line's beginning, and the rest left as it is: to parse it all would take four times as long."""
    try:
        text = line.decode()
        file, end = _DECODER.raw_decode(text, len(_LINE_START))
    except (ValueError, RecursionError) as error:
        raise _damaged(where, f"the line is not a card's: {error}") from error
    if not (text.startswith(_LINE_START) and isinstance(file, str) and text.startswith(',"', end)):
        raise _damaged(where, "the line does not begin with a card's path")
    return BundledCard(file, "{" + text[end + 1 :])


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _damaged(where: str, why: str) -> CardError:
    return CardError("the bundled index is damaged", where=where, why=why, hint="install hubclient again")
