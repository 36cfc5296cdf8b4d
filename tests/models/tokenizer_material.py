"""Tokenizers of the shared archives and repositories, where these are present."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hubclient.archive.sparknlp import read_archive
from hubclient.archive.zipmembers import ZipMembers
from hubclient.models.tokenizer import SETTINGS_FILES, TokenizerFiles, TokenizerKind, TokenizerParts

SHARED = Path(__file__).parents[3] / "shared"
ARCHIVES = SHARED / "archives"
REPOSITORIES = SHARED / "hf"

# The architecture, as the first line of a golden file has it, is transformers' model type in all cases but these.
_MODEL_TYPES = {"deberta": "deberta-v2"}


def goldens() -> list[Path]:
    return sorted(ARCHIVES.glob("*.golden.jsonl"))


def read_golden(path: Path) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """The model type, the first line, and the rows."""
    head, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return _MODEL_TYPES.get(head["architecture"], head["architecture"]), head, rows


def encodings(head: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each text, or pair of texts, and its encoding."""
    for row in rows:
        if "input_ids" in row:
            yield (row["text"],), row
        for label, pair in zip(head.get("candidate_labels", ()), row.get("pairs", ()), strict=True):
            yield (row["text"], head["hypothesis_template"].format(label)), pair


def parts_of_archive(path: Path, kind: TokenizerKind) -> TokenizerParts:
    with path.open("rb") as file:
        archive = read_archive(ZipMembers(file, path.name))
        files = {name: archive.members.read(name, 1 << 26) for name in archive.files}
        return kind.from_archive(archive.vocabulary, archive.merges, files)


def files_of_repository(folder: Path, kind: TokenizerKind) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (*kind.files, *SETTINGS_FILES) if (folder / name).exists()}


def save(folder: Path, files: TokenizerFiles, model_type: str) -> None:
    (folder / "tokenizer.json").write_text(files.tokenizer_json, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(files.config), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
