"""Small contents for stores, processes that work on a store, and file systems that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from hubclient.store import Entry, Store

ID = "s3://models.example/public/models/Tiny_en_3.4.4.zip"
OTHER = "s3://models.example/public/models/Tiny_fr_3.4.4.zip"
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 1000, "onnx/model.onnx": b"graph"}


def manifest(name: str, *, activation: str = "softmax") -> bytes:
    """What a converted model says of itself, as far as a store looks at it."""
    origin = {"url": f"s3://b/{name}.zip", "size": 7, "sha256": "0" * 64, "etag": None, "commit": None}
    said = {
        "labels": ["neg", "pos"],
        "name": name,
        "language": "en",
        "lib_version": "3.4.4",
        "spark_version": "3.0",
        "origin": origin,
        "activation": activation,
    }
    return json.dumps(said).encode()


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def add(store: Store, identity: str = ID, files: Mapping[str, bytes] = FILES, *, afresh: bool = False) -> Entry:
    with store.staging(identity) as folder:
        fill(folder, files)
        return store.commit(folder, identity, afresh=afresh)


def everything(root: Path) -> set[str]:
    """Files and folders below a cache, but for those that only say who is at work."""
    found = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    return {name for name in found if name.partition("/")[0] not in ("locks", "leases", "catalogue") and "/" in name}


def python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ)


def in_namespace(mount: str, code: str, *arguments: object) -> str:
    """Run Python where `mount` is possible without any rights outside (`$1` is the first argument): what it prints."""
    if not sys.platform.startswith("linux") or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces cannot be made here")
    script = f'{mount} && shift && exec "$0" -c "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable, str(arguments[0]), textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


SMALL_DISK = 'mount -t tmpfs -o size={size} none "$1"'
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
