"""A browser for each file of tests, and the page over a cache that has three models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import stocked as stocked
from tests.web.browser import Tab, chromium, opened_tab, running_browser
from tests.web.server import running_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Playwright keeps an event loop running in its thread: other tests need theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        pytest.skip("NO CHROMIUM: THE PAGES ARE NOT TRIED IN A BROWSER. apt-get install chromium")
    with running_browser(executable) as running:
        yield running


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of cards of the user's own."""
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module")
def home(stocked: Path, cards: Path, catalogue: Path) -> Iterator[str]:
    """The page, for reading only; nobody is asked for anything."""
    if not (stocked / "catalogue").exists():
        (stocked / "catalogue").symlink_to(catalogue, target_is_directory=True)
    with running_page(stocked, "--cards", cards, "--offline") as address:
        yield address


@pytest.fixture
def tab(browser: Browser, home: str) -> Iterator[Tab]:
    with opened_tab(browser, home) as opened:
        yield opened
