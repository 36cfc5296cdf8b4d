"""Plain texts are read by a pattern, all others by libyaml: both must say the same."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubclient.cards.frozen import FrozenMap
from hubclient.cards.yaml_mapping import YamlMapping, read_mapping
from hubclient.errors import CardError

PLAIN = """\
title: A  small model (v1.5, x-y + z/w)  

name: 3.10
key_2:   no
quoted: "  Python-Scala "
empty: ""
word: "null"
tags: [en, open_source , no,a b, 3.10, null]
nothing:
also_nothing: null
header:
  type: cover

  tags: [x]
  none:
last: Null
"""  # noqa: W291
COMMENT = "# This line is not plain, so that libyaml reads the text.\n"

keys = st.sampled_from(["a", "b", "key_2", "Null", "a" * 100, "a" * 101, "a" * 1100, "2a", "_a", "a b", "a-b", '"a"', "é", "?", "-", ""])
words = st.text(alphabet="ab1 _().,+/-", max_size=12) | st.text(alphabet="aN0 .,-+:#[]{}\"'&*!|>%@`~?\t\\\u2028\u0085é", max_size=8)
scalars = words | st.sampled_from(["null", "~", "yes", "3.10", "0x1F", "1_000", "---", "...", "2020-01-01", "a" * 2000])
values = (
    scalars
    | st.lists(scalars, max_size=4).map(lambda items: "[" + ", ".join(items) + "]")
    | st.builds("{0}{1}{0}".format, st.sampled_from("'\""), scalars)
)
indents, colons = st.sampled_from(["", "", "", "  ", "  ", " ", "   ", "\t"]), st.sampled_from([": ", ": ", ":", ":  ", " : ", ":\t", ""])
lines = st.builds("{}{}{}{}".format, indents, keys, colons, values) | st.sampled_from(
    ["", " ", "a:", "b: ", "  a: 1", "  b: 2", " c: 3", "c: [a, - b]", "- a"]
)
texts = st.lists(lines, max_size=6).map(lambda found: "\n".join([*found, ""]))


@st.composite
def changed(draw: st.DrawFn) -> str:
    at = draw(st.integers(0, len(PLAIN)))
    removed = draw(st.integers(0, 12))
    return PLAIN[:at] + draw(st.text(alphabet="a1 \n:,-[]\"'#", max_size=4)) + PLAIN[at + removed :]


def _read(text: str, first_line: int = 2) -> YamlMapping | None:
    try:
        return read_mapping(text, first_line=first_line)
    except CardError:
        return None


@settings(max_examples=1500, deadline=None)
@given(texts | changed())
@example("a:\n  b: 2\n c: 3\n")
def test_both_ways_of_reading_agree(text: str) -> None:
    assert _read(text) == _read(COMMENT + text, first_line=1)


def test_the_plain_text_is_read_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    by_libyaml = read_mapping(COMMENT + PLAIN, first_line=1)
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert read_mapping(PLAIN, first_line=2) == by_libyaml
    with pytest.raises(ImportError):
        read_mapping(COMMENT + PLAIN)


def test_values_of_the_plain_text() -> None:
    mapping = read_mapping(PLAIN, first_line=2)
    assert mapping.values["title"] == "A  small model (v1.5, x-y + z/w)"
    assert mapping.values["tags"] == ("en", "open_source", "no", "a b", "3.10", None)
    assert mapping.values["header"] == FrozenMap({"type": "cover", "tags": ("x",), "none": None})
    assert [mapping.values[key] for key in ("name", "key_2", "quoted", "empty", "word")] == ["3.10", "no", "  Python-Scala ", "", "null"]
    assert [mapping.values[key] for key in ("nothing", "also_nothing", "last")] == [None, None, None]
    assert (mapping.lines["title"], mapping.lines["name"], mapping.lines["header"], mapping.lines["last"]) == (2, 4, 12, 17)
