"""Headers of a tar file, of the one kind that a bundle has: plain files, and nothing that depends on who wrote them.

The reader makes the header that it expects and compares bytes: what is not exactly that (a link, a device, another name, another size,
another owner) is refused without having been understood.

Source: POSIX.1-1988 (ustar); sizes of 8 GiB and more as GNU tar writes them, base-256.
"""

from __future__ import annotations

import struct

BLOCK = 512
_HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
_LONGEST_NAME, _LONGEST_FOLDER = 100, 155
_LARGEST_OCTAL = 8**11
_CHECKSUM = slice(148, 156)
END = bytes(2 * BLOCK)


def header(folder: str, name: str, size: int) -> bytes:
    """Of the file `folder/name` (`name` alone where the folder is empty). Raises ValueError for names that have no room."""
    file, place = name.encode(), folder.encode()
    if not 0 < len(file) <= _LONGEST_NAME or len(place) > _LONGEST_FOLDER:
        raise ValueError(f"the name '{name}' is too long")
    fields = [file, b"0000644\0", b"0000000\0", b"0000000\0", _number(size), b"00000000000\0", b" " * 8, b"0"]
    block = _HEADER.pack(*fields, b"", b"ustar\0", b"00", b"", b"", b"0000000\0", b"0000000\0", place)
    return block[: _CHECKSUM.start] + b"%06o\0 " % sum(block) + block[_CHECKSUM.stop :]


def padding(size: int) -> bytes:
    """What fills the last block of a file."""
    return bytes(-size % BLOCK)


def described(block: bytes) -> str:
    """What a header that was not expected seems to be of, for an error."""
    if len(block) < BLOCK:
        return "the end of the file"
    kinds = {b"0": "file", b"\0": "file", b"1": "hard link", b"2": "link", b"3": "device", b"4": "device", b"5": "folder", b"6": "pipe"}
    if block == bytes(BLOCK):
        return "the end of the archive"
    place, name = (part.rstrip(b"\0").decode("utf-8", "replace") for part in (block[345:500], block[:100]))
    shown = f"{place}/{name}" if place else name
    return f"a {kinds.get(block[156:157], 'member of another kind')} named {shown!r}"


def _number(size: int) -> bytes:
    return b"%011o\0" % size if size < _LARGEST_OCTAL else b"\x80" + size.to_bytes(11, "big")
