"""The front matter of a model card: YAML between two lines of `---`, as Jekyll has it (https://jekyllrb.com/docs/front-matter/)."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import NoReturn

from hubclient.cards.frozen import FrozenMap
from hubclient.cards.problem import card_error
from hubclient.cards.yaml_mapping import Value, read_mapping

_END = re.compile(r"\n(?:---|\.\.\.)[^\S\n]*+(?=\n|\Z)")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII)
_DAY_FIRST_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}


def split_front_matter(text: str, *, path: str | None = None) -> tuple[str, str]:
    """The text between the first line and the one that closes the front matter, and what follows, line break first. Raises CardError."""
    first_line = text.partition("\n")[0]
    if first_line.rstrip() != "---":
        raise card_error("the card does not begin with front matter", path=path, line=1, why="its first line is not '---'")
    end = _END.search(text, len(first_line))
    if end is None:
        line = text.count("\n") + 1
        raise card_error("the front matter has no end", path=path, line=line, why="no second line of '---' follows the first")
    return text[len(first_line) + 1 : end.start() + 1], text[end.end() :]


@dataclass(frozen=True)
class FrontMatter:
    """The fields as written, and readers that turn one of them into a value or raise CardError at its line."""

    values: FrozenMap[str, Value]
    lines: FrozenMap[str, int]
    path: str | None = None

    @classmethod
    def parse(cls, text: str, *, path: str | None = None) -> FrontMatter:
        """Parse the text between the two `---`."""
        mapping = read_mapping(text, path=path, first_line=2)
        return cls(mapping.values, mapping.lines, path)

    def text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        return self._refuse(key, "is not a text")

    def required(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise card_error(f"the front matter has no '{key}'", path=self.path, line=self.lines.get(key, 1))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single one counts as a list of one."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            return tuple(item for item in value if isinstance(item, str))
        return self._refuse(key, "is neither a text nor a list of texts")

    def flag(self, key: str) -> bool | None:
        value = self.text(key)
        if value is None:
            return None
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        return self._refuse(key, f"is neither true nor false: {value!r}")

    def date(self, key: str) -> str | None:
        """A date in ISO form, from `YYYY-MM-DD`, the same with a time after it, or `DD/MM/YYYY`."""
        value = self.text(key)
        if value is None:
            return None
        if match := _ISO_DATE.fullmatch(value):
            year, month, day = match.groups()
        elif match := _DAY_FIRST_DATE.fullmatch(value):
            day, month, year = match.groups()
        else:
            self._refuse(key, f"is not a date: {value!r}")
        try:
            return datetime.date(int(year), int(month), int(day)).isoformat()
        except ValueError as error:
            self._refuse(key, f"is not a date: {value!r} ({error})")

    def _refuse(self, key: str, why: str) -> NoReturn:
        raise card_error(f"the front matter's '{key}' {why}", path=self.path, line=self.lines.get(key, 1))
