"""Tables of scores: each usual form becomes numbers, and what does not add up stays text."""

from __future__ import annotations

import json

import pytest

from hubclient.cards import parse_card
from hubclient.cards.benchmark import Benchmark, Score, parse_benchmarks
from tests.cards.shared import card_text

REPORT = """\
              precision    recall  f1-score   support

         neg       0.94      0.95      0.94     12359
Sci, Tech & 2      0.95      0.94      0.95     12641

    accuracy                           0.94     25000
   macro avg       0.94      0.94      0.94     25000
weighted avg       0.94      0.94      0.94     25000
"""
SCORES = (Score("neg", 0.94, 0.95, 0.94, 12359), Score("Sci, Tech & 2", 0.95, 0.94, 0.95, 12641))
AVERAGES = (Score("macro avg", 0.94, 0.94, 0.94, 25000), Score("weighted avg", 0.94, 0.94, 0.94, 25000))
WHOLE = Benchmark(SCORES, 0.94, AVERAGES)


def fenced(text: str) -> str:
    return f"```bash\n{text}\n```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REPORT, WHOLE),
        ("\n".join(line.strip() for line in REPORT.splitlines()), WHOLE),
        ("label" + REPORT.replace("\n\n", "\n").replace(" avg", "-avg").replace("   accuracy        ", "accuracy - -"), WHOLE),
        (
            "precision recall f1-score support\n"
            "0 0.5 0.3 0.39 127\n1 .71 .7 0.7 761\nmicro avg 0.8 0.8 0.8 888\nsamples avg 0.8 0.8 0.8 888",
            Benchmark(
                (Score("0", 0.5, 0.3, 0.39, 127), Score("1", 0.71, 0.7, 0.7, 761)),
                averages=(Score("micro avg", 0.8, 0.8, 0.8, 888), Score("samples avg", 0.8, 0.8, 0.8, 888)),
            ),
        ),
        (
            "Label\tPrecision\tRecall\tF1-Score\tSupport\n"
            "------\t---\t---\t---\t---\nham\t99.5\t99\t99.2\t966\navg / total\t98\t98\t98\t966",
            Benchmark((Score("ham", 0.995, 0.99, 0.992, 966),), averages=(Score("weighted avg", 0.98, 0.98, 0.98, 966),)),
        ),
        (
            "label            tp   fp    fn    prec       rec        f1\n"
            "I-TIME            5    2     0  0.714286  1         0.833333\n"
            "Macro-average  1334  196   225  0.899861  0.826869  0.861822\n"
            "Micro-average  1334  196   225  0.871895  0.855677  0.86371 \n",
            Benchmark(
                (Score("I-TIME", 0.714286, 1, 0.833333),),
                averages=(Score("macro avg", 0.899861, 0.826869, 0.861822), Score("micro avg", 0.871895, 0.855677, 0.86371)),
            ),
        ),
        (
            "label  Accuracy  Recall   Prec   F1  \n0      0.98      1.00     0.96   0.99",
            Benchmark((Score("0", 0.96, 1, 0.99, accuracy=0.98),)),
        ),
        (
            "label recall precision\n------------\n\nno way 0.5 0.25\nnever - 0.5\naccuracy 0.5",
            Benchmark((Score("no way", 0.25, 0.5), Score("never", 0.5)), 0.5),
        ),
        (
            "|              | precision | recall | f1-score | support |\n"
            "|--------------|-----------|:------:|---------:|---------|\n"
            "| B LOC        | 0.81      | 0.72   | 0.76     | 2005    |\n"
            "| nothing      |           | -      |          | 0       |\n"
            "| accuracy     |           |        | 0.90     | 49118   |\n"
            "| macro avg    | 0.65      | 0.49   | 0.54     | 49118   |",
            Benchmark(
                (Score("B LOC", 0.81, 0.72, 0.76, 2005), Score("nothing", support=0)),
                0.9,
                (Score("macro avg", 0.65, 0.49, 0.54, 49118),),
            ),
        ),
        (
            "| pos_tag  | precision | recall | f1-score | support |\n|---|---|---|---|---|\n"
            "| ADJ      | 0.90      | 0.78   | 0.84     | 350     |\n| accuracy | 0.96      | 13034  |          |         |",
            Benchmark((Score("ADJ", 0.9, 0.78, 0.84, 350),), 0.96),
        ),
        (
            "|    | label    |   tp |   fp |   fn |     prec |      rec |       f1 |\n"
            "|---:|:---------|-----:|-----:|-----:|---------:|---------:|---------:|\n"
            "|  0 | B-Per    | 1035 |   99 |   75 | 0.912698 | 0.932432 | 0.92246  |\n"
            "|  1 | Macro-average | 6858  | 1371  | 1474 | 0.805657 | 0.776463 | 0.790791 |",
            Benchmark((Score("B-Per", 0.912698, 0.932432, 0.92246),), averages=(Score("macro avg", 0.805657, 0.776463, 0.790791),)),
        ),
        (
            "+------+-------+------+-------+-------+---------+------+------+\n"
            "|entity|     tp|    fp|     fn|  total|precision|recall|    f1|\n"
            "+------+-------+------+-------+-------+---------+------+------+\n"
            "|person|40616.0|4316.0|15720.0|56336.0|   0.9039| 0.721|0.8022|\n"
            "+------+-------+------+-------+-------+---------+------+------+",
            Benchmark((Score("person", 0.9039, 0.721, 0.8022),)),
        ),
        (
            "|     \t| number \t| precision \t|  recall  \t|    f1    \t|\n|:---:\t|:------:\t|:---:\t|:--------:\t|:--------:\t|\n"
            "| DAT \t|   407  \t|  0.844869 \t| 0.869779 \t| 0.857143 \t|",
            Benchmark((Score("DAT", 0.844869, 0.869779, 0.857143, 407),)),
        ),
    ],
)
def test_usual_forms(text: str, expected: Benchmark) -> None:
    assert parse_benchmarks(text) == (expected,)
    assert parse_benchmarks(fenced(text)) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The precision and recall are high.",
        "precision recall f1-score support",
        "precision recall f1-score support\n\nNothing follows.",
        "precision recall f1-score support\n\nNothing follows.\n\nneg 0.94 0.95 0.94 12359",
        "neg 0.94 0.95 0.94 12359",
        "label score\naccuracy 0.96\nf1 0.95",
        REPORT.replace("0.95      0.94     12359", "0.95     12359"),
        REPORT.replace("12359", "12359.5"),
        REPORT.replace("12359", "many"),
        REPORT.replace("0.95", "0,95"),
        REPORT.replace("0.95", "nan"),
        REPORT.replace("0.95", "-0.95"),
        REPORT.replace("0.95", "95"),
        REPORT.replace("0.9", "9.9", 1),
        REPORT.replace("0.9", "109"),
        REPORT.replace("f1-score", "f2-score"),
        REPORT.replace("support", "precision"),
        REPORT.replace("         neg", "            "),
        REPORT.replace("accuracy                           0.94     25000", "accuracy   0.94     25000.5"),
        REPORT.replace("accuracy                           0.94     25000", "accuracy   0.94     25000\n    accuracy   0.95"),
        REPORT.replace("   macro avg", "All in all:\n   macro avg"),
        REPORT + "Trained for two hours.",
        "label tp fp fn support\nfear 0.78 0.67 0.72 2253",
        "label tp fp fn prec rec f1\nfear 0.78 0.67 0.72 0.5 0.5 0.5",
        "label precision recall recall\nA 0.5 0.5 0.5",
        "label precision recall\nA - -",
        "| precision | recall | f1-score |\n|---|---|---|\n| 0.7392 | 0.7754 | 0.7569 |",
        "| Model | #params | precision | recall |\n|---|---|---|---|\n| a | 3 | 0.5 | 0.5 |",
        "| a | precision | recall | b |\n|---|---|---|---|\n| a | 0.5 | 0.5 | 0.5 |",
        "| a | precision | recall |\n|---|---|---|\n| a | 0.5 |",
        "| a | precision | recall |\n|---|---|---|\n| a | 0.5 | 0.5 | 0.5 |",
        "| a | precision | recall |\n|---|---|---|\n| a | **0.5** | 0.5 |",
        "|   | a | precision | recall |\n|---|---|---|---|\n| x | a | 0.5 | 0.5 |",
        "accuracy (balanced) | F1 (weighted) | precision | recall\n-|-|-|-\n0.5 | 0.5 | 0.5 | 0.5",
    ],
)
def test_what_stays_text(text: str) -> None:
    assert parse_benchmarks(text) == ()
    assert parse_benchmarks(fenced(text)) == ()


def test_several_tables_with_the_lines_above_them() -> None:
    text = f"Numbers:\n\n```bash\nTest:\n\n{REPORT}\n\nF1 micro averaging: 0.8113\n```\n\nBroken:\n{REPORT.replace('12359', 'x')}\n\n"
    text += (
        f"{REPORT}{REPORT}\n**Overall**\n\n| Model | precision | recall |\n|---|---|---|\n| a | 1 | 1 |\n\n"
        + fenced(REPORT)
        + "\n"
        + fenced("lang: af\n" + REPORT)
    )
    found = parse_benchmarks(text)
    assert [benchmark.title for benchmark in found] == ["Test:", None, None, "**Overall**", None, "lang: af"]
    assert [benchmark.scores for benchmark in found] == [SCORES, SCORES, SCORES, (Score("a", 1, 1),), SCORES, SCORES]


def test_a_card_keeps_the_text_and_has_the_numbers() -> None:
    card = parse_card(card_text(more="## Benchmarking\n\n" + fenced(REPORT)))
    assert card.benchmarks == (WHOLE,)
    assert card.benchmarking == fenced(REPORT)
    assert parse_card(card_text(more="## Results\n\n" + fenced(REPORT))).benchmarks == ()


def test_numbers_as_json() -> None:
    benchmark = Benchmark((Score("a", 0.0, support=0), Score("b", accuracy=1.0)), 0.5, AVERAGES, "Test:")
    data = json.loads(json.dumps(benchmark.to_dict()))
    assert data["scores"] == [{"label": "a", "precision": 0.0, "support": 0}, {"label": "b", "accuracy": 1.0}]
    assert Benchmark.from_dict(data) == benchmark
    assert Benchmark.from_dict(Benchmark(SCORES).to_dict()) == Benchmark(SCORES)
