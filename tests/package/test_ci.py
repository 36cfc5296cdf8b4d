"""What other repositories take from this one: the GitHub Action, and the hook for pre-commit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check.shop import GONE, GOOD, open_shop
from tests.servers.script import ScriptedServer

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "check-in-ci.md").read_text(encoding="utf-8")
CODE = "from hubclient import pretrained\n"
SCRIPTS = str(Path(sys.executable).parent)


@pytest.fixture
def shop(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    return open_shop(script, tmp_path / "cards", monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "checkout"
    made.mkdir()
    (made / "good.py").write_text(f"{CODE}pretrained('{GOOD}', 'en')\n")
    (made / "bad.py").write_text(f"{CODE}pretrained('{GONE}', 'en')\n")
    return made


# GitHub


def test_the_action_runs_this_command_and_no_input_is_code() -> None:
    steps = ACTION["runs"]["steps"]
    assert ACTION["runs"]["using"] == "composite"
    assert all("shell" in step for step in steps if "run" in step)
    assert not any("${{" in step.get("run", "") for step in steps)
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(ACTION["inputs"])


def test_the_page_tells_every_input() -> None:
    (table,) = re.findall(r"^\| input \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`([\w-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if line))) == set(ACTION["inputs"])


def act(folder: Path, inputs: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the last step as GitHub does: the inputs are put into the variables, and bash ends at the first error."""
    step = ACTION["runs"]["steps"][-1]
    values = {name: str(told.get("default", "")) for name, told in ACTION["inputs"].items()} | dict(inputs)
    env = {name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text) for name, text in step["env"].items()}
    where = folder / values["working-directory"]
    github = {"GITHUB_WORKSPACE": str(folder), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        env={**os.environ, **github, **env},
        cwd=where,
        capture_output=True,
        text=True,
    )


def test_the_action_checks_the_checkout(shop: ScriptedServer, folder: Path) -> None:
    done = act(folder, {"output": "json=a report.json\n\nhtml=b.html\n"})
    assert done.returncode == 1
    assert re.findall(r"^::error file=bad\.py,line=2,", done.stdout, re.MULTILINE)
    assert {json.loads(line)["path"] for line in (folder / "a report.json").read_text().splitlines()} == {"bad.py", "good.py"}
    assert (folder / "b.html").is_file()
    assert (folder / "summary.md").read_text().startswith("## Models")


def test_the_actions_inputs(shop: ScriptedServer, folder: Path) -> None:
    assert act(folder, {"what": "good.py\n"}).returncode == 0
    assert act(folder, {"exclude": "bad.py\nnothing"}).returncode == 0
    assert act(folder, {"what": f"{GOOD}\n--strict"}).returncode == 1, "what begins with dashes is a name"
    (folder / "sub dir").mkdir()
    (folder / "sub dir" / "c.py").write_text(f"{CODE}pretrained('{GONE}', 'en')\n")
    assert "file=sub dir/c.py," in act(folder, {"working-directory": "sub dir"}).stdout
    assert act(folder, {"what": "$(touch hacked)\n`touch hacked`; touch hacked"}).returncode == 1
    assert not (folder / "hacked").exists()


def test_the_action_and_what_nobody_can_tell(shop: ScriptedServer, folder: Path) -> None:
    (folder / "far.py").write_text(f"{CODE}pretrained('hf:owner/repo')\n")
    assert act(folder, {"what": "far.py"}).returncode == 0
    assert act(folder, {"what": "far.py", "strict": "true", "level": "exists"}).returncode == 1


# pre-commit


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True)


def git(folder: Path, *arguments: str) -> str:
    user = (
        "-c",
        "user.name=Somebody",
        "-c",
        "user.email=somebody@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    )
    done = run("git", *user, *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def hooks(tmp_path: Path) -> tuple[Path, str]:
    """A repository that has this one's hooks, and its commit."""
    made = tmp_path / "hooks"
    made.mkdir()
    (made / ".pre-commit-hooks.yaml").write_bytes((ROOT / ".pre-commit-hooks.yaml").read_bytes())
    git(made, "init", "--quiet")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "-m", "Hooks")
    return made, git(made, "rev-parse", "HEAD")


@pytest.fixture
def committed(folder: Path, hooks: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that uses the hook. It runs the `hub` of this environment: an environment of its own would be fetched."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    repository, commit = hooks
    hook = {"id": "hub-check", "language": "system"}
    config = {"repos": [{"repo": str(repository), "rev": commit, "hooks": [hook]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(folder, "init", "--quiet")
    git(folder, "add", ".pre-commit-config.yaml")
    return folder


def commit_with_hooks(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    git(folder, "add", *files)
    return run(sys.executable, "-m", "pre_commit", "run", "--color=never", cwd=folder)


def test_the_hook_stops_a_commit_with_a_model_that_is_gone(shop: ScriptedServer, committed: Path) -> None:
    done = commit_with_hooks(committed, "bad.py", "good.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "models that code loads are available" in done.stdout
    assert f"gone\tA102\ten/{GONE}\tbad.py:2:1\t" in done.stdout
    assert GOOD not in done.stdout


def test_the_hook_lets_others_pass(shop: ScriptedServer, committed: Path) -> None:
    done = commit_with_hooks(committed, "good.py")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr
    (committed / "far.py").write_text(f"{CODE}pretrained('hf:owner/repo')\n")
    assert commit_with_hooks(committed, "far.py").returncode == 0


def test_the_hook_is_for_code_and_lockfiles(shop: ScriptedServer, committed: Path) -> None:
    (committed / "page.md").write_text(f"{CODE}pretrained('{GONE}')\n")
    done = commit_with_hooks(committed, "page.md")
    assert (done.returncode, "Skipped" in done.stdout) == (0, True)
    assert shop.requests == []
    (committed / "hubclient.lock").write_text("format = 1\n")
    assert "Passed" in commit_with_hooks(committed, "hubclient.lock").stdout


def test_the_hooks_are_as_pre_commit_wants_them() -> None:
    done = run(sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=ROOT)
    assert done.returncode == 0, done.stdout
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert f"id: {hook['id']}" in PAGE
    pattern = re.compile(hook["files"])
    for name in ("a.py", "src/a.ipynb", "A.scala", "a.sc", "A.java", "hubclient.lock", "sub/hubclient.lock"):
        assert pattern.search(name)
    for name in ("a.pyc", "poetry.lock", "nothubclient.lock", "README.md"):
        assert not pattern.search(name)
