"""The last three levels: every byte fetched and compared with the lock, the model opened, and the lock's texts asked.

What is fetched lies in a folder of its own, which is removed: neither does a check fill the store, nor is it answered by it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hubclient.check import rules
from hubclient.check.aim import Aim
from hubclient.check.asking import Asking
from hubclient.check.finding import Finding, Level
from hubclient.check.found import Found
from hubclient.check.judge import fact_findings
from hubclient.errors import ArchiveError, ModelError, UnsupportedModel
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.disk import disk_errors
from hubclient.sources.huggingface import RepositoryFile
from hubclient.sources.local import LocalFile
from hubclient.transfer.fetch import fetch

if TYPE_CHECKING:
    from hubclient.hub import Hub
    from hubclient.lockfile import Pin
    from hubclient.native import NativeModel
    from hubclient.sources.remote import RemoteFile


class Opening:
    """What `hub check` does with the whole of a model. Everything raises HubError."""

    def __init__(self, hub: Hub, asking: Asking) -> None:
        self._hub, self._asking = hub, asking

    def look(self, aim: Aim, found: Found, level: Level) -> Iterator[Finding]:
        with self._folder() as folder:
            path, differences = self._fetched(aim, found, folder)
            yield from differences
            # Bytes that are not those of the lock are not opened.
            if level != "hash" and not differences:
                with _told_where(path, found):
                    yield from self._opened(aim, found, path, folder, level)

    def _fetched(self, aim: Aim, found: Found, folder: Path) -> tuple[Path | None, list[Finding]]:
        """Where the archive is now, None for a repository; and how the bytes differ from the lock's."""
        pin = aim.pin
        if isinstance(aim.location, HubLocation):
            return None, list(self._files(aim, found, pin, folder)) if pin and pin.files else []
        if found.local is not None and (pin is None or pin.sha256 is None or found.local.is_dir()):
            return found.local, []
        path = folder / "archive.zip"
        file = LocalFile(found.local) if found.local else remote_file(cast("S3Location", aim.location), self._asking.settings)
        sha256 = self._digest(file, path)
        if pin is None or pin.sha256 in (None, sha256):
            return path, []
        return path, [_hash_finding(aim, found, "sha256", pin.sha256, sha256)]

    def _digest(self, file: RemoteFile, target: Path) -> str:
        return self._asking.insist(file.url, lambda: fetch(file, target, progress=self._hub.progress)).sha256

    def _files(self, aim: Aim, found: Found, pin: Pin, folder: Path) -> Iterator[Finding]:
        assert found.snapshot is not None
        for number, (name, sha256) in enumerate(pin.files):
            if name not in found.snapshot.files:
                continue  # told already
            file = RepositoryFile(found.snapshot, name, self._asking.settings)
            actual = self._digest(file, folder / f"file-{number}")
            if actual != sha256:
                yield _hash_finding(aim, found, name, sha256, actual)

    def _opened(self, aim: Aim, found: Found, path: Path | None, folder: Path, level: Level) -> Iterator[Finding]:
        from hubclient.check.canary import first_difference
        from hubclient.way import open_model

        try:
            native = self._native(aim, path, folder)
            model = open_model(native)
        except UnsupportedModel as error:
            if aim.subject.loader == "hubclient":
                raise
            yield Finding(rules.OTHER_KIND, aim.subject, error.what, found.where)
            return
        # They were compared before.
        same_bytes = aim.pin is not None and bool(aim.pin.sha256 or aim.pin.files)
        yield from fact_findings(aim, found, native.manifest, same_bytes=same_bytes)
        if level != "predict":
            return
        if aim.pin is None or not aim.pin.canaries:
            yield Finding(rules.NO_ANSWERS, aim.subject, "no lock has answers of this model to compare with", found.where)
        elif (difference := first_difference(model, aim.pin.canaries)) is not None:
            was, now = difference
            details: dict[str, object] = {"text": was.text, "expected": was.answer, "found": now.answer}
            details |= {"expected_logits": list(was.logits), "found_logits": list(now.logits)} if was.logits else {}
            message = f"'{was.text}': the answer is {now.answer}, and the lock says {was.answer}"
            yield Finding(rules.ANSWERS_DIFFER, aim.subject, message, found.where, details)

    def _native(self, aim: Aim, path: Path | None, folder: Path) -> NativeModel:
        """Converted in a store of its own."""
        from hubclient.names import HubReference, PathReference
        from hubclient.store import Store
        from hubclient.way import obtain, target_at

        workshop = replace(self._hub.workshop, store=Store(folder / "store"))
        if path is not None:
            return obtain(workshop, target_at(workshop, PathReference(str(path))))
        assert isinstance(aim.location, HubLocation)
        return obtain(workshop, target_at(workshop, HubReference(aim.location.repo, aim.location.revision)))

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        root = self._asking.settings.cache_dir
        with disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="check-", dir=root, ignore_cleanup_errors=True) as folder:
                yield Path(folder)


@contextmanager
def _told_where(path: Path | None, found: Found) -> Iterator[None]:
    """Errors name where the model came from, not where it lay while it was looked at."""
    try:
        yield
    except (ArchiveError, ModelError) as error:
        error.where = (error.where or found.where).replace(str(path), found.where)
        raise


def _hash_finding(aim: Aim, found: Found, what: str, expected: str | None, actual: str | None) -> Finding:
    details = {"what": what, "expected": expected, "found": actual, "by": "lock"}
    return Finding(rules.HASH_CHANGED, aim.subject, f"{what}: {actual}, and the lock says {expected}", found.where, details)
