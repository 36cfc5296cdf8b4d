"""The cards that come with hubclient carry every fact of the cards they stand for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubclient.bundled import CARDS, MIRROR
from hubclient.cards import Card, parse_card, parse_overlay
from tests.cards.shared import ROOT

IMDB = "bert_large_sequence_classifier_imdb"
PUBMED = "bert_classifier_multi_label_classification_of_pubmed_articles"
DEMO = "bert_tiny_sequence_classifier_sst2"
SEEDS = ROOT.parent / "shared" / "seeds"


def shipped(name: str, folder: Path = CARDS) -> Card:
    path = folder / f"{name}_en.md"
    return parse_card(path.read_text(encoding="utf-8"), path=path.name)


def test_imdb() -> None:
    card = shipped(IMDB)
    file = f"{IMDB}_en_3.3.2_3.0_1635774771318.zip"
    assert card.front_matter == {
        "layout": "model",
        "title": f"BERT Sequence Classification Large - IMDB ({IMDB})",
        "author": "John Snow Labs",
        "name": IMDB,
        "date": "2021-11-01",
        "tags": ("bert", "large", "en", "english", "sentiment", "open_source", "sequence_classification", "imdb"),
        "task": "Text Classification",
        "language": "en",
        "nav_key": "models",
        "edition": "Spark NLP 3.3.2",
        "spark_version": "3.0",
        "supported": "true",
        "annotator": "BertForSequenceClassification",
        "article_header": None,
        "type": "cover",
        "use_language_switcher": "Python-Scala-Java",
    }
    assert card.labels == ("neg", "pos")
    assert card.download_url == f"https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/{file}"
    assert card.s3_uri == f"s3://auxdata.johnsnowlabs.com/public/models/{file}"
    assert card.nlu_refs == ("en.classify.bert_sequence.imdb_large",)
    assert card.hf_origin is None
    assert card.model_info == {
        "Model Name": IMDB,
        "Compatibility": "Spark NLP 3.3.2+",
        "License": "Open Source",
        "Edition": "Official",
        "Input Labels": "[token, document]",
        "Output Labels": "[class]",
        "Language": "en",
        "Case sensitive": "true",
        "Max sentence length": "512",
    }
    assert (card.max_sentence_length, card.case_sensitive, card.size_mb) == (512, True, None)
    assert card.data_source == "[https://huggingface.co/datasets/imdb](https://huggingface.co/datasets/imdb)"
    assert "[neg, neg]" in (card.results or "")
    assert "[pos, pos, pos, pos]" in (card.results or "")
    figures = [line.split() for line in (card.benchmarking or "").splitlines()]
    assert ["neg", "0.94", "0.95", "0.94", "12359"] in figures
    assert ["pos", "0.95", "0.94", "0.94", "12641"] in figures
    assert ["accuracy", "0.94", "25000"] in figures
    assert ["macro", "avg", "0.94", "0.94", "0.94", "25000"] in figures
    assert ["weighted", "avg", "0.94", "0.94", "0.94", "25000"] in figures
    assert set(card.how_to_use) == {"python", "scala", "nlu"}


def test_pubmed() -> None:
    card = shipped(PUBMED)
    file = f"{PUBMED}_en_4.1.0_3.0_1662500997655.zip"
    assert card.front_matter == {
        "layout": "model",
        "title": "English BertForSequenceClassification Cased model (from owaiskha9654)",
        "author": "John Snow Labs",
        "name": PUBMED,
        "date": "2022-09-06",
        "tags": ("en", "open_source", "bert", "sequence_classification", "classification"),
        "task": "Text Classification",
        "language": "en",
        "nav_key": "models",
        "edition": "Spark NLP 4.1.0",
        "spark_version": "3.0",
        "supported": "true",
        "annotator": "BertForSequenceClassification",
        "article_header": {"type": "cover"},
        "use_language_switcher": "Python-Scala-Java",
    }
    assert card.labels == (
        "Phenomena and Processes [G]",
        "Anthropology, Education, Sociology, and Social Phenomena [I]",
        "Diseases [C]",
        "Health Care [N]",
        "Analytical, Diagnostic and Therapeutic Techniques, and Equipment [E]",
        "Chemicals and Drugs [D]",
        "Psychiatry and Psychology [F]",
        "Anatomy [A]",
        "Information Science [L]",
        "Geographicals [Z]",
        "Organisms [B]",
        "Technology, Industry, and Agriculture [J]",
        "Disciplines and Occupations [H]",
        "Named Groups [M]",
    )
    assert card.download_url == f"https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/{file}"
    assert card.s3_uri == f"s3://auxdata.johnsnowlabs.com/public/models/{file}"
    assert card.nlu_refs == ("en.classify.bert.pubmed.",)
    assert card.hf_origin == "owaiskha9654/Multi-Label-Classification-of-PubMed-Articles"
    assert card.model_info == {
        "Model Name": PUBMED,
        "Compatibility": "Spark NLP 4.1.0+",
        "License": "Open Source",
        "Edition": "Official",
        "Input Labels": "[document, token]",
        "Output Labels": "[class]",
        "Language": "en",
        "Size": "406.6 MB",
        "Case sensitive": "true",
        "Max sentence length": "256",
    }
    assert (card.references or "").splitlines() == [
        "- https://huggingface.co/owaiskha9654/Multi-Label-Classification-of-PubMed-Articles",
        "- https://www.kaggle.com/datasets/owaiskhan9654/pubmed-multilabel-text-classification",
        "- https://www.kaggle.com/code/owaiskhan9654/multi-label-classification-of-pubmed-articles",
        "- https://www.kaggle.com/datasets/owaiskhan9654/pubmed-multilabel-text-classification",
        "- https://arxiv.org/abs/1706.03762",
        "- https://arxiv.org/abs/1810.04805",
        "- https://github.com/google-research/bert",
        "- https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html#torch.nn.BCEWithLogitsLoss",
    ]
    assert "`owaiskha9654`" in (card.description or "")
    assert set(card.how_to_use) == {"python", "scala", "nlu"}


def test_pubmed_overlay_says_sigmoid_and_why() -> None:
    text = (CARDS / f"{PUBMED}_en.overlay.yaml").read_text(encoding="utf-8")
    assert parse_overlay(text).to_dict() == {"activation": "sigmoid"}
    assert "BCEWithLogitsLoss" in text


def test_demo_card_describes_the_embedded_archive() -> None:
    card = shipped(DEMO)
    assert card.s3_parsed is not None
    assert card.s3_uri == f"s3://auxdata.johnsnowlabs.com/public/models/{DEMO}_en_3.4.4_3.0_1635774771318.zip"
    size = (MIRROR / card.s3_parsed.bucket / card.s3_parsed.key).stat().st_size
    assert card.size_mb == round(size / 2**20, 1) == 4.7
    assert (card.model_name, card.model_language, card.version, card.labels) == (DEMO, "en", (3, 4, 4), ("neg", "pos"))
    assert (card.max_sentence_length, card.case_sensitive, card.annotator) == (128, False, "BertForSequenceClassification")
    assert "0.837" in (card.benchmarking or "")


@pytest.mark.parametrize("name", [IMDB, PUBMED, DEMO])
def test_every_card_shows_its_own_name_in_python(name: str) -> None:
    code = shipped(name).how_to_use["python"]
    assert "from hubclient import pretrained" in code
    assert f'pretrained("{name}", "en"' in code
    compile(code, name, "exec")


@pytest.mark.parametrize("name", [IMDB, PUBMED])
@pytest.mark.skipif(not SEEDS.is_dir(), reason="the shared seed cards are not here")
def test_nothing_but_prose_and_code_differs_from_the_seeds(name: str) -> None:
    ours, seed = shipped(name).to_dict(), shipped(name, SEEDS).to_dict()
    assert {field for field in ours if ours[field] != seed[field]} == {"description", "how_to_use"}
    addresses = re.compile(r"\b(?:https?|s3)://[^\s)\]]+")
    texts = [(folder / f"{name}_en.md").read_text(encoding="utf-8") for folder in (CARDS, SEEDS)]
    assert addresses.findall(texts[0]) == addresses.findall(texts[1])
