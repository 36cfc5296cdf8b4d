"""An evaluation as text: for a terminal, and as the section "Benchmarking" of a card.

The table is that of scikit-learn's classification_report, with four decimals: what cards have, and what `hubclient.cards.benchmark` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hubclient.cards.benchmark import Benchmark
from hubclient.evaluate.evaluation import Evaluation, Interval

MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "micro_f1": "micro F1",
    "hamming_loss": "Hamming loss",
}
_COLUMNS = ("precision", "recall", "f1-score", "support")
_SHOWN = 3  # confusions


def terminal(evaluation: Evaluation) -> str:
    """The table, with what the card says beside it, and below it what else there is to say."""
    lines = [f"{evaluation.name} on {evaluation.file.path.name}: {evaluation.figures.texts:,} texts{_speed(evaluation)}", ""]
    lines += _table(evaluation.figures.table, _on_card(evaluation.card))
    lines += ["", *_measures(evaluation)]
    return "\n".join([*lines, *_notes(evaluation)])


def benchmarking(evaluation: Evaluation, title: str | None = None) -> str:
    """The body of a card's section, in Markdown; `title` stands above the table."""
    above = _plain(title or evaluation.file.path.name)
    table = "\n".join(_table(evaluation.figures.table, {}))
    said = "; ".join(f"{MEASURES[name]} {value:.4f}{_between(evaluation.intervals[name])}" for name, value in evaluation.measures().items())
    count = len(evaluation.tally.resamples.sums)
    return f"```bash\n{above}\n{table}\n```\n\n{said} (in brackets: 95 % of {count:,} bootstrap resamples).\n"


def comparison(evaluations: Sequence[Evaluation]) -> str:
    """A row for each model; by how much it is above the first, and between which values that lies."""
    first = evaluations[0]
    names = list(first.measures())
    width = max(len("model"), *(len(evaluation.name) for evaluation in evaluations))
    lines = [f"{'model':<{width}}  " + "  ".join(f"{MEASURES[name]:>12}" for name in names)]
    for evaluation in evaluations:
        lines += [f"{evaluation.name:<{width}}  " + "  ".join(f"{value:>12.4f}" for value in evaluation.measures().values())]
    lines += [""]
    for evaluation in evaluations[1:]:
        lines.append(f"{evaluation.name} against {first.name}")
        for name, (value, between) in evaluation.difference(first).items():
            lines.append(f"  {MEASURES[name]:<12}  {value:+.4f}{_between(between, signed=True)}")
    return "\n".join(lines)


def _table(table: Benchmark, on_card: Mapping[str, float]) -> list[str]:
    support = sum(score.support or 0 for score in table.scores)
    rows = [(_plain(score.label), score) for score in (*table.scores, *table.averages)]
    width = max(len(name) for name, _ in rows)
    lines = [_row("", _COLUMNS, width) + ("    card f1" if on_card else ""), ""]
    for place, (name, score) in enumerate(rows):
        if place == len(table.scores):
            lines.append("")
            if table.accuracy is not None:
                lines.append(_row("accuracy", ("", "", f"{table.accuracy:.4f}", str(support)), width) + _card_cell(on_card, "accuracy"))
        values = [f"{value or 0.0:.4f}" for value in (score.precision, score.recall, score.f1)]
        lines.append(_row(name, (*values, str(score.support)), width) + _card_cell(on_card, score.label))
    return lines


def _row(name: str, cells: Sequence[str], width: int) -> str:
    return f"{name:>{width}} " + "".join(f" {cell:>9}" for cell in cells)


def _card_cell(on_card: Mapping[str, float], name: str) -> str:
    return f"  {on_card[name]:>9.4f}" if name in on_card else ""


def _on_card(tables: Sequence[Benchmark]) -> dict[str, float]:
    """By row, the first figure that the card has."""
    said: dict[str, float] = {}
    for table in tables:
        for score in (*table.scores, *table.averages):
            if score.f1 is not None:
                said.setdefault(score.label, score.f1)
        if table.accuracy is not None:
            said.setdefault("accuracy", table.accuracy)
    return said


def _measures(evaluation: Evaluation) -> Iterator[str]:
    for name, value in evaluation.measures().items():
        yield f"{MEASURES[name]:<12}  {value:.4f}{_between(evaluation.intervals[name])}"
    if (error := evaluation.calibration_error) is not None:
        yield f"calibration   scores are {error:.4f} from how often they are right, on average"


def _notes(evaluation: Evaluation) -> Iterator[str]:
    if len(evaluation.survey.labels) == 1:
        (label,) = evaluation.survey.labels
        yield f"note: every text of the file has the label '{_plain(label)}'"
    if evaluation.figures.unseen:
        yield f"note: neither there nor found: {', '.join(map(_plain, evaluation.figures.unseen))}"
    for there, found, count in confusions(evaluation)[:_SHOWN]:
        yield f"taken for {_plain(found)}: {count:,} of {evaluation.survey.labels.get(there, 0):,} {_plain(there)}"


def confusions(evaluation: Evaluation) -> list[tuple[str, str, int]]:
    """Which label was taken for which, how often, the most frequent first."""
    if evaluation.multi_label:
        return []
    table, labels = evaluation.tally.confusion, evaluation.labels
    cells = [
        (labels[there], labels[found], int(table[there, found])) for there, found in zip(*table.nonzero(), strict=True) if there != found
    ]
    return sorted(cells, key=lambda cell: (-cell[2], cell[0], cell[1]))


def _between(interval: Interval | None, *, signed: bool = False) -> str:
    form = "+.4f" if signed else ".4f"
    return f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else ""


def _speed(evaluation: Evaluation) -> str:
    return f", {evaluation.figures.texts / evaluation.seconds:,.0f} a second" if evaluation.seconds else ""


def _plain(text: str) -> str:
    """A label on one line, without what would end a code fence."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+|`{3,}|~{3,}", " ", text).strip() or "-"
