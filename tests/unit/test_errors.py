"""The tree of errors is the one that is drawn, and a message says everything."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from hubclient import errors
from hubclient.errors import HubError, MissingExtra, NoSourceLeft, NotFound, ServerFailure


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn: dict[str, int] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)([A-Z]\w+)", line):
            drawn[match[2]] = len(match[1]) // 4
    real = {
        name: len(kind.__mro__) - len(HubError.__mro__)
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, HubError) and kind.__module__ == errors.__name__
    }
    drawn.pop("Every", None)
    assert drawn == real


def test_no_other_module_has_errors_of_its_own() -> None:
    package = Path(errors.__file__).parent
    classes = re.compile(rf"^ *class (\w+)\(({'|'.join(vars(errors))}|Exception)\):", re.MULTILINE)
    found = {path.name: classes.findall(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    # pytest tells a failure of its items by an exception, which it then asks for its words.
    assert {name for name, kinds in found.items() if kinds} == {"errors.py", "pytest_plugin.py"}


def test_exit_codes_are_those_drawn() -> None:
    drawn = {
        match[1]: int(match[2]) for match in re.finditer(r"(\w+)\s+(?:exit code )?(\d)\b", errors.__doc__ or "") if match[1][0].isupper()
    }
    assert drawn
    assert {name: getattr(errors, name).exit_code for name in drawn} == drawn


def test_a_message_says_what_where_why_and_what_to_do() -> None:
    gone = NotFound("it is gone", where="s3://b/k", why="404 NoSuchKey")
    both = NoSourceLeft("nothing worked", causes=[gone, ServerFailure("it is down")], hint="wait")
    text = str(both)
    assert [part in text for part in ("nothing worked", "it is gone", "s3://b/k", "404 NoSuchKey", "it is down", "wait")] == [True] * 6


def test_a_missing_extra_names_its_install() -> None:
    assert "pip install 'hubclient[torch]'" in str(MissingExtra("torch", "the torch engine"))
