"""What all pages share: the hub, the opened models, the pulls under way, the templates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubclient import __version__
from hubclient.hub import Hub
from hubclient.web.guard import Door
from hubclient.web.markup import to_html
from hubclient.web.opened import OpenedModels
from hubclient.web.pulls import Pulls
from hubclient.wording import date_of, human_size, plural

FOLDER = Path(__file__).parent
_LOOK_AGAIN_S = 10.0


@dataclass(frozen=True)
class Shop:
    """`hub`: what pages tell is told by it, and it asks nobody. `strict`: obeys the lock, where there is one; it pulls and opens."""

    hub: Hub
    strict: Hub
    door: Door
    pulls: Pulls
    models: OpenedModels
    pages: Environment
    clock: Clock


@dataclass
class Clock:
    """When folders of cards were last looked through: cards that are written while the page is open show up soon."""

    last: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)

    def is_time(self) -> bool:
        with self.lock:
            now = time.monotonic()
            if now - self.last < _LOOK_AGAIN_S:
                return False
            self.last = now
            return True


def open_shop(hub: Hub, door: Door) -> Shop:
    looking = Hub(settings=replace(hub.settings, live_index=None, lock=None), progress=False)
    return Shop(
        looking,
        hub,
        door,
        Pulls(hub),
        OpenedModels(hub.store),
        environment({"token": door.token, "static_site": False, "static": "/static/", "home": "/"}),
        Clock(),
    )


def environment(known: Mapping[str, Any]) -> Environment:
    """The templates; what stands in them is escaped. `known`: what all of them are told."""
    pages = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters |= {"markdown": to_html, "size": human_size, "day": date_of, "plural": plural}
    pages.globals |= {"made_by": __version__, **known}
    return pages
