"""Cards to test with: a small one to bend, and the shared corpus where it is present."""

from __future__ import annotations

import json
import lzma
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"

FRONT = {
    "layout": "model",
    "title": "A small model",
    "author": "Somebody",
    "name": "small_model",
    "date": "2022-03-04",
    "tags": "[en, open_source]",
    "task": "Text Classification",
    "language": "en",
    "edition": "Spark NLP 3.4.2",
    "spark_version": "3.0",
    "supported": "true",
    "annotator": "BertForSequenceClassification",
    "article_header": "",
    "type": "cover",
}
LABELS = "`neg`, `pos`"
USAGE = """\
<div class="tabs-box" markdown="1">
{% include programmingLanguageSelectScalaPythonNLU.html %}
```python
print("python")
```
```scala
println("scala")
```

{:.nlu-block}
```python
nlu.load("en.classify.small").predict("text")
```

</div>"""
INFO = """\
|---|---|
|Model Name:|small_model|
|Compatibility:|Spark NLP 3.4.2+|
|Language:|en|
|Size:|406.6 MB|
|Case sensitive:|true|
|Max sentence length:|256|"""


def archive(name: str = "small_model", language: str = "en", version: str = "3.4.2", epoch: int = 1646352000000) -> str:
    return f"{name}_{language}_{version}_3.0_{epoch}.zip"


def links(file: str) -> str:
    return (
        "{:.btn-box}\n"
        '<button class="button button-orange" disabled>Live Demo</button>\n'
        f"[Download](https://s3.amazonaws.com/a.bucket.with.dots/public/models/{file}){{:.button.button-orange}}\n"
        f"[Copy S3 URI](s3://a.bucket.with.dots/public/models/{file}){{:.button.button-copy-s3}}\n"
    )


def card_text(
    *, labels: str | None = LABELS, info: str = INFO, usage: str = USAGE, description: str = "It classifies.", more: str = "",
    file: str | None = None, front: Mapping[str, str | None] | None = None,
) -> str:  # fmt: skip
    """A card in the hub's format; `front` replaces fields of the front matter, None leaves one out."""
    fields = {**FRONT, **(front or {})}
    lines = [f"{key}: {value}".rstrip() for key, value in fields.items() if value is not None]
    parts = ["---\n" + "\n".join(lines) + "\n---\n", f"## Description\n\n{description}\n"]
    if labels is not None:
        parts.append(f"## Predicted Entities\n\n{labels}\n")
    parts += [links(archive() if file is None else file), f"## How to use\n\n{usage}\n"]
    parts += [f"{{:.model-param}}\n## Model Information\n\n{{:.table-model}}\n{info}\n", more]
    return "\n".join(parts)


def corpus() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each real card's text with what it is known to say."""
    with zipfile.ZipFile(CORPUS / "cards.zip") as cards, lzma.open(CORPUS / "truth.jsonl.xz", "rt", encoding="utf-8") as truth:
        for line in truth:
            known: dict[str, Any] = json.loads(line)
            yield cards.read(known["path"]).decode("utf-8"), known
