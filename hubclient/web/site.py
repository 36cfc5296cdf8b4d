"""The catalogue as a site of files, to host anywhere: a page for each card, and a search that the browser does by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from hubclient.catalog import Catalog, Known
from hubclient.catalog.layer import dotted
from hubclient.convert.annotators import can_open
from hubclient.hub import Hub
from hubclient.names import CardReference, parse_reference
from hubclient.outfile import placed_folder
from hubclient.portrait import Portrait
from hubclient.store.naming import key_of
from hubclient.web.look import Look, found
from hubclient.web.portrayal import portrayed
from hubclient.web.shop import FOLDER, environment
from hubclient.web.site_index import MAIN, site_index, write_index

_DATA = "data"
_NEEDED = ("common.js", "icons.svg", "mark.svg", "search.js", "site.js", "style.css", "model.js")
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Built:
    pages: int
    bytes: int


def build_site(hub: Hub, target: Path, *, force: bool = False, advance: Advance = lambda count: None) -> Built:
    """Write the site, whole or not at all; `advance` hears of cards. Raises UsageError, CardError, StoreUnwritable, StoreFull."""
    catalog = hub.catalog
    with placed_folder(target, "a site", marker=f"{_DATA}/{MAIN}", force=force) as folder:
        plan = _Plan.of(catalog)
        (folder / "static").mkdir()
        for name in _NEEDED:
            shutil.copyfile(FOLDER / "static" / name, folder / "static" / name)
        (folder / _DATA).mkdir()
        write_index(site_index(catalog, plan.path), folder / _DATA)
        pages = environment({"static_site": True})
        _write_search(catalog, plan, pages, folder)
        count = 1
        for path, html in _models(catalog, plan, pages):
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(html, encoding="utf-8")
            count += 1
            advance(1)
        return Built(count, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


@dataclass(frozen=True)
class _Plan:
    """Where each card has its page. `current`: by name and language, the version that is meant where none is said."""

    current: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog) -> _Plan:
        cards = [known.card for known in catalog.numbered(catalog.glance(Look().wish(), can_open=can_open).numbers)]
        return cls({(card.model_name, card.model_language): dotted(card.version) for card in cards})

    def file(self, name: str, language: str, version: str = "") -> str:
        """Names that differ only in case have files that differ in more."""
        stem = f"model/{_safe(language)}/{_safe(name)}"
        return f"{stem}.html" if version in ("", self.current[name, language]) else f"{stem}/{_safe(version)}.html"

    def path(self, name: str, language: str, version: str) -> str:
        """Its address, seen from the site's first page."""
        return quote(self.file(name, language, version))


def _safe(text: str) -> str:
    key = key_of(text)
    return text if key.rpartition("-")[0] == text else key


def _write_search(catalog: Catalog, plan: _Plan, pages: Environment, folder: Path) -> None:
    said = found(catalog, Look(), "./", address=plan.path)
    count = sum(layer.cards for layer in catalog.counts())
    text = pages.get_template("search.html").render(said, here="models", all=count, site=_DATA, home="./", static="static/")
    (folder / "index.html").write_text(text, encoding="utf-8")


def _models(catalog: Catalog, plan: _Plan, pages: Environment) -> Iterator[tuple[str, str]]:
    """Each page's file and content."""
    template = pages.get_template("model.html")
    for name in sorted({name for name, _ in plan.current}):
        known = catalog.meant(name)
        for one in _each_version(known, name):
            card = catalog.whole(one.card)
            version = dotted(card.version)
            file = plan.file(card.model_name, card.model_language, version)
            home = "../" * file.count("/")
            current = version == plan.current[card.model_name, card.model_language]
            reference = parse_reference(f"{card.model_language}/{card.model_name}" + ("" if current else f"@{version}"))
            assert isinstance(reference, CardReference)

            def address(name: str, language: str, version: str, home: str = home) -> str:
                return home + plan.path(name, language, version)

            said = portrayed(Portrait(reference, None, card), known, None, address)
            yield file, template.render(said, here="", home=home, static=f"{home}static/")


def _each_version(known: Iterable[Known], name: str) -> list[Known]:
    """Of each language and version the newest card of the strongest layer."""
    best: dict[tuple[str, str], Known] = {}
    for one in sorted(known, key=lambda one: (one.key.epoch_ms, one.rank)):
        if one.card.model_name == name:
            best[one.card.model_language, dotted(one.card.version)] = one
    return list(best.values())
