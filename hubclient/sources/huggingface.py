"""A repository of the Hugging Face Hub, read at one commit.

Files are downloaded by huggingface_hub into its own cache, so that they are shared with everything else that uses it,
and are compared here with the hashes that the Hub announced: SHA-256 for large files, git's SHA-1 for the others.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from hubclient.errors import CorruptTransfer, NotFound, Offline, SourceError
from hubclient.settings import Settings
from hubclient.sources.disk import demand_room, disk_errors
from hubclient.sources.huggingface_failures import CACHE_HINT, hub_errors
from hubclient.sources.location import HubLocation
from hubclient.sources.retry import Patience

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

_CHUNK = 1 << 20


@dataclass(frozen=True)
class HubFile:
    """`sha256` is known for large files (LFS, Xet), `git_sha1` (of git's blob object) for the others."""

    size: int
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True)
class HubSnapshot:
    """What a repository holds at one commit: file name with slashes -> facts."""

    repo: str
    commit: str
    files: Mapping[str, HubFile]

    @property
    def location(self) -> HubLocation:
        return HubLocation(self.repo, self.commit)

    def size_of(self, names: Iterable[str]) -> int:
        return sum(self.files[name].size for name in names)


class HubRepository:
    """`retries` and `sleep`: how a Hub in trouble, and downloads that break off, are borne."""

    def __init__(self, location: HubLocation, settings: Settings, *, retries: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        self.location = location
        self._settings = settings
        self._retries = retries
        self._sleep = sleep

    @property
    def url(self) -> str:
        return f"{self._settings.hf_endpoint}/{self.location.repo}"

    def resolve(self) -> HubSnapshot:
        """Ask which commit the revision is now, and what is in it. Raises SourceError, InvalidReference."""
        self._demand_online()
        return Patience(self._retries, self._sleep).insist(self._ask)

    def fetch(
        self, snapshot: HubSnapshot, names: Iterable[str], target: Path, advance: Callable[[int], None] = lambda count: None
    ) -> dict[str, str]:
        """Put files of a snapshot below the folder `target`, under their own names, and return the SHA-256 of each.

        They are hard links into Hugging Face's cache where the file system allows it: never write to them in place.
        `advance` is told of bytes as they arrive. Raises SourceError, StoreFull, StoreUnwritable.
        """
        names = list(names)
        for name in names:
            if name not in snapshot.files:
                raise NotFound(
                    f"the repository has no file '{name}'", where=f"{self.url} at {snapshot.commit}", hint="check the repository's page"
                )
        demand_room(self._settings.hf_cache, snapshot.size_of(names), elsewhere=CACHE_HINT)
        return {name: self._fetch_one(snapshot, name, target / name, advance) for name in names}

    def _ask(self) -> HubSnapshot:
        from huggingface_hub import HfApi

        with hub_errors(self.location, self._settings):
            api = HfApi(endpoint=self._settings.hf_endpoint, token=self._settings.hf_token, library_name="hubclient")
            info = api.model_info(self.location.repo, revision=self.location.revision, files_metadata=True)
        if info.sha is None:
            raise SourceError("the Hub does not say which commit this is", where=self.url, hint="check HF_ENDPOINT")
        files = {sibling.rfilename: self._file(sibling) for sibling in info.siblings or ()}
        return HubSnapshot(self.location.repo, info.sha, files)

    def _file(self, sibling: RepoSibling) -> HubFile:
        name = sibling.rfilename
        posix, windows = PurePosixPath(name), PureWindowsPath(name)
        if posix.is_absolute() or windows.anchor or ".." in windows.parts:
            raise SourceError(f"the repository lists a file outside of it: {name!r}", where=self.url, hint="do not use this repository")
        if sibling.lfs:
            return HubFile(sibling.lfs["size"], sha256=sibling.lfs["sha256"])
        return HubFile(sibling.size or 0, git_sha1=sibling.blob_id)

    def _fetch_one(self, snapshot: HubSnapshot, name: str, target: Path, advance: Callable[[int], None]) -> str:
        announced = snapshot.files[name]
        # The cache is not ours: what lies there may be damaged, and is then downloaded once more.
        for force in (False, True):
            told = _Tally(advance)
            download = functools.partial(self._download, snapshot, name, force, told)
            cached = Patience(self._retries, self._sleep).insist(download)
            with disk_errors(target):
                sha256, git_sha1 = _hashes(cached)
            if announced.sha256 in (None, sha256) and announced.git_sha1 in (None, git_sha1):
                told.settle(announced.size)
                _place(cached, target)
                return sha256
            told.settle(0)
        raise CorruptTransfer(
            "what arrived is not what the Hub announced",
            where=f"{self.url} ({name})",
            why=f"its SHA-256 is {sha256}, {announced.sha256} was announced"
            if announced.sha256
            else f"its git hash is {git_sha1}, not {announced.git_sha1}",
            hint="try again; if it stays so, the repository itself is damaged",
        )

    def _download(self, snapshot: HubSnapshot, name: str, force: bool, told: _Tally) -> Path:
        self._demand_online()
        from huggingface_hub import hf_hub_download

        with hub_errors(snapshot.location, self._settings, name), _own_bars_off():
            cached = hf_hub_download(
                snapshot.repo,
                name,
                revision=snapshot.commit,
                cache_dir=self._settings.hf_cache,
                endpoint=self._settings.hf_endpoint,
                token=self._settings.hf_token,
                library_name="hubclient",
                force_download=force,
                **_watching(told),
            )
        return Path(cached).resolve()

    def _demand_online(self) -> None:
        if self._settings.offline:
            hint = "unset HUBCLIENT_OFFLINE and HF_HUB_OFFLINE, or leave offline out"
            raise Offline("a connection is needed, and offline was asked for", where=self.url, hint=hint)


class _Tally:
    """Passes on what a download says of its progress, and puts it right at the end: it may start over, or say nothing."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._told = 0

    def add(self, count: int) -> None:
        self._told += count
        self._advance(count)

    def settle(self, total: int) -> None:
        if total != self._told:
            self.add(total - self._told)


def _watching(told: _Tally) -> dict[str, Any]:
    """What makes a download tell its progress; 0.x versions have no way."""
    from huggingface_hub import hf_hub_download

    if "tqdm_class" not in inspect.signature(hf_hub_download).parameters:
        return {}

    def update(bar: object, count: float | None = 1) -> None:
        told.add(int(count or 0))

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


def _hashes(path: Path) -> tuple[str, str]:
    """(SHA-256, SHA-1 of the blob object that git makes of this content)."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        git = hashlib.sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size, usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            git.update(chunk)
    return sha256.hexdigest(), git.hexdigest()


def _place(cached: Path, target: Path) -> None:
    with disk_errors(target, needed=cached.stat().st_size):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(cached, target)
        except OSError:
            # Another file system, or one without hard links.
            shutil.copyfile(cached, target)
