"""Settings: the argument, then our variable, then the tool's own, then the default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubclient.errors import UsageError
from hubclient.settings import AWS_ENDPOINT, HF_ENDPOINT, LIVE_INDEX, Settings


def test_defaults() -> None:
    settings = Settings.from_environment({"HOME": "/nowhere"})
    assert (settings.s3_endpoint, settings.hf_endpoint, settings.offline) == (AWS_ENDPOINT, HF_ENDPOINT, False)
    assert settings.cache_dir.is_absolute()
    assert settings.hf_cache.parts[-2:] == ("huggingface", "hub")


def test_settings_made_by_hand_name_no_folder_that_is_called_tilde(tmp_path: Path) -> None:
    assert Settings(cache_dir=tmp_path).hf_cache == Path.home() / ".cache" / "huggingface" / "hub"


def test_endpoints() -> None:
    both = {"HUBCLIENT_S3_ENDPOINT": "http://ours/", "AWS_ENDPOINT_URL_S3": "http://theirs"}
    assert Settings.from_environment(both).s3_endpoint == "http://ours"
    assert Settings.from_environment({"AWS_ENDPOINT_URL_S3": "http://theirs"}).s3_endpoint == "http://theirs"
    assert Settings.from_environment({"HF_ENDPOINT": "http://hub/", "HF_TOKEN": "t"}).hf_endpoint == "http://hub"


def test_a_token_without_the_line_break_of_its_file() -> None:
    assert Settings.from_environment({"HF_TOKEN": "t\n"}).hf_token == "t"
    assert Settings.from_environment({"HF_TOKEN": " "}).hf_token is None


def test_a_home_that_is_not_known() -> None:
    settings = Settings.from_environment({"HUBCLIENT_CACHE": "~nobody-of-this-name/c", "HUBCLIENT_CARDS": "~nobody-of-this-name/c"})
    assert settings.cache_dir.name == settings.card_folders[0].name == "c"


def test_folders(tmp_path: Path) -> None:
    env = {
        "HUBCLIENT_CACHE": str(tmp_path / "cache"),
        "HUBCLIENT_CARDS": os.pathsep.join(["/a", "/b"]),
        "HUBCLIENT_MIRRORS": "/m",
        "HF_HOME": str(tmp_path / "hf"),
    }
    settings = Settings.from_environment(env)
    assert settings.cache_dir == tmp_path / "cache"
    assert settings.card_folders == (Path("/a"), Path("/b"))
    assert settings.mirrors == (Path("/m"),)
    assert settings.hf_cache == tmp_path / "hf" / "hub"
    assert Settings.from_environment({**env, "HF_HUB_CACHE": "/c"}).hf_cache == Path("/c")
    assert Settings.from_environment(env, cache_dir=tmp_path).cache_dir == tmp_path


def test_the_live_index() -> None:
    assert Settings.from_environment({}).live_index == LIVE_INDEX
    for written in ("s3://b/models/metadata.json", "https://host/metadata.json"):
        assert Settings.from_environment({"HUBCLIENT_LIVE_INDEX": f" {written}"}).live_index == written
    for written in ("", " ", "off", "None", "0"):
        assert Settings.from_environment({"HUBCLIENT_LIVE_INDEX": written}).live_index is None
    for written in ("s3://bucket", "s3:///key", "metadata.json", "ftp://host/a", "https://"):
        with pytest.raises(UsageError, match="HUBCLIENT_LIVE_INDEX"):
            Settings.from_environment({"HUBCLIENT_LIVE_INDEX": written})


def test_offline() -> None:
    assert Settings.from_environment({"HF_HUB_OFFLINE": "1"}).offline
    assert Settings.from_environment({"HUBCLIENT_OFFLINE": "true"}).offline
    assert not Settings.from_environment({"HUBCLIENT_OFFLINE": "1"}, offline=False).offline
