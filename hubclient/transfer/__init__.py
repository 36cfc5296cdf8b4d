"""Bringing bytes here, whole and verified."""

from __future__ import annotations

from hubclient.transfer.fetch import Fetched, fetch
from hubclient.transfer.progress import Advance, Progress, Silent, progress_for

__all__ = ["Advance", "Fetched", "Progress", "Silent", "fetch", "progress_for"]
