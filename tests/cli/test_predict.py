"""`hub predict`: where texts come from, what is printed, on models with one answer and with several."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hubclient import Classifier, pretrained
from tests.e2e.material import DEMO, PUBMED, TREC6_ZIP, committed
from tests.e2e.shell import HUB, Run, hub

TEXTS = ["I really liked that movie!", "The plot made no sense at all."]
ARTICLE = "Aspirin lowers the risk of a second heart attack."

pytestmark = pytest.mark.usefixtures("shop")


def predict(name: str, *arguments: str, text: str = "") -> Run:
    done = hub("predict", name, "--lang", "en", *arguments, text=text)
    assert done.code == 0, done.err
    assert done.err == ""
    return done


def expected(classifier: Classifier, texts: list[str]) -> list[str]:
    predictions = classifier(texts)
    return [f"{' | '.join(one.selected) or '(none)'}\t{one.score:.4f}\t{text}" for one, text in zip(predictions, texts, strict=True)]


def test_texts_from_arguments() -> None:
    assert predict(DEMO, *TEXTS).lines == expected(pretrained(DEMO, "en"), TEXTS)
    assert [line.split("\t")[0] for line in predict(DEMO, *TEXTS).lines] == ["pos", "neg"]


@pytest.mark.parametrize("dash", [["-"], []], ids=["dash", "pipe"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "dos"])
def test_texts_from_a_pipe(dash: list[str], end: str) -> None:
    assert predict(DEMO, *dash, text=end.join(TEXTS)).lines == expected(pretrained(DEMO, "en"), TEXTS)
    assert predict(DEMO, *dash, text=end.join(TEXTS) + end).lines == expected(pretrained(DEMO, "en"), TEXTS)


def test_blank_lines_are_texts_and_nothing_is_no_text() -> None:
    blank = pretrained(DEMO, "en")("")
    assert predict(DEMO, text="\n\n").lines == [f"{blank.label}\t{blank.score:.4f}\t"] * 2
    assert predict(DEMO, text="").out == ""
    assert predict(DEMO, "").lines == [f"{blank.label}\t{blank.score:.4f}\t"]


def test_only_line_ends_end_a_text() -> None:
    """Neither a form feed nor U+2028 does, where Python's splitlines would see one."""
    assert len(predict(DEMO, text="a\u2028b\x0cc\x85d\n").out.strip("\n").split("\n")) == 1
    record = json.loads(predict(DEMO, "--json", text="a\u2028b\x0cc\x85d\n").out)
    assert record["text"] == "a\u2028b\x0cc\x85d"


def test_a_text_stays_on_its_line() -> None:
    (line,) = predict(DEMO, "a fine\tfilm\nby far").lines
    assert line.split("\t")[2:] == ["a fine film by far"]


def test_an_option_like_text() -> None:
    (line,) = predict(DEMO, "--", "--json").lines
    assert line.endswith("\t--json")


def test_ten_thousand_lines_from_a_pipe() -> None:
    known = pretrained(DEMO, "en")
    words = ["fine", "film", "awful", "plot", "not", "very", "a", "great", "mess", "and"]
    texts = [" ".join(words[int(digit)] for digit in str(number)) for number in range(10_000)]
    lines = predict(DEMO, text="\n".join(texts)).lines
    assert [line.rpartition("\t")[2] for line in lines] == texts
    assert [line.partition("\t")[0] for line in lines] == known.predict(texts).tolist()


def test_json_lines() -> None:
    records = [json.loads(line) for line in predict(DEMO, "--json", *TEXTS, "日本語 😀").lines]
    known = pretrained(DEMO, "en")([*TEXTS, "日本語 😀"])
    assert [record["text"] for record in records] == [*TEXTS, "日本語 😀"]
    for record, prediction in zip(records, known, strict=True):
        assert record == {"text": record["text"], **prediction.to_dict()}
        assert list(record["scores"]) == ["neg", "pos"]
        assert record["score"] == pytest.approx(max(record["scores"].values()))
    assert "日本語 😀" in predict(DEMO, "--json", "日本語 😀").out


def test_top_k() -> None:
    known = pretrained(DEMO, "en")(TEXTS[0])
    assert predict(DEMO, "--top-k", "2", TEXTS[0]).lines == [f"{label}\t{score:.4f}\t{TEXTS[0]}" for label, score in known.top(2)]
    assert len(predict(DEMO, "--top-k", "1", *TEXTS).lines) == 2
    (record,) = map(json.loads, predict(DEMO, "--top-k", "1", "--json", TEXTS[0]).lines)
    assert list(record["scores"]) == ["pos"]


def test_top_k_of_many_labels() -> None:
    known = pretrained(PUBMED, "en")(ARTICLE)
    lines = [line.split("\t") for line in predict(PUBMED, "--top-k", "5", ARTICLE).lines]
    assert [line[0] for line in lines] == [label for label, _ in known.top(5)]
    assert [float(line[1]) for line in lines] == sorted((float(line[1]) for line in lines), reverse=True)
    assert len(predict(PUBMED, "--top-k", "99", ARTICLE).lines) == 14


def test_a_multi_label_model() -> None:
    classifier = pretrained(PUBMED, "en")
    assert predict(PUBMED, ARTICLE, *TEXTS).lines == expected(classifier, [ARTICLE, *TEXTS])
    (record,) = map(json.loads, predict(PUBMED, "--json", ARTICLE).lines)
    assert record["selected"] == [label for label, score in classifier(ARTICLE).top() if score > 0.5]
    assert len(record["scores"]) == 14


@pytest.mark.parametrize("threshold", ["0", "0.2", "0.8", "1"])
def test_threshold(threshold: str) -> None:
    (record,) = map(json.loads, predict(PUBMED, "--json", "--threshold", threshold, ARTICLE).lines)
    assert set(record["selected"]) == {label for label, score in record["scores"].items() if score > float(threshold)}
    (line,) = predict(PUBMED, "--threshold", threshold, ARTICLE).lines
    assert line.split("\t")[0] == (" | ".join(record["selected"]) or "(none)")


def test_max_length() -> None:
    long = "a fine film " + "but a terrible awful mess " * 20
    short = predict(DEMO, "--max-length", "5", long)
    assert short.lines[0].split("\t")[:2] == predict(DEMO, "a fine film").lines[0].split("\t")[:2]


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_engines(engine: str) -> None:
    done = hub("predict", DEMO, "--engine", engine, *TEXTS, env={"PYTHONWARNINGS": ""})
    assert [line.split("\t")[0] for line in done.lines] == ["pos", "neg"], done.err
    assert "Loading" not in done.err


def test_a_model_by_its_file() -> None:
    golden = next(golden for golden in committed() if golden.archive == TREC6_ZIP)
    texts = [row.text for row in golden.rows if row.text.strip() and "\n" not in row.text]
    best = {row.text: golden.facts["labels"][max(range(6), key=row.logits.__getitem__)] for row in golden.rows}
    done = hub("predict", str(TREC6_ZIP), "--json", text="\n".join(texts))
    assert [json.loads(line)["label"] for line in done.lines] == [best[text] for text in texts], done.err


def test_results_go_to_stdout_and_talk_to_stderr(tmp_path: Path) -> None:
    done = hub("predict", DEMO, TEXTS[0], env={"HUBCLIENT_CACHE": str(tmp_path)})
    assert done.code == 0
    assert len(done.lines) == 1
    assert "no language was given" in done.err
    assert "\x1b" not in done.err
    assert "\r" not in done.err


def test_lines_are_answered_though_the_output_cannot_show_them() -> None:
    """Text is UTF-8 on its way in and out, whatever the terminal's locale is."""
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = hub("predict", DEMO, "--lang", "en", text="café 😀\n", env=plain)
    assert done.code == 0, done.err
    assert done.out.endswith("\tcafé 😀\n")


def test_no_text_on_a_terminal_is_said() -> None:
    """Where stdin is a terminal, nobody pipes anything."""
    import pty

    master, slave = pty.openpty()
    done = subprocess.run([HUB, "predict", DEMO], stdin=slave, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "stdin" in done.stderr
    for end in (master, slave):
        open(end, "rb", closefd=True, buffering=0).close()
