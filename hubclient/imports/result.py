"""What became of one model that was to be imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hubclient.errors import HubError
from hubclient.store import Entry

State = Literal["imported", "there already", "skipped", "failed"]


@dataclass(frozen=True)
class Imported:
    """`source`: the file or folder, or the model's name in a bundle. `error`: why it was skipped, or failed."""

    source: str
    state: State
    entry: Entry | None = None
    error: HubError | None = None
