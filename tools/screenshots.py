"""Take the pictures of the page that the docs show: docs/pictures/*.png, in Chromium, from a cache of its own.

python tools/screenshots.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
DEMO = "bert_tiny_sequence_classifier_sst2"
PUBMED = "bert_classifier_multi_label_classification_of_pubmed_articles"
# name, address, width, height, colour scheme
SHOTS = (
    ("search", "/?q=sentiment&task=text-classification&opens=yes", 1200, 820, "light"),
    ("search-small-dark", "/?q=sentiment", 360, 720, "dark"),
    ("model", f"/model/en/{DEMO}", 1200, 1180, "light"),
    ("model-dark", f"/model/en/{DEMO}", 1200, 1180, "dark"),
    ("model-small", f"/model/en/{PUBMED}", 360, 900, "light"),
    ("several-labels", f"/model/en/{PUBMED}#demo", 1200, 820, "light"),
    ("store", "/store", 1200, 520, "light"),
    ("store-small-dark", "/store", 360, 720, "dark"),
)


def main() -> None:
    hub = shutil.which("hub", path=str(Path(sys.executable).parent)) or sys.exit("the command hub is missing: install the project")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HUBCLIENT_CACHE": folder, "HUBCLIENT_LIVE_INDEX": "off", "HUBCLIENT_MIRRORS": str(_mirror(Path(folder)))}
        for name in (DEMO, PUBMED):
            subprocess.run([hub, "pull", f"en/{name}"], env=env, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([hub, "check", DEMO, PUBMED, "bert_large_sequence_classifier_imdb"], env=env, check=False, stdout=subprocess.DEVNULL)
        site = Path(folder) / "site"
        subprocess.run([hub, "site", "build", site], env=env, check=True, stdout=subprocess.DEVNULL)
        with _served([hub, "ui", "--port", "0"], env) as home, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else []
            )
            for name, address, width, height, scheme in SHOTS:
                _shoot(browser, name, home.rstrip("/") + address, width, height, scheme)
            with _served([sys.executable, "-u", "-c", _HOST, str(site)], env) as hosted:
                _shoot(browser, "site", f"{hosted}?q=german", 1200, 820, "light")
            browser.close()


_HOST = """
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(f"http://127.0.0.1:{server.server_port}/")
server.serve_forever()
"""


def _mirror(folder: Path) -> Path:
    """The small model that stands in for the large one of the card."""
    (archive,) = (ROOT / "tests" / "data").glob(f"{PUBMED}_*.zip")
    place = folder / "mirror" / "auxdata.johnsnowlabs.com" / "public" / "models"
    place.mkdir(parents=True)
    shutil.copy(archive, place)
    return folder / "mirror"


@contextmanager
def _served(command: list[str], env: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def _shoot(browser: Browser, name: str, address: str, width: int, height: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(address)
    if "/model/" in address:
        page.locator(".bars li").first.wait_for()
    if address.endswith("#demo"):
        page.get_by_label("Text", exact=True).fill("Aspirin lowers the risk of a second heart attack in patients over sixty.")
    page.wait_for_timeout(1500)
    page.screenshot(path=str(PICTURES / f"{name}.png"))
    context.close()
    print(PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
