"""How soon a new process is ready: the command, the import, a cached pull, and the first answer of a cached model."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure.material import MINILM, Model, hub_of, parser
from measure.report import Row, as_megabytes, as_seconds, difference_row, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, python, run, seconds

TEXT = "I really liked that movie!"
_RESIDENT = 200e6


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        model = hub_of(options.archive or options.shared / "archives" / MINILM, Path(folder))
        runs = interleaved(_sides(model), options.rounds, warm_up=True)
    _check_labels(runs)
    publish("start", _rows(runs), rounds=options.rounds, as_json=options.json)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=15)
    options.add_argument("--archive", type=Path, help="the model of the first answer (default: MiniLM)")
    return options.parse_args()


def _sides(model: Model) -> list[Side]:
    hub = shutil.which("hub", path=str(Path(sys.executable).parent)) or sys.exit("the command hub is missing: install the project")
    pull = (hub, "pull", model.name, "--lang", model.language)
    # Pulled here, so that every later pull finds it.
    run(Side("first pull", pull, model.env))
    (folder,) = Path(model.env["HUBCLIENT_CACHE"], "contents").iterdir()
    return [
        Side("pass", (sys.executable, "-c", "pass")),
        Side("typer", (sys.executable, "-c", "import typer")),
        Side("version", (hub, "--version")),
        Side("import", (sys.executable, "-c", "import hubclient")),
        Side("pull", pull, model.env),
        Side("ours", python("first_answer.py", "ours", model.name, model.language, TEXT), model.env),
        Side("by hand", python("first_answer.py", "by-hand", folder, TEXT)),
    ]


def _check_labels(runs: Mapping[str, Sequence[Run]]) -> None:
    labels = {run.said["label"] for name in ("ours", "by hand") for run in runs[name]}
    if len(labels) != 1:
        sys.exit(f"the sides answer differently: {', '.join(sorted(labels))}")


def _rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    took = {name: seconds(side) for name, side in runs.items()}
    resident = {name: figures(runs[name], "resident") for name in ("ours", "by hand")}
    peak = median(resident["ours"])
    return [
        difference_row("`import typer`", took["typer"], "`python -c pass`", took["pass"]),
        difference_row("`import hubclient`", took["import"], "`python -c pass`", took["pass"]),
        difference_row("`hub --version`", took["version"], "`import typer`", took["typer"], at_most=0.05),
        difference_row("`hub pull`, cached", took["pull"], "`import typer`", took["typer"], at_most=0.15),
        ratio_row("first answer, cached", took["ours"], "by hand", took["by hand"], shown=as_seconds, at_most=1.5),
        Row(
            "resident at most, first answer",
            as_megabytes(peak),
            "by hand",
            as_megabytes(median(resident["by hand"])),
            as_megabytes(peak),
            f"<= {as_megabytes(_RESIDENT)}",
            peak <= _RESIDENT,
        ),
    ]


if __name__ == "__main__":
    main()
