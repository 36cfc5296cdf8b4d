"""The figures are scikit-learn's on the answers one by one, the intervals those of a bootstrap, and the memory is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from hubclient.cards.benchmark import parse_benchmarks
from hubclient.errors import UsageError
from hubclient.evaluate import Evaluation, Form, LabelledFile, Options, evaluate
from hubclient.evaluate.measures import Sums, features, measures
from hubclient.evaluate.resamples import Resamples, interval
from hubclient.evaluate.tables import benchmarking, comparison, confusions, terminal
from tests.evaluate.stub import answer, stub, write_csv

LABELS = ("film", "book", "très long label", "music", "never")
AVERAGES = ("macro", "weighted")


def examined(path: Path, rows: Sequence[tuple[str, str]], *, multi_label: bool = False, labels: Sequence[str] = LABELS) -> Evaluation:
    file = LabelledFile(write_csv(path, rows), Form(separator="|" if multi_label else None))
    return evaluate(stub(labels, multi_label=multi_label), file, options=Options(resamples=50))


@pytest.fixture(params=range(6))
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def one_each(seed: int) -> list[tuple[str, str]]:
    random = np.random.default_rng(seed)
    # No text has the last label; the more likely ones are often right.
    return [
        (text, answer(text, LABELS, False).label if random.random() < 0.6 else LABELS[random.integers(4)])
        for text in (f"text {seed} {number}" for number in range(random.integers(1, 700)))
    ]


def several_each(seed: int) -> list[tuple[str, str]]:
    random = np.random.default_rng(seed)
    return [
        (f"text {seed} {number}", "|".join(label for label in LABELS[:-1] if random.random() < 0.4))
        for number in range(random.integers(1, 700))
    ]


def test_one_label_a_text(seed: int, tmp_path: Path) -> None:
    rows = one_each(seed)
    found = examined(tmp_path / "a.csv", rows)
    truth, said = [label for _, label in rows], [answer(text, LABELS, False).label for text, _ in rows]
    table, order = found.figures.table, [score.label for score in found.figures.table.scores]
    assert order == [label for label in LABELS if label in {*truth, *said}]
    assert list(found.figures.unseen) == [label for label in LABELS if label not in order]
    wanted = metrics.precision_recall_fscore_support(truth, said, labels=order, zero_division=0)
    assert [[score.precision, score.recall, score.f1, score.support] for score in table.scores] == np.array(wanted).T.tolist()
    assert found.figures.accuracy == metrics.accuracy_score(truth, said)
    for kind in AVERAGES:
        average = found.figures.average(f"{kind} avg")
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, said, average=kind, zero_division=0)
        assert (average.precision, average.recall, average.f1) == (precision, recall, f1)
    assert found.tally.confusion.tolist() == metrics.confusion_matrix(truth, said, labels=LABELS).tolist()
    assert found.measures() == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, said),
            "macro_f1": metrics.f1_score(truth, said, average="macro"),
            "weighted_f1": metrics.f1_score(truth, said, average="weighted"),
        }
    )


def test_several_labels_a_text(seed: int, tmp_path: Path) -> None:
    rows = several_each(seed)
    found = examined(tmp_path / "a.csv", rows, multi_label=True)
    truth = np.array([[label in labels.split("|") for label in LABELS] for _, labels in rows])
    said = np.array([[label in answer(text, LABELS, True).selected for label in LABELS] for text, _ in rows])
    wanted = metrics.precision_recall_fscore_support(truth, said, zero_division=0)
    scores = found.figures.table.scores
    assert [[score.precision, score.recall, score.f1, score.support] for score in scores] == np.array(wanted).T.tolist()
    for kind in ("micro", *AVERAGES, "samples"):
        average = found.figures.average(f"{kind} avg")
        wanted = metrics.precision_recall_fscore_support(truth, said, average=kind, zero_division=0)[:3]
        assert (average.precision, average.recall, average.f1) == pytest.approx(wanted, rel=1e-12)
    assert found.figures.subset_accuracy == metrics.accuracy_score(truth, said)
    assert found.figures.hamming_loss == metrics.hamming_loss(truth, said)
    assert found.measures() == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, said),
            "macro_f1": metrics.f1_score(truth, said, average="macro", zero_division=0),
            "weighted_f1": metrics.f1_score(truth, said, average="weighted", zero_division=0) if truth.any() else np.nan,
            "micro_f1": metrics.f1_score(truth, said, average="micro", zero_division=0),
            "hamming_loss": metrics.hamming_loss(truth, said),
        },
        nan_ok=True,
    )


def test_the_table_is_that_of_the_classification_report(seed: int, tmp_path: Path) -> None:
    rows = one_each(seed)
    found = examined(tmp_path / "a.csv", rows)
    truth, said = [label for _, label in rows], [answer(text, LABELS, False).label for text, _ in rows]
    seen = [label for label in LABELS if label in {*truth, *said}]
    wanted = metrics.classification_report(truth, said, labels=seen, digits=4, zero_division=0)
    assert wanted.rstrip("\n") in terminal(found)
    assert f"```bash\nSST-2\n{wanted}```\n" in benchmarking(found, "SST-2")


def test_the_table_of_several_labels(tmp_path: Path) -> None:
    rows = several_each(3)
    found = examined(tmp_path / "a.csv", rows, multi_label=True)
    truth = np.array([[label in labels.split("|") for label in LABELS] for _, labels in rows])
    said = np.array([[label in answer(text, LABELS, True).selected for label in LABELS] for text, _ in rows])
    wanted = metrics.classification_report(truth, said, target_names=LABELS, digits=4, zero_division=0)
    assert wanted.rstrip("\n") in terminal(found)


@pytest.mark.parametrize("multi_label", [False, True])
def test_cards_are_read_back(multi_label: bool, tmp_path: Path) -> None:
    found = examined(tmp_path / "a.csv", several_each(1) if multi_label else one_each(1), multi_label=multi_label)
    (read,) = parse_benchmarks(benchmarking(found))
    table = found.figures.table
    assert read.title == "a.csv"
    assert [score.label for score in (*read.scores, *read.averages)] == [score.label for score in (*table.scores, *table.averages)]
    assert [score.f1 for score in read.scores] == [pytest.approx(score.f1, abs=5e-5) for score in table.scores]
    assert read.accuracy == (None if multi_label else pytest.approx(table.accuracy, abs=5e-5))


def test_labels_cannot_end_the_fence(tmp_path: Path) -> None:
    labels = ("```\n## Description", "a\x1b[31m")
    found = examined(tmp_path / "a.csv", [("x", labels[0]), ("y", labels[1])], labels=labels)
    assert benchmarking(found).count("```") == 2
    assert "\x1b" not in benchmarking(found) + terminal(found)


def test_intervals_are_those_of_a_bootstrap(tmp_path: Path) -> None:
    """Held against one that draws texts with replacement, as the textbook has it."""
    rows = one_each(2)
    file = LabelledFile(write_csv(tmp_path / "a.csv", rows))
    found = evaluate(stub(LABELS), file, options=Options(resamples=4000))
    truth, said = np.array([label for _, label in rows]), np.array([answer(text, LABELS, False).label for text, _ in rows])
    random = np.random.default_rng(0)
    draws = [random.integers(len(rows), size=len(rows)) for _ in range(2000)]
    for name, average in (("macro_f1", "macro"), ("weighted_f1", "weighted")):
        values = [metrics.f1_score(truth[draw], said[draw], average=average, zero_division=0) for draw in draws[:600]]
        assert found.intervals[name] == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.012)
    accuracies = [(truth[draw] == said[draw]).mean() for draw in draws]
    assert found.intervals["accuracy"] == pytest.approx(np.quantile(accuracies, [0.025, 0.975]), abs=0.008)


def test_the_same_seed_gives_the_same_intervals(tmp_path: Path) -> None:
    file = LabelledFile(write_csv(tmp_path / "a.csv", one_each(4)))
    first, again, other = (evaluate(stub(LABELS), file, options=Options(100, seed)).intervals for seed in (0, 0, 1))
    assert first == again != other


def test_resamples_are_the_same_however_texts_are_parted() -> None:
    random = np.random.default_rng(0)
    rows = features(random.integers(0, 2, (300, 3), dtype=np.int8), random.integers(0, 2, (300, 3), dtype=np.int8))
    whole, parted = Resamples(20, rows.shape[1], 0), Resamples(20, rows.shape[1], 0)
    whole.add(rows)
    for part in np.split(rows, [1, 50, 210]):
        parted.add(part)
    assert whole.sums.tolist() == parted.sums.tolist()


def test_a_model_is_as_good_as_itself(tmp_path: Path) -> None:
    file = LabelledFile(write_csv(tmp_path / "a.csv", one_each(4)))
    first, second = (evaluate(stub(LABELS, name=name), file, options=Options(60)) for name in ("one", "two"))
    assert set(first.difference(second).values()) == {(0.0, (0.0, 0.0))}
    assert "two against one" in comparison([first, second])


def test_differences_are_paired(tmp_path: Path) -> None:
    """Of two models that differ in few answers, the difference is far surer than each of them."""
    rows = [(text, label) for text, label in one_each(5)]
    reference = evaluate(stub(LABELS), LabelledFile(write_csv(tmp_path / "a.csv", rows)), options=Options(500))
    swapped = [(f"{text} " if number % 40 == 0 else text, label) for number, (text, label) in enumerate(rows)]
    other = evaluate(stub(LABELS), LabelledFile(write_csv(tmp_path / "b.csv", swapped)), options=Options(500))
    _, between = other.difference(reference)["accuracy"]
    alone = reference.intervals["accuracy"]
    assert between is not None
    assert alone is not None
    assert between[1] - between[0] < 0.6 * (alone[1] - alone[0])


def test_one_class_only(tmp_path: Path) -> None:
    found = examined(tmp_path / "a.csv", [(f"text {number}", "book") for number in range(20)])
    right = sum(answer(f"text {number}", LABELS, False).label == "book" for number in range(20))
    assert found.figures.accuracy == right / 20
    assert "every text of the file has the label 'book'" in terminal(found)


def test_one_text(tmp_path: Path) -> None:
    found = examined(tmp_path / "a.csv", [("text", answer("text", LABELS, False).label)])
    assert found.figures.accuracy == 1
    assert found.intervals["accuracy"] == (1.0, 1.0)
    assert found.mistakes == []


def test_no_interval_is_better_than_a_wrong_one() -> None:
    assert interval(np.array([np.nan, np.nan, 1.0])) is None
    assert interval(np.array([np.nan, 0.0, 1.0, 1.0])) is not None


def test_measures_of_nothing() -> None:
    said = measures(Sums(np.zeros(2 + 3 * 2)), multi_label=True)
    assert np.isnan(said["accuracy"])
    assert np.isnan(said["hamming_loss"])
    assert said["micro_f1"] == 0


@pytest.mark.parametrize(("rows", "told"), [([("a", "poetry")], "poetry"), ([("a", "")], "''"), ([("a", "0"), ("b", "1")], "--rename")])
def test_labels_that_the_model_does_not_have(rows: list[tuple[str, str]], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        examined(tmp_path / "a.csv", rows)
    assert told in str(caught.value)
    assert "'film', 'book'" in str(caught.value)


def test_several_labels_for_a_model_of_one(tmp_path: Path) -> None:
    file = LabelledFile(write_csv(tmp_path / "a.csv", [("a", "film"), ("b", "film|book")]), Form(separator="|"))
    with pytest.raises(UsageError) as caught:
        evaluate(stub(LABELS), file)
    assert f"{tmp_path / 'a.csv'}:3" in str(caught.value)


def test_mistakes_are_the_surest(tmp_path: Path) -> None:
    rows = one_each(3)
    found = examined(tmp_path / "a.csv", rows)
    wrong = [(line, text, label) for line, (text, label) in enumerate(rows, 2) if answer(text, LABELS, False).label != label]

    def surety(text: str, label: str) -> float:
        said = answer(text, LABELS, False)
        return max(said.score, 1 - said.scores[label])

    expected = sorted(wrong, key=lambda row: (-surety(row[1], row[2]), row[0]))[:25]
    assert [(mistake.line, mistake.text) for mistake in found.mistakes] == [(line, text) for line, text, _ in expected]


def test_confusions(tmp_path: Path) -> None:
    rows = one_each(3)
    found = examined(tmp_path / "a.csv", rows)
    pairs = [(label, answer(text, LABELS, False).label) for text, label in rows]
    counted = {(there, said): count for there, said, count in confusions(found)}
    assert counted == {pair: pairs.count(pair) for pair in pairs if pair[0] != pair[1]}
    assert [count for *_, count in confusions(found)] == sorted(counted.values(), reverse=True)


def test_calibration_and_lengths(tmp_path: Path) -> None:
    rows = one_each(2)
    found = examined(tmp_path / "a.csv", rows)
    scores = np.array([answer(text, LABELS, False).score for text, _ in rows])
    right = np.array([answer(text, LABELS, False).label == label for text, label in rows])
    bins = np.minimum((scores * 15).astype(int), 14)
    error = sum(abs(scores[bins == place].sum() - right[bins == place].sum()) for place in range(15)) / len(rows)
    assert found.calibration_error == pytest.approx(error)
    assert {words: tuple(counts) for words, counts in found.tally.lengths.items()} == {3: (len(rows), int(right.sum()))}


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(texts: int) -> int:
        labels, padding = LABELS[:2], "word " * 100
        file = LabelledFile(write_csv(tmp_path / f"{texts}.csv", ((f"{number} {padding}", "film") for number in range(texts))))
        tracemalloc.start()
        evaluate(stub(labels), file, options=Options(20))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(600)
    small, large = peak(1_000), peak(8_000)
    assert large < small + 400_000  # 4 MB of texts more
