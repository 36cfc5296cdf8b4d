"""A model as a Jupyter notebook: it installs what is missing, opens the model, asks it, and draws the answers.

The format is nbformat 4.5 (https://nbformat.readthedocs.io/en/latest/format_description.html), which is JSON. What comes from a card stands
in it as text, or as a Python literal: a card never writes code.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hubclient.cards import Card
from hubclient.cards.examples import examples
from hubclient.convert.annotators import Task
from hubclient.names import Reference
from hubclient.snippets import literal, loading

_INSTALL = """\
import importlib.util

if importlib.util.find_spec("hubclient") is None:
    %pip install --quiet hubclient
if importlib.util.find_spec("matplotlib") is None:
    %pip install --quiet matplotlib"""

_ASK: Mapping[Task, str] = MappingProxyType(
    {
        "text-classification": """\
predictions = model(texts)
for text, prediction in zip(texts, predictions):
    chosen = " | ".join(prediction.selected) or "(none)"
    print(f"{chosen}  {prediction.score:.3f}  {text}")""",
        "zero-shot-classification": """\
# Any labels will do; more than one may hold with multi_label=True.
labels = ["travel", "food", "sport", "politics"]
predictions = model(texts, labels)
for text, prediction in zip(texts, predictions):
    print(f"{prediction.label}  {prediction.score:.3f}  {text}")""",
        "token-classification": """\
predictions = model(texts)
for text, entities in zip(texts, predictions):
    print(text)
    for entity in entities:
        print(f"    {entity.label}  {entity.score:.3f}  {text[entity.start:entity.end]}")""",
    }
)
_PLOT_SCORES = """\
import matplotlib.pyplot as plt

figure, all_axes = plt.subplots(len(texts), 1, figsize=(7, 1.6 * len(texts) + 1), squeeze=False, layout="constrained")
for axes, text, prediction in zip(all_axes.flat, texts, predictions):
    best = prediction.top(8)[::-1]
    axes.barh([label for label, score in best], [score for label, score in best], height=0.6)
    axes.set_xlim(0, 1)
    axes.set_title(text[:80], loc="left", fontsize=9, parse_math=False)
plt.show()"""
_PLOT_ENTITIES = """\
import matplotlib.pyplot as plt

found = [(text[entity.start:entity.end], entity) for text, entities in zip(texts, predictions) for entity in entities]
figure, axes = plt.subplots(figsize=(7, 0.35 * len(found) + 1), layout="constrained")
names = [f"{number}. {words[:40]}: {entity.label}" for number, (words, entity) in enumerate(found, 1)]
axes.barh(names, [entity.score for _, entity in found])
axes.invert_yaxis()
axes.set_xlim(0, 1)
axes.set_xlabel("score")
plt.show()"""
_EXAMPLES: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "text-classification": ("It was better than I had dared to hope.", "The train was late again, and nobody said why."),
        "zero-shot-classification": ("The night train to Lisbon was booked out.", "Their soup is worth the long queue."),
        "token-classification": ("Marie Curie moved from Warsaw to Paris in 1891.", "Grace Hopper worked for the United States Navy."),
    }
)
_SITE = "https://huggingface.co/"


@dataclass(frozen=True)
class Subject:
    """What the notebook is about. `labels`: in class order where the model was pulled, else as on the card."""

    reference: Reference
    card: Card | None = None
    task: Task = "text-classification"
    labels: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return (self.card.title or self.card.model_name) if self.card else str(self.reference)


def notebook(subject: Subject) -> str:
    """The file's content."""
    cells = [_cell(kind, name, source) for kind, name, source in _cells(subject)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text = json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1) + "\n"
    # A path may hold bytes that are no Unicode.
    return text.encode(errors="replace").decode()


def _cells(subject: Subject) -> Iterator[tuple[str, str, str]]:
    task = subject.task
    texts = (examples(subject.card) if subject.card else ()) or _EXAMPLES[task]
    yield "markdown", "title", "\n\n".join(_introduction(subject))
    yield "code", "install", _INSTALL
    yield "markdown", "about-load", "The model is fetched and verified the first time, and comes from the cache ever after."
    yield "code", "load", f"{loading(subject.reference, task)}\nmodel.labels"
    yield "markdown", "about-predict", "Put your own texts here."
    yield "code", "predict", f"texts = {_list(texts)}\n{_ASK[task]}"
    yield "code", "plot", _PLOT_ENTITIES if task == "token-classification" else _PLOT_SCORES
    yield "markdown", "further", "\n\n".join(_further(subject))


def _introduction(subject: Subject) -> Iterator[str]:
    yield f"# {_plain(subject.title)}"
    card = subject.card
    for paragraph in re.split(r"\n\s*\n", card.description.strip()) if card and card.description else ():
        yield _plain(paragraph)
    facts = [("name", f"`{_code(str(subject.reference))}`")]
    if subject.labels:
        facts.append(("labels", ", ".join(f"`{_code(label)}`" for label in subject.labels)))
    if card and card.size_mb is not None:
        facts.append(("size", f"{card.size_mb:,.1f} MB"))
    if card and card.hf_origin:
        facts.append(("origin", f"{_SITE}{_plain(card.hf_origin)}"))
    yield "\n".join(f"- {name}: {value}" for name, value in facts)


def _further(subject: Subject) -> Iterator[str]:
    yield "## On your own data"
    if subject.task == "token-classification":
        yield "`model(texts)` takes any number of texts; `model.stream(texts)` does the same in bounded memory."
        return
    yield "With a file of texts and labels, this says how good the model is on them, and where it is wrong:"
    name = str(subject.reference).replace("'", "'\"'\"'")
    yield f"```sh\nhub evaluate '{_code(name)}' --input labelled.csv --text-column text --label-column label --html report.html\n```"


def _list(texts: Sequence[str]) -> str:
    return "[\n" + "".join(f"    {literal(text)},\n" for text in texts) + "]"


def _plain(text: str) -> str:
    """Words alone: no HTML, no links, no pictures, no formulas."""
    marked = re.sub(r"([\\*_\[\]!<>$|#~])", r"\\\1", " ".join(text.split()))
    return html.escape(marked, quote=False).replace("\\&lt;", "&lt;").replace("\\&gt;", "&gt;")


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell
