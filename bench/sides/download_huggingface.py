"""`download_huggingface.py ENDPOINT REPO FILE FOLDER`: huggingface_hub, then hashlib. Run by a Python that has huggingface_hub."""

from __future__ import annotations

import sys
from pathlib import Path

from huggingface_hub import hf_hub_download
from measure.downloads import measured, sha256_of


def main(endpoint: str, repo: str, name: str, folder: str) -> None:
    def download(own: Path) -> str:
        return sha256_of(Path(hf_hub_download(repo, name, endpoint=endpoint, cache_dir=own)).resolve())

    measured(Path(folder), download)


if __name__ == "__main__":
    main(*sys.argv[1:])
