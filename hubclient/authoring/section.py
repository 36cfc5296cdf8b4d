"""A card's text with one section written anew; everything else stays as it is."""

from __future__ import annotations

from hubclient.cards.front_matter import split_front_matter
from hubclient.cards.sections import Section, split_sections
from hubclient.errors import CardError

_MARK = "\ufeff"


def with_section(text: str, title: str, body: str, *, path: str | None = None) -> str:
    """`body` in Markdown; a section that the card does not have is put at its end. Raises CardError."""
    plain = text.removeprefix(_MARK).replace("\r\n", "\n").replace("\r", "\n")
    head, rest = split_front_matter(plain, path=path)
    found = [section for section in split_sections(rest, head.count("\n") + 2) if section.title == title]
    if len(found) > 1:
        lines = ", ".join(str(section.line) for section in found)
        hint = "leave one of them"
        raise CardError(
            f"the card has several sections '{title}'", where=f"{path or '<card>'}:{found[1].line}", why=f"lines {lines}", hint=hint
        )
    written = _replaced(plain, found[0], body) if found else f"{plain.rstrip()}\n\n## {title}\n\n{body.strip()}\n"
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        written = written.replace("\n", "\r\n")
    return _MARK * text.startswith(_MARK) + written


def _replaced(text: str, section: Section, body: str) -> str:
    """What decorates the heading that follows stays before it."""
    start = _end_of_line(text, section.line)
    end = start + len(section.body)
    kept = section.body[section.body.rindex(section.text) + len(section.text) :] if section.text else section.body
    return f"{text[:start]}\n\n{body.strip()}{kept or chr(10)}{text[end:]}"


def _end_of_line(text: str, number: int) -> int:
    """Where the line ends, the first being 1."""
    end = -1
    for _ in range(number):
        end = text.find("\n", end + 1)
    return end if end >= 0 else len(text)
