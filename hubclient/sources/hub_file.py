"""A file of a Hugging Face repository behind its web address, for reading parts of it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from hubclient.settings import Settings
from hubclient.sources import http
from hubclient.sources.location import HubLocation, WebLocation
from hubclient.sources.web import WebFile


class HubWebFile(WebFile):
    """`location` has a commit. The token goes to the Hub alone, and never to where it redirects to."""

    def __init__(self, location: HubLocation, name: str, settings: Settings) -> None:
        super().__init__(WebLocation(f"{settings.hf_endpoint}/{location.repo}/resolve/{location.revision}/{quote(name)}"), settings)
        self._authorize = _bearer(settings.hf_token)


def _bearer(token: str | None) -> http.Authorize | None:
    if token is None:
        return None

    def authorize(method: str, url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    return authorize
