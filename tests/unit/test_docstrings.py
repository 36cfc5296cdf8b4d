"""Examples in docstrings run, and every package says what it is."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import hubclient

PACKAGE = Path(hubclient.__file__).parent
SOURCES = {
    ".".join(["hubclient", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if ">>> " in source])
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", SOURCES)
def test_every_module_says_what_it_is(name: str) -> None:
    assert SOURCES[name].startswith('"""')
