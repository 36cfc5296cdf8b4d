"""What is in a bundle: the manifest that comes first in it, and tells of every byte that follows.

    hubclient-bundle.json       {"format": 1, "contents": {digest: {file: {"size": …, "sha256": …}}},
                                 "names": [{"identity": …, "content": digest, "own": {…}}]}
    contents/<digest>/<file>    each content's files, contents and files in the order of their names

Contents and names are those of the store: `hubclient.store.layer`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from hubclient.archive.safenames import check_names
from hubclient.bundles import tar
from hubclient.errors import CorruptArchive, UnsafeArchive
from hubclient.store import Name, StoredFile, parse_name
from hubclient.store.content import MARKER, is_digest
from hubclient.store.digest import MANIFEST

FILE = "hubclient-bundle.json"
LARGEST = 16 << 20
_FORMAT = 1
_MAX_CONTENTS, _MAX_FILES, _MAX_NAMES = 10_000, 100, 100_000
_MAX_SIZE = 1 << 40
_LONGEST_IDENTITY = 4096
_HINT = "do not use it, and have it sent again"


@dataclass(frozen=True)
class Member:
    """A file of a content."""

    digest: str
    name: str
    file: StoredFile

    @property
    def folder(self) -> str:
        return f"contents/{self.digest}"

    @property
    def header(self) -> bytes:
        return tar.header(self.folder, self.name, self.file.size)


@dataclass(frozen=True)
class Bundle:
    """`contents`: digest -> file name -> facts, both in the order of names. `names`: in the order of identities."""

    contents: Mapping[str, Mapping[str, StoredFile]]
    names: tuple[Name, ...]

    @classmethod
    def of(cls, contents: Mapping[str, Mapping[str, StoredFile]], names: Sequence[Name]) -> Bundle:
        ordered = {digest: dict(sorted(contents[digest].items())) for digest in sorted(contents)}
        return cls(ordered, tuple(sorted(names, key=lambda name: name.identity)))

    def members(self, digest: str) -> Iterator[Member]:
        return (Member(digest, name, file) for name, file in self.contents[digest].items())

    def hashes(self, digest: str) -> dict[str, str]:
        return {name: file.sha256 for name, file in self.contents[digest].items()}

    def names_of(self, digest: str) -> list[Name]:
        return [name for name in self.names if name.content == digest]

    def size_of(self, digest: str) -> int:
        return sum(file.size for file in self.contents[digest].values())

    def to_bytes(self) -> bytes:
        contents = {digest: {name: vars(file) for name, file in files.items()} for digest, files in self.contents.items()}
        names = [{"identity": name.identity, "content": name.content, "own": name.own} for name in self.names]
        said = {"format": _FORMAT, "contents": contents, "names": names}
        return json.dumps(said, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def parse_bundle(data: bytes, where: str) -> Bundle:
    """Raises UnsafeArchive, CorruptArchive."""
    said = _json(data, where)
    if not isinstance(said, dict) or said.get("format") != _FORMAT:
        raise CorruptArchive(
            "this is no bundle that can be read", where=where, why=f"its format is not {_FORMAT}", hint="a newer hubclient may read it"
        )
    try:
        if said.keys() != {"format", "contents", "names"}:
            raise ValueError(f"it has {', '.join(said)}")
        contents = {digest: _files(digest, files, where) for digest, files in said["contents"].items()}
        names = [_name(record, contents) for record in said["names"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptArchive("the bundle's manifest cannot be used", where=where, why=str(error), hint=_HINT) from error
    _check(contents, names, where)
    return Bundle.of(contents, names)


def unexpected(why: str, where: str) -> NoReturn:
    raise UnsafeArchive("the bundle is not what its manifest says", where=where, why=why, hint=_HINT)


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CorruptArchive("the bundle's manifest is not JSON", where=where, why=str(error), hint=_HINT) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is there twice")
    return fields


def _files(digest: str, files: Mapping[str, Any], where: str) -> dict[str, StoredFile]:
    if not is_digest(digest):
        raise ValueError(f"{digest!r} is no content's name")
    if not 0 < len(files) <= _MAX_FILES or MANIFEST not in files:
        raise ValueError(f"a content of {len(files)} files, or without {MANIFEST}")
    check_names(files, where)
    for name, facts in files.items():
        if "/" in name or name.casefold() == MARKER:
            raise UnsafeArchive("the bundle is not safe to open: a content has only files of its own", where=where, why=repr(name))
        if facts.keys() != {"size", "sha256"} or type(facts["size"]) is not int or not 0 <= facts["size"] <= _MAX_SIZE:
            raise ValueError(f"what is said of {name!r} cannot be used")
        if not is_digest(facts["sha256"]):
            raise ValueError(f"{name!r} has no SHA-256")
        tar.header(f"contents/{digest}", name, facts["size"])
    return {name: StoredFile(facts["size"], facts["sha256"]) for name, facts in files.items()}


def _name(record: Mapping[str, Any], contents: Mapping[str, object]) -> Name:
    if record.keys() != {"identity", "content", "own"}:
        raise ValueError("a name that is no name's record")
    stored = {"format": 1, "stored": datetime.now(UTC).isoformat(timespec="seconds"), "archive": None}
    name = parse_name(json.dumps({**record, **stored}).encode())
    if name.content not in contents:
        raise ValueError("a name of a content that is not there")
    if not 0 < len(name.identity) <= _LONGEST_IDENTITY or not name.identity.isprintable():
        raise ValueError("a name that cannot be shown")
    return name


def _check(contents: Mapping[str, object], names: Sequence[Name], where: str) -> None:
    if len(contents) > _MAX_CONTENTS or len(names) > _MAX_NAMES:
        unexpected(f"it has {len(contents):,} contents and {len(names):,} names", where)
    if len({name.identity for name in names}) != len(names):
        unexpected("a name is there twice", where)
    if {name.content for name in names} != contents.keys():
        unexpected("a content has no name", where)
