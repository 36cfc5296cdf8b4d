"""The two real seed models from the real S3: 1.3 GB and 407 MB. `make live`, for people with internet access; nothing else runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient import pretrained

pytestmark = [pytest.mark.live, pytest.mark.timeout(3600)]


def test_imdb(tmp_path: Path) -> None:
    classifier = pretrained("bert_large_sequence_classifier_imdb", "en", cache_dir=tmp_path)
    assert set(classifier.labels) == {"neg", "pos"}
    assert [p.label for p in classifier(["I really liked that movie!", "The last movie I watched was awful!"])] == ["pos", "neg"]


def test_pubmed(tmp_path: Path) -> None:
    classifier = pretrained("bert_classifier_multi_label_classification_of_pubmed_articles", "en", cache_dir=tmp_path)
    assert len(classifier.labels) == 14
    assert classifier.multi_label
    assert "Diseases [C]" in classifier("Chemotherapy of breast cancer: a randomised trial of tumour response and survival.").selected
