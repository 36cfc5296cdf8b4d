"""`download_s5cmd.py S5CMD ENDPOINT BUCKET KEY FOLDER`: `s5cmd cp`, then `sha256sum`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measure.downloads import measured


def main(s5cmd: str, endpoint: str, bucket: str, key: str, folder: str) -> None:
    def download(own: Path) -> str:
        target = own / "object"
        copy = [s5cmd, "--no-sign-request", "--endpoint-url", endpoint, "cp", f"s3://{bucket}/{key}", str(target)]
        subprocess.run(copy, check=True, stdout=subprocess.DEVNULL)
        return subprocess.run(["sha256sum", str(target)], check=True, capture_output=True, text=True).stdout.split()[0]

    measured(Path(folder), download)


if __name__ == "__main__":
    main(*sys.argv[1:])
