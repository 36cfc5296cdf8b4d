"""What a report about a failure should tell: versions, the machine, settings and where each comes from. Never a secret."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from hubclient import __version__
from hubclient.card_folders import CardFolders
from hubclient.engines import Precision, choose_engine
from hubclient.errors import HubError, StoreError
from hubclient.machine import Machine, processor, this_machine
from hubclient.settings import Settings, config_dir
from hubclient.sources.disk import room_at
from hubclient.sources.location import location_at, without_secrets
from hubclient.store import Store

_PACKAGES = (
    *("onnxruntime", "tokenizers", "onnx", "numpy", "huggingface_hub", "hf-xet", "boto3", "urllib3", "truststore", "typer"),
    *("torch", "transformers", "openvino", "safetensors", "scikit-learn", "pyspark"),
)
# Which variables decide a field of the settings, the first that is set before the others.
VARIABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cache_dir": ("HUBCLIENT_CACHE",),
        "shared_caches": ("HUBCLIENT_SHARED_CACHE",),
        "card_folders": ("HUBCLIENT_CARDS",),
        "mirrors": ("HUBCLIENT_MIRRORS",),
        "s3_endpoint": ("HUBCLIENT_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3"),
        "hf_endpoint": ("HF_ENDPOINT",),
        "hf_cache": ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"),
        "hf_token": ("HF_TOKEN",),
        "offline": ("HUBCLIENT_OFFLINE", "HF_HUB_OFFLINE"),
        "live_index": ("HUBCLIENT_LIVE_INDEX",),
        "limits": (),
        "xet": ("HUBCLIENT_XET",),
        "lock": ("HUBCLIENT_LOCK",),
    }
)
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SET, _UNSET = "set", "not set"
_SHORT_FLOATS = frozenset({"amx_bf16", "avx512_bf16"})


@dataclass(frozen=True)
class Setting:
    """`source`: the variable or the option that decided, `default`, or the command that keeps it."""

    value: Any
    source: str


@dataclass(frozen=True)
class Holdings:
    """What the cache and the shared ones hold. `size`: bytes of models; `free`: bytes left where it lies, None where that is not known."""

    models: int
    size: int
    free: int | None
    problem: str | None = None


@dataclass(frozen=True)
class Reached:
    """What an address answered. `status` is None where nothing did; `why` then says so."""

    address: str
    seconds: float
    status: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Environment:
    """`versions`: None for a package that is not installed. `engines`: what runs a model in each precision, unless somebody says otherwise.
    `reachable` is None where nobody was asked."""

    versions: Mapping[str, str | None]
    paths: Mapping[str, str]
    machine: Machine
    engines: Mapping[str, str]
    settings: Mapping[str, Setting]
    network: Mapping[str, str]
    credentials: Mapping[str, str]
    cache: Holdings
    reachable: tuple[Reached, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def describe(
    settings: Settings, *, cache_given: bool = False, online: bool = False, environ: Mapping[str, str] | None = None
) -> Environment:
    """`cache_given`: the cache's folder was given as an argument. `online`: ask the services that models are fetched from, unless the
    settings forbid it."""
    env = os.environ if environ is None else environ
    return Environment(
        versions=_versions(),
        paths={"hubclient": str(Path(__file__).parent), "python": sys.executable, "settings": str(config_dir(env))},
        machine=this_machine(),
        engines=_engines(),
        settings=_settings(settings, env, cache_given),
        network=_network(env),
        credentials=_credentials(env),
        cache=_holdings(settings),
        reachable=_asked(settings) if online and not settings.offline else None,
    )


def _versions() -> dict[str, str | None]:
    """Packages are looked up and not imported: some take seconds."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {
        "hubclient": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _engines() -> dict[str, str]:
    """And what is missing for that."""
    from importlib.util import find_spec

    found = {precision: choose_engine(None, precision).engine for precision in get_args(Precision)}
    if not find_spec("openvino"):
        found["bfloat16"] += ", which is not installed"
    elif not _SHORT_FLOATS & processor().flags:
        found["bfloat16"] += ", but this processor has neither AMX nor AVX512-BF16"
    return found


def _settings(settings: Settings, env: Mapping[str, str], cache_given: bool) -> dict[str, Setting]:
    found = {name: Setting(_shown(name, getattr(settings, name)), _source(name, settings, env)) for name in VARIABLES}
    if cache_given:
        found["cache_dir"] = Setting(found["cache_dir"].value, "--cache-dir")
    return found


def _shown(name: str, value: Any) -> Any:
    if name == "hf_token":
        return _SET if value else _UNSET
    if name == "limits":
        return asdict(value)
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return without_secrets(value) if isinstance(value, str) and "://" in value else str(value) if isinstance(value, Path) else value


def _source(name: str, settings: Settings, env: Mapping[str, str]) -> str:
    variables = [variable for variable in VARIABLES[name] if env.get(variable, "").strip()]
    if name == "card_folders":
        kept = ["hub cards add"] if CardFolders(config_dir(env)).read() else []
        return ", ".join([*kept, *variables]) or "default"
    if name == "offline" and settings.offline and len(variables) > 1:
        variables = [variable for variable in variables if env[variable].strip().lower() not in ("0", "false", "no", "off")]
    return variables[0] if variables else "default"


def _network(env: Mapping[str, str]) -> dict[str, str]:
    """Proxies as the system and the environment have them, without names and passwords, and authorities that are trusted."""
    from urllib.request import getproxies

    proxies = getproxies()
    shown = {f"proxy for {scheme}": _without_user(proxy) for scheme, proxy in sorted(proxies.items()) if scheme != "no"}
    direct = {"no proxy for": proxies["no"]} if proxies.get("no") else {}
    files = {name: _there(env[name]) for name in _AUTHORITIES if env.get(name)}
    return {**shown, **direct, **files}


def _without_user(proxy: str) -> str:
    scheme, separator, rest = proxy.rpartition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{host}" + (" (with credentials)" if user and at else "")


def _there(path: str) -> str:
    return path if os.path.exists(path) else f"{path} (does not exist)"


def _credentials(env: Mapping[str, str]) -> dict[str, str]:
    return {name: _SET if env.get(name, "").strip() else _UNSET for name in _CREDENTIALS}


def _holdings(settings: Settings) -> Holdings:
    free = room_at(settings.cache_dir)
    try:
        entries = Store(settings.cache_dir, settings.shared_caches).entries()
    except StoreError as error:
        return Holdings(0, 0, free, error.in_short())
    return Holdings(len(entries), sum({entry.digest: entry.size for entry in entries}.values()), free)


def _asked(settings: Settings) -> tuple[Reached, ...]:
    from concurrent.futures import ThreadPoolExecutor

    questions: list[tuple[str, Callable[[], str]]] = [
        (settings.s3_endpoint, lambda: _status(settings.s3_endpoint)),
        (settings.hf_endpoint, lambda: _status(settings.hf_endpoint)),
    ]
    if (index := settings.live_index) is not None:
        questions.append((index, lambda: _facts(index, settings)))
    with ThreadPoolExecutor(len(questions)) as pool:
        return tuple(pool.map(lambda question: _timed(*question), questions))


def _timed(address: str, ask: Callable[[], str]) -> Reached:
    start = time.monotonic()
    try:
        status, why = ask(), None
    except HubError as error:
        status, why = None, error.what + (f": {error.why}" if error.why else "")
    return Reached(without_secrets(address), round(time.monotonic() - start, 3), status, why)


def _status(endpoint: str) -> str:
    """Any answer shows that the service can be reached."""
    from hubclient.sources import http

    answer = http.send("HEAD", endpoint + "/", {})
    answer.close()
    return f"HTTP {answer.status}"


def _facts(address: str, settings: Settings) -> str:
    from hubclient.sources import remote_file

    return f"{remote_file(location_at(address), settings).stat().size:,} bytes"
