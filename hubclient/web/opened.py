"""The models that the page has open: the last few, since each takes memory."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from hubclient.portrait import Portrait
from hubclient.way import open_folder

if TYPE_CHECKING:
    from hubclient.way import Opened

_MOST = 3


class OpenedModels:
    def __init__(self) -> None:
        self._models: OrderedDict[Path, Opened] = OrderedDict()
        self._lock = Lock()

    def get(self, portrait: Portrait) -> Opened:
        """The model, opened for what it does. Raises ModelError, UsageError; the portrait must have a folder."""
        assert portrait.folder is not None
        with self._lock:
            model = self._models.get(portrait.folder)
            if model is None:
                model = open_folder(portrait.folder, None, portrait.target.card, portrait.target.wanted.overlay)
                self._models[portrait.folder] = model
            self._models.move_to_end(portrait.folder)
            while len(self._models) > _MOST:
                self._models.popitem(last=False)
        return model

    def forget(self, folder: Path) -> None:
        """Before it is removed: what is mapped cannot be deleted on every system."""
        with self._lock:
            self._models.pop(folder, None)
