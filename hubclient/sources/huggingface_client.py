"""Files that huggingface_hub brings by itself, into its own cache: by Xet's protocol, where hf-xet is installed and the repository uses it.

Only where the user has asked for that (`settings.xet`): how many connections it opens, how fast it may be and what becomes of a stall is
its own business then.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hubclient.settings import Settings
from hubclient.sources.huggingface import HubSnapshot
from hubclient.sources.huggingface_failures import hub_errors


def download(snapshot: HubSnapshot, name: str, settings: Settings, advance: Callable[[int], None]) -> Path:
    """Where the file lies in Hugging Face's cache then. `advance` is told of bytes as they arrive.

    Raises SourceError, StoreFull, StoreUnwritable.
    """
    from huggingface_hub import hf_hub_download

    with hub_errors(snapshot.location, settings, name), _own_bars_off():
        cached = hf_hub_download(
            snapshot.repo,
            name,
            revision=snapshot.commit,
            cache_dir=settings.hf_cache,
            endpoint=settings.hf_endpoint,
            token=settings.hf_token,
            library_name="hubclient",
            **_watching(advance),
        )
    return Path(cached).resolve()


def _watching(advance: Callable[[int], None]) -> dict[str, Any]:
    """What makes a download tell its progress; 0.x versions have no way."""
    from huggingface_hub import hf_hub_download

    if "tqdm_class" not in inspect.signature(hf_hub_download).parameters:
        return {}

    def update(bar: object, count: float | None = 1) -> None:
        advance(int(count or 0))

    return {"tqdm_class": type("Watch", (_hub_utils().tqdm,), {"update": update})}


@contextmanager
def _own_bars_off() -> Iterator[None]:
    utils = _hub_utils()
    if utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()


def _hub_utils() -> Any:
    return importlib.import_module("huggingface_hub.utils")
