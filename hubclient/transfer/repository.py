"""Files of a Hugging Face repository, brought into a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hubclient.sources.huggingface import HubRepository, HubSnapshot
from hubclient.transfer.line import Line
from hubclient.transfer.progress import Advance


def fetch_files(
    repository: HubRepository,
    snapshot: HubSnapshot,
    names: Iterable[str],
    target: Path,
    *,
    parts: Path | None = None,
    line: Line | None = None,
    advance: Advance = lambda count: None,
) -> dict[str, str]:
    """Put files of a snapshot below the folder `target`, under their own names, and return the SHA-256 of each.

    They may be hard links into Hugging Face's cache: never write to them in place. `advance` is told of bytes as they arrive.
    `parts` and `line`: as in `hubclient.transfer.fetch`.
    Raises SourceError, StoreFull, StoreUnwritable.
    """
    return repository.fetch(snapshot, names, target, advance)
