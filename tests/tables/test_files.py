"""Files of every form in and out: what is carried over, what is answered, and which rows cannot be used."""

from __future__ import annotations

import csv
import datetime
import gzip
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from hubclient import Classifier, from_folder
from hubclient.errors import InvalidText, StoreInUse, UsageError
from hubclient.locks import try_lock
from hubclient.tables import lines
from hubclient.tables.answers import Asking
from hubclient.tables.run import Done, predict_file
from tests.tasks.made import NLI, TAGS, save_model

TEXTS = ["a great film", "", 'an "awful", boring\nmess', "日本語 😀", *(f"film number {number} is fine" for number in range(40))]
BAD = ".bad.jsonl"
LONGEST = 1 << 16


def write(path: Path, texts: Sequence[str] = TEXTS) -> Path:
    """A file of the form that its name says, with a number and a text in each row."""
    rows = [{"id": number, "text": text} for number, text in enumerate(texts)]
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    if plain.suffix == ".parquet":
        schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
        parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=20)
        return path
    if plain.suffix == ".jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif plain.suffix == ".txt":
        content = "".join(text.replace("\n", " ") + "\n" for text in texts)
    else:
        lines = [["id", "text"], *([str(number), text] for number, text in enumerate(texts))]
        content = "\ufeff" + _delimited(lines, "\t" if plain.suffix == ".tsv" else ",")
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def _delimited(rows: Sequence[Sequence[Any]], delimiter: str) -> str:
    import io

    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return rows
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")]


def bad_rows(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in target.with_name(target.name + BAD).read_text("utf-8").splitlines()]


def run(model: Any, source: Path, target: Path, **options: Any) -> Done:
    return predict_file([Asking(model)], source, target, **options)


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("out", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("given", ["csv", "tsv", "jsonl", "parquet", "txt", "csv.gz", "jsonl.gz", "txt.gz"])
def test_every_form_into_every_form(demo: Classifier, tmp_path: Path, given: str, out: str) -> None:
    target = tmp_path / f"out.{out}"
    done = run(demo, write(tmp_path / f"in.{given}"), target)
    assert (done.rows, done.bad, done.resumed, done.bad_file) == (len(TEXTS), 0, 0, None)
    texts = [text.replace("\n", " ") for text in TEXTS] if given.startswith("txt") else TEXTS
    rows = read(target)
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows] == demo.predict(texts).tolist()
    assert [float(row["score"]) for row in rows] == pytest.approx([one.score for one in demo(texts)], abs=2e-6)
    if not given.startswith("txt"):
        assert [int(row["id"]) for row in rows] == list(range(len(TEXTS)))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"in.{given}", f"out.{out}"])


def test_types_of_parquet_stay(demo: Classifier, tmp_path: Path) -> None:
    values = {
        "when": pa.array([datetime.datetime(2020, 1, 1, 0, 0, 0, 1), None], pa.timestamp("ns")),
        "price": pa.array([Decimal("1.50"), None]),
        "tags": pa.array([["a"], []]),
        "raw": pa.array([b"\xff", b""]),
        "text": pa.array(["a", "b"]).dictionary_encode(),
    }
    table = pa.table(values)
    parquet.write_table(table, tmp_path / "in.parquet")
    run(demo, tmp_path / "in.parquet", tmp_path / "out.parquet")
    out = parquet.read_table(tmp_path / "out.parquet")
    assert out.select(table.column_names).equals(table)
    assert out.schema.field("score").type == pa.float32()
    run(demo, tmp_path / "in.parquet", tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[0]["price"] == "1.50"


def test_what_is_carried_over(demo: Classifier, tmp_path: Path) -> None:
    for form in ("csv", "jsonl", "parquet"):
        source = write(tmp_path / f"in.{form}", TEXTS[:3])
        run(demo, source, tmp_path / "out.jsonl", keep=["id"], force=True)
        assert [list(row) for row in read(tmp_path / "out.jsonl")] == [["id", "label", "score"]] * 3
        run(demo, source, tmp_path / "out.parquet", keep=[], force=True)
        assert list(read(tmp_path / "out.parquet")[0]) == ["label", "score"]
        with pytest.raises(UsageError, match="no column 'x'"):
            run(demo, source, tmp_path / "out.jsonl", keep=["x"], force=True)


def test_the_column_of_the_texts(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("a,b\ngreat film,awful mess\n", encoding="utf-8")
    with pytest.raises(UsageError, match="not said") as caught:
        run(demo, source, tmp_path / "out.csv")
    assert "a, b" in str(caught.value.why)
    with pytest.raises(UsageError, match="no column 'c'"):
        run(demo, source, tmp_path / "out.csv", columns=["c"])
    labels = []
    for columns in (["a"], ["b"], ["a", "b"]):
        run(demo, source, tmp_path / "out.csv", columns=columns, force=True)
        labels += [row["score"] for row in read(tmp_path / "out.csv")]
    texts: list[Any] = ["great film", "awful mess", ("great film", "awful mess")]
    assert [float(score) for score in labels] == pytest.approx([demo(text).score for text in texts], abs=2e-6)
    only = tmp_path / "only.csv"
    only.write_text("review\nfine\n", encoding="utf-8")
    run(demo, only, tmp_path / "out.csv", force=True)
    assert read(tmp_path / "out.csv")[0]["review"] == "fine"


def test_bad_rows_of_a_delimited_file(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(
        b'id,text\n1,good\n2\n3,bad,more\n\n4,"fine\nfilm"\n5,\xff\xfe film\n6,"a" b\n7,last good\n8,'
        + b"x" * 3000
        + b'\n9,"open\n10,lost\n'
    )
    done = run(demo, source, tmp_path / "out.csv")
    assert [row["id"] for row in read(tmp_path / "out.csv")] == ["1", "4", "7", "8"]
    bad = bad_rows(tmp_path / "out.csv")
    assert [(row["row"], row["line"]) for row in bad] == [(2, 3), (3, 4), (5, 8), (6, 9), (9, 13)]
    for row, why in zip(bad, ["1 fields", "3 fields", "not UTF-8", "expected after", "open"], strict=True):
        assert why in row["why"], row
    assert "\\xff" in bad[2]["content"]
    assert (done.rows, done.bad) == (9, 5)
    assert done.bad_file == tmp_path / f"out.csv{BAD}"


def test_bad_rows_of_json(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = ['{"text": "good"}', "{", "[1]", '{"other": 1}', '{"text": null}', '{"text": 5}', '{"text": "\\ud800"}', ""]
    rows += ['{"text": "b", "n": {}}', "[" * 100_000, '{"text": "c"}']
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    run(demo, source, tmp_path / "out.jsonl")
    assert [row["text"] for row in read(tmp_path / "out.jsonl")] == ["good", "b", "c"]
    assert read(tmp_path / "out.jsonl")[1]["n"] == {}
    bad = bad_rows(tmp_path / "out.jsonl")
    assert [row["row"] for row in bad] == [2, 3, 4, 5, 6, 7, 9]
    reasons = ["no JSON", "no JSON object", "'text' is missing", "missing", "is not a text", "not valid Unicode", "no JSON"]
    for row, why in zip(bad, reasons, strict=True):
        assert why in row["why"], row
    assert len(bad[-1]["content"]) == 1000


def test_halves_of_letters_in_other_fields(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "good", "other": "\\ud800", "n": [1]}\n', encoding="utf-8")
    for out, found in (("csv", "\\ud800"), ("jsonl", "\ud800"), ("parquet", "\\ud800")):
        assert run(demo, source, tmp_path / f"out.{out}").bad == 0
        assert read(tmp_path / f"out.{out}")[0]["other"] == found


def test_fields_that_come_late_are_not_lost(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = [{"text": f"{number}", **({"late": 1} if number == 150 else {})} for number in range(160)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert run(demo, source, tmp_path / "out.jsonl").bad == 0
    assert read(tmp_path / "out.jsonl")[150]["late"] == 1
    assert run(demo, source, tmp_path / "out.csv").bad == 1
    assert "'late'" in bad_rows(tmp_path / "out.csv")[0]["why"]
    assert run(demo, source, tmp_path / "out.parquet", keep=["text"]).bad == 0


def test_bad_rows_of_parquet(demo: Classifier, tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(
        pa.string(),
        4,
        [pa.py_buffer(b"\x0b"), pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 1, 2, 2, 3))), pa.py_buffer(b"a\xffc")],
    )
    parquet.write_table(pa.table({"id": [1, 2, 3, 4], "text": broken}), tmp_path / "in.parquet")
    run(demo, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=["id"])
    assert [row["id"] for row in read(tmp_path / "out.parquet")] == [1, 4]
    bad = bad_rows(tmp_path / "out.parquet")
    assert [(row["row"], "line" in row) for row in bad] == [(2, False), (3, False)]
    assert "not UTF-8" in bad[0]["why"]
    assert "missing" in bad[1]["why"]


def test_nothing_but_bad_rows_and_nothing_at_all(demo: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("{\n", encoding="utf-8")
    assert run(demo, source, tmp_path / "out.jsonl").bad == 1
    assert read(tmp_path / "out.jsonl") == []
    for form in ("csv", "jsonl", "parquet", "txt"):
        empty = write(tmp_path / f"empty.{form}", [])
        for out in ("csv", "jsonl", "parquet"):
            assert run(demo, empty, tmp_path / f"out.{out}", force=True).rows == 0
            assert read(tmp_path / f"out.{out}") == []
    assert not (tmp_path / f"out.jsonl{BAD}").exists(), "of a run before"


def test_a_line_that_is_too_long(demo: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", LONGEST)
    source = tmp_path / "in.txt"
    source.write_bytes(b"a\n" + b"x" * (2 * LONGEST + 5) + b"\nb\n" + b"y" * LONGEST)
    run(demo, source, tmp_path / "out.csv", keep=[])
    assert len(read(tmp_path / "out.csv")) == 3
    (bad,) = bad_rows(tmp_path / "out.csv")
    assert (bad["row"], bad["line"]) == (2, 2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", b"\xff\xfea\0,\0", "not UTF-8"),
        ("in.csv", b"a,a\n1,2\n", "two columns"),
        ("in.parquet", b"PAR1 or not", "Parquet"),
        ("in.csv.gz", gzip.compress(b"text\n" + b"good\n" * 1000)[:-20], "cannot be read"),
        ("in.csv.gz", b"text\ngood\n", "cannot be read"),
        ("in.xlsx", b"", "does not say"),
        ("in", b"", "does not say"),
        ("in.parquet.gz", b"", "does not say"),
        ("missing.csv", None, "cannot be read"),
        ("missing.parquet", None, "cannot be read"),
    ],
)
def test_files_that_are_refused(demo: Classifier, tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        run(demo, tmp_path / name, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_outputs_that_are_refused(demo: Classifier, tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv")
    for name in ("out.txt", "out", "out.csv.gz"):
        with pytest.raises(UsageError, match="does not say"):
            run(demo, source, tmp_path / name)
    (tmp_path / "out.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="there already"):
        run(demo, source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text("utf-8") == "mine"
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("text,label\na,pos\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'label'"):
        run(demo, labelled, tmp_path / "other.csv")
    predict_file([Asking(demo, prefix="found.")], labelled, tmp_path / "other.csv")
    assert list(read(tmp_path / "other.csv")[0]) == ["text", "label", "found.label", "found.score"]
    hold = try_lock(tmp_path / "busy.csv.lock")
    with pytest.raises(StoreInUse):
        run(demo, source, tmp_path / "busy.csv")
    hold.release()


def test_several_models_in_one_pass(demo: Classifier, pubmed: Classifier, tmp_path: Path) -> None:
    askings = [Asking(demo, prefix="demo.", scores=True), Asking(pubmed, prefix="pubmed.")]
    source = write(tmp_path / "in.jsonl")
    for out in ("csv", "jsonl", "parquet"):
        predict_file(askings, source, tmp_path / f"out.{out}")
        rows = read(tmp_path / f"out.{out}")
        assert [row["demo.label"] for row in rows] == demo.predict(TEXTS).tolist()
        scores = [one.scores["neg"] for one in demo(TEXTS)]
        assert [float(row["demo.score.neg"]) for row in rows] == pytest.approx(scores, abs=2e-6)
        selected = [row["pubmed.selected"] for row in rows]
        wanted = [list(one.selected) for one in pubmed(TEXTS)]
        assert selected == ([" | ".join(labels) for labels in wanted] if out == "csv" else wanted)


def test_other_tasks(tables_cache: Path, tmp_path: Path) -> None:
    nli = from_folder(save_model(tmp_path / "nli", "SequenceClassification", NLI), task="zero-shot-classification", cache_dir=tables_cache)
    tagger = from_folder(save_model(tmp_path / "tags", "TokenClassification", TAGS), task="token-classification", cache_dir=tables_cache)
    asking = Asking(nli, {"candidate_labels": ["film", "phone"], "multi_label": True}, scores=True)
    source = write(tmp_path / "in.jsonl", TEXTS[:6])
    predict_file([asking], source, tmp_path / "out.jsonl")
    wanted = nli(TEXTS[:6], ["film", "phone"], multi_label=True)
    rows = read(tmp_path / "out.jsonl")
    assert [row["selected"] for row in rows] == [list(one.selected) for one in wanted]
    assert [row["score.phone"] for row in rows] == pytest.approx([one.scores["phone"] for one in wanted], abs=2e-6)
    entities = [[(one.label, one.start) for one in text] for text in tagger(TEXTS[:6])]
    for out in ("jsonl", "parquet", "csv"):
        run(tagger, source, tmp_path / f"tags.{out}")
        found = [row["entities"] for row in read(tmp_path / f"tags.{out}")]
        found = [json.loads(some) if isinstance(some, str) and some else some or [] for some in found]
        assert [[(one["label"], one["start"]) for one in some] for some in found] == entities


def test_a_part_answers_by_itself(demo: Classifier) -> None:
    parts = [TEXTS[:5], [], TEXTS[5:]]
    found = list(demo.predict_parts(parts))
    assert [[one.label for one in part] for part in found] == [demo.predict(part).tolist() for part in parts]
    assert list(demo.predict_parts(parts[2:])) == found[2:]
    wrong: Any = [["a"], [None]]
    with pytest.raises(InvalidText):
        list(demo.predict_parts(wrong))
