"""A new card, from facts: front matter, sections, links and table as the hub's template has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hubclient import snippets
from hubclient.cards.location import S3Location
from hubclient.convert.annotators import Task
from hubclient.names import CardReference

_PLAIN = re.compile(r"[A-Za-z][\w ()./-]*(?<![ .])", re.ASCII)
_YAML_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_TASKS: Mapping[Task, tuple[str, str]] = MappingProxyType(
    {
        "text-classification": ("Text Classification", "sequence_classification"),
        "zero-shot-classification": ("Zero-Shot Classification", "zero_shot"),
        "token-classification": ("Named Entity Recognition", "token_classification"),
    }
)
_TEXT = "PUT YOUR TEXT HERE"
_BUTTON = "{:.button.button-orange.button-orange-trans"
_DOES: Mapping[Task, str] = MappingProxyType(
    {
        "text-classification": "sorts texts under {labels}",
        "zero-shot-classification": "chooses between labels that its caller names, without having been trained on them",
        "token-classification": "finds entities in texts and marks their tokens with {labels}",
    }
)


@dataclass(frozen=True)
class Draft:
    """What a card says. `place`: of the archive; its key tells name, language and versions. `labels`: in class order.
    `shape`: what the weights tell of their size, as `layers`; `license` and `data`: as the origin has them."""

    place: S3Location
    task: Task
    annotator: str
    architecture: str
    date: str
    labels: tuple[str, ...]
    activation: str
    max_length: int
    lowercase: bool | None
    size_mb: float
    shape: Mapping[str, int]
    title: str | None = None
    author: str | None = None
    origin: str | None = None
    license: str | None = None
    data: tuple[str, ...] = ()

    @property
    def multi_label(self) -> bool:
        return self.activation == "sigmoid" and len(self.labels) > 1

    @property
    def name(self) -> str:
        return self.place.name or ""

    @property
    def language(self) -> str:
        return self.place.lang or ""


def card_text(draft: Draft) -> str:
    """The whole card, in Markdown."""
    sections = [section for section in _sections(draft) if section]
    return "---\n" + "".join(f"{line}\n" for line in _front_matter(draft)) + "---\n\n" + "\n\n".join(sections) + "\n"


def overlay_text(draft: Draft) -> str | None:
    """What the weights say and the card's form has no field for: how scores are made, where they are no choice between labels."""
    if not draft.multi_label and (len(draft.labels) != 1 or draft.task != "text-classification"):
        return None
    why = "Every label has a score of its own." if draft.multi_label else "The model has one output."
    return f"# {why}\nactivation: {draft.activation}\n"


def _front_matter(draft: Draft) -> Iterator[str]:
    task, tag = _TASKS[draft.task]
    yield "layout: model"
    yield f"title: {_yaml(draft.title or f'{task} with {draft.architecture} ({draft.name})')}"
    if draft.author:
        yield f"author: {_yaml(draft.author)}"
    yield f"name: {_yaml(draft.name)}"
    yield f"date: {draft.date}"
    tags = (draft.language, draft.architecture.replace("-", "_"), tag)
    yield f"tags: [{', '.join(map(_yaml, tags))}]"
    yield f"task: {task}"
    yield f"language: {_yaml(draft.language)}"
    yield "nav_key: models"
    yield f"edition: Spark NLP {draft.place.lib_version}"
    yield f'spark_version: "{draft.place.spark_version}"'
    yield f"annotator: {draft.annotator}"
    yield "article_header:"
    yield "  type: cover"
    yield 'use_language_switcher: "Python-Scala-Java"'


def _sections(draft: Draft) -> Iterator[str]:
    yield f"## Description\n\n{_description(draft)}"
    yield f"## Predicted Entities\n\n{', '.join(map(_span, draft.labels))}" if draft.labels else ""
    yield _links(draft.place)
    yield f'## How to use\n\n<div class="tabs-box" markdown="1">\n{_usage(draft)}\n\n</div>'
    yield "{:.model-param}\n## Model Information\n\n{:.table-model}\n|---|---|\n" + "\n".join(
        f"|{key}:|{value}|" for key, value in _table(draft)
    )
    yield "## Data Source\n\n" + "\n".join(f"- {item}" for item in draft.data) if draft.data else ""
    yield f"## References\n\n- https://huggingface.co/{draft.origin}" if draft.origin else ""


def _description(draft: Draft) -> str:
    count = f"{len(draft.labels)} labels" if len(draft.labels) != 1 else "one label"
    does = _DOES[draft.task].format(labels=count)
    lines = [f"`{draft.name}` is a {draft.architecture} model that {does}."]
    if draft.multi_label:
        lines.append("Every label has a score of its own: a text may come under several of them, or under none.")
    if draft.shape:
        lines.append(f"It has {_listed([f'{number:,} {what}' for what, number in draft.shape.items()])}.")
    lines.append(f"Texts longer than {draft.max_length:,} tokens are cut." + (" They are lower-cased first." if draft.lowercase else ""))
    if draft.origin:
        owner, _, repo = draft.origin.partition("/")
        lines.append(f"It was trained by `{owner}` and published on Hugging Face as `{repo}`.")
    return " ".join(lines)


def _links(place: S3Location) -> str:
    download = f"[Download](https://s3.amazonaws.com/{place.bucket}/{place.key}){_BUTTON}.arr.button-icon}}"
    copy = f"[Copy S3 URI]({place.uri}){_BUTTON}.button-icon.button-copy-s3}}"
    return f"{{:.btn-box}}\n{download}\n{copy}"


def _usage(draft: Draft) -> str:
    column = "ner" if draft.task == "token-classification" else "class"
    reference = CardReference(draft.name, draft.language)
    return f"""\
```python
{snippets.python(reference, draft.task, _TEXT)}
```
```python
{snippets.spark(draft.annotator, draft.name, draft.language, draft.task, _TEXT)}
```
```scala
val document = new DocumentAssembler().setInputCol("text").setOutputCol("document")
val tokenizer = new Tokenizer().setInputCols("document").setOutputCol("token")
val model = {draft.annotator}.pretrained("{draft.name}", "{draft.language}")
  .setInputCols("document", "token").setOutputCol("{column}")

val data = Seq("{_TEXT}").toDF("text")
val result = new Pipeline().setStages(Array(document, tokenizer, model)).fit(data).transform(data)
```"""


def _table(draft: Draft) -> Iterator[tuple[str, str]]:
    yield "Model Name", draft.name
    yield "Compatibility", f"Spark NLP {draft.place.lib_version}+"
    if draft.license:
        yield "License", " ".join(draft.license.replace("|", "/").split())
    yield "Input Labels", "[document, token]"
    yield "Output Labels", "[ner]" if draft.task == "token-classification" else "[class]"
    yield "Language", draft.language
    yield "Size", f"{draft.size_mb:,.1f} MB".replace(",", "")
    yield "Case sensitive", "false" if draft.lowercase else "true"
    yield "Max sentence length", str(draft.max_length)


def _span(label: str) -> str:
    """A label between backticks, of which there are more than it has itself."""
    line = " ".join(label.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {line} {ticks}" if longest else f"`{line}`"


def _yaml(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.casefold() not in _YAML_WORDS else json.dumps(text, ensure_ascii=False)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
