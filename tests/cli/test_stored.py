"""What `hub path`, `hub rm` and `hub info` find in the store is what `hub pull` put there for the same reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient import Hub, bundled
from hubclient.errors import AmbiguousModel, NotFound
from tests.e2e.material import DEMO, DEMO_KEY, DEMO_ZIP, make_mirror
from tests.e2e.shell import hub

STEM = "public/models/{}_3.0_1635774771318"


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with cards of one archive under other names; archives lie in a mirror."""
    cards = tmp_path / "cards"
    cards.mkdir()
    shipped = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
    for title, archive in (("shown", "kept_en_3.4.4"), ("twin", "twin_en_4.2.0"), ("twin", "twin_fr_4.11.0"), ("twin", "twin_de_4.11.0")):
        key = STEM.format(archive)
        text = shipped.replace(DEMO_KEY.removesuffix(".zip"), key).replace(f"name: {DEMO}", f"name: {title}")
        (cards / f"{archive}.md").write_text(f'{text}\nnlu.load("nlu.{title}")\n', encoding="utf-8")
        make_mirror(tmp_path / "mirror", {f"{key}.zip": DEMO_ZIP})
    monkeypatch.setenv("HUBCLIENT_CARDS", str(cards))
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(tmp_path / "mirror"))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
    return cards


def pulled(reference: str) -> str:
    return str(Hub(progress=False).pull(reference)) + "\n"


def test_of_several_languages_the_one_that_pull_takes(offer: Path) -> None:
    french, german, english = pulled("fr/twin"), pulled("de/twin"), pulled("en/twin")
    assert pulled("twin") == english == hub("path", "twin").out
    assert hub("path", "fr/twin").out == french
    assert hub("rm", "twin").code == 0
    assert [hub("path", f"{language}/twin").code for language in ("fr", "de", "en")] == [0, 0, NotFound.exit_code]
    assert french == german == english
    for command in ("path", "rm"):
        refused = hub(command, "twin")
        assert (refused.code, refused.out) == (AmbiguousModel.exit_code, "")
        assert "de/twin, fr/twin" in refused.err


def test_by_every_name_that_the_card_has(offer: Path) -> None:
    folder = pulled("shown")
    for name in ("shown", "kept", "nlu.shown"):
        assert hub("path", name).out == folder
    for card in offer.glob("kept*"):
        card.unlink()
    assert hub("path", "kept").out == folder
    assert hub("path", "shown").code == 5


def test_info_of_a_native_folder(tmp_path: Path) -> None:
    folder = tmp_path / "native"
    Path(pulled(DEMO).strip()).rename(folder)
    done = hub("info", str(folder))
    assert done.code == 0
    assert f"pulled\t{folder}\n" in done.out
