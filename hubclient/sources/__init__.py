"""Where files come from: S3, the web, Hugging Face, folders on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.sources.location import HubLocation, Location, S3Location, WebLocation

if TYPE_CHECKING:
    from hubclient.settings import Settings
    from hubclient.sources.web import WebFile

__all__ = ["HubLocation", "Location", "S3Location", "WebLocation", "address_of", "remote_file"]


def remote_file(location: S3Location | WebLocation, settings: Settings) -> WebFile:
    """The file at an address; nothing is asked yet."""
    from hubclient.sources.s3 import S3File
    from hubclient.sources.web import WebFile

    return S3File(location, settings) if isinstance(location, S3Location) else WebFile(location, settings)


def address_of(location: S3Location | WebLocation, settings: Settings) -> str:
    """The web address that is asked first."""
    from hubclient.sources.s3 import path_of

    return settings.s3_endpoint + path_of(location) if isinstance(location, S3Location) else location.url
