"""Writing a model out for others: as one ONNX file, or as a plain Hugging Face folder.

What is exported answers as the model does that it was exported from: length, case and activation are those in force.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from hubclient.convert.write import problem_type
from hubclient.engines import INPUTS
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.models.casing import with_lowercase
from hubclient.models.tokenizer import TOKENIZER_CLASS
from hubclient.native import (
    CONFIG,
    GRAPH,
    MANIFEST,
    README,
    TOKENIZER,
    TOKENIZER_CONFIG,
    Manifest,
    open_tokenizer,
    read_json,
    read_manifest,
    write_json,
    write_text,
)
from hubclient.onnx_export import copy_kept, write_whole
from hubclient.outfile import placed
from hubclient.padding import read_padding
from hubclient.store.content import MARKER
from hubclient.tokenizer_settings import tokenizer_settings

Format = Literal["onnx", "hf"]


def export(folder: Path, target: str | Path, manifest: Manifest, *, format: Format = "onnx", force: bool = False) -> Path:
    """Write the native folder's model into the folder `target`, whole or not at all.

    `manifest` has the facts in force. force: replace what was exported there. Raises UsageError, UnsupportedModel, StoreUnwritable,
    StoreFull.
    """
    if format not in _FORMATS:
        raise UsageError(f"there is no format '{format}'", hint=f"use one of {', '.join(_FORMATS)}")
    with placed(Path(os.path.realpath(target)), folder, "exported", force=force) as staging:
        _FORMATS[format](folder, staging, manifest)
        _write_settings(folder, staging, manifest)
    return Path(target)


def _write_onnx(folder: Path, staging: Path, manifest: Manifest) -> None:
    if manifest.graph in ("none", "openvino"):
        hint = "use format='hf'" if manifest.graph == "none" else None
        raise UnsupportedModel("the model has no ONNX graph", where=str(folder), why=manifest.graph_note, hint=hint)
    if manifest.graph == "kept":
        copy_kept(folder, staging)
    else:
        write_whole(folder, staging)
    for name in (README, CONFIG, TOKENIZER, TOKENIZER_CONFIG):
        if (folder / name).exists():
            shutil.copyfile(folder / name, staging / name)


def _write_hf(folder: Path, staging: Path, manifest: Manifest) -> None:
    if manifest.graph in ("kept", "openvino"):
        hint = "use format='onnx'" if manifest.graph == "kept" else None
        raise UnsupportedModel("the model cannot be exported to Hugging Face", where=str(folder), why=manifest.graph_note, hint=hint)
    for file in folder.iterdir():
        if file.name not in (GRAPH, MANIFEST, MARKER):
            shutil.copyfile(file, staging / file.name)


_FORMATS: Mapping[str, Callable[[Path, Path, Manifest], None]] = MappingProxyType({"onnx": _write_onnx, "hf": _write_hf})


def _write_settings(folder: Path, staging: Path, manifest: Manifest) -> None:
    """What the small files say, where other facts are in force than when they were written."""
    written, facts = read_manifest(folder).in_force().facts, manifest.facts
    if facts.activation.value != written.activation.value:
        config = read_json(staging / CONFIG)
        write_json(staging / CONFIG, {**config, "problem_type": problem_type(facts.activation.value, len(manifest.labels))})
    if facts.lowercase.value != written.lowercase.value:
        write_text(staging / TOKENIZER, with_lowercase((staging / TOKENIZER).read_text(encoding="utf-8"), facts.lowercase.value))
    settings = read_json(staging / TOKENIZER_CONFIG)
    if manifest.graph == "none":
        settings["model_max_length"] = facts.max_length.value
    else:
        tokenizer = open_tokenizer(staging)
        settings["tokenizer_class"] = TOKENIZER_CLASS
        settings |= tokenizer_settings(folder, tokenizer, read_padding(folder), _inputs(folder), facts.max_length.value)
    if facts.lowercase.value is not None:
        settings["do_lower_case"] = facts.lowercase.value
    write_json(staging / TOKENIZER_CONFIG, settings)


def _inputs(folder: Path) -> list[str]:
    import onnx

    asked = {item.name for item in onnx.load(folder / GRAPH, load_external_data=False).graph.input}
    return [name for name in INPUTS if name in asked]
