"""What a caller says, and what an overlay says, outranks the archive; the manifest keeps who said what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hubclient import bundled, from_archive, load, pretrained
from tests.e2e.material import DEMO, PUBMED, PUBMED_KEY, PUBMED_ZIP, TREC6_ZIP, make_mirror
from tests.e2e.shell import holdings, models

TEXT = "I really liked that movie!"
WORDS = "one two three four five six seven eight nine ten"


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An overlay of the user's own for the demo model's card."""
    folder = tmp_path / "cards"
    folder.mkdir()
    monkeypatch.setenv("HUBCLIENT_CARDS", str(folder))
    return folder / f"{DEMO}_en.overlay.yaml"


def test_max_length() -> None:
    whole, short = pretrained(DEMO), pretrained(DEMO, max_length=6)
    assert len(whole.encode(WORDS)) > 6
    assert short.max_length == 6
    # Specials are counted: the first words, and the end mark where it belongs.
    assert short.encode(WORDS) == [*whole.encode(WORDS)[:5], whole.encode(WORDS)[-1]]
    assert short.manifest.facts.max_length.source == "caller"
    assert ("archive maxSentenceLength", 128) in short.manifest.facts.max_length.disagreements
    assert pretrained(DEMO, max_length=512).max_length == 512
    assert len(pretrained(DEMO, max_length=512).encode("word " * 600)) == 512


def test_lowercase() -> None:
    cased = from_archive(TREC6_ZIP)
    lowered = from_archive(TREC6_ZIP, lowercase=True)
    text = "Who Was The Queen Of England ?"
    assert lowered.encode(text) != cased.encode(text)
    assert lowered.encode(text) == cased.encode(text.lower())
    assert lowered.manifest.facts.lowercase.source == "caller"
    uncased = pretrained(DEMO, lowercase=False)
    assert uncased.encode(TEXT) != pretrained(DEMO).encode(TEXT)
    assert np.array_equal(uncased.logits([TEXT.lower()]), pretrained(DEMO).logits([TEXT]))


def test_activation() -> None:
    logits = pretrained(DEMO).logits([TEXT])[0]
    raw = pretrained(DEMO, activation="none")(TEXT)
    assert list(raw.scores.values()) == logits.tolist()
    both = pretrained(DEMO, activation="sigmoid")
    assert both.multi_label
    assert np.allclose(list(both(TEXT).scores.values()), 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert not pretrained(DEMO).multi_label


def test_threshold() -> None:
    every = pretrained(DEMO, activation="sigmoid", threshold=0.0)
    assert every(TEXT).selected == ("pos", "neg")
    assert every(TEXT, threshold=0.5).selected == ("pos",)
    none = pretrained(DEMO, activation="sigmoid", threshold=1.0)
    assert none(TEXT).selected == ()
    assert none(TEXT).label == "pos"
    # Of a model with one answer, that one is selected, whatever its score.
    assert pretrained(DEMO, threshold=1.0)(TEXT).selected == ("pos",)


def test_overrides_change_nothing_that_is_stored() -> None:
    pretrained(DEMO)
    before = holdings()
    pretrained(DEMO, max_length=16, lowercase=False, activation="sigmoid", threshold=0.9)
    assert holdings() == before
    facts = pretrained(DEMO).manifest.facts
    assert (facts.max_length.value, facts.lowercase.value, facts.activation.value, facts.threshold.value) == (128, True, "softmax", 0.5)


def test_an_overlay_outranks_the_archive(overlay: Path) -> None:
    overlay.write_text("activation: sigmoid\nthreshold: 0.9\nmax_length: 16\nlowercase: false\n")
    classifier = pretrained(DEMO)
    facts = classifier.manifest.facts
    assert {fact.source for fact in (facts.activation, facts.threshold, facts.max_length, facts.lowercase)} == {"overlay"}
    assert (classifier.activation, classifier.threshold, classifier.max_length) == ("sigmoid", 0.9, 16)
    assert facts.lowercase.value is False
    assert ("archive vocabulary", True) in facts.lowercase.disagreements
    assert len(classifier.encode("word " * 50)) == 16


def test_the_caller_outranks_the_overlay(overlay: Path) -> None:
    overlay.write_text("max_length: 16\n")
    classifier = pretrained(DEMO, max_length=32)
    assert classifier.max_length == 32
    assert ("overlay", 16) in classifier.manifest.facts.max_length.disagreements


def test_an_overlay_that_comes_later_needs_no_new_pull(overlay: Path) -> None:
    assert pretrained(DEMO).max_length == 128
    overlay.write_text("max_length: 16\n")
    assert pretrained(DEMO).max_length == 16
    assert len(models()) == 1


def test_the_shipped_overlay_of_pubmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(make_mirror(tmp_path, {PUBMED_KEY: PUBMED_ZIP})))
    assert (bundled.CARDS / f"{PUBMED}_en.overlay.yaml").is_file()
    classifier = load(PUBMED)
    assert classifier.activation == "sigmoid"
    assert load(PUBMED, activation="softmax").manifest.facts.activation.disagreements == (("overlay", "sigmoid"),)
    # The file alone says nothing of it: every archive has that default.
    assert from_archive(PUBMED_ZIP).activation == "softmax"
