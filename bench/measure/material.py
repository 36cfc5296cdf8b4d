"""What is measured: archives and texts beside the project, and a hub made of one archive."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
MINILM = "bert_minilm_sequence_classifier_sst2_en_3.4.4_3.0_1635774771318.zip"
_BUCKET = "bench.example.com"
_ARCHIVE = re.compile(r"(?P<name>.+)_(?P<language>[a-z]{2,3})_(?P<version>[\d.]+)_(?P<spark>[\d.]+)_\d+\.zip")
_CARD = """---
layout: model
title: {name}
name: {name}
date: 2021-11-01
tags: [{language}, open_source]
task: Text Classification
language: {language}
edition: Spark NLP {version}
spark_version: {spark}
supported: true
annotator: BertForSequenceClassification
---

[Copy S3 URI](s3://{bucket}/public/models/{file})
"""


@dataclass(frozen=True)
class Text:
    label: int
    text: str


@dataclass(frozen=True)
class Model:
    """A model that `hub` knows by its name, when run in `env`."""

    name: str
    language: str
    env: Mapping[str, str]


def parser(description: str | None, *, rounds: int | None = None) -> argparse.ArgumentParser:
    """The options that every bench has; `rounds` only where something is timed."""
    options = argparse.ArgumentParser(description=description)
    if rounds is not None:
        options.add_argument("--rounds", type=_positive, default=rounds, help="how often each side runs (default: %(default)s)")
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options.add_argument("--shared", type=Path, default=SHARED, help="the folder of archives and texts (default: beside the project)")
    return options


def existing(path: Path) -> Path:
    """The path; without it there is nothing to measure, and the program ends saying so."""
    if not path.exists():
        sys.exit(f"there is nothing to measure: {os.path.relpath(path)} is missing (see --shared, --archive)")
    return path


def read_texts(path: Path, encoding: str = "utf-8") -> list[Text]:
    """One `label text` a line."""
    lines = existing(path).read_text(encoding=encoding).splitlines()
    return [Text(int(label), text) for label, _, text in (line.partition(" ") for line in lines)]


def native_folder(archive: Path, cache: Path) -> Path:
    """The archive, converted."""
    from hubclient import pull

    return pull(str(existing(archive).absolute()), cache_dir=cache, progress=False)


def save_sets(sets: Mapping[str, Sequence[str]], path: Path) -> Path:
    """As `sides/classify.py` reads them."""
    path.write_text(json.dumps({name: list(texts) for name, texts in sets.items()}), encoding="utf-8")
    return path


def texts_of_length(model: Path, tokens: int, count: int, texts: Sequence[str]) -> list[str]:
    """Made of the words of texts, each so long for the model's tokenizer, special tokens counted."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    special = tokenizer.num_special_tokens_to_add(is_pair=False)
    words = (word for text in cycle(texts) for word in text.split() if len(tokenizer.encode(word)) == special + 1)
    return [" ".join(islice(words, tokens - special)) for _ in range(count)]


def hub_of(archive: Path, folder: Path) -> Model:
    """A card, a mirror and an empty cache in `folder`, by which the archive is pulled as any model is."""
    found = _ARCHIVE.fullmatch(existing(archive).name)
    if found is None:
        sys.exit(f"{archive.name} is not named NAME_LANGUAGE_VERSION_SPARK_EPOCH.zip")
    models = folder / "mirror" / _BUCKET / "public" / "models"
    cards = folder / "cards"
    models.mkdir(parents=True)
    cards.mkdir()
    (models / archive.name).symlink_to(archive.resolve())
    facts = found.groupdict()
    (cards / f"{facts['name']}.md").write_text(_CARD.format(bucket=_BUCKET, file=archive.name, **facts), encoding="utf-8")
    env = {
        "HUBCLIENT_CARDS": str(cards),
        "HUBCLIENT_MIRRORS": str(folder / "mirror"),
        "HUBCLIENT_CACHE": str(folder / "cache"),
        "HUBCLIENT_OFFLINE": "1",
    }
    return Model(facts["name"], facts["language"], env)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
