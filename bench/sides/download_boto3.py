"""`download_boto3.py ENDPOINT BUCKET KEY FOLDER`: boto3's transfer manager, then hashlib. Run by a Python that has boto3."""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from measure.downloads import measured, sha256_of


def main(endpoint: str, bucket: str, key: str, folder: str) -> None:
    unsigned = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=unsigned)

    def download(own: Path) -> str:
        client.download_file(bucket, key, str(own / "object"))
        return sha256_of(own / "object")

    measured(Path(folder), download)


if __name__ == "__main__":
    main(*sys.argv[1:])
