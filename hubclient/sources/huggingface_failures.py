"""What huggingface_hub's exceptions mean: of the 0.x versions, which are built on requests, and of the later ones, built on httpx."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hubclient.errors import Forbidden, InvalidReference, NotFound, Offline, ServerFailure, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources.disk import disk_failure
from hubclient.sources.http import meaning, rest_asked
from hubclient.sources.location import HubLocation

INVALID_TOKEN = "InvalidToken"  # noqa: S105 - the name of a failure, not a token
_BAD_TOKEN = ("Invalid credentials", "Invalid user token", "Invalid username")
CACHE_HINT = "choose another folder for Hugging Face's own cache by setting HF_HUB_CACHE"
TOKEN_HINT = "give a token that may read it, in HF_TOKEN"  # noqa: S105 - words, not a token
GATED = "the repository's owner wants to know who downloads it"
GATED_HINT = f"ask for access on the repository's page, and {TOKEN_HINT}"


@contextmanager
def hub_errors(location: HubLocation, settings: Settings, file: str | None = None) -> Iterator[None]:
    """Raise SourceError, StoreFull, StoreUnwritable or InvalidReference in place of what huggingface_hub raises."""
    failures = _failures()
    try:
        yield
    except failures as error:
        root = _root(error)
        failure = _meaning(root, location, settings, file)
        # The request before a download is what the library repeats by itself, for half a minute: enough is enough.
        if isinstance(failure, SourceError) and root is not error:
            failure.lasting = True
        if isinstance(failure, SourceError):
            failure.code = _code(root)
        raise failure from error


def _failures() -> tuple[type[Exception], ...]:
    from huggingface_hub import errors

    known = ("HfHubHTTPError", "XetDownloadError")
    own = tuple(getattr(errors, name) for name in known if hasattr(errors, name))
    # A file that breaks off is a bare OSError, failures of Xet are RuntimeErrors.
    return (*own, *_transport_errors(), OSError, ValueError, RuntimeError)


def _transport_errors() -> tuple[type[Exception], ...]:
    known = (("requests", "RequestException"), ("httpx", "HTTPError"), ("httpx2", "HTTPError"))
    return tuple(getattr(sys.modules[module], name) for module, name in known if module in sys.modules)


def _code(error: BaseException) -> str | None:
    """The Hub's own word for what is the matter, else the status."""
    response = getattr(error, "response", None)
    if response is None:
        return None
    if response.status_code == 401 and response.headers.get("X-Error-Message", "").startswith(_BAD_TOKEN):
        return INVALID_TOKEN
    return response.headers.get("X-Error-Code") or str(response.status_code)


def _root(error: BaseException) -> BaseException:
    """The library wraps the failure of its first request into "not in the local cache", and into a ValueError when forced."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    while isinstance(error, (LocalEntryNotFoundError, ValueError)) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _meaning(error: BaseException, location: HubLocation, settings: Settings, file: str | None) -> Exception:
    from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    where = f"{settings.hf_endpoint}/{location.repo}" + (f" ({file})" if file else "")
    if isinstance(error, OfflineModeIsEnabled):
        return Offline("a connection is needed, and huggingface_hub is set to offline", where=where, hint="unset HF_HUB_OFFLINE")
    if isinstance(error, HFValidationError):
        return InvalidReference(f"'{location}' does not name a Hugging Face repository", why=str(error), hint="write hf:OWNER/REPO")
    # Its own kind, or its transport's: not every answer passes through what makes the difference.
    if isinstance(error, HfHubHTTPError) or getattr(error, "response", None) is not None:
        return _refusal(error, location, where)
    if isinstance(error, _transport_errors()):
        hint = "check the address (HF_ENDPOINT), your connection, and HTTPS_PROXY if you are behind a proxy"
        return Unreachable("no connection to the Hugging Face Hub", where=where, why=_first_line(error), hint=hint)
    if isinstance(error, (LocalEntryNotFoundError, FileMetadataError)):
        return ServerFailure("the Hub's answer was not understood", where=where, why=_first_line(error), hint="check HF_ENDPOINT")
    if isinstance(error, OSError) and error.errno is not None:
        return _cache_failure(error, settings)
    if isinstance(error, ValueError):
        return SourceError("huggingface_hub cannot fetch this", where=where, why=_first_line(error), hint="pip install -U huggingface_hub")
    return Unreachable("the file broke off", where=where, why=_first_line(error), hint="try again")


def _refusal(error: BaseException, location: HubLocation, where: str) -> SourceError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    why = _first_line(error)
    if isinstance(error, GatedRepoError):
        return Forbidden(GATED, where=where, why=why, hint=GATED_HINT)
    if isinstance(error, RepositoryNotFoundError):
        hint = f"check the spelling; if it is private, {TOKEN_HINT}"
        return NotFound(f"there is no repository '{location.repo}', or it is private", where=where, why=why, hint=hint)
    if isinstance(error, RevisionNotFoundError):
        hint = "leave it out for the newest, or name a branch, tag or commit that exists"
        return NotFound(f"the repository '{location.repo}' has no revision '{location.revision}'", where=where, why=why, hint=hint)
    response = getattr(error, "response", None)
    kind, what, general = meaning(response.status_code if response is not None else 500)
    refusal = kind(what, where=where, why=why, hint=TOKEN_HINT if kind is Forbidden else general)
    refusal.retry_after = rest_asked(response.headers) if response is not None else None
    return refusal


def _cache_failure(error: OSError, settings: Settings) -> Exception:
    failure = disk_failure(error, settings.hf_cache)
    failure.hint = f"free some space or make it writable, or {CACHE_HINT}"
    return failure


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
