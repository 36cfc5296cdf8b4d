"""A card beside its text, so that whatever is found in it has a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from hubclient.cards.card import Card
from hubclient.cards.front_matter import split_front_matter
from hubclient.cards.frozen import FrozenMap
from hubclient.cards.lint.calls import Call, calls
from hubclient.cards.lint.fences import Fences, read_fences
from hubclient.cards.model_info import parse_model_info
from hubclient.cards.overlay import Overlay
from hubclient.cards.sections import Section, split_sections
from hubclient.cards.yaml_mapping import read_mapping

_FILE = re.compile(r"[^/\\]*\Z")
_MARKDOWN = ".md"


class Scalar(NamedTuple):
    """A text of the front matter: under which top-level key, on which line, and whether it stands there without quotes."""

    key: str
    text: str
    line: int
    is_plain: bool


@dataclass(frozen=True)
class FrontLines:
    """Where what stands in the front matter, looked up only when somebody asks."""

    head: str

    def line(self, key: str) -> int:
        """The line of a top-level key; the first line, where the front matter opens, if there is none."""
        return self._keys.get(key, 1)

    def line_of(self, key: str, text: str) -> int:
        """The line of one text under a key."""
        return next((scalar.line for scalar in self.scalars if scalar.key == key and scalar.text == text), self.line(key))

    @cached_property
    def _keys(self) -> FrozenMap[str, int]:
        return read_mapping(self.head, first_line=2).lines

    @cached_property
    def scalars(self) -> tuple[Scalar, ...]:
        import yaml

        found: list[Scalar] = []
        key: str | None = None
        depth = at = 0
        line = 2
        for event in yaml.parse(self.head, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.ScalarEvent) and depth == 1 and key is None:
                key = event.value
                continue
            elif isinstance(event, yaml.ScalarEvent):
                start = event.start_mark.index if event.start_mark else at
                line, at = line + self.head.count("\n", at, start), start
                found.append(Scalar(key or "", event.value, line, event.implicit[0]))
            if depth == 1:
                key = None
        return tuple(found)


@dataclass(frozen=True)
class Source:
    """`raw` is the card's text as it came; `card` is what was read from it; `overlay` goes with the card and may be empty."""

    raw: str
    card: Card
    path: str
    overlay: Overlay = field(default_factory=Overlay)

    @cached_property
    def text(self) -> str:
        """As it is parsed: without byte-order mark, lines ending in a line feed."""
        return self.raw.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")

    @property
    def file_stem(self) -> str | None:
        """The name of the card's file without its ending; None if it has none, as what comes from a pipe."""
        match = _FILE.search(self.path)
        name = match[0] if match else ""
        return name.removesuffix(_MARKDOWN) if name.endswith(_MARKDOWN) else None

    @cached_property
    def front(self) -> FrontLines:
        return FrontLines(self._parts[0])

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        head, body = self._parts
        return split_sections(body, head.count("\n") + 2)

    @cached_property
    def _parts(self) -> tuple[str, str]:
        return split_front_matter(self.text)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """What the code under "How to use" loads."""
        return tuple(call for code in self.card.how_to_use.values() for call in calls(code))

    @cached_property
    def fences(self) -> Fences:
        head, body = self._parts
        return read_fences(body, head.count("\n") + 2)

    def line_at(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def line_of(self, text: str, start: int = 0) -> int:
        """The first line that holds `text`; the first line of the file if none does."""
        return self.line_at(max(0, self.text.find(text, start)))

    def heading(self, title: str) -> int:
        """The line of a section's heading; the first line of the file if there is no such section."""
        return next((section.line for section in self.sections if section.title == title), 1)

    def numbered(self, title: str) -> Iterator[tuple[int, str]]:
        """The lines below a section's heading, up to the next heading."""
        starts = [section.line for section in self.sections]
        start = self.heading(title)
        end = min((line for line in starts if line > start), default=None)
        lines = self.text.split("\n")
        yield from enumerate(lines[start : end - 1 if end else None], start + 1)

    def line_in(self, title: str, text: str) -> int:
        """The first line of a section that holds `text`, or its heading's."""
        return next((number for number, line in self.numbered(title) if text in line), self.heading(title))

    def row(self, key: str) -> int:
        """The line of a row in the table of the section "Model Information", by the template's spelling of its key."""
        rows = (number for number, line in self.numbered("Model Information") if key in parse_model_info((line,)))
        return next(rows, self.heading("Model Information"))
