"""One model in several versions: which one a reference means, and what lies in the store."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from hubclient import bundled, pretrained, pull
from hubclient.errors import UnknownVersion
from tests.e2e.material import DEMO, FOLDER, SST2_ONNX_ZIP, make_mirror
from tests.e2e.shell import hub, names

NEWER = SST2_ONNX_ZIP.stem


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    monkeypatch.setenv("HUBCLIENT_CARDS", str(folder))
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(make_mirror(tmp_path / "mirror", {f"{FOLDER}/{NEWER}.zip": SST2_ONNX_ZIP})))
    return folder


def add(cards: Path, archive: str, annotator: str = "BertForSequenceClassification") -> None:
    """The demo model's card, for another archive."""
    text = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
    text = text.replace(f"{DEMO}_en_3.4.4_3.0_1635774771318", archive).replace(
        "annotator: BertForSequenceClassification", f"annotator: {annotator}"
    )
    (cards / f"{archive}.md").write_text(text, encoding="utf-8")


def test_the_newest_version_unless_another_is_asked_for(cards: Path) -> None:
    add(cards, NEWER)
    newest = pretrained(DEMO, "en")
    assert newest.manifest.lib_version == "5.5.3"
    for reference in (f"{DEMO}@3.4.4", f"en/{DEMO}@<=4"):
        assert pretrained(reference).manifest.lib_version == "3.4.4"
    assert pretrained(DEMO, version=">=4").path == newest.path
    assert len(names()) == 2
    with pytest.raises(UnknownVersion):
        pull(DEMO, version="4")


def test_versions_are_numbers(cards: Path) -> None:
    add(cards, NEWER)
    add(cards, f"{DEMO}_en_10.0.0_3.4_1838774771318")
    assert "10.0.0" in hub("info", DEMO).out
    assert hub("pull", DEMO, "--offline").code == 5


def test_a_version_that_cannot_be_opened_is_passed_over_and_named(cards: Path, caplog: pytest.LogCaptureFixture) -> None:
    add(cards, NEWER)
    add(cards, f"{DEMO}_en_6.0.0_3.4_1838774771318", "T5Transformer")
    with caplog.at_level(logging.WARNING, "hubclient"):
        assert pretrained(DEMO, "en").manifest.lib_version == "5.5.3"
    assert "6.0.0" in caplog.text
    assert "T5Transformer" in caplog.text


def stored_version(reference: str) -> str:
    identity: str = json.loads(hub("path", reference, "--json").out)["identity"]
    return identity.split("_en_")[1].split("_")[0]


def test_the_store_tells_versions_apart(cards: Path) -> None:
    add(cards, NEWER)
    for version in ("3.4.4", "5.5.3"):
        assert hub("pull", f"{DEMO}@{version}").code == 0
    assert stored_version(DEMO) == "5.5.3"
    assert stored_version(f"{DEMO}@3.4.4") == "3.4.4"
    assert hub("rm", f"{DEMO}@5.5.3").code == 0
    assert [name.name[:40] for name in names()] == [f"{DEMO}_en_3."]
    assert stored_version(DEMO) == "3.4.4"
