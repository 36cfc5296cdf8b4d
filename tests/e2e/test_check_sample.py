"""A repository of code, checked against real servers that fail now and then: exactly what is wrong is found, in every format."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import urllib3
import xmlschema

from hubclient.check.reports import FORMATS
from hubclient.check.rules import RULES
from tests.cards.shared import INFO, USAGE, archive, card_text
from tests.check.sample import EXPECTED, write_sample
from tests.e2e.material import PUBMED_FOLDER
from tests.e2e.shell import Run, hub
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, Request, ScriptedServer
from tests.servers.seaweed import Seaweed

FOLDER = "public/models"
LANGUAGES = {"forbidden_model": "fr"}
WRONG = {"gone_model": "gone", "changed_model": "size-changed", "forbidden_model": "forbidden"}
NOTES = {"en/licensed_model": "other-folder", "en.unknown": "unknown-nlu-reference"}


def content(name: str) -> bytes:
    return f"the archive of {name}".encode()


def put_models(seaweed: Seaweed, cards: Path) -> None:
    """Cards of all models, and the objects of those that are there."""
    cards.mkdir()
    for name in ("good_model", "good_pipeline", "gone_model", "changed_model", "forbidden_model"):
        language = LANGUAGES.get(name, "en")
        bucket = seaweed.private_bucket if name == "forbidden_model" else seaweed.public_bucket
        key = f"{FOLDER}/{archive(name, language)}"
        if name != "gone_model":
            seaweed.put(bucket, key, content(name))
        annotator = {"good_pipeline": "PipelineModel", "forbidden_model": "BertForTokenClassification"}.get(
            name, "BertForSequenceClassification"
        )
        usage = USAGE.replace("en.classify.small", "en.good" if name == "good_model" else f"{language}.{name}")
        text = card_text(
            front={"name": name, "language": language, "annotator": annotator},
            file=archive(name, language),
            info=INFO.replace("|Size:|406.6 MB|\n", "").replace("|en|", f"|{language}|"),
            usage=usage,
        )
        (cards / f"{name}.md").write_text(text.replace("a.bucket.with.dots", bucket).replace("small_model", name), encoding="utf-8")


def lock_of(seaweed: Seaweed) -> str:
    """Good as it is, and changed as it was."""
    tables = ["format = 1\n"]
    for name, size in (("changed_model", 5), ("good_model", len(content("good_model")))):
        digest = hashlib.md5(content(name), usedforsecurity=False).hexdigest()
        source = f"s3://{seaweed.public_bucket}/{FOLDER}/{archive(name)}"
        tables.append(
            f'[[model]]\nname = "{name}"\nlanguage = "en"\nversion = "3.4.2"\nsource = "{source}"\nsize = {size}\netag = \'"{digest}"\'\n'
        )
    return "\n".join(tables)


@pytest.fixture
def flaky(seaweed: Seaweed, script: ScriptedServer) -> ScriptedServer:
    """The S3 server behind one that answers many requests with trouble of its own, but not for ever."""
    chance, pool, troubles = random.Random(7), urllib3.PoolManager(), Counter[str]()

    def answer(request: Request) -> Reply:
        if troubles[request.path] < 2 and chance.random() < 0.5:
            troubles[request.path] += 1
            return Reply(chance.choice([0, 500, 503, 429]), headers={"Retry-After": "0"})
        told = {name: value for name, value in request.headers.items() if name != "Host"}
        done = pool.request(request.method, seaweed.endpoint + request.path, headers=told, retries=False)
        facts = {name: value for name, value in done.headers.items() if name.lower() not in ("connection", "transfer-encoding")}
        return Reply(done.status, done.data, facts)

    script.answer = answer
    return script


@pytest.fixture
def repository(tmp_path: Path, seaweed: Seaweed, flaky: ScriptedServer, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Path:
    put_models(seaweed, tmp_path / "cards")
    fakehub.add("owner/good-repo", PUBMED_FOLDER)
    fakehub.fault(p503=10)
    monkeypatch.setenv("HUBCLIENT_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", flaky.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    made = write_sample(tmp_path / "repository")
    (made / "hubclient.lock").write_text(lock_of(seaweed), encoding="utf-8")
    monkeypatch.chdir(made)
    return made


def rule_of(what: str) -> str:
    """What is to be found of a reference; of what is none, the name of its rule stands there already."""
    if what.endswith(("-reference", "-file", "-model")):
        return what
    return NOTES.get(what) or WRONG.get(what.rpartition("/")[2].partition("@")[0], "available")


LOCKED = [("hubclient.lock", 3, "en/changed_model@3.4.2"), ("hubclient.lock", 11, "en/good_model@3.4.2")]
FOUND = sorted((path, line, rule_of(what)) for path, line, what in (*EXPECTED, *LOCKED))
NOTICED = {"dynamic-reference", "default-model", "unscanned-file", *NOTES.values()}


def check(*arguments: str) -> Run:
    done = hub("check", *arguments)
    assert "Traceback" not in done.err
    return done


def test_exactly_what_is_wrong_is_found_in_every_format(repository: Path, shared: Path) -> None:
    done = check("--format", "json", *(f"--output={kind}=../report.{kind}" for kind in FORMATS))
    assert done.code == 1
    found = [json.loads(line) for line in done.lines]
    assert sorted((value["path"], value["line"], value["name"]) for value in found) == FOUND
    assert {kind: report_of(kind) for kind in ("table", "github", "sarif", "junit", "markdown", "html")} == {
        "table": FOUND,
        "markdown": FOUND,
        "html": FOUND,
        "github": [item for item in FOUND if item[2] != "available"],
        "sarif": [item for item in FOUND if item[2] != "available"],
        "junit": sorted((path, line, outcome(name)) for path, line, name in FOUND),
    }
    xmlschema.XMLSchema(str(shared / "schemas" / "junit.xsd")).validate("../report.junit")
    schema = json.loads((shared / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(Path("../report.sarif").read_text(encoding="utf-8")), schema)


def outcome(name: str) -> str:
    return "passed" if name == "available" else "skipped" if name in NOTICED else "failure"


def report_of(kind: str) -> list[tuple[str, int, str]]:
    """Path, line, and the name of the rule or the outcome, as a report tells them."""
    text = Path(f"../report.{kind}").read_text(encoding="utf-8")
    if kind == "github":
        return sorted(
            (path, int(line), name)
            for path, line, name in re.findall(r"^::\w+ file=([^,]+),line=(\d+),.*?title=\w+ ([\w-]+)", text, re.MULTILINE)
        )
    if kind == "html":
        found = re.findall(r"<tr><td><code>.*?</code><td><code>(.*?)</code><td>.*?<small>\w+ ([\w-]+)</small>", text)
        return sorted((*line_at(place), name) for place, name in found)
    if kind == "sarif":
        (run,) = json.loads(text)["runs"]
        names = {rule["id"]: rule["name"] for rule in run["tool"]["driver"]["rules"]}
        places = [(result["locations"][0]["physicalLocation"], names[result["ruleId"]]) for result in run["results"]]
        return sorted((place["artifactLocation"]["uri"], place["region"]["startLine"], name) for place, name in places)
    if kind == "junit":
        return sorted(
            (case.get("classname", ""), int(re.findall(r"line (\d+)", case.get("name", ""))[0]), case[0].tag if len(case) else "passed")
            for case in ElementTree.fromstring(text).iter("testcase")
        )
    names = {rule.code: rule.name for rule in RULES}
    if kind == "markdown":
        cells = [line.strip("| ").replace("\\", "").split(" | ") for line in text.splitlines() if "<code>" in line]
        return sorted((*line_at(row[-1]), "available") if len(row) == 2 else (*line_at(row[2]), names[row[3].split()[0]]) for row in cells)
    rows = [line.split("\t") for line in text.splitlines()]
    return sorted((*line_at(row[3]), names[row[1]]) for row in rows)


def line_at(place: str) -> tuple[str, int]:
    path, line = re.findall(r"([\w./]+):(\d+)", place)[0]
    return path, int(line)


def test_the_exit_code_is_the_same_in_every_format(repository: Path) -> None:
    ends = {kind: check("en/good_model", "en/gone_model", "--no-lock", "--format", kind).code for kind in FORMATS}
    assert ends == dict.fromkeys(FORMATS, 1)


def test_how_it_ends(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = repository / "good.py"
    good.write_text("import hubclient\nhubclient.load('en/good_model')\nhubclient.load('hf:owner/good-repo')\n", encoding="utf-8")
    assert check("good.py", "hubclient.lock", "--exclude", "nothing").code == 1
    assert check("good.py").code == 0
    assert check("src", "--write-baseline", "known.json").code == 0
    assert check("src", "--baseline", "known.json").code == 0
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    unknown = check("good.py")
    assert (unknown.code, {line.split("\t")[0] for line in unknown.lines}) == (3, {"unknown"})
    assert check("good.py", "--strict").code == 1
    assert check("good.py", "--lenient").code == 0
