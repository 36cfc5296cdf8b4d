"""A person at a terminal sees progress, and a file gets only results."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

HUB = Path(sys.executable).with_name("hub")
DEMO = "en/bert_tiny_sequence_classifier_sst2"


def watched(arguments: list[str], stdin: bytes) -> tuple[bytes, str]:
    """Standard output, and what a terminal showed of standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([HUB, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        out, _ = process.communicate(stdin)
    shown = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(ours)
    assert process.returncode == 0, shown.decode()
    return out, shown.decode()


def test_counts_of_predictions_go_to_the_terminal() -> None:
    out, shown = watched(["predict", DEMO, "-"], b"good\n" * 3000)
    assert out.count(b"\n") == 3000
    assert "texts" in shown
    assert "good" not in shown


def test_bars_of_a_pull_leave_the_path_alone() -> None:
    out, shown = watched(["pull", DEMO], b"")
    assert out.count(b"\n") == 1
    assert Path(out.decode().strip(), "model.onnx").is_file()
    assert "pulled s3://" in shown
