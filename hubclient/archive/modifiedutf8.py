"""Java's modified UTF-8: NUL takes two bytes, and what lies beyond U+FFFF stands as a surrogate pair, each half in three bytes.

Source: java.io.DataInput, "Modified UTF-8".
"""

from __future__ import annotations

_FIRST_OF_FOUR = 0xF0


def decode(raw: bytes) -> str:
    """Raises UnicodeError where `raw` is not modified UTF-8, or holds half a surrogate pair."""
    if max(raw, default=0) >= _FIRST_OF_FOUR:
        raise UnicodeError("a character takes four bytes or more")
    text = raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    return text
