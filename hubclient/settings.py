"""What a user can set, gathered once: arguments first, then the environment, then the defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hubclient.card_folders import CardFolders
from hubclient.errors import UsageError

AWS_ENDPOINT = "https://s3.amazonaws.com"
HF_ENDPOINT = "https://huggingface.co"
LIVE_INDEX = "s3://auxdata.johnsnowlabs.com/public/models/metadata.json"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off", "none"}


@dataclass(frozen=True)
class Limits:
    """What transfers may take of the line, all of a process together: connections at once, and bytes a second (None: no limit).

    `silence`: after so many seconds without a byte a connection is given up, and another one made."""

    jobs: int = 16
    rate: float | None = None
    silence: float = 30.0


@dataclass(frozen=True)
class Settings:
    """cache_dir: where models are kept. shared_caches: looked in after it, and only read.
    card_folders: read beside the shipped cards, and outranking them.
    mirrors: folders laid out as `<bucket>/<key>`, asked before S3, after the bundled one.
    hf_cache: the Hugging Face client's own cache folder.
    live_index: the address of a bucket's list of its archives, asked for names that no card has; None for none.
    lock: the lockfile that says which models may be had, and as what; None for all.
    limits: what transfers may take of the line. xet: let huggingface_hub fetch large files of its Hub, by Xet's protocol where it can."""

    cache_dir: Path
    shared_caches: tuple[Path, ...] = ()
    card_folders: tuple[Path, ...] = ()
    mirrors: tuple[Path, ...] = ()
    s3_endpoint: str = AWS_ENDPOINT
    hf_endpoint: str = HF_ENDPOINT
    hf_cache: Path = field(default_factory=lambda: _hf_cache({}))
    hf_token: str | None = None
    offline: bool = False
    live_index: str | None = LIVE_INDEX
    lock: Path | None = None
    limits: Limits = field(default_factory=Limits)
    xet: bool = False

    @property
    def transfers(self) -> Path:
        """Where unfinished transfers are kept."""
        return self.cache_dir / "transfers"

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        cache_dir: str | Path | None = None,
        offline: bool | None = None,
    ) -> Settings:
        """Read HUBCLIENT_CACHE, HUBCLIENT_CONFIG, HUBCLIENT_SHARED_CACHE, HUBCLIENT_CARDS, HUBCLIENT_MIRRORS (all three separated as PATH
        is), HUBCLIENT_S3_ENDPOINT, AWS_ENDPOINT_URL_S3, HUBCLIENT_LIVE_INDEX (`off` for none), HUBCLIENT_LOCK, HUBCLIENT_OFFLINE,
        HUBCLIENT_XET, and Hugging Face's HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE."""
        env = os.environ if environ is None else environ
        if offline is None:
            offline = _flag(env, "HUBCLIENT_OFFLINE") or _flag(env, "HF_HUB_OFFLINE")
        return cls(
            cache_dir=_cache_dir(env, cache_dir),
            shared_caches=_folders(env, "HUBCLIENT_SHARED_CACHE"),
            card_folders=(*CardFolders(config_dir(env)).read(), *_folders(env, "HUBCLIENT_CARDS")),
            mirrors=_folders(env, "HUBCLIENT_MIRRORS"),
            s3_endpoint=_endpoint(env, "HUBCLIENT_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3") or AWS_ENDPOINT,
            hf_endpoint=_endpoint(env, "HF_ENDPOINT") or HF_ENDPOINT,
            hf_cache=_hf_cache(env),
            hf_token=env.get("HF_TOKEN", "").strip() or None,
            offline=offline,
            live_index=_live_index(env),
            xet=_flag(env, "HUBCLIENT_XET"),
            lock=_path(env["HUBCLIENT_LOCK"]).absolute() if env.get("HUBCLIENT_LOCK") else None,
        )


def is_web_address(url: str) -> bool:
    """Whether this is http or https, names a host, and has a port that can be one.

    >>> [is_web_address(url) for url in ("http://[::1]:80/a", "https://host:99999/a", "host/a", "https:///a")]
    [True, False, False, False]
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _flag(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").strip().lower() in _TRUE


def _endpoint(env: Mapping[str, str], *names: str) -> str | None:
    for name in names:
        if written := env.get(name):
            if not is_web_address(written):
                raise UsageError(f"{name} is '{written}', and must be an address", hint="write https://HOST or http://HOST:PORT")
            return written.rstrip("/")
    return None


def _live_index(env: Mapping[str, str]) -> str | None:
    written = env.get("HUBCLIENT_LIVE_INDEX", LIVE_INDEX).strip()
    if written.lower() in _FALSE:
        return None
    bucket, _, key = written.removeprefix("s3://").partition("/")
    if not (bucket and key if written.startswith("s3://") else is_web_address(written)):
        raise UsageError(
            f"HUBCLIENT_LIVE_INDEX is '{written}', and must be an address", hint="write s3://BUCKET/KEY, https://HOST/FILE or off"
        )
    return written


def _folders(env: Mapping[str, str], name: str) -> tuple[Path, ...]:
    return tuple(_path(part).absolute() for part in env.get(name, "").split(os.pathsep) if part)


def _cache_dir(env: Mapping[str, str], given: str | Path | None) -> Path:
    chosen = given or env.get("HUBCLIENT_CACHE")
    if chosen:
        return _path(chosen).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("hubclient")


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where a user's choices are kept (HUBCLIENT_CONFIG)."""
    env = os.environ if environ is None else environ
    if chosen := env.get("HUBCLIENT_CONFIG"):
        return _path(chosen).absolute()
    from platformdirs import user_config_path

    return user_config_path("hubclient")


def _path(written: str | Path) -> Path:
    """With `~` for the home folder; Path.expanduser would fail where there is none."""
    return Path(os.path.expanduser(written))


def _hf_cache(env: Mapping[str, str]) -> Path:
    if cache := env.get("HF_HUB_CACHE"):
        return _path(cache)
    home = env.get("HF_HOME")
    base = _path(home) if home else _path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return base / "hub"
