"""The catalogue as files: any host will do, and the browser finds what the server would find."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from playwright.sync_api import Browser, expect

from hubclient import Hub, bundled
from hubclient.catalog import Catalog, Layer
from hubclient.errors import UsageError
from hubclient.settings import Settings
from hubclient.web.look import Look, found
from hubclient.web.site import Built, build_site
from hubclient.web.site_index import site_index, write_index
from tests.e2e.material import DEMO, IMDB, PUBMED
from tests.e2e.shell import hub as run_hub
from tests.web.browser import Scheme, Tab, opened_tab

# One worker: a browser and a server are started for all tests of this file.
pytestmark = pytest.mark.xdist_group("site")
FIRST_PAGE = 200_000
# What a site is asked in this test as the server is.
QUESTIONS = [
    "",
    "q=bert",
    "q=sst2",
    "q=SST2 bert",
    "q=b",
    f"q={DEMO}",
    f"q={PUBMED[:30]}",
    "q=tiny_bert",
    "q=bert tiny&sort=date",
    "q=sentiment&sort=size",
    "q=Größe",
    "q=grosse",
    "q=positiv",
    "q=no such thing at all",
    "q=...",
    "language=de",
    "language=de&language=fr&q=bert",
    "task=text-classification&opens=yes&sort=size",
    "annotator=BertForSequenceClassification&language=en&page=2",
    "origin=google",
    "size=up to 50 MB&version=4.1",
    "q=bert&page=3",
    "sort=date&page=2",
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The shipped cards, and eighty of which some differ only in case, in language or in version."""
    folder = tmp_path_factory.mktemp("cards")
    shipped = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
    for number in range(80):
        name = ("Bert", "bert")[number % 2] + f"_groesse_{number // 4}"
        language = ("en", "de", "fr", "xx")[number % 4]
        version = f"{3 + number % 3}.{number % 5}.0"
        text = shipped.replace(DEMO, name).replace("3.4.4", version).replace("_en_", f"_{language}_")
        text = text.replace("language: en", f"language: {language}")
        text = text.replace("1635774771318", str(1635774771318 + number * 10**7)).replace("SST-2", f"Größe {number}")
        (folder / f"card{number}.md").write_text(text, encoding="utf-8")
    return Catalog((Layer("folder", bundled.CARDS), Layer("folder", folder)), folder=tmp_path_factory.mktemp("index"))


def hub_of(catalog: Catalog, cache: Path) -> Hub:
    made = Hub(settings=Settings(cache_dir=cache), progress=False)
    made.__dict__["catalog"] = catalog
    return made


@pytest.fixture(scope="module")
def built(small: Catalog, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    base = tmp_path_factory.mktemp("web")
    return base, build_site(hub_of(small, base / "cache"), base / "some" / "place")


@pytest.fixture(scope="module")
def site(built: tuple[Path, Built]) -> Iterator[str]:
    """Hosted below a path, as many hosts do it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built[0])))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/some/place"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    with opened_tab(browser, site) as opened:
        yield opened


def shown(tab: Tab, asked: str) -> tuple[list[str], str, dict[str, list[tuple[str, int]]]]:
    """Which models are found, how many there are, and what the facets say."""
    page = tab.open("/index.html?" + quote(asked, safe="=&"))
    if asked:
        expect(page.locator("#found")).to_have_attribute("data-asked", "?" + quote(asked, safe="=&"))
    rows = [f"{one.inner_text()}" for one in page.locator(".row > a").all()]
    facets = {name: [(value, count) for value, count in values] for name, values in page.evaluate(_FACETS).items()}
    return rows, page.locator(".total b").inner_text(), facets


_FACETS = """
() => {
  const counted = (box) => Number(box.parentElement.querySelector('.count').textContent.replace(',', ''));
  const values = (facet) => [...facet.querySelectorAll('input')].map((box) => [box.value, counted(box)]);
  return Object.fromEntries([...document.querySelectorAll('.facet')].map((facet) => [facet.dataset.facet, values(facet)]));
}
"""


def wanted(catalog: Catalog, asked: str) -> tuple[list[str], int, dict[str, list[tuple[str, int]]]]:
    said = found(catalog, Look.of(parse_qsl(asked)), "./")
    facets = {facet["name"]: [(value["value"], value["count"]) for value in (*facet["first"], *facet["more"])] for facet in said["facets"]}
    return [row.name for row in said["rows"]], said["total"], facets


@pytest.mark.parametrize("asked", QUESTIONS)
def test_it_finds_what_the_server_finds(asked: str, tab: Tab, small: Catalog) -> None:
    rows, total, facets = shown(tab, asked)
    names, count, said = wanted(small, asked)
    assert rows == names
    assert total.split()[0] == (f"{count:,}" if count else "No")
    assert facets == said


def test_so_it_does_in_the_whole_catalogue(browser: Browser, built: tuple[Path, Built], site: str, catalogue: Path, tmp_path: Path) -> None:
    whole = Catalog((Layer("bundle", bundled.INDEX), Layer("folder", bundled.CARDS)), folder=catalogue)
    place = built[0] / "some" / "whole"
    shutil.copytree(built[0] / "some" / "place" / "static", place / "static")
    shutil.copy(built[0] / "some" / "place" / "index.html", place)
    (place / "data").mkdir()
    write_index(site_index(whole, lambda name, language, version: f"model/{language}/{name}.html"), place / "data")
    with opened_tab(browser, site.replace("place", "whole")) as tab:
        for asked in filter(None, QUESTIONS):
            assert shown(tab, asked)[0] == wanted(whole, asked)[0], asked
            assert shown(tab, asked)[2] == wanted(whole, asked)[2], asked
    # No part is large, since any may be asked for first.
    assert max(file.stat().st_size for file in (place / "data").iterdir()) < 250_000


def test_the_first_page_is_light(tab: Tab) -> None:
    sizes: dict[str, int] = {}
    tab.page.on("response", lambda response: sizes.__setitem__(response.url, len(response.body())))
    page = tab.open("/")
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) <= FIRST_PAGE
    assert not [url for url in sizes if "/data/" in url]


def test_searching_and_the_way_back(tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("searchbox").fill("groesse_13")
    expect(page.locator(".row > a").first).to_contain_text("groesse_13")
    page.locator('input[value="fr"]').check()
    expect(page.locator(".row")).to_have_count(1)
    assert page.url.endswith("/?q=groesse_13&language=fr")
    page.locator(".row > a").first.click()
    expect(page.get_by_role("heading", name="How to use")).to_be_visible()
    page.go_back()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator('input[value="fr"]')).to_be_checked()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("groesse_13")
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.locator(".total")).to_contain_text("No model matches")


def test_a_model_of_a_site(tab: Tab) -> None:
    page = tab.open(f"/model/en/{PUBMED}.html")
    expect(page.get_by_role("heading", name="Predicted entities")).to_be_visible()
    expect(page.get_by_text("As the card lists them")).to_be_visible()
    page.get_by_role("button", name="Copy the S3 URI").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("s3://")
    page.get_by_role("tab", name="Shell").click()
    expect(page.locator('[role="tabpanel"]:not([hidden])')).to_contain_text("hub predict")
    # What only a running server can do is not offered.
    assert page.get_by_text(re.compile("Live demo|Pull|Open as notebook|Store")).count() == 0
    page.get_by_role("searchbox").fill("sst2")
    page.keyboard.press("Enter")
    expect(page.locator(".row > a").first).to_contain_text("sst2")


def test_every_card_has_its_page_and_every_link_leads_somewhere(built: tuple[Path, Built], small: Catalog) -> None:
    folder = built[0] / "some" / "place"
    pages = list(folder.rglob("*.html"))
    assert len(pages) == built[1].pages == len({(key.name, key.language, key.version) for key in small.cards}) + 1
    # Also where case makes no difference.
    assert len({str(page).casefold() for page in pages}) == len(pages)
    for page in pages:
        for address in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text("utf-8")):
            if not address.startswith("http"):
                target = page.parent / address
                assert (target / "index.html" if target.is_dir() else target).is_file(), (page, address)
    rows = [row for file in folder.glob("data/rows-*.json") for row in json.loads(file.read_text("utf-8"))]
    assert all((folder / row[2]).is_file() for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("path", ["/", f"/model/en/{IMDB}.html"])
def test_every_page_can_be_read(path: str, width: int, scheme: Scheme, browser: Browser, site: str) -> None:
    with opened_tab(browser, site, width=width, scheme=scheme) as tab:
        tab.open(path)
        assert tab.too_wide() == []
        assert tab.unreadable() == []


def test_a_site_is_written_whole_or_not_at_all(small: Catalog, tmp_path: Path) -> None:
    hub, place = hub_of(small, tmp_path / "cache"), tmp_path / "site"
    place.mkdir()
    (place / "mine.txt").write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(UsageError):
            build_site(hub, place, force=force)
    assert [file.name for file in place.iterdir()] == ["mine.txt"]
    (place / "mine.txt").unlink()
    first = build_site(hub, place)
    with pytest.raises(UsageError, match="new folder"):
        build_site(hub, place)
    assert build_site(hub, place, force=True) == first
    assert {file.name for file in tmp_path.iterdir()} <= {"site", "cache"}


def test_the_same_cards_give_the_same_files(small: Catalog, tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        build_site(hub_of(small, tmp_path / "cache"), tmp_path / name)
        texts.append({file.relative_to(tmp_path / name): file.read_bytes() for file in (tmp_path / name).rglob("*") if file.is_file()})
    assert texts[0] == texts[1]


def test_the_command_refuses(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("a", encoding="utf-8")
    done = run_hub("site", "build", tmp_path / "there")
    assert done.code == 2
    assert "new folder" in done.err
