"""Processes: what they import, several at once, and some that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.material import DEMO, DEMO_ZIP, IMDB, TREC6_ZIP
from tests.e2e.shell import HUB, cache, holdings, hub, models, python
from tests.servers.script import Reply, Request, ScriptedServer, file_reply

HEAVY = {
    "torch",
    "transformers",
    "boto3",
    "botocore",
    "onnxruntime",
    "onnx",
    "pyspark",
    "numpy",
    "huggingface_hub",
    "urllib3",
    "tokenizers",
    "fastapi",
    "starlette",
    "uvicorn",
    "jinja2",
    "nh3",
    "sklearn",
    "matplotlib",
}
NEVER_NEEDED = {"torch", "transformers", "boto3", "botocore", "huggingface_hub", "pyspark", "fastapi", "jinja2", "sklearn", "matplotlib"}
TEXT = "I really liked that movie!"


def imported(*command: str | Path) -> set[str]:
    """The top-level packages that a run of Python imports."""
    done = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import hubclient"),
        (HUB, "--help"),
        (HUB, "--version"),
        (HUB, "pull", "--help"),
        (HUB, "ui", "--help"),
        (HUB, "evaluate", "--help"),
        (HUB, "ls"),
        (HUB, "search", "sst2"),
        (HUB, "env"),
    ],
    ids=lambda command: " ".join(map(str, command[1:])),
)
def test_what_needs_no_model_imports_nothing_heavy(command: tuple[str | Path, ...]) -> None:
    names = imported(*command)
    assert "hubclient" in names
    assert not names & HEAVY


def test_a_stored_model_is_found_and_opened_with_what_it_needs() -> None:
    assert not imported(HUB, "pull", DEMO) & NEVER_NEEDED
    assert not imported(HUB, "pull", DEMO) & {*HEAVY, "safetensors"}
    assert not imported(HUB, "path", DEMO) & HEAVY
    names = imported(HUB, "predict", DEMO, TEXT)
    assert not names & {*NEVER_NEEDED, "onnx", "urllib3"}
    assert {"onnxruntime", "tokenizers"} <= names


WITHOUT = """
import sys
for name in ("torch", "transformers", "boto3", "botocore", "pyspark"):
    sys.modules[name] = None
from hubclient import pretrained
print(pretrained(sys.argv[1], "en")("I really liked that movie!").label)
"""


def test_the_light_core_is_enough() -> None:
    done = python(WITHOUT, DEMO)
    assert (done.code, done.out) == (0, "pos\n"), done.err


def test_the_torch_engine_names_what_must_be_installed() -> None:
    done = python(WITHOUT.replace('"en")', '"en", engine="torch")'), DEMO)
    assert "MissingExtra" in done.err
    assert "pip install 'hubclient[torch]'" in done.err


@contextmanager
def pulling(name: str) -> Iterator[subprocess.Popen[str]]:
    """`hub pull NAME`, killed at the end if it is still there."""
    process = subprocess.Popen([HUB, "pull", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


class Gate:
    """Serves the demo archive, and stops in the middle of it until it is opened."""

    def __init__(self, script: ScriptedServer) -> None:
        self.content = DEMO_ZIP.read_bytes()
        self.reached = threading.Event()
        self.opened = threading.Event()
        script.answer = self._answer

    def _answer(self, request: Request) -> Reply:
        if request.method == "HEAD" or self.opened.is_set():
            return file_reply(request, self.content, '"v1"')
        if request.headers.get("Range") in (None, "bytes=0-"):
            return file_reply(request, self.content, '"v1"', cut=1_000_000)
        self.reached.set()
        assert self.opened.wait(60)
        return file_reply(request, self.content, '"v1"')


@pytest.fixture
def gate(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    gate = Gate(script)
    yield gate
    gate.opened.set()


def test_two_processes_that_pull_the_same_model_at_once(gate: Gate, script: ScriptedServer) -> None:
    with pulling(IMDB) as first:
        assert gate.reached.wait(60)
        with pulling(IMDB) as second:
            assert second.stderr is not None
            said = iter(second.stderr.readline, "")
            assert any("waiting for another process" in line for line in said)
            gate.opened.set()
            answers = [process.communicate(timeout=60) for process in (first, second)]
            assert (first.returncode, second.returncode) == (0, 0), answers
    assert [out for out, _ in answers] == [f"{models()[0]}\n"] * 2
    # What was cut off, and the rest of it: the second process fetched nothing.
    assert len(script.asked("GET")) == 2
    assert len(models()) == 1
    assert not [file for file in holdings() if file.startswith("staging")]


def test_many_processes_that_need_the_same_model_at_once() -> None:
    running = [subprocess.Popen([HUB, "predict", DEMO, TEXT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, answers
    assert {out for out, _ in answers} == {f"pos\t{answers[0][0].split()[1]}\t{TEXT}\n"}
    assert len(models()) == 1


def test_killed_in_the_middle_of_a_download(gate: Gate, script: ScriptedServer) -> None:
    with pulling(IMDB) as process:
        assert gate.reached.wait(60)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    assert not models()
    script.requests.clear()
    gate.opened.set()
    done = hub("pull", IMDB)
    assert done.code == 0, done.err
    assert done.lines == [str(models()[0])]
    # What had arrived is not fetched again, and nothing of it is left.
    assert [request.headers["Range"] for request in script.asked("GET")] == [f"bytes=1000000-{len(gate.content) - 1}"]
    assert not [file for file in holdings() if file.startswith("staging")]
    assert not list((cache() / "transfers").iterdir())
    assert hub("predict", IMDB, "--offline", TEXT).out.startswith("pos\t")


@pytest.mark.parametrize("delay", [0.1, 0.3, 0.5, 0.7])
def test_killed_at_any_time(delay: float) -> None:
    with pulling(DEMO) as process:
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
    done = hub("predict", DEMO, TEXT)
    assert (done.code, done.out[:4]) == (0, "pos\t"), done.err
    assert len(models()) == 1
    # One that was killed between its commit and its cleaning up leaves something to whoever pulls next, whatever that is.
    assert hub("pull", TREC6_ZIP).code == 0
    assert len(models()) == 2
    assert not [file for file in holdings() if file.startswith("staging")]


def test_interrupted_by_a_person(gate: Gate) -> None:
    with pulling(IMDB) as process:
        assert gate.reached.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert not holdings()


def test_output_to_a_pipe_that_is_closed_early_ends_quietly(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text("a fine film\n" * 5000)
    program = f"set -o pipefail; '{HUB}' predict {DEMO} --lang en < '{lines}' | head -1"
    hub("pull", DEMO)
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("\ta fine film\n")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    # The pipeline fails as one does whose first command was cut off; head itself succeeds.
    assert done.returncode != 0


def test_nothing_is_written_beside_the_cache(tmp_path: Path) -> None:
    """ONNX Runtime would keep a device's id in the home folder, and report to its makers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUBCLIENT_", "XDG_", "HF_", "ORT_"))}
    env = {**kept, "HOME": str(tmp_path), "HUBCLIENT_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([HUB, "predict", DEMO, "fine"], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_an_empty_home_and_no_settings_at_all(tmp_path: Path) -> None:
    """The cache then is the platform's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUBCLIENT_", "XDG_", "HF_"))}
    done = subprocess.run([HUB, "pull", DEMO], capture_output=True, text=True, env={**kept, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
