"""Code that opens a model and asks it, for people to copy: it runs as it stands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence

from hubclient.convert.annotators import Task
from hubclient.names import CardReference, Reference

CANDIDATES = ("travel", "food", "sport")


def loading(reference: Reference, task: Task = "text-classification") -> str:
    asked = f", task={literal(task)}" if task != "text-classification" else ""
    if isinstance(reference, CardReference):
        language = f", {literal(reference.language)}" if reference.language else ""
        version = f", version={literal(str(reference.constraint))}" if reference.constraint else ""
        return f"from hubclient import pretrained\n\nmodel = pretrained({literal(reference.name)}{language}{version}{asked})"
    return f"from hubclient import load\n\nmodel = load({literal(str(reference))}{asked})"


def python(reference: Reference, task: Task, text: str) -> str:
    candidates = f", {_list(CANDIDATES)}" if task == "zero-shot-classification" else ""
    shown = "for entity in model({}):\n    print(entity.label, entity.text)" if task == "token-classification" else "print(model({}).label)"
    return f"{loading(reference, task)}\n{shown.format(literal(text) + candidates)}"


def shell(reference: Reference, task: Task, text: str) -> str:
    candidates = "".join(f" --label {label}" for label in CANDIDATES) if task == "zero-shot-classification" else ""
    return f"hub predict {shlex.quote(str(reference))}{candidates} {shlex.quote(text)}"


def transformers(reference: Reference, task: Task, text: str) -> str:
    candidates = f", {_list(CANDIDATES)}" if task == "zero-shot-classification" else ""
    asking = f"pipeline = model.to_pipeline()\nprint(pipeline({literal(text)}{candidates}))"
    return f"# pip install 'hubclient[torch]'\n{loading(reference, task)}\n{asking}"


def spark(annotator: str, name: str, language: str, task: Task, text: str) -> str:
    """For Spark NLP itself, in Python."""
    column = "ner" if task == "token-classification" else "class"
    candidates = f".setCandidateLabels({_list(CANDIDATES)})" if task == "zero-shot-classification" else ""
    return "\n".join(_spark(annotator, name, language, column, candidates, text))


def literal(text: str) -> str:
    """As Python and Scala write a text."""
    return json.dumps(text, ensure_ascii=False)


def _spark(annotator: str, name: str, language: str, column: str, candidates: str, text: str) -> Iterator[str]:
    yield "import sparknlp"
    yield "from pyspark.ml import Pipeline"
    yield f"from sparknlp.annotator import {annotator}, Tokenizer"
    yield "from sparknlp.base import DocumentAssembler"
    yield ""
    yield "spark = sparknlp.start()"
    yield 'document = DocumentAssembler().setInputCol("text").setOutputCol("document")'
    yield 'tokenizer = Tokenizer().setInputCols(["document"]).setOutputCol("token")'
    yield f"model = {annotator}.pretrained({literal(name)}, {literal(language)}) \\"
    yield f'    .setInputCols(["document", "token"]).setOutputCol("{column}"){candidates}'
    yield ""
    yield f'data = spark.createDataFrame([[{literal(text)}]]).toDF("text")'
    yield "result = Pipeline(stages=[document, tokenizer, model]).fit(data).transform(data)"
    yield f'result.select("{column}.result").show(truncate=False)'


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]"
