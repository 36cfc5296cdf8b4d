"""The Transformer answers as Python does, in the columns that are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubclient import Classifier as Plain
from hubclient import pretrained
from hubclient.errors import HubError, UnknownModel, UsageError
from tests.e2e.material import DEMO, DEMO_ZIP, PUBMED, ROOT, read_golden
from tests.spark.sessions import ENVIRONMENT

TEXTS = [
    *(row.text for row in read_golden(DEMO_ZIP, ROOT / "tests" / "data").rows),
    *("", "  \n", "😀 漢字 ünd", "no movement , no yuks , not much of anything .", "a " * 500),
]


@pytest.fixture
def transformer() -> Any:
    pytest.importorskip("pyspark")
    from hubclient.spark import Classifier

    return Classifier


@pytest.fixture(scope="session")
def data(spark: Any) -> Any:
    rows = [[number, text] for number, text in enumerate([*TEXTS, None])]
    return spark.createDataFrame(rows, "number int, text string").repartition(3).cache()


def answers(frame: Any) -> list[Any]:
    return sorted(frame.collect(), key=lambda row: row["number"])


def expected(name: str, **options: Any) -> tuple[Plain, list[Any]]:
    classifier = pretrained(name, "en", **options)
    return classifier, [classifier(text) for text in TEXTS]


@pytest.mark.parametrize(
    ("name", "options", "plain"),
    [
        (DEMO, {}, {}),
        (PUBMED, {"threshold": 0.49, "maxLength": 32}, {"threshold": 0.49, "max_length": 32}),
        (
            DEMO,
            {"lowercase": False, "longTexts": "window", "stride": 4, "maxLength": 16, "activation": "none"},
            {"lowercase": False, "long_texts": "window", "stride": 4, "max_length": 16, "activation": "none"},
        ),
    ],
    ids=["one label", "several", "options"],
)
def test_it_answers_as_python_does(transformer: Any, data: Any, name: str, options: Any, plain: Any) -> None:
    stage = transformer.pretrained(name, "en", inputCol="text", outputCol="label", **options)
    *rows, missing = answers(stage.setSelectedCol("selected").setScoresCol("scores").transform(data))
    _, wanted = expected(name, **plain)
    assert [row["text"] for row in rows] == TEXTS
    assert [row["label"] for row in rows] == [one.label for one in wanted]
    assert [tuple(row["selected"]) for row in rows] == [one.selected for one in wanted]
    for row, one in zip(rows, wanted, strict=True):
        assert row["scores"] == pytest.approx(one.scores, abs=1e-5)
    assert missing.asDict() == {"number": len(TEXTS), "text": None, "label": None, "selected": None, "scores": None}


def test_annotations_are_those_of_spark_nlp(transformer: Any, data: Any) -> None:
    frame = transformer(f"en/{PUBMED}", annotations=True, threshold=0.49).transform(data)
    assert [field.name for field in frame.schema["class"].dataType.elementType] == [
        *("annotatorType", "begin", "end", "result", "metadata", "embeddings")
    ]
    assert frame.schema["class"].simpleString() == (
        "class:array<struct<annotatorType:string,begin:int,end:int,result:string,metadata:map<string,string>,embeddings:array<float>>>"
    )
    assert frame.schema["class"].metadata == {"annotatorType": "category"}
    classifier, wanted = expected(PUBMED, threshold=0.49)
    *results, missing = answers(frame.select("number", "class.result"))
    assert [row["result"] for row in results] == [[label for label in classifier.labels if label in one.selected] for one in wanted]
    assert {len(row["result"]) for row in results} - {0, 1}
    assert missing["result"] == []
    for row, text, one in zip(answers(frame), TEXTS, wanted, strict=False):
        for annotation in row["class"]:
            assert annotation["annotatorType"] == "category"
            assert (annotation["begin"], annotation["end"]) == (0, len(text.encode("utf-16-le")) // 2 - 1)
            assert annotation["embeddings"] == []
            metadata = dict(annotation["metadata"])
            assert metadata.pop("sentence") == "0"
            assert {label: float(score) for label, score in metadata.items()} == pytest.approx(dict(one.scores), abs=1e-5)


def test_one_label_is_one_annotation(transformer: Any, data: Any) -> None:
    rows = answers(transformer(f"en/{DEMO}", annotations=True).transform(data).select("number", "class.result"))
    assert [row["result"] for row in rows] == [*([one.label] for one in expected(DEMO)[1]), []]


def test_other_columns_and_empty_tables(transformer: Any, spark: Any) -> None:
    from pyspark.ml.linalg import Vectors

    frame = spark.createDataFrame([(Vectors.dense([1.0, 2.0]), "a fine film", {"a": 1}), (None, "dull", None)], ["vector", "text", "map"])
    rows = transformer(f"en/{DEMO}").transform(frame).collect()
    assert [(row["vector"], row["map"], row["class"]) for row in rows] == [
        (Vectors.dense([1.0, 2.0]), {"a": 1}, "pos"),
        (None, None, "neg"),
    ]
    assert transformer(f"en/{DEMO}", annotations=True, scoresCol="s").transform(frame.limit(0)).collect() == []


def test_a_saved_pipeline_in_a_new_process_on_two_executors(transformer: Any, spark: Any, data: Any, models: Path, tmp_path: Path) -> None:
    """Which maps the weights, and opens them once a process."""
    from pyspark.ml import Pipeline

    stage = transformer(f"en/{PUBMED}", outputCol="category", selectedCol="selected", annotations=True, threshold=0.49)
    saved = str(tmp_path / "pipeline")
    Pipeline(stages=[stage]).fit(data).write().save(saved)
    program = str(Path(__file__).with_name("again.py"))
    env = {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, program, saved, json.dumps(TEXTS)], env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    said = json.loads(done.stdout.splitlines()[-1])
    classifier, wanted = expected(PUBMED, threshold=0.49)
    answered = {text: (results, tuple(selected)) for text, results, selected in said["rows"]}
    assert answered == {
        text: ([label for label in classifier.labels if label in one.selected], one.selected)
        for text, one in zip(TEXTS, wanted, strict=True)
    }
    assert len({process["executor"] for process in said["who"]}) == 2
    assert [process["opened"] for process in said["who"]] == [1, 1]
    assert all(process["mapped"] == [str(classifier.path / "model.safetensors")] for process in said["who"])


def test_parameters_are_saved_and_copied(transformer: Any, spark: Any, tmp_path: Path) -> None:
    stage = transformer(f"en/{DEMO}", inputCol="t", maxLength=9, offline=True).setThreshold(0.25).setAnnotations(True)
    stage.write().overwrite().save(str(tmp_path / "stage"))
    again = transformer.load(str(tmp_path / "stage"))
    assert again.uid == stage.uid
    assert {param.name: value for param, value in again.extractParamMap().items()} == {
        "inputCol": "t",
        "outputCol": "class",
        "annotations": True,
        "reference": f"en/{DEMO}",
        "maxLength": 9,
        "offline": True,
        "threshold": 0.25,
    }
    assert stage.copy({stage.threshold: 0.5}).getOrDefault("threshold") == 0.5
    assert json.loads(next((tmp_path / "stage" / "metadata").glob("part-*")).read_text())["class"] == "hubclient.spark.Classifier"


def test_every_parameter_has_its_setter(transformer: Any) -> None:
    values = {
        "annotations": True,
        "offline": True,
        "lowercase": True,
        "threads": 2,
        "maxLength": 3,
        "stride": 4,
        "threshold": 0.5,
        "maxChanged": 0.5,
    }
    stage = transformer()
    for param in stage.params:
        assert getattr(stage, f"set{param.name[0].upper()}{param.name[1:]}")(values.get(param.name, "x")) is stage
        assert stage.getOrDefault(param.name) == values.get(param.name, "x")
    assert transformer(**{param.name: values.get(param.name, "x") for param in stage.params if param.name != "reference"})


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"inputCol": "title"}, "there is no column 'title'"),
        ({"inputCol": "number"}, "the column 'number' holds int"),
        ({"outputCol": "text"}, "there is a column 'text' already"),
        ({"selectedCol": "class"}, "there is a column 'class' already"),
        ({"maxLength": 100_000}, "max_length is 100000"),
        ({"engine": "none"}, "none"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_said_before_any_task(transformer: Any, data: Any, options: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        transformer(f"en/{DEMO}", **options).transform(data)


def test_what_is_no_model_or_no_parameter(transformer: Any, data: Any) -> None:
    with pytest.raises(UsageError, match="no model is named"):
        transformer().transform(data)
    with pytest.raises(UsageError, match="no parameter 'batchsize'"):
        transformer(f"en/{DEMO}", batchsize=3)
    with pytest.raises(UnknownModel):
        transformer("en/no_such_model").transform(data)


def test_bytes_that_are_no_text(transformer: Any, spark: Any) -> None:
    frame = spark.createDataFrame([(bytearray(b"caf\xe9"),)], ["bytes"]).selectExpr("cast(bytes as string) as text")
    with pytest.raises(Exception, match="InvalidText: the column 'text' holds what is not UTF-8"):
        transformer(f"en/{DEMO}").transform(frame).collect()


def test_spark_is_asked_for_by_name() -> None:
    code = "import sys; sys.modules['pyspark'] = None\nimport hubclient.errors\nimport hubclient.spark"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "hubclient[spark]" in done.stderr
    assert issubclass(HubError, Exception)
