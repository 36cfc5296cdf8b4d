"""`hub notebook`: the notebook is valid, runs from the first cell to the last, and a card's text is never code in it."""

from __future__ import annotations

import ast
import io
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt

from hubclient import Card, bundled, parse_card, pretrained
from hubclient.convert.annotators import Task
from hubclient.names import CardReference, HubReference, PathReference, parse_reference
from hubclient.notebook import Subject, notebook
from hubclient.snippets import loading
from tests.e2e.material import DEMO, PUBMED, TREC6_ZIP
from tests.e2e.shell import hub

NASTY = '"""\nimport os\nos.system("echo harm")\n# \\" \\\' ``` <script>alert(1)</script> ![x](https://example.org/x.png) $x$ %pip {braces}'


def cells(content: str, kind: str = "code") -> list[str]:
    found = nbformat.reads(content, as_version=4)
    nbformat.validate(found)
    return [cell.source for cell in found.cells if cell.cell_type == kind]


def run(path: Path) -> list[Any]:
    """Every output of every cell."""
    from nbclient import NotebookClient

    found = nbformat.read(path, as_version=4)
    NotebookClient(found, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return [output for cell in found.cells for output in cell.get("outputs", ())]


def printed(outputs: list[Any]) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries
@pytest.mark.parametrize("name", [DEMO, PUBMED])
@pytest.mark.usefixtures("shop")
def test_it_runs(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.ipynb"
    done = hub("notebook", f"en/{name}", "-o", path)
    assert (done.code, done.out, done.err) == (0, f"{path}\n", "")
    outputs = run(path)
    (asked,) = [source for source in cells(path.read_text("utf-8")) if source.startswith("texts = ")]
    texts = json.loads("[" + asked.partition("[\n")[2].partition(",\n]")[0] + "]")
    model = pretrained(name, "en")
    expected = [f"{' | '.join(one.selected) or '(none)'}  {one.score:.3f}  {text}" for text, one in zip(texts, model(texts), strict=True)]
    assert printed(outputs).splitlines() == expected
    assert [output for output in outputs if "image/png" in output.get("data", {})]
    results = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
    assert [ast.literal_eval(result) for result in results] == [model.labels]


@pytest.mark.usefixtures("shop")
def test_an_archive_of_the_users(tmp_path: Path) -> None:
    done = hub("notebook", str(TREC6_ZIP), "-o", tmp_path / "a.ipynb", "--json")
    assert json.loads(done.out) == {"path": str(tmp_path / "a.ipynb")}
    assert f'model = load("{TREC6_ZIP}")' in "".join(cells((tmp_path / "a.ipynb").read_text("utf-8")))


@pytest.mark.usefixtures("shop")
def test_a_file_is_replaced_when_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text("mine", encoding="utf-8")
    refused = hub("notebook", f"en/{DEMO}", "-o", path)
    assert (refused.code, path.read_text("utf-8")) == (2, "mine")
    assert hub("notebook", f"en/{DEMO}", "-o", path, "--force").code == 0


@pytest.mark.parametrize("task", ["text-classification", "zero-shot-classification", "token-classification"])
def test_the_code_of_every_task_can_be_compiled(task: Task) -> None:
    content = notebook(Subject(parse_reference("fr/name@>=4.0"), Card("name", "fr"), task, ("a", "b")))
    for source in cells(content):
        compile(source.replace("%pip", "pass #"), "cell", "exec")
    assert f'task="{task}"' in content.replace('\\"', '"') or task == "text-classification"


@pytest.mark.parametrize("task", ["text-classification", "token-classification"])
def test_a_card_writes_no_code(task: Task) -> None:
    """Whatever it holds stands in a string, or in words that do nothing."""
    front = "---\nname: a\nlanguage: en\ntitle: <img src=x onerror=alert(1)> [a](javascript:b) $x$\n---\n"
    card = parse_card(f"{front}## Description\n\n{NASTY}\n\n## How to use\n\n```python\nx = '''{NASTY} and more'''\n```\n")
    content = notebook(Subject(CardReference(f"a'{NASTY}", "en"), card, task, (NASTY, "`b`")))
    for source in cells(content):
        tree = compile(source.replace("%pip", "pass #"), "cell", "exec")
        assert "system" not in tree.co_names
        assert "os" not in tree.co_names
    words = MarkdownIt("commonmark", {"html": True}).render("\n\n".join(cells(content, "markdown")))
    assert "&lt;script&gt;alert(1)" in words
    assert not re.search(r"<(?!/?(?:p|h1|h2|code|pre|ul|li|em)\b)", words)


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (CardReference("name", "en"), 'model = pretrained("name", "en")'),
        (parse_reference("en/name@3.3.2"), 'model = pretrained("name", "en", version="3.3.2")'),
        (HubReference("owner/repo", "main"), 'model = load("hf:owner/repo@main")'),
        (PathReference("./a'b.zip"), 'model = load("./a\'b.zip")'),
    ],
    ids=str,
)
def test_how_it_is_loaded(reference: Any, code: str) -> None:
    assert loading(reference).endswith(code)


def test_the_shipped_examples_are_found() -> None:
    from hubclient.cards.examples import examples

    found = {path.stem: examples(parse_card(path.read_text("utf-8"))) for path in bundled.CARDS.glob("*_en.md")}
    assert found[f"{DEMO}_en"] == ("A warm, funny film.",)
    assert found["bert_large_sequence_classifier_imdb_en"] == ("I really liked that movie!",)
    assert all(found.values())


def test_examples() -> None:
    from hubclient.cards.examples import examples

    code = io.StringIO()
    code.write('a = ["""Two\nlines""", "it\\"s one", \'PUT YOUR STRING HERE\', "word", "Two\\nlines"]\n')
    code.write('"' + "long " * 200 + '"\n')
    card = parse_card(
        f"---\nname: a\nlanguage: en\n---\n## How to use\n```python\n{code.getvalue()}```\n```scala\nSeq('it\"s one', 'ein Satz')\n```\n"
    )
    assert examples(card) == ("Two\nlines", 'it"s one', "ein Satz")
