"""Examining a model on labelled texts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubclient.errors import UsageError
from hubclient.evaluate.figures import Figures, figures_of, require_metrics
from hubclient.evaluate.labelled import LabelledFile, Survey
from hubclient.evaluate.measures import Sums, f1_by_label, measures
from hubclient.evaluate.resamples import CONFIDENCE, interval
from hubclient.evaluate.subject import Subject
from hubclient.evaluate.tally import BINS, Mistake, Tally

if TYPE_CHECKING:
    import numpy as np

    from hubclient.cards.benchmark import Benchmark

Interval = tuple[float, float]
_BLOCK = 512  # texts that are counted at once
_SHOWN, _LONGEST = 8, 40  # labels in a message, and letters of one


@dataclass(frozen=True)
class Options:
    """`resamples`: of the bootstrap; `seed`: of its random numbers."""

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise UsageError(f"the number of resamples is {self.resamples}, and must be at least 1")


@dataclass(frozen=True)
class Evaluation:
    """`intervals` by measure, `f1_intervals` by label: between which values the middle 95 % of the resamples lie; None where that cannot
    be said. `card`: what the model's card says. `seconds`: what answering took."""

    name: str
    file: LabelledFile
    survey: Survey
    labels: tuple[str, ...]
    figures: Figures
    intervals: Mapping[str, Interval | None]
    f1_intervals: Mapping[str, Interval | None]
    tally: Tally = field(repr=False, compare=False)
    card: tuple[Benchmark, ...] = ()
    threshold: float | None = None
    probable: bool = True
    seconds: float = 0.0

    @property
    def multi_label(self) -> bool:
        return self.tally.multi_label

    @property
    def mistakes(self) -> list[Mistake]:
        return self.tally.mistakes

    @property
    def calibration_error(self) -> float | None:
        """The expected calibration error: how far, on average, scores are from how often they are right."""
        import numpy as np

        if not self.probable:
            return None
        count, said, right = self.tally.calibration.T
        return float(np.abs(said - right).sum() / count.sum())

    def measures(self) -> dict[str, float]:
        return {name: float(value) for name, value in measures(Sums(self.tally.sums), multi_label=self.multi_label).items()}

    def difference(self, other: Evaluation) -> dict[str, tuple[float, Interval | None]]:
        """By how much this one's measures are above the other's on the same texts, and between which values that lies."""
        own, others = _resampled(self.tally), _resampled(other.tally)
        there = other.measures()
        return {name: (value - there[name], interval(own[name] - others[name])) for name, value in self.measures().items()}

    def to_dict(self) -> dict[str, Any]:
        bins = [
            {"from": place / BINS, "to": (place + 1) / BINS, "count": int(count), "score": said / count, "right": right / count}
            for place, (count, said, right) in enumerate(self.tally.calibration.tolist())
            if count
        ]
        return {
            "model": self.name,
            "file": str(self.file.path),
            "multi_label": self.multi_label,
            "threshold": self.threshold,
            "labels": list(self.labels),
            "figures": self.figures.to_dict(),
            "intervals": {
                **self.intervals,
                "f1": dict(self.f1_intervals),
                "confidence": CONFIDENCE,
                "resamples": len(self.tally.resamples.sums),
            },
            "confusion": None if self.multi_label else self.tally.confusion.tolist(),
            "calibration": {"error": self.calibration_error, "bins": bins} if self.probable else None,
            "lengths": {str(words): counts for words, counts in sorted(self.tally.lengths.items())},
            "mistakes": [mistake.to_dict() for mistake in self.mistakes],
            "card": [table.to_dict() for table in self.card],
            "texts_per_second": self.figures.texts / self.seconds if self.seconds else None,
        }


def evaluate(
    subject: Subject,
    file: LabelledFile,
    survey: Survey | None = None,
    options: Options | None = None,
    *,
    advance: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Ask the model for the labels of every text, in bounded memory; `advance` hears of texts.

    `survey`: the file's, where it was read before. Raises UsageError for labels that the model does not have, InvalidText, MissingExtra.
    """
    require_metrics()
    found = survey or file.survey()
    _check(subject, file, found)
    chosen = options or Options()
    tally = Tally(subject.labels, multi_label=subject.multi_label, resamples=chosen.resamples, seed=chosen.seed)
    start = time.monotonic()
    _run(subject, file, tally, advance)
    seconds = time.monotonic() - start
    resampled = _resampled(tally)
    by_label = f1_by_label(Sums(tally.resamples.sums))
    return Evaluation(
        subject.name,
        file,
        found,
        subject.labels,
        figures_of(tally),
        {name: interval(values) for name, values in resampled.items()},
        {label: interval(by_label[:, place]) for place, label in enumerate(subject.labels)},
        tally,
        card=subject.card.benchmarks if subject.card else (),
        threshold=subject.threshold,
        probable=subject.probable,
        seconds=seconds,
    )


def _run(subject: Subject, file: LabelledFile, tally: Tally, advance: Callable[[int], None]) -> None:
    examples, ahead = itertools.tee(file.examples())
    answers = zip(examples, subject.answer(example.text for example in ahead), strict=True)
    while block := list(itertools.islice(answers, _BLOCK)):
        tally.add(*zip(*block, strict=True))
        advance(len(block))


def _resampled(tally: Tally) -> dict[str, np.ndarray]:
    return measures(Sums(tally.resamples.sums), multi_label=tally.multi_label)


def _check(subject: Subject, file: LabelledFile, survey: Survey) -> None:
    unknown = [label for label in survey.labels if label not in subject.labels]
    if unknown:
        separate = subject.multi_label and file.form.separator is None
        raise UsageError(
            f"the file has labels that '{subject.name}' does not have: {_few(unknown)}",
            where=str(file.path),
            why=f"the model's are {_few(subject.labels)}",
            hint="--rename FILE=MODEL for a label that is called otherwise" + (", --label-separator for several" if separate else ""),
        )
    if survey.not_one is not None and not subject.multi_label:
        raise UsageError(
            f"'{subject.name}' gives a text one label, and the file has several or none",
            where=f"{file.path}:{survey.not_one}",
            hint="take a multi-label model, or say --multi-label of a zero-shot one",
        )


def _few(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else ""
    return ", ".join(f"'{label if len(label) <= _LONGEST else label[: _LONGEST - 1] + '…'}'" for label in labels[:_SHOWN]) + more
