"""The command with standard streams that are closed, full or broken off: no traceback, and results never go where talk belongs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.material import DEMO
from tests.e2e.shell import HUB
from tests.servers.script import Reply, ScriptedServer

COMMANDS = [f"predict {DEMO} fine", f"pull {DEMO}", f"info {DEMO}", "ls"]


def shell(program: str, *, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run(["sh", "-c", f"'{HUB}' {program}"], capture_output=True, text=True, env=env, timeout=120)


@pytest.mark.parametrize("command", [*COMMANDS, f"predict {DEMO}"])
def test_closed_streams(command: str, shop: Path) -> None:
    whole = shell(f"{command} < /dev/null")
    without_talk = shell(f"{command} 2>&- < /dev/null")
    assert (without_talk.returncode, without_talk.stdout) == (0, whole.stdout)
    without_results = shell(f"{command} >&- < /dev/null")
    assert without_results.returncode == 0
    assert "Traceback" not in without_results.stderr
    assert whole.stdout not in without_results.stderr or not whole.stdout
    assert shell(f"{command} <&-").returncode == 0
    assert shell(f"{command} <&- >&- 2>&-").returncode == 0


def test_a_terminal_without_texts_is_told_before_anything_is_looked_up(shop: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([HUB, "predict", "no-such-model"], stdin=theirs, capture_output=True, text=True, timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert "give texts" in done.stderr


def test_what_a_server_says_does_not_steer_the_terminal(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(418, b"<Error><Message>\x1b[31mred\x07</Message></Error>")
    done = shell(f"pull {script.endpoint}/a.zip")
    assert done.returncode == 5
    assert "\\x1b[31mred" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [f"predict {DEMO} fine", "ls --json", "--version"])
def test_a_full_disk_under_the_output(command: str, unbuffered: str, shop: Path) -> None:
    done = shell(f"{command} > /dev/full", unbuffered=unbuffered)
    assert done.returncode == 1
    assert "error: the output cannot be written" in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr
