"""Calls in notebooks: cells, magics, and the lines of the file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.check.finding import Subject
from hubclient.check.scan.meaning import meant
from hubclient.check.scan.notebook import CellCall, CellProblem, notebook_calls
from hubclient.check.scan.unreadable import Unreadable
from tests.check.sample import line_of

OWN = "from hubclient import pretrained\n"


def notebook(*sources: str | list[str], language: str | None = "python", **more: Any) -> dict[str, Any]:
    metadata = {"kernelspec": {"language": language, "name": language}} if language else {}
    return {"cells": [{"cell_type": "code", "source": source, **more} for source in sources], "metadata": metadata, "nbformat": 4}


def looked(value: dict[str, Any] | str) -> list[CellCall | CellProblem]:
    return list(notebook_calls((value if isinstance(value, str) else json.dumps(value, indent=1)).encode()))


def found(value: dict[str, Any] | str) -> list[str]:
    said = []
    for item in looked(value):
        if isinstance(item, CellProblem):
            said.append("problem")
        else:
            said += [
                sighting.reference if isinstance(sighting, Subject) else sighting.rule.name for sighting in meant(item.call, "a", item.cell)
            ]
    return said


def test_names_go_from_cell_to_cell() -> None:
    assert found(notebook(OWN, "NAME = 'a'", "pretrained(NAME)")) == ["a"]
    assert found(notebook(OWN, "NAME = 'a'", "NAME = 'b'", "pretrained(NAME)")) == ["dynamic-reference"]


def test_lines_are_those_of_the_file() -> None:
    made = notebook(OWN, ["\n", "x = 1\n", "pretrained('a')"], "y = 2\npretrained('b')")
    for text in (json.dumps(made, indent=1), json.dumps(made, indent=4, ensure_ascii=False)):
        first, second = looked(text)
        assert isinstance(first, CellCall)
        assert isinstance(second, CellCall)
        assert (first.call.line, first.cell) == (line_of(text, "pretrained('a')"), 2)
        assert (second.call.line, second.cell) == (line_of(text, "pretrained('b')"), 3)
    assert {item.call.line for item in looked(json.dumps(made)) if isinstance(item, CellCall)} == {1}


def test_parts_of_lines_and_empty_parts() -> None:
    made = notebook([OWN, "", "pre", "trained(", "'a')\n", "\n", "", "pretrained('b')\n", ""])
    text = json.dumps(made, indent=1)
    assert [item.call.line for item in looked(text) if isinstance(item, CellCall)] == [
        line_of(text, '"pre"'),
        line_of(text, "pretrained('b')"),
    ]


def test_what_looks_like_a_source_and_is_none() -> None:
    made = notebook(OWN, "pretrained('a')", outputs=[{"source": ["x"], "cells": [{"source": "y"}]}], metadata={"source": "z"})
    made["metadata"]["cells"] = [{"source": "nothing"}]
    text = json.dumps(made, indent=1)
    (call,) = looked(text)
    assert isinstance(call, CellCall)
    assert call.call.line == line_of(text, "pretrained('a')")


def test_format_3() -> None:
    made = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "markdown", "source": ["pretrained('x')"]},
                    {"cell_type": "code", "language": "python", "input": [OWN]},
                ]
            },
            {"cells": [{"cell_type": "code", "input": ["\n", "pretrained('a')"], "outputs": []}]},
        ],
    }
    text = json.dumps(made, indent=1)
    (call,) = looked(text)
    assert isinstance(call, CellCall)
    assert (call.call.line, call.cell) == (line_of(text, "pretrained('a')"), 3)


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\npretrained('a')",
        "!pip install x\npretrained('a')",
        "!pip install \\\n   x \\\n   (y\npretrained('a')",
        "?pretrained\npretrained('a')",
        "pretrained?\npretrained??\npretrained('a')",
        "if 1:\n    %cd x\n    !ls\npretrained('a')",
        "files = !ls\nx, y = %who\npretrained('a')",
        "%time x = pretrained('a')",
        "%timeit -n 1 -r 2 pretrained('a')",
        "%%time\npretrained('a')",
        "%%capture out\nx = pretrained('a')",
        "\n%%timeit -n 1\npretrained('a')",
        "await thing()\npretrained('a')",
        "x = 7\nx % 3\npretrained('a')",
        "x = (7\n% 3)\npretrained('a')",
        "'''\n%magic\n'''\n%magic\npretrained('a')",
    ],
)
def test_magics(source: str) -> None:
    assert found(notebook(OWN, source)) == ["a"]


@pytest.mark.parametrize("magic", ["bash", "sh", "html", "javascript", "sql", "writefile a.py", "R", "perl", "!", "script x"])
def test_cells_of_other_programs(magic: str) -> None:
    assert found(notebook(OWN, f"%%{magic}\npretrained('a')\n((((")) == []


def test_a_broken_cell_stops_no_other() -> None:
    made = notebook(OWN, "x = (\n\n", "pretrained('a')")
    text = json.dumps(made, indent=1)
    assert found(text) == ["problem", "a"]
    problem = looked(text)[0]
    assert isinstance(problem, CellProblem)
    assert (problem.line, problem.cell) == (line_of(text, "x = ("), 2)


def test_scala() -> None:
    assert found(notebook('NerDLModel.pretrained("a")', language="scala")) == ["en/a"]
    assert found(notebook(OWN, '%%scala\nNerDLModel.pretrained("a")', "pretrained('b')")) == ["en/a", "b"]
    assert found(notebook("pretrained('a')", language="R")) == []
    assert found(notebook(OWN + "pretrained('a')", language=None)) == ["a"]


@pytest.mark.parametrize(
    "value",
    [
        {"cells": []},
        {"cells": [1, None, [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": 1}, {"cell_type": "code", "source": [1]}]},
        {"cells": [{"cell_type": "code", "source": []}], "metadata": []},
        {"cells": [], "metadata": {"kernelspec": 1, "language_info": {"name": 2}}},
        {"worksheets": [1, {}, {"cells": 1}]},
    ],
)
def test_odd_notebooks(value: dict[str, Any]) -> None:
    assert found(value) == []


def test_odd_cells_before_do_not_move_lines() -> None:
    text = json.dumps({"cells": [[], 1, *notebook(OWN + "pretrained('a')")["cells"]]}, indent=1)
    (call,) = looked(text)
    assert isinstance(call, CellCall)
    assert call.call.line == line_of(text, "pretrained('a')")


def test_keys_that_are_written_otherwise() -> None:
    text = json.dumps(notebook(OWN + "pretrained('a')"), indent=1).replace('"source"', '"so\\u0075rce"').replace('"cells"', '"cell\\u0073"')
    assert found(text) == ["a"]
    twice = json.dumps(notebook(OWN + "pretrained('a')")).replace('"source"', '"source": ["x", "y"], "source"')
    assert found(twice) == ["a"]


def test_too_much_code() -> None:
    with pytest.raises(Unreadable, match="2,000,000 characters"):
        looked(notebook("#" * 2_000_001))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab\"\\\n%!pretrained('a')", max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cells", "source", "input", "cell_type", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"cell_type": st.just("code"), "source": VALUES}) | VALUES, max_size=4), st.sampled_from([None, 1]))
def test_any_cells(cells: list[Any], indent: int | None) -> None:
    for item in looked(json.dumps({"cells": cells}, indent=indent)):
        line = item.line if isinstance(item, CellProblem) else item.call.line
        assert line >= 1
