"""`download_stream.py URL FOLDER`: one connection, written as it comes, hashed on the way."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import urllib3
from measure.downloads import measured

_CHUNK = 1 << 18


def main(url: str, folder: str) -> None:
    def download(own: Path) -> str:
        sha256 = hashlib.sha256()
        with (own / "object").open("wb") as file:
            for chunk in urllib3.request("GET", url, preload_content=False).stream(_CHUNK):
                file.write(chunk)
                sha256.update(chunk)
        return sha256.hexdigest()

    measured(Path(folder), download)


if __name__ == "__main__":
    main(*sys.argv[1:])
