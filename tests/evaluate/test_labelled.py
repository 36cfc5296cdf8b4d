"""Files of labelled texts: what is read, and what is refused, with the place."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hubclient.errors import HubError, InvalidText, UsageError
from hubclient.evaluate import Example, Form, LabelledFile

ROWS = [Example(2, "A fine, quiet film.", ("pos",)), Example(3, 'He said "no".', ("neg",)), Example(4, "", ("pos",))]
CSV = 'text,label\n"A fine, quiet film.",pos\n"He said ""no"".",neg\n,pos\n'


def examples(path: Path, content: bytes | str, form: Form | None = None) -> list[Example]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(LabelledFile(path, form or Form()).examples())


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", CSV, Form()),
        ("a.CSV", CSV.replace("\n", "\r\n"), Form()),
        ("a.csv", "\ufeff" + CSV, Form()),
        ("a.csv", CSV.encode("utf-16"), Form(encoding="utf-16")),
        ("a.tsv", 'text\tlabel\nA fine, quiet film.\tpos\n"He said ""no""."\tneg\n\tpos\n', Form()),
        ("a.csv", 'label;id;text\npos;1;A fine, quiet film.\nneg;2;"He said ""no""."\npos;3;\n', Form(delimiter=";")),
        ("a.csv", CSV.replace("text,label", "t,l"), Form(("t",), "l")),
        ("a.csv", CSV.replace("pos", " 1 ").replace("neg", "0"), Form(renamed={"1": "pos", "0": "neg"})),
    ],
    ids=["csv", "dos", "bom", "utf-16", "tabs", "semicolons", "columns", "renamed"],
)
def test_what_is_read(name: str, content: bytes | str, form: Form, tmp_path: Path) -> None:
    assert examples(tmp_path / name, content, form) == ROWS


def test_lines_of_json(tmp_path: Path) -> None:
    lines = [{"text": "a", "label": "x"}, {"text": "b", "label": 1}, {"label": ["x", "y"], "text": "c\nd"}, {"text": "", "label": []}]
    found = examples(tmp_path / "a.jsonl", "\n\n".join(map(json.dumps, lines)))
    assert found == [Example(1, "a", ("x",)), Example(3, "b", ("1",)), Example(5, "c\nd", ("x", "y")), Example(7, "", ())]


def test_several_labels_of_a_text(tmp_path: Path) -> None:
    found = examples(tmp_path / "a.csv", "text,label\na,x | y\nb,\nc,y|y\n", Form(separator="|"))
    assert [example.labels for example in found] == [("x", "y"), (), ("y",)]


def test_pairs_of_texts(tmp_path: Path) -> None:
    assert examples(tmp_path / "a.csv", "one,two,label\na,b,x\n", Form(("one", "two"))) == [Example(2, ("a", "b"), ("x",))]


def test_a_long_text_is_one(tmp_path: Path) -> None:
    """Longer than the limit that Python's csv module has for all, which is as it was afterwards."""
    before = csv.field_size_limit()
    (found,) = examples(tmp_path / "a.csv", f"text,label\n{'word ' * 100_000},x\n")
    assert len(found.text) == 500_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "kind", "told"),
    [
        ("a.csv", "", UsageError, "the file is empty"),
        ("a.csv", "\n\n", UsageError, "the file is empty"),
        ("a.csv", "text,label\n", UsageError, "holds no texts"),
        ("a.jsonl", "\n", UsageError, "holds no texts"),
        ("a.csv", "text,labels\na,x\n", UsageError, "no column: 'label'"),
        ("a.csv", "text,text,label\na,b,x\n", UsageError, "more than once: 'text'"),
        ("a.csv", "text;label\na;x\n", UsageError, "--delimiter"),
        ("a.csv", "text,label\na,x\nb,c,x\n", InvalidText, "a.csv:3"),
        ("a.csv", "text,label\na\n", InvalidText, "1 columns, and the header 2"),
        ("a.csv", 'text,label\n"a,x\nb,y\n', InvalidText, "unexpected end of data"),
        ("a.csv", 'text,label\n"a"b,x\n', InvalidText, "a.csv:2"),
        ("a.csv", b"text,label\n\xff,x\n", InvalidText, "--encoding latin-1"),
        ("a.jsonl", "[1]\n", InvalidText, "not a JSON object"),
        ("a.jsonl", '{"text": "a"}\n', UsageError, "no 'label'"),
        ("a.jsonl", '{"text": null, "label": "x"}\n', InvalidText, "not a string"),
        ("a.jsonl", '{"text": "a", "label": true}\n', InvalidText, "neither a string nor a whole number"),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"text', InvalidText, "a.jsonl:2"),
        ("a.jsonl", "[" * 100_000, InvalidText, "not JSON"),
    ],
)
def test_what_is_refused(name: str, content: bytes | str, kind: type[HubError], told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(kind) as caught:
        LabelledFile(path).survey()
    assert told in str(caught.value)


def test_a_column_of_texts_is_none_of_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"a,{number}\n" for number in range(10_001)), encoding="utf-8")
    with pytest.raises(UsageError, match="holds no labels"):
        LabelledFile(path).survey()


@pytest.mark.parametrize("encoding", ["klingon", "utf-8"])
def test_files_that_cannot_be_opened(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        LabelledFile(tmp_path / "missing.csv", Form(encoding=encoding)).survey()


def test_the_survey(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,x\nb,\nc,x|y\n", encoding="utf-8")
    heard: list[int] = []
    survey = LabelledFile(path, Form(separator="|")).survey(heard.append)
    assert (survey.texts, survey.labels, survey.not_one, sum(heard)) == (3, {"x": 2, "y": 1}, 3, 3)
