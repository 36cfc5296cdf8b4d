"""`pytest --hub-models`, run on suites of tests."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cards.shared import archive
from tests.check.shop import GONE, GOOD, SECRET, open_shop
from tests.servers.script import ScriptedServer

pytest_plugins = ["pytester"]

PLUGIN = "hubclient.check.pytest_plugin"
# An environment that was made before the plugin does not know it yet.
KNOWN = [] if any(entry.value == PLUGIN for entry in entry_points(group="pytest11")) else ["-p", PLUGIN]
SUITE = f"""
from hubclient import pretrained

def test_nothing():
    pass

def load(name):
    pretrained("{GOOD}", "en")
    pretrained("{GONE}", lang="en")
    pretrained("hf:owner/repo")
    pretrained("two words")
    pretrained(name)
    return pretrained("{SECRET}")
"""
# What is never called: pytest imports the files.
LAZY = f"def later():\n    import hubclient\n    hubclient.{{}}('en/{GOOD}')\n"


@pytest.fixture
def shop(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    return open_shop(script, tmp_path / "cards", monkeypatch)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest(*KNOWN, *arguments, "-p", "no:cacheprovider", "-p", "no:xdist")


def test_models_are_tests(shop: ScriptedServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_models=SUITE)
    done = run(pytester, "--hub-models", "-v", "-rs")
    done.assert_outcomes(passed=2, failed=3, skipped=1)
    done.stdout.fnmatch_lines(
        [
            f"*test_models.py::hub-model?en/{GOOD}:7] PASSED*",
            f"*test_models.py::hub-model?en/{GONE}:8] FAILED*",
            "*test_models.py::hub-model?hf:owner/repo:9] SKIPPED*",
            "*FAILED*",
            f"*test_models.py::hub-model?{SECRET}:12] FAILED*",
        ]
    )
    done.stdout.fnmatch_lines([f"test_models.py:8:5: A102 en/{GONE}: *", "  where: http*", "  try: *"])
    done.stdout.fnmatch_lines(["test_models.py:10:5: A004 *"])
    assert "Traceback" not in done.stdout.str()
    assert len([request for request in shop.requests if request.method == "HEAD" and GOOD in request.path]) <= 1


def test_without_the_option_nothing_is_different(shop: ScriptedServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_models=SUITE)
    run(pytester).assert_outcomes(passed=1)
    assert shop.requests == []


def test_models_alone_and_one_of_them(shop: ScriptedServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_models=SUITE, helpers=LAZY.format("load"), conftest=LAZY.format("pull"))
    run(pytester, "--hub-models", "-m", "hub_models", "--strict-markers").assert_outcomes(passed=3, failed=3, skipped=1, deselected=1)
    shop.requests.clear()
    run(pytester, "--hub-models", "-k", f"hub-model and {GOOD}", "test_models.py").assert_outcomes(passed=1, deselected=5)
    assert {GOOD in request.path for request in shop.requests} == {True}


def test_a_lockfile(shop: ScriptedServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_models=LAZY.format("load"))
    source = f"s3://models/public/models/{archive(GOOD)}"
    lock = f'format = 1\n\n[[model]]\nname = "{GOOD}"\nlanguage = "en"\nversion = "3.4.2"\nsource = "{source}"\nsize = 5\n'
    (pytester.path / "other.lock").write_text(lock)
    run(pytester, "--hub-models").assert_outcomes(passed=1)
    done = run(pytester, "--hub-models", "--hub-lock", "other.lock")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*A201*"])
    run(pytester, "--hub-models", "--hub-lock", "other.lock", "--hub-level", "exists").assert_outcomes(passed=1)
    (pytester.path / "other.lock").rename(pytester.path / "hubclient.lock")
    run(pytester, "--hub-models").assert_outcomes(failed=1)


def test_a_level_that_is_none(pytester: pytest.Pytester) -> None:
    done = run(pytester, "--hub-models", "--hub-level", "deep")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*'deep' is not a level*"])


def test_several_processes(shop: ScriptedServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_models=SUITE)
    done = pytester.runpytest_subprocess(*KNOWN, "--hub-models", "-n", "2", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=2, failed=3, skipped=1)


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = f"import sys, {PLUGIN}; print([name for name in sys.modules if name.startswith('hubclient.')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == f"['hubclient.check', '{PLUGIN}']"
