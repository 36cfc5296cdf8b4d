"""What the server answers to well-meant requests, and what it tells of itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hubclient import Classifier, pretrained
from tests.e2e.material import DEMO, PUBMED
from tests.serve.conftest import DEMO_MODEL, PUBMED_MODEL, Served, Start

TEXTS: list[Any] = ["I really liked that movie!", "", "dull", "😀 漢字", "a " * 400, ["A pair", "of texts"]]


def plain(texts: list[Any]) -> list[Any]:
    return [text if isinstance(text, str) else tuple(text) for text in texts]


def same(found: list[Any], classifier: Classifier, texts: list[Any], **options: Any) -> bool:
    wanted = [one.to_dict() for one in classifier(plain(texts), **options)]
    assert [one["label"] for one in found] == [one["label"] for one in wanted]
    assert [one["selected"] for one in found] == [one["selected"] for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert list(one["scores"]) == list(other["scores"])
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    return True


@pytest.mark.parametrize("options", [{}, {"threshold": 0.49}, {"threshold": 0, "top_k": 3}, {"threshold": 1, "top_k": 1.0}], ids=str)
def test_the_answers_are_those_of_python(server: Served, options: dict[str, Any]) -> None:
    answer = server.predict(model=PUBMED_MODEL, texts=TEXTS, **options)
    assert answer.status == 200
    assert answer.json["model"] == PUBMED_MODEL
    limits = {**options, "top_k": int(options["top_k"])} if "top_k" in options else options
    assert same(answer.json["predictions"], pretrained(PUBMED, "en"), TEXTS, **limits)


def test_requests_at_the_same_time_get_their_own_answers(server: Served) -> None:
    classifier = pretrained(DEMO, "en")
    questions = [[f"{word} film " * (1 + number % 7)] * (1 + number % 3) for number, word in enumerate(["good", "bad", "no", "fine"] * 25)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda texts: server.predict(model=DEMO_MODEL, texts=texts), questions))
    assert all(same(answer.json["predictions"], classifier, texts) for answer, texts in zip(answers, questions, strict=True))


def test_no_texts(server: Served) -> None:
    assert server.predict(model=DEMO_MODEL, texts=[]).json == {"model": DEMO_MODEL, "predictions": []}


def test_which_model_must_be_said_where_there_are_several(server: Served) -> None:
    answer = server.predict(texts=["fine"])
    assert (answer.status, answer.json["why"]) == (422, "model: Field required")
    assert server.predict(texts=["fine"], model=None).status == 422
    answer = server.predict(texts=["fine"], model="en/other")
    assert (answer.status, answer.json["what"]) == (404, "there is no model 'en/other'")


def test_one_model_needs_no_name_and_no_batching_gives_the_same(starting: Start) -> None:
    answer = starting(DEMO_MODEL, batching=False).predict(texts=TEXTS, top_k=1)
    assert same(answer.json["predictions"], pretrained(DEMO, "en"), TEXTS, top_k=1)


def test_the_models_are_told(server: Served) -> None:
    demo, pubmed = server.ask("GET", "/v1/models").json["models"]
    classifier = pretrained(PUBMED, "en")
    assert (demo["model"], demo["labels"], demo["multi_label"]) == (DEMO_MODEL, ["neg", "pos"], False)
    assert pubmed == {
        "model": PUBMED_MODEL,
        "labels": list(classifier.labels),
        "multi_label": True,
        "activation": "sigmoid",
        "threshold": 0.5,
        "max_length": classifier.max_length,
        "engine": "onnx",
        "precision": "float32",
        "tensors": classifier.manifest.tensors_digest,
    }


def test_health_and_readiness(server: Served) -> None:
    assert server.ask("GET", "/healthz").json == {"state": "alive"}
    assert (server.ask("GET", "/readyz").status, server.ask("GET", "/readyz").json) == (200, {"state": "ready"})


def values(server: Served) -> dict[tuple[str, ...], float]:
    answer = server.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.body.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_what_is_counted(starting: Start) -> None:
    server = starting()
    assert values(server)["hubclient_texts_total", DEMO_MODEL] == 0
    server.predict(texts=["a", "b", "c"])
    server.send(b"{")
    server.ask("GET", "/a/path/that/somebody/made/up")
    found = values(server)
    assert found["hubclient_texts_total", DEMO_MODEL] == 3
    assert found["hubclient_requests_total", "/v1/predict", "200"] == found["hubclient_requests_total", "/v1/predict", "400"] == 1
    assert found["hubclient_requests_total", "other", "404"] == 1
    assert found["hubclient_request_seconds_count", "/v1/predict"] == 2
    assert found["hubclient_texts_waiting",] == 0
    assert any(name[0] == "hubclient_model" and DEMO_MODEL in name for name in found)
    assert not any("made" in part for name in found for part in name)


def test_the_page_asks_nobody_for_anything(server: Served) -> None:
    answer = server.ask("GET", "/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.body.decode()
    said = re.findall(r"""<[^>]* (?!id)\w+=["']([^"']*)["']""", page)
    assert {value for value in said if not value.startswith("#")} == {"openapi.json", "en", "utf-8"}
    assert "://" not in page
    assert all(f"<code>{path}</code>" in page for path in ("POST /v1/predict", "GET /healthz", "GET /metrics"))
    assert DEMO_MODEL in page


def test_nothing_is_found_by_schemathesis(starting: Start, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    server = starting(DEMO_MODEL)
    url = f"http://127.0.0.1:{server.port}/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", url, "--max-examples", "50", "--seed", "1", "--no-color", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "5 passed" in done.stdout, done.stdout
    assert server.is_well()


def test_the_description_states_the_limits(server: Served) -> None:
    description = server.ask("GET", "/openapi.json").json
    schema = description["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["texts"]["maxItems"] == 100
    assert "1000" in json.dumps(schema["properties"]["texts"]["items"])
    assert schema["properties"]["model"]["enum"] == [DEMO_MODEL, PUBMED_MODEL]


def test_the_server_is_asked_for_by_name() -> None:
    code = "import sys; sys.modules['uvicorn'] = None\nimport hubclient\nimport hubclient.serve"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "hubclient[serve]" in done.stderr


def test_the_command_alone_loads_no_framework() -> None:
    heavy = ("fastapi", "uvicorn", "pydantic", "prometheus_client", "pyspark", "pyarrow")
    code = f"import sys, hubclient.cli.app; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
