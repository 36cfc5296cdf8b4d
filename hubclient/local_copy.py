"""A model's folder outside of the cache: plain files of its own, which nothing done to them can take from the store."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hubclient.errors import StoreError
from hubclient.native import MANIFEST, Manifest, NativeModel, read_manifest, write_json
from hubclient.outfile import placed
from hubclient.sources.clone import clone
from hubclient.sources.disk import demand_room
from hubclient.store.content import MARKER, files_in, read_marker, seal, size_of

_UNSAFE = re.compile(r"[^\w.-]+")


def copy_to(model: NativeModel, target: Path) -> bool:
    """Write the model's folder, whole or not at all; False if it was there already. A model that was copied there before is replaced.

    The manifest is that of the name by which the model was found. Raises UsageError where something else is in the place, StoreError for
    a model that is damaged, StoreUnwritable, StoreFull.
    """
    content = read_marker(model.folder)
    if content and _digest_in(target) == content.digest and read_manifest(target) == model.manifest:
        return False
    names = [name for name in files_in(model.folder) if name != MARKER]
    demand_room(target, sum(size_of(model.folder / name) or 0 for name in names), elsewhere="copy it to another folder")
    with placed(Path(os.path.realpath(target)), model.folder, "copied", force=_digest_in(target) is not None) as staging:
        for name in names:
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            clone(model.folder / name, staging / name)
        if read_manifest(staging) != model.manifest:
            write_json(staging / MANIFEST, model.manifest.to_dict())
        sealed = seal(staging, {})
        if content and sealed.digest != content.digest:
            raise StoreError("a stored model is damaged", where=str(model.folder), hint="hub verify --all --repair fetches it again")
    return True


def local_names(manifests: Sequence[Manifest]) -> list[str]:
    """A folder's name for each of several models: its own name, with language and version where others have it too, or a number at last."""
    short = [_safe((manifest.name or "model").removeprefix("hf:")) for manifest in manifests]
    long = [_safe("_".join(filter(None, (name, said.language, said.lib_version)))) for name, said in zip(short, manifests, strict=True)]
    folded = Counter(name.casefold() for name in short)
    chosen = [brief if folded[brief.casefold()] == 1 else full for brief, full in zip(short, long, strict=True)]
    seen: Counter[str] = Counter()
    for number, name in enumerate(chosen):
        seen[name.casefold()] += 1
        if (count := seen[name.casefold()]) > 1:
            chosen[number] = f"{name}-{count}"
    return chosen


def _digest_in(folder: Path) -> str | None:
    """What a copy is a copy of, if every file has its size."""
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        whole = all(size_of(folder / name) == facts["size"] for name, facts in marker["files"].items())
        return str(marker["digest"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _safe(name: str) -> str:
    return _UNSAFE.sub("--", name).strip(".-") or "model"
