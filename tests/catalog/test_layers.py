"""Layers that come, go and overlap, and what a catalogue that is open sees of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient import __version__
from hubclient.cards import parse_card
from hubclient.cards.facts_form import to_facts
from hubclient.catalog import Catalog, Layer, Query
from hubclient.catalog.bundle import write_bundle
from hubclient.errors import CardError
from hubclient.names import CardReference
from hubclient.transfer.progress import Advance
from tests.cards.shared import archive, card_text
from tests.catalog.test_index import write


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def own(*folders: Path) -> list[Layer]:
    return [Layer("folder", folder, own=True) for folder in folders]


def stored(cache: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(cache / f"index-{__version__}.sqlite")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_layers_whose_folder_is_gone_are_forgotten(tmp_path: Path, cache: Path) -> None:
    for name in ("one", "two", "three"):
        write(tmp_path / name, name)
        assert len(Catalog(own(tmp_path / name), folder=cache).cards) == 1
    shutil.rmtree(tmp_path / "one")
    write(tmp_path / "three", "four")
    assert len(Catalog(own(tmp_path / "three"), folder=cache).cards) == 2
    sources = [Path(str(source)).name for (source,) in stored(cache, "SELECT cast(source AS text) FROM layer ORDER BY id")]
    assert sources == ["two", "three"]
    assert stored(cache, "SELECT name FROM card ORDER BY name") == [("four",), ("three",), ("two",)]
    for table in ("file", "words", "ref"):
        assert stored(cache, f"SELECT count(*) FROM {table}") == [(3,)]


def test_a_folder_that_is_named_twice_counts_where_it_counts_most(tmp_path: Path) -> None:
    write(tmp_path / "one", "same", title="first")
    write(tmp_path / "two", "same", title="second")
    catalog = Catalog([*own(tmp_path / "one", tmp_path / "two"), Layer("folder", tmp_path / "one")])
    assert [(layer.path.name, layer.own) for layer in catalog.layers] == [("two", True), ("one", False)]
    catalog = Catalog(own(tmp_path / "one", tmp_path / "two", tmp_path / "one"))
    assert catalog.resolve(CardReference("same")).card.title == "first"
    assert [count.cards for count in catalog.counts()] == [1, 1]


def test_a_folder_inside_another(tmp_path: Path) -> None:
    write(tmp_path / "one", "outer")
    write(tmp_path / "one" / "sub", "inner")
    catalog = Catalog(own(tmp_path / "one", tmp_path / "one" / "sub"))
    assert [count.cards for count in catalog.counts()] == [2, 1]
    assert sorted(card.name for card in catalog.cards.values()) == ["inner", "outer"]
    assert catalog.deliberate(CardReference("inner")).chosen is not None


def test_cards_stay_as_they_were_whatever_others_write(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "cards"
    for name in ("b", "d", "f"):
        write(folder, name, title=name)
    cards = Catalog(own(folder), folder=cache).cards
    shutil.rmtree(folder)
    for name in ("a", "d", "e"):
        write(folder, name, title=f"another {name}")
    assert len(Catalog(own(folder), folder=cache).cards) == 3
    assert {key.name: card.title for key, card in cards.items()} == {"b": "b", "d": "d", "f": "f"}


def test_cards_stay_as_they_were_when_the_index_is_built_anew(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "cards"
    for name in ("b", "d"):
        write(folder, name, title=name)
    catalog = Catalog(own(folder), folder=cache)
    cards = catalog.cards
    write(folder, "a")
    with sqlite3.connect(cache / f"index-{__version__}.sqlite") as connection:
        connection.execute("DROP TABLE card")
    connection.close()
    assert catalog.resolve(CardReference("a")).card.name == "a"
    assert {key.name: card.title for key, card in cards.items()} == {"b": "b", "d": "d"}


class Told:
    """A progress that notes what it is told."""

    def __init__(self) -> None:
        self.tasks: dict[str, tuple[int | None, int]] = {}

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        done: list[int] = []
        yield done.append
        self.tasks[label] = total, sum(done)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    cards = [parse_card(card_text(file=archive(name), front={"name": name})) for name in ("one", "two")]
    path = tmp_path / "index.xz"
    path.write_bytes(write_bundle([(f"{card.name}.md", to_facts(card)) for card in cards], origin="here"))
    return path


def test_a_bundle_is_read_with_a_bar(bundle: Path, cache: Path) -> None:
    told = Told()
    assert len(Catalog([Layer("bundle", bundle)], folder=cache, progress=told).cards) == 2
    total, done = told.tasks["reading the bundled index"]
    assert total == done
    assert total
    assert Catalog([Layer("bundle", bundle)], folder=cache, progress=told).search(Query(("two",)))[0].name == "two"
    assert len(told.tasks) == 1


@pytest.mark.parametrize("damage", ["missing", "folder", "damaged"])
def test_a_bundle_that_cannot_be_had(bundle: Path, cache: Path, damage: str) -> None:
    catalog = Catalog([Layer("bundle", bundle)], folder=cache)
    data = bundle.read_bytes()
    bundle.unlink()
    if damage == "folder":
        bundle.mkdir()
    elif damage == "damaged":
        bundle.write_bytes(data[:-40])
    with pytest.raises(CardError, match="the bundled index") as caught:
        catalog.resolve(CardReference("one"))
    assert str(bundle) in (caught.value.where or "")
    assert caught.value.hint == "install hubclient again"
    if damage == "folder":
        bundle.rmdir()
    bundle.write_bytes(data)
    assert catalog.resolve(CardReference("one")).card.name == "one"
