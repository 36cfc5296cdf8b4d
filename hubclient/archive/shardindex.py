"""The index of weights in several files: `{"metadata": {...}, "weight_map": {tensor: file}}`.

Source: huggingface_hub/serialization/_base.py (which writes it), transformers' utils/hub.py (`get_checkpoint_shard_files`, which reads it).
"""

from __future__ import annotations

import json

from hubclient.archive.safenames import check_names
from hubclient.errors import CorruptArchive

_MAX_NAME = 1000


def parse_index(text: bytes, label: str) -> dict[str, str]:
    """Which file each tensor lies in; files are named relative to the index.

    Raises CorruptArchive for what is no such index or names a tensor twice, UnsafeArchive for files outside its folder.
    """
    try:
        stated = json.loads(text, object_pairs_hook=_unique)["weight_map"]
        files = {name: _file(name, file) for name, file in stated.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptArchive("the index of the weights cannot be read", where=label, why=str(error)[:200]) from error
    if not files:
        raise CorruptArchive("the index of the weights names no tensor", where=label)
    check_names(sorted(set(files.values())), label)
    return files


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"'{name}' is there twice")
        made[name] = value
    return made


def _file(name: str, file: object) -> str:
    if not isinstance(file, str) or len(name.encode()) > _MAX_NAME or len(file.encode()) > _MAX_NAME:
        raise ValueError(f"tensor '{name[:100]}' is in no file, or a name is of absurd length")
    return file
