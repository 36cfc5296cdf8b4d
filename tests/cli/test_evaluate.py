"""`hub evaluate`: real models on labelled texts, what is printed and written, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from hubclient import Hub, bundled, parse_card, pretrained
from hubclient.cards.lint import lint_card
from tests.e2e.material import DEMO, DEMO_ZIP, PUBMED, TREC6_ZIP
from tests.e2e.shell import Run, hub
from tests.evaluate.stub import write_csv

TEXTS = [
    ("I really liked that movie!", "pos"),
    ("The plot made no sense at all.", "neg"),
    ("A warm, funny film.", "pos"),
    ("Dull.", "neg"),
    ("Not bad at all, quite the contrary.", "pos"),
    ("<script>alert(1)</script> is not a $good$ film & it shows", "pos"),
    ("good good good", "neg"),
]
ARTICLES = [
    ("Aspirin lowers the risk of a second heart attack.", "Chemicals and Drugs [D]|Diseases [C]"),
    ("The anatomy of the knee.", "Anatomy [A]"),
    ("Nothing of that kind.", ""),
]

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "reviews.csv", TEXTS)


def evaluated(*arguments: str | Path, code: int = 0) -> Run:
    done = hub("evaluate", *arguments)
    assert done.code == code, done.err
    return done


def records(*arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in evaluated(*arguments, "--json").lines]


def sst2(shared: Path, folder: Path) -> tuple[Path, list[tuple[str, str]]]:
    lines = (shared / "data" / "sst2_test.txt").read_text(encoding="utf-8").splitlines()
    rows = [(line[2:], ("neg", "pos")[int(line[0])]) for line in lines]
    return write_csv(folder / "sst2.csv", [(text, str(int(label == "pos"))) for text, label in rows], ("sentence", "class")), rows


@pytest.mark.parametrize(
    ("reference", "documented"),
    [(f"en/{DEMO}", "83.69"), ("bert_minilm_sequence_classifier_sst2_en_3.4.4_3.0_1635774771318.zip", "88.36")],
    ids=["demo", "minilm"],
)
def test_the_documented_accuracy(reference: str, documented: str, shared: Path, tmp_path: Path) -> None:
    """The figures are exactly those of scikit-learn on the model's own labels, text by text."""
    reference = str(shared / "archives" / reference) if reference.endswith(".zip") else reference
    file, rows = sst2(shared, tmp_path)
    options = ("--text-column", "sentence", "--label-column", "class", "--rename", "0=neg", "--rename", "1=pos", "--cache-dir", tmp_path)
    (record,) = records(reference, "--input", file, *options)
    texts, truth = [text for text, _ in rows], [label for _, label in rows]
    said = Hub(cache_dir=tmp_path).load(reference).predict(texts)
    figures = record["figures"]
    assert f"{100 * figures['accuracy']:.2f}" == documented
    assert figures["accuracy"] == metrics.accuracy_score(truth, said.astype(str))
    wanted = metrics.precision_recall_fscore_support(truth, said.astype(str))
    rows_said = [[score[name] for name in ("precision", "recall", "f1", "support")] for score in figures["scores"]]
    assert rows_said == np.array(wanted).T.tolist()
    assert record["confusion"] == metrics.confusion_matrix(truth, said.astype(str)).tolist()


def test_the_table(reviews: Path) -> None:
    said = pretrained(DEMO, "en").predict([text for text, _ in TEXTS]).astype(str)
    table = metrics.classification_report([label for _, label in TEXTS], said, digits=4, zero_division=0)
    out = evaluated(f"en/{DEMO}", "--input", reviews).out
    assert out.startswith(f"en/{DEMO} on reviews.csv: 7 texts")
    # The card's own figures stand in a further column.
    assert [line[:53] for line in table.splitlines() if line] == [line[:53] for line in out.splitlines()[1:10] if line]


def test_several_labels(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "articles.csv", ARTICLES)
    (record,) = records(f"en/{PUBMED}", "--input", file, "--label-separator", "|", "--threshold", "0.3")
    model = pretrained(PUBMED, "en")
    said = model.predict_proba([text for text, _ in ARTICLES]) > 0.3
    truth = np.array([[label in labels.split("|") for label in model.labels] for _, labels in ARTICLES])
    assert record["figures"]["hamming_loss"] == metrics.hamming_loss(truth, said)
    assert record["figures"]["subset_accuracy"] == metrics.accuracy_score(truth, said)
    assert record["threshold"] == 0.3
    assert record["confusion"] is None


def test_several_models_are_compared(reviews: Path, tmp_path: Path) -> None:
    references = (f"en/{DEMO}", str(DEMO_ZIP), f"./{_copy(tmp_path)}")
    first, second, _ = records(*references[:2], references[1], "--input", reviews, "--cache-dir", tmp_path / "cache")
    assert "against_first" not in first
    assert second["against_first"]["accuracy"] == {"value": 0.0, "interval": [0.0, 0.0]}
    out = evaluated(*references[:2], "--input", reviews, "--cache-dir", tmp_path / "cache").out
    assert f"{DEMO_ZIP} against en/{DEMO}" in out


def _copy(folder: Path) -> str:
    return str(shutil.copyfile(DEMO_ZIP, folder / "copy.zip"))


def test_models_that_cannot_be_compared(tmp_path: Path) -> None:
    done = evaluated(f"en/{DEMO}", f"en/{PUBMED}", "--input", write_csv(tmp_path / "a.csv", TEXTS), code=2)
    assert "cannot be compared" in done.err
    assert f"'en/{PUBMED}' may give a text several labels" in done.err


def test_a_card_is_written(reviews: Path, tmp_path: Path) -> None:
    card = tmp_path / f"{DEMO}_en.md"
    shutil.copyfile(bundled.CARDS / card.name, card)
    before = parse_card(card.read_text("utf-8"))
    out = evaluated(f"en/{DEMO}", "--input", reviews, "--markdown", "--write-card", card).out
    after = parse_card(card.read_text("utf-8"))
    assert after.benchmarking == out.strip("\n")
    assert (after.description, after.model_info, after.data_source) == (before.description, before.model_info, before.data_source)
    (table,) = after.benchmarks
    assert table.title == "reviews.csv"
    assert [score.label for score in table.scores] == ["neg", "pos"]
    assert lint_card(card.read_text("utf-8"), path=str(card)) == ()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_the_report(reviews: Path, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    evaluated(f"en/{DEMO}", str(DEMO_ZIP), "--input", reviews, "--html", html, "--cache-dir", tmp_path / "cache")
    text = html.read_text("utf-8")
    page = _Page()
    page.feed(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text)
    assert text.count("<svg ") == 8
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Calibration" in text
    assert "against the first" in text


def test_the_report_is_the_same_again(reviews: Path, tmp_path: Path) -> None:
    texts = []
    for name in ("a.html", "b.html"):
        evaluated(f"en/{DEMO}", "--input", reviews, "--html", tmp_path / name)
        texts.append((tmp_path / name).read_text("utf-8"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--text-column", "review"), "no column: 'review'"),
        (("--label-column", "text"), "labels that"),
        (("--delimiter", ";;"), "one mark"),
        (("--label-separator", ""), "parted by a mark"),
        (("--rename", "pos"), "write FILE=MODEL"),
        (("--text-column", "a", "--text-column", "b", "--text-column", "c"), "two"),
        (("--json", "--markdown"), "take one of the two"),
        (("--multi-label",), "no zero-shot classifier"),
        (("--write-card", "missing.md"), "missing.md"),
        (("--html", "missing/report.html"), "cannot be written"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], told: str, reviews: Path) -> None:
    done = hub("evaluate", f"en/{DEMO}", "--input", reviews, *arguments, cwd=reviews.parent)
    assert done.code in (2, 3)
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_card_is_of_one_model(reviews: Path) -> None:
    assert "of one model" in evaluated(f"en/{DEMO}", str(TREC6_ZIP), "--input", reviews, "--write-card", "a.md", code=2).err
