"""`hub env`: what a report about a failure needs, and never a secret."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from hubclient import environment
from hubclient.environment import VARIABLES, describe
from hubclient.settings import Settings
from tests.e2e.shell import hub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer

SECRET = "s3cr3t"
EXAMPLES = {
    "HUBCLIENT_S3_ENDPOINT": "http://s3.example:9000",
    "AWS_ENDPOINT_URL_S3": "http://s3.example:9000",
    "HF_ENDPOINT": "http://hf.example",
    "HUBCLIENT_LIVE_INDEX": "s3://bucket/metadata.json",
    "HUBCLIENT_OFFLINE": "1",
    "HF_HUB_OFFLINE": "yes",
    "HUBCLIENT_XET": "1",
    "HF_TOKEN": SECRET,
}


def shown(*arguments: str, **env: str) -> Any:
    done = hub("env", "--json", *arguments, env=env)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_every_setting_is_told() -> None:
    assert set(VARIABLES) == {field.name for field in fields(Settings)}


@pytest.mark.parametrize(("field", "variable"), [(field, variable) for field, names in VARIABLES.items() for variable in names])
def test_what_decided_a_setting_is_told(field: str, variable: str, tmp_path: Path) -> None:
    value = EXAMPLES.get(variable, str(tmp_path))
    environ = {"HUBCLIENT_CONFIG": str(tmp_path / "config"), variable: value}
    by_default = describe(Settings.from_environment({"HUBCLIENT_CONFIG": environ["HUBCLIENT_CONFIG"]}), environ={}).settings[field]
    found = describe(Settings.from_environment(environ), environ=environ).settings[field]
    assert (found.source, by_default.source) == (variable, "default")
    assert found.value != by_default.value


def test_of_two_variables_the_one_that_says_offline() -> None:
    environ = {"HUBCLIENT_OFFLINE": "0", "HF_HUB_OFFLINE": "1"}
    assert describe(Settings.from_environment(environ), environ=environ).settings["offline"].source == "HF_HUB_OFFLINE"


def test_it_tells_versions_paths_and_the_cache(shop: Path) -> None:
    found = shown()
    assert {"hubclient", "python", "system", "onnxruntime", "tokenizers", "torch"} <= set(found["versions"])
    assert "pyspark" in found["versions"]
    assert found["settings"]["cache_dir"] == {"value": str(shop), "source": "HUBCLIENT_CACHE"}
    assert found["cache"]["models"] == 3
    assert found["cache"]["size"] > 10_000_000
    assert found["cache"]["free"] > 0
    assert found["reachable"] is None


def test_another_cache(tmp_path: Path) -> None:
    found = shown("--cache-dir", str(tmp_path / "none"))
    assert found["settings"]["cache_dir"] == {"value": str(tmp_path / "none"), "source": "--cache-dir"}
    assert found["cache"]["models"] == 0


def test_for_a_person() -> None:
    done = hub("env", env={"HUBCLIENT_OFFLINE": "1"})
    facts = dict(line.split("\t") for line in done.lines)
    assert (done.code, done.err) == (0, "")
    assert facts["offline"] == "yes (HUBCLIENT_OFFLINE)"
    assert facts["mirrors"] == "none (default)"
    assert facts["cache holds"].startswith("0 models, 0 B, ")
    assert "not installed" in facts


def test_what_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_PACKAGES", ("numpy", "no-such-package"))
    versions = describe(Settings(tmp_path), environ={}).versions
    assert versions["numpy"]
    assert versions["no-such-package"] is None


def test_folders_of_cards_are_kept_or_set(tmp_path: Path) -> None:
    for name in ("kept", "set"):
        (tmp_path / name).mkdir()
    assert hub("cards", "add", tmp_path / "kept").code == 0
    found = shown(HUBCLIENT_CARDS=str(tmp_path / "set"))["settings"]["card_folders"]
    assert found == {"value": [str(tmp_path / "kept"), str(tmp_path / "set")], "source": "hub cards add, HUBCLIENT_CARDS"}


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_shown(form: list[str]) -> None:
    env = {
        "HF_TOKEN": SECRET,
        "AWS_ACCESS_KEY_ID": SECRET,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": SECRET,
        "HTTPS_PROXY": f"http://{SECRET}:{SECRET}@127.0.0.1:{free_port()}",
        "HTTP_PROXY": f"{SECRET}:{SECRET}@127.0.0.1:{free_port()}",
        "HUBCLIENT_S3_ENDPOINT": f"https://user:{SECRET}@s3.example",
        "HF_ENDPOINT": f"https://user:{SECRET}@hf.example",
        "HUBCLIENT_LIVE_INDEX": f"https://user:{SECRET}@index.example/metadata.json?X-Amz-Signature={SECRET}",
        "NO_PROXY": "",
    }
    done = hub("env", "--online", *form, env=env)
    assert done.code == 0, done.err
    assert SECRET not in done.out + done.err
    assert "(with credentials)" in done.out
    assert "s3.example" in done.out


def test_online_it_asks(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(403 if request.path == "/" else 200, b"{}\n")
    port = free_port()
    env = {
        "HUBCLIENT_S3_ENDPOINT": script.endpoint,
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HUBCLIENT_LIVE_INDEX": f"{script.endpoint}/metadata.json",
    }
    s3, hf, index = shown("--online", **env)["reachable"]
    assert (s3["address"], s3["status"], s3["why"]) == (script.endpoint, "HTTP 403", None)
    assert hf["status"] is None
    assert hf["why"].startswith(f"no connection to 127.0.0.1:{port}")
    assert index["status"] == "3 bytes"
    asked = len(script.requests)
    done = hub("env", "--online", env={**env, "HUBCLIENT_OFFLINE": "1"})
    assert done.err == "offline: nobody was asked\n"
    assert len(script.requests) == asked
    assert shown(**env)["reachable"] is None
    assert len(script.requests) == asked
