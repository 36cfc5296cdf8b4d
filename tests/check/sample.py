"""A repository that loads models in every way that is looked for: good, gone, changed, forbidden ones, and some that nobody can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PYTHON = '''\
"""Classify reviews."""
import sys

import hubclient as h
import nlu
from hubclient import Hub, pretrained as opened
from sparknlp.annotator import *
from sparknlp.pretrained import PretrainedPipeline
from transformers import AutoModel

LANGUAGE = "en"
GOOD = "good_" f"model"
WANTED = sys.argv[1]

good = opened(GOOD, LANGUAGE)
changed = h.pretrained("changed_model", lang=LANGUAGE)
gone = (
    BertForSequenceClassification
    .pretrained("gone_model", "en")
    .setInputCols(["document", "token"])
)
forbidden = BertForTokenClassification.pretrained(lang="fr", name="forbidden_model")
licensed = MedicalNerModel.pretrained("licensed_model", "en", "clinical/models")
repository = Hub().load("hf:owner/good-repo")
dynamic = opened(WANTED)
default = BertForSequenceClassification.pretrained()
pipeline = PretrainedPipeline("good_pipeline")
several = nlu.load("en.good en.unknown").predict("text")
foreign = AutoModel.from_pretrained("somebody/else")
'''

BROKEN = 'print "pretrained"\n'

SCALA = '''\
package org.example

import com.johnsnowlabs.nlp.annotators.classifier.dl.{BertForSequenceClassification => Bert}
import com.johnsnowlabs.nlp.pretrained.PretrainedPipeline

object Main {
  /* Bert.pretrained("commented_model") /* nested */ */
  val gone = "gone_" + "model" // .pretrained("commented_model")
  val quote = '"'
  val scores: Map[String, Seq[(Int, String)]] = Map.empty
  val first = Bert.pretrained("""good_model""", lang = "en")
  val second = Bert
    .pretrained(
      name = gone,
      "en")
  val third = Bert.pretrained(s"$gone", "en")
  val fourth = new PretrainedPipeline("good_pipeline", lang = "en")
}
'''

JAVA = """\
package org.example;

import com.johnsnowlabs.nlp.annotators.classifier.dl.BertForSequenceClassification;

public class Main {
  private static final String CHANGED = "changed" + "_model";

  static Object load(String name, char quote) {
    // BertForSequenceClassification.pretrained("commented_model", "en");
    Object first = quote == '"' ? null : BertForSequenceClassification.pretrained(CHANGED, "en");
    return Loader.<Map<String, List<Object>>>of(first).or(BertForSequenceClassification.pretrained(name, "en"));
  }
}
"""

CELLS = [
    ["# Models\n", 'pretrained("in_prose")'],
    ["%pip install hubclient\n", "!echo \\\n", "  done\n", "from hubclient import pretrained\n", 'NAME = "changed_model"'],
    ["%%bash\n", "hub pull gone_model"],
    ["%%time\n", "model = pretrained(NAME)\n", "%time other = pretrained('good_model', 'en')\n", "model?"],
    ["def broken(:"],
]
"""Sources of cells: the first is prose."""


def cells(sources: list[list[str]] | None = None) -> list[dict[str, Any]]:
    made = []
    for number, source in enumerate(sources or CELLS):
        kind: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []} if number else {"cell_type": "markdown"}
        made.append({**kind, "metadata": {}, "source": source})
    return made


def notebook(sources: list[list[str]] | None = None) -> str:
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells(sources), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def line_of(text: str, part: str) -> int:
    """Where a text first stands."""
    return text.count("\n", 0, text.index(part)) + 1


FILES = {
    "src/app.py": PYTHON,
    "src/broken.py": BROKEN,
    "jvm/Main.scala": SCALA,
    "jvm/Main.java": JAVA,
    "notebooks/explore.ipynb": notebook(),
    ".venv/lib/installed.py": PYTHON,
    "node_modules/a/a.py": PYTHON,
    "README.md": "# A repository\n",
}

_NOTEBOOK = "notebooks/explore.ipynb"
_IN_NOTEBOOK = {part: line_of(FILES[_NOTEBOOK], part) for part in ("pretrained(NAME)", "'good_model', 'en'", "def broken")}
EXPECTED = [
    ("jvm/Main.java", 10, "en/changed_model"),
    ("jvm/Main.java", 11, "dynamic-reference"),
    ("jvm/Main.scala", 11, "en/good_model"),
    ("jvm/Main.scala", 13, "en/gone_model"),
    ("jvm/Main.scala", 16, "dynamic-reference"),
    ("jvm/Main.scala", 17, "en/good_pipeline"),
    (_NOTEBOOK, _IN_NOTEBOOK["pretrained(NAME)"], "changed_model"),
    (_NOTEBOOK, _IN_NOTEBOOK["'good_model', 'en'"], "en/good_model"),
    (_NOTEBOOK, _IN_NOTEBOOK["def broken"], "unscanned-file"),
    ("src/app.py", 15, "en/good_model"),
    ("src/app.py", 16, "en/changed_model"),
    ("src/app.py", 19, "en/gone_model"),
    ("src/app.py", 22, "fr/forbidden_model"),
    ("src/app.py", 23, "en/licensed_model"),
    ("src/app.py", 24, "hf:owner/good-repo"),
    ("src/app.py", 25, "dynamic-reference"),
    ("src/app.py", 26, "default-model"),
    ("src/app.py", 27, "en/good_pipeline"),
    ("src/app.py", 28, "en.good"),
    ("src/app.py", 28, "en.unknown"),
    ("src/broken.py", 1, "unscanned-file"),
]
"""Path, line, and the reference or the name of the rule, by paths and lines."""


def write_sample(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
