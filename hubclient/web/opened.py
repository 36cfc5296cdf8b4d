"""The models that the page has open: the last few, since each takes memory."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from hubclient.plan import UseStored
from hubclient.portrait import Portrait
from hubclient.store import Store
from hubclient.way import open_model

if TYPE_CHECKING:
    from hubclient.way import Opened

_MOST = 3


class OpenedModels:
    def __init__(self, store: Store) -> None:
        self._store = store
        # Two names of one content may have facts of their own.
        self._models: OrderedDict[tuple[str, Path], Opened] = OrderedDict()
        self._lock = Lock()

    def get(self, portrait: Portrait) -> Opened:
        """The model, opened for what it does. Raises ModelError, UsageError; the portrait must have a model."""
        assert portrait.model is not None
        assert portrait.target is not None
        key = str(portrait.reference), portrait.model.folder
        with self._lock:
            model = self._models.get(key)
            if model is None:
                model = open_model(portrait.model, None, portrait.target.card, portrait.target.wanted.overlay)
                self._models[key] = model
                if isinstance(portrait.target.plan, UseStored):
                    self._store.use(portrait.target.plan.entry)
            self._models.move_to_end(key)
            while len(self._models) > _MOST:
                self._models.popitem(last=False)
        return model

    def forget(self, folder: Path) -> None:
        """Before it is removed: what is mapped cannot be deleted on every system."""
        with self._lock:
            for key in [key for key in self._models if key[1] == folder]:
                del self._models[key]
