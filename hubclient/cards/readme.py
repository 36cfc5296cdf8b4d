"""The card of a Hugging Face repository: its README.md in the Hub's dialect, or its config.json where there is none.

The front matter is optional, and every field of it too (https://huggingface.co/docs/hub/model-cards): `license`, `language`, `tags`,
`datasets`, `pipeline_tag`, `base_model`, and `model-index` with results of evaluations. The text below it has no form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hubclient.cards.benchmark import Benchmark
from hubclient.cards.card import Card
from hubclient.cards.front_matter import split_front_matter
from hubclient.cards.frozen import FrozenMap
from hubclient.cards.yaml_mapping import Value, read_mapping

_MULTILINGUAL = "xx"
_UNKNOWN_LANGUAGE = "und"  # ISO 639-2: undetermined
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{0,20})?|\.\d{1,20}", re.ASCII)
_TITLE = re.compile(r"#[ \t]+(\S[^\n]*)")


def parse_readme(text: str, *, repo: str, path: str | None = None) -> Card:
    """`repo` is OWNER/REPO, which is the card's name. Raises CardError for front matter that cannot be read."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    values: FrozenMap[str, Value] = FrozenMap()
    body = text
    if text.startswith("---\n"):
        head, body = split_front_matter(text, path=path)
        values = read_mapping(head, path=path, first_line=1).values
    title = _TITLE.search(body)
    tasks = _texts(values.get("pipeline_tag"))
    return Card(
        name=repo,
        language=_language(_texts(values.get("language"))),
        title=title[1].strip() if title else None,
        tags=_texts(values.get("tags")),
        task=tasks,
        repository=repo,
        hf_origins=(repo,),
        hf_origin=repo,
        description=body.strip() or None,
        benchmarks=tuple(_benchmarks(values.get("model-index"))),
        references="\n".join(_texts(values.get("datasets"))) or None,
        front_matter=values,
        path=path,
    )


def card_of_config(config: Mapping[str, Any], *, repo: str) -> Card:
    """What config.json tells, of a repository without a README.md."""
    labels = config.get("id2label")
    named = tuple(str(label) for label in labels.values()) if isinstance(labels, Mapping) else ()
    return Card(
        name=repo,
        language=_UNKNOWN_LANGUAGE,
        repository=repo,
        hf_origins=(repo,),
        hf_origin=repo,
        labels_form="absent",
        labels=named,
        labels_verbatim=named,
    )


def _language(codes: tuple[str, ...]) -> str:
    if len(codes) > 1 or codes == ("multilingual",):
        return _MULTILINGUAL
    return codes[0] if codes else _UNKNOWN_LANGUAGE


def _texts(value: Value | None) -> tuple[str, ...]:
    """A text or a list of texts; whatever else stands there says nothing."""
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _benchmarks(index: Value | None) -> list[Benchmark]:
    """One for each result of `model-index` that has an accuracy: the data set is its title."""
    found = []
    for model in index if isinstance(index, tuple) else ():
        results = model.get("results") if isinstance(model, FrozenMap) else None
        for result in results if isinstance(results, tuple) else ():
            if isinstance(result, FrozenMap) and (accuracy := _accuracy(result.get("metrics"))) is not None:
                dataset = result.get("dataset")
                name = dataset.get("name") if isinstance(dataset, FrozenMap) else None
                found.append(Benchmark((), accuracy=accuracy, title=name if isinstance(name, str) else None))
    return found


def _accuracy(metrics: Value | None) -> float | None:
    """From 0 to 1; a percentage is one above 1."""
    for metric in metrics if isinstance(metrics, tuple) else ():
        if not isinstance(metric, FrozenMap) or metric.get("type") != "accuracy":
            continue
        value = metric.get("value")
        if isinstance(value, str) and _NUMBER.fullmatch(value) and (number := Decimal(value)) <= 100:
            return float(number / 100 if number > 1 else number)
    return None
