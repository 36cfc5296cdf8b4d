"""A repository of the Hugging Face Hub, read at one commit.

What is in it huggingface_hub asks. Its files are asked for as any file of the web is, from where the Hub sends us; the token goes to the
Hub alone. The Hub announces hashes: SHA-256 for large files, git's SHA-1 for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from hubclient.errors import Forbidden, NotFound, Offline, SourceError
from hubclient.settings import Settings
from hubclient.sources import http
from hubclient.sources.digests import Digests
from hubclient.sources.huggingface_failures import GATED, GATED_HINT, TOKEN_HINT, hub_errors
from hubclient.sources.location import HubLocation, WebLocation
from hubclient.sources.remote import Stat
from hubclient.sources.retry import Patience
from hubclient.sources.web import WebFile

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling


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
    """`retries` and `sleep`: how a Hub in trouble, and transfers that break off, are borne."""

    def __init__(self, location: HubLocation, settings: Settings, *, retries: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        self.location = location
        self.settings = settings
        self.retries = retries
        self.sleep = sleep

    @property
    def url(self) -> str:
        return f"{self.settings.hf_endpoint}/{self.location.repo}"

    def resolve(self) -> HubSnapshot:
        """Ask which commit the revision is now, and what is in it. Raises SourceError, InvalidReference."""
        if self.settings.offline:
            hint = "unset HUBCLIENT_OFFLINE and HF_HUB_OFFLINE, or leave offline out"
            raise Offline("a connection is needed, and offline was asked for", where=self.url, hint=hint)
        return Patience(self.retries, self.sleep).insist(self._ask)

    def file(self, snapshot: HubSnapshot, name: str) -> RepositoryFile:
        """Raises NotFound."""
        if name not in snapshot.files:
            where = f"{self.url} at {snapshot.commit}"
            raise NotFound(f"the repository has no file '{name}'", where=where, hint="check the repository's page")
        return RepositoryFile(snapshot, name, self.settings)

    def cached(self, snapshot: HubSnapshot, name: str) -> Path | None:
        """Where Hugging Face's own cache holds this file of this commit; it may be damaged there."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(snapshot.repo, name, cache_dir=self.settings.hf_cache, revision=snapshot.commit)
        return Path(found).resolve() if isinstance(found, str) else None

    def _ask(self) -> HubSnapshot:
        from huggingface_hub import HfApi

        with hub_errors(self.location, self.settings):
            api = HfApi(endpoint=self.settings.hf_endpoint, token=self.settings.hf_token, library_name="hubclient")
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


class RepositoryFile(WebFile):
    """One file of a snapshot. It has no ETag: what a commit holds cannot change, and its hash is known."""

    def __init__(self, snapshot: HubSnapshot, name: str, settings: Settings) -> None:
        from huggingface_hub import hf_hub_url

        address = hf_hub_url(snapshot.repo, name, revision=snapshot.commit, endpoint=settings.hf_endpoint)
        super().__init__(WebLocation(address), settings)
        facts = snapshot.files[name]
        self._stat = Stat(facts.size, digests=Digests(sha256=facts.sha256, git_sha1=facts.git_sha1))
        if token := settings.hf_token or _kept_token():
            self._authorize = lambda method, url, headers: {"Authorization": f"Bearer {token}"}

    def stat(self) -> Stat:
        """As the snapshot has it: nothing is asked."""
        return self._stat

    def _failure(self, answer: http.Answer) -> SourceError:
        failure = http.failure(answer, TOKEN_HINT if answer.status in (401, 403) else None)
        if answer.headers.get("X-Error-Code") == "GatedRepo":
            return Forbidden(GATED, where=failure.where, why=failure.why, hint=GATED_HINT)
        return failure


def _kept_token() -> str | None:
    """What `hf auth login` has kept, unless the user wants it to be sent only where he says so."""
    from huggingface_hub import constants, get_token

    return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
