"""What changes something, in a real browser: pulling from a real S3 server with its progress, and the store's page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hubclient import pretrained
from hubclient.check import rules
from hubclient.check.finding import Finding, Subject
from hubclient.check.last import keep_last
from hubclient.check.report import Report
from tests.e2e.material import BUCKET, DEMO, IMDB_KEY, PUBMED, PUBMED_KEY, PUBMED_ZIP
from tests.servers.seaweed import Seaweed
from tests.web.browser import Tab, opened_tab
from tests.web.server import running_page

# One worker: a browser and a server are started for all tests of this file.
pytestmark = pytest.mark.xdist_group("acts")
ARTICLES = f"/model/en/{PUBMED}"
TEXT = "Aspirin lowers the risk of a second heart attack."


@pytest.fixture
def cache(tmp_path: Path, catalogue: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "catalogue").symlink_to(catalogue, target_is_directory=True)
    return folder


@pytest.fixture
def tab(browser: Browser, seaweed: Seaweed, cache: Path) -> Iterator[Tab]:
    """The page over an empty cache, with a real S3 server as the bucket."""
    with running_page(cache, env={"HUBCLIENT_S3_ENDPOINT": seaweed.endpoint}) as home, opened_tab(browser, home) as opened:
        yield opened


def test_a_model_is_pulled_and_asked(tab: Tab, seaweed: Seaweed, cache: Path) -> None:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    page = tab.open(ARTICLES)
    page.evaluate(_WATCH)
    expect(page.get_by_text("The model is not in the store yet.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pull ")).first.click()
    expect(page.get_by_text("in the store", exact=True)).to_be_visible(timeout=30_000)
    # The bar was there, and went from nothing to all of it.
    told = page.evaluate("window.told")
    fetched = [(done, most) for done, most, text in told if most == PUBMED_ZIP.stat().st_size]
    assert fetched[-1] == (PUBMED_ZIP.stat().st_size,) * 2
    assert fetched == sorted(fetched)
    assert page.locator("[data-progress]").is_hidden()
    # The text that was there is answered without being asked again.
    expect(page.locator(".bars li").first).to_be_visible()
    with page.expect_response(re.compile("/api/predict$")) as response:
        page.get_by_label("Text", exact=True).fill(TEXT)
    said = {one["label"]: one["score"] for one in response.value.json()["scores"]}
    assert said == pretrained(PUBMED, "en", cache_dir=cache, offline=True)(TEXT).scores
    # Once the weights tell, labels stand in class order, and the manifest is there.
    page.reload()
    expect(page.get_by_text("In class order, as the weights have them.")).to_be_visible()
    expect(page.get_by_role("heading", name="The model itself")).to_be_visible()
    assert tab.open("/?q=pubmed").locator(".row .stored").count() == 1


_WATCH = """
() => {
  window.told = [];
  const bar = document.querySelector("[data-progress] progress");
  const note = () => window.told.push([bar.value, bar.max, document.querySelector("[data-progress] p").textContent]);
  new MutationObserver(note).observe(document.querySelector("[data-progress]"), { attributes: true, childList: true, subtree: true });
}
"""


def test_why_a_pull_failed_is_told(tab: Tab, seaweed: Seaweed) -> None:
    seaweed.delete(BUCKET, IMDB_KEY)
    page = tab.open("/model/en/bert_large_sequence_classifier_imdb")
    page.get_by_role("button", name="Pull it and try").click()
    told = page.locator("[data-progress] p")
    expect(told).to_contain_text(re.compile("not found|no such|gone", re.IGNORECASE), timeout=30_000)
    expect(page.get_by_role("button", name="Pull it and try")).to_be_enabled()


def test_two_tabs_watch_one_pull(browser: Browser, tab: Tab, seaweed: Seaweed) -> None:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    addresses = []
    with opened_tab(browser, tab.home) as other:
        for page in (tab.open(ARTICLES), other.open(ARTICLES)):
            with page.expect_response(re.compile("/api/pull$")) as response:
                page.get_by_role("button", name="Pull it and try").click()
            addresses.append(response.value.json()["events"])
        for page in (tab.page, other.page):
            expect(page.locator(".bars li").first).to_be_visible(timeout=30_000)
    assert len(set(addresses)) == 1


def pulled(page: Page) -> None:
    page.get_by_role("button", name="Pull it and try").click()
    expect(page.locator(".bars li").first).to_be_visible(timeout=30_000)


def test_the_store(tab: Tab, cache: Path) -> None:
    pulled(tab.open(f"/model/en/{DEMO}"))
    page = tab.open("/store")
    row = page.locator("tr[data-identity]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("5.1 MB")
    page.get_by_role("button", name=f"Verify {DEMO}").click()
    expect(row.locator("[data-state]")).to_have_text("whole")
    (weights,) = cache.glob("contents/*/model.safetensors")
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    os.chmod(weights, 0o644)
    weights.write_bytes(damaged)
    page.get_by_role("button", name=f"Verify {DEMO}").click()
    expect(row.locator("[data-state]")).to_contain_text("model.safetensors")
    # By keyboard: first it is kept, then it goes.
    remove = page.get_by_role("button", name=f"Remove {DEMO}")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert weights.exists()
    remove.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row.locator("[data-state]")).to_contain_text("removed")
    assert not weights.exists()
    expect(tab.open("/store").get_by_text("Nothing has been pulled yet.")).to_be_visible()


def test_the_last_check(browser: Browser, cache: Path) -> None:
    subjects = {
        f"en/{DEMO}": rules.AVAILABLE,
        f"en/{PUBMED}": rules.GONE,
        "hf:owner/<b>repo</b>": rules.UNREACHABLE,
        "no name": rules.INVALID_REFERENCE,
    }
    findings = [Finding(rule, Subject(reference), f"<script>{rule.name}</script>") for reference, rule in subjects.items()]
    with running_page(cache) as home, opened_tab(browser, home, width=360, scheme="dark") as tab:
        assert tab.open("/store").get_by_text("hub check").count() == 1
        keep_last(Report.of(findings, level="exists", started=datetime(2026, 11, 23, 1, 2, tzinfo=UTC), seconds=1), cache)
        page = tab.open("/store")
        expect(page.get_by_text("2026-11-23 01:02 UTC, level exists")).to_be_visible()
        # What needs attention comes first; a colour alone says nothing.
        cells = page.locator(".grid li")
        assert cells.all_inner_texts() == [
            f"en/{PUBMED}: gone",
            "hf:owner/<b>repo</b>: unknown",
            "no name: invalid",
            f"en/{DEMO}: available",
        ]
        colours = page.evaluate("[...document.querySelectorAll('.grid li > *')].map((cell) => getComputedStyle(cell).backgroundColor)")
        assert len(set(colours)) == 3
        assert tab.unreadable() == tab.too_wide() == []
        cells.first.locator("a").click()
        expect(page).to_have_url(f"{home}{ARTICLES}")


def test_a_lock_counts_here_too(browser: Browser, cache: Path, tmp_path: Path) -> None:
    """What it does not pin can be looked at, and is neither pulled nor opened."""
    lock = tmp_path / "hubclient.lock"
    lock.write_text(f'format = 1\n[[model]]\nname = "{PUBMED}"\nlanguage = "en"\nsource = "s3://{BUCKET}/{PUBMED_KEY}"\n', encoding="utf-8")
    with running_page(cache, env={"HUBCLIENT_LOCK": str(lock)}) as home, opened_tab(browser, home) as tab:
        page = tab.open(f"/model/en/{DEMO}")
        page.get_by_role("button", name="Pull it and try").click()
        expect(page.locator("[data-progress] p")).to_contain_text("lock")
        assert not list(cache.glob("contents/*"))
