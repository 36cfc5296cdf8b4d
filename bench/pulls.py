"""Several models pulled together, against one after the other; and how much of one pull could be done while its archive arrives."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure.material import MINILM, ROOT, existing, parser
from measure.report import Row, as_seconds, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python
from sides.line import running_line

_MANY = 4


def main() -> None:
    options = _options()
    archive = existing(options.archive or options.shared / "archives" / MINILM)
    with tempfile.TemporaryDirectory() as folder, running_line(archive, options.rate * 1e6) as endpoint:
        runs = interleaved(_sides(archive, Path(folder), endpoint), options.rounds, warm_up=True)
    publish("pulls", _rows(runs, options.rate), rounds=options.rounds, as_json=options.json)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=5)
    options.add_argument("--archive", type=Path, help="the archive (default: MiniLM)")
    options.add_argument("--rate", type=float, default=50, help="of the line, in MB a second (default: %(default)s)")
    return options.parse_args()


def _sides(archive: Path, folder: Path, endpoint: str) -> list[Side]:
    (embedded,) = (ROOT / "mirror").rglob("*.zip")
    jobs = {"together": ("together", _MANY), "turns": ("turns", _MANY), "one": ("turns", 1), "unpack": ("unpack", 1)}
    return [Side(name, python("pulls.py", job, count, endpoint, embedded, archive, folder)) for name, (job, count) in jobs.items()]


def _rows(runs: Mapping[str, Sequence[Run]], rate: float) -> list[Row]:
    one, unpack = figures(runs["one"], "seconds"), figures(runs["unpack"], "seconds")
    line = f"{_MANY} models over a line of {rate:g} MB/s"
    return [
        ratio_row(line, figures(runs["together"], "seconds"), "one after the other", figures(runs["turns"], "seconds"), shown=as_seconds),
        Row(
            "unpacking while one archive arrives: at most saved",
            as_seconds(median(unpack)),
            "the whole pull",
            as_seconds(median(one)),
            f"{100 * median_ratio(unpack, one):.0f} %",
        ),
    ]


if __name__ == "__main__":
    main()
