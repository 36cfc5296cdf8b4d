"""One HTML page with everything that an evaluation says, in one file: it asks nobody for anything, and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubclient.errors import MissingExtra
from hubclient.evaluate import pictures
from hubclient.evaluate.evaluation import Evaluation
from hubclient.evaluate.tables import MEASURES, confusions

_TEMPLATES = Path(__file__).with_name("templates")
_CONFUSIONS = 10


def report(evaluations: Sequence[Evaluation]) -> str:
    """Several are compared with the first. Raises MissingExtra."""
    from hubclient import __version__

    page: str = _template().render(
        pages=[_page(evaluation) for evaluation in evaluations],
        names=MEASURES,
        comparison=_comparison(evaluations) if len(evaluations) > 1 else None,
        version=__version__,
        resamples=len(evaluations[0].tally.resamples.sums),
    )
    return page


def _template() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtra("evaluate", "a report with pictures") from error
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    # Pictures are ours: matplotlib has escaped what stands in them.
    environment.filters["picture"] = Markup
    return environment.get_template("report.html")


def _page(evaluation: Evaluation) -> dict[str, Any]:
    drawn = {
        "Confusion matrix": pictures.confusion(evaluation),
        "F1 by label": pictures.by_label(evaluation),
        "Calibration": pictures.calibration(evaluation),
        "Accuracy by length": pictures.lengths(evaluation),
    }
    return {
        "evaluation": evaluation,
        "measures": evaluation.measures(),
        "pictures": {title: picture for title, picture in drawn.items() if picture},
        "confusions": confusions(evaluation)[:_CONFUSIONS],
    }


def _comparison(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    first = evaluations[0]
    return [
        {
            "evaluation": evaluation,
            "measures": evaluation.measures(),
            "difference": {} if evaluation is first else evaluation.difference(first),
        }
        for evaluation in evaluations
    ]
