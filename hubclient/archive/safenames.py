"""Which member names may be used at all: those that mean the same file inside the folder on every system.

Source: POSIX path resolution; "Naming Files, Paths, and Namespaces" (Windows): reserved characters and device names, stripped dots and
spaces, folded case; Unicode normal form C for file systems that normalise.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from hubclient.errors import UnsafeArchive

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE | re.DOTALL)
_MAX_PART = 255
_MAX_NAME = 1024


def check_names(names: Iterable[str], where: str) -> None:
    """Raises UnsafeArchive for a name that leaves the folder, is reserved, or is another one's in other letters; folders end with `/`."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        _check(name, where)
        folded = _folded(name.removesuffix("/"))
        if not name.endswith("/") and files.setdefault(folded, name) != name:
            raise _unsafe(f"members '{files[folded]}' and '{name}' would be one file", where)
        parts = folded.split("/")
        depth = len(parts) + (1 if name.endswith("/") else 0)
        folders.update(("/".join(parts[:length]), name) for length in range(1, depth))
    for folded in files.keys() & folders.keys():
        raise _unsafe(f"'{files[folded]}' is a file, and a folder of '{folders[folded]}'", where)


def _check(name: str, where: str) -> None:
    shown = repr(name[:100])
    if len(name) > _MAX_NAME:
        raise _unsafe(f"a member's name is {len(name)} characters long", where, shown)
    if forbidden := _FORBIDDEN.search(name):
        raise _unsafe(f"member {shown} has the character {forbidden.group()!r} in its name", where)
    for part in name.removesuffix("/").split("/"):
        if part in ("", ".", "..") or len(part) > _MAX_PART:
            raise _unsafe(f"member {shown} does not name a file inside the archive", where)
        if part[-1] in ". " or _DEVICE.fullmatch(part):
            raise _unsafe(f"member {shown} has a name that Windows reserves", where)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _unsafe(what: str, where: str, why: str | None = None) -> UnsafeArchive:
    return UnsafeArchive(f"the archive is not safe to open: {what}", where=where, why=why)
