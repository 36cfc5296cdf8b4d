"""Code that loads a model by its name: `BertForSequenceClassification.pretrained("NAME", "en")`, `PretrainedPipeline("NAME", lang="en")`.

One pattern reads Python, Scala and Java: what differs between them (`new`, a backslash at the end of a line) makes no difference to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

PIPELINE = "PretrainedPipeline"

_NAME = r"""\s*+\(\s*+(?:name\s*+=\s*+)?(?P<quote>["'])(?P<name>[^"'\n]*+)(?P=quote)"""
_LANGUAGE = r"""(?:\s*+,\s*+(?:lang\s*+=\s*+)?(?P<mark>["'])(?P<language>[\w-]*+)(?P=mark))?"""
_CLASS = r"(?P<class>[A-Z]\w*+)(?:\(\s*+\))?[\s\\]*+\.[\s\\]*+pretrained"
_CALL = re.compile(rf"(?<!\w)(?:{PIPELINE}|{_CLASS}){_NAME}{_LANGUAGE}")


class Call(NamedTuple):
    """`language` is None where the code does not give one as a text. `at`: where the name stands in the code."""

    class_: str
    name: str
    language: str | None
    at: int


def calls(code: str) -> Iterator[Call]:
    for match in _CALL.finditer(code):
        yield Call(match["class"] or PIPELINE, match["name"], match["language"], match.start("name"))
