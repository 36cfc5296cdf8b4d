"""Debian's Chromium, driven by Playwright, and what every page is held to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

# What is waited for comes within a second; a busy machine may take longer.
_PATIENCE_MS = 60_000
expect.set_options(timeout=_PATIENCE_MS / 2)
Scheme = Literal["light", "dark"]
_INSIDE = ("blob:", "data:", "about:")


def chromium() -> str | None:
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    # Chromium has no sandbox of its own for root, in containers.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page that is watched: `problems` are errors in its console, `requests` the addresses that it asked for."""

    page: Page
    home: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str) -> Page:
        self.page.goto(self.home + path)
        return self.page

    @property
    def strangers(self) -> list[str]:
        """Requests to anybody but the page's own server."""
        return [url for url in self.requests if not url.startswith((f"{self.home}/", *_INSIDE))]

    def unreadable(self) -> list[Any]:
        """Texts whose contrast is below what WCAG 2.2 asks for (1.4.3, level AA)."""
        found: list[Any] = self.page.evaluate((Path(__file__).with_name("contrast.js")).read_text("utf-8"))
        return found

    def too_wide(self) -> list[Any]:
        """What stands beyond the right edge, and does not scroll by itself."""
        found: list[Any] = self.page.evaluate(_TOO_WIDE)
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.text} {message.location.get('url', '')}")


@contextmanager
def opened_tab(browser: Browser, home: str, *, width: int = 1200, height: int = 900, scheme: Scheme = "light") -> Iterator[Tab]:
    """Fails at its end where a page had an error in its console, or asked another machine for anything."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=home) if home.startswith("http") else None
    context.set_default_timeout(_PATIENCE_MS)
    try:
        tab = Tab(context.new_page(), home)
        yield tab
        assert tab.problems == []
        assert tab.strangers == []
    finally:
        context.close()


_TOO_WIDE = """
() => {
  const scrolls = (node) => node && (["auto", "scroll"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  const beyond = [...document.body.querySelectorAll("*")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 1 && !scrolls(node.parentElement);
  });
  const told = beyond.map((node) => node.outerHTML.slice(0, 120));
  return document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways", ...told] : told;
}
"""
