"""Every trap that real cards set, once, each as a whole card of our own."""

from __future__ import annotations

from typing import Any

import pytest

from hubclient.cards import Card, parse_card
from tests.cards.shared import INFO, USAGE, archive, card_text, links

FENCED = "```bash\n+---+\n{:.model-param}\n```"
SPANISH = "https://huggingface.co/somebody/bert-es"
COMMUNITY = links(archive()).replace("a.bucket.with.dots", "community.bucket").replace("public/models", "somebody")


def expect(text: str, **fields: Any) -> Any:
    return pytest.param(text, fields, id="-".join(fields))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        # The front matter.
        expect(card_text(front={"article_header": "", "type": "cover"}), name="small_model", annotator="BertForSequenceClassification"),
        expect(card_text(front={"article_header": "\n  type: cover", "type": None}), name="small_model", supported=True),
        expect(card_text(front={"task": "[Text Classification, Sentiment Analysis]"}), task=("Text Classification", "Sentiment Analysis")),
        expect(card_text(front={"annotator": None}), annotator=None),
        expect(card_text(front={"spark_version": "3.10"}), spark_version="3.10"),
        expect(card_text(front={"spark_version": "[2.4, 3.0]"}), spark_version="2.4"),
        expect(card_text(front={"date": "2020-07-29 23:34:00 +0800"}), date="2020-07-29"),
        expect(card_text(front={"date": "29/07/2020"}), date="2020-07-29"),
        expect(card_text(front={"language": '"no"'}, file=archive(language="no")), language="no", model_language="no"),
        expect(card_text(front={"language": "vie"}, file=archive(language="vie")), language="vie", model_language="vie"),
        expect(card_text(front={"language": "xx"}, file=archive(language="xx")), language="xx", model_language="xx"),
        expect(card_text(front={"supported": "false"}).replace(links(archive()), COMMUNITY), supported=False, s3_uri=f"s3://community.bucket/somebody/{archive()}"),
        # What the key of the archive says otherwise.
        expect(card_text(front={"name": "Emotion Classifier"}), name="Emotion Classifier", model_name="small_model"),
        expect(card_text(file=archive(name="other_model")), name="small_model", model_name="other_model"),
        expect(card_text(file=archive(version="3.10.0")), lib_version="3.4.2", version=(3, 10, 0)),
        expect(card_text(file=archive(language="de")), language="en", model_language="de"),
        expect(card_text(front={"spark_version": "2.4"}), spark_version="2.4", epoch_ms=1646352000000),
        expect(card_text(front={"name": "a.b_v1.5"}, file=archive(name="a.b_v1.5")), name="a.b_v1.5", model_name="a.b_v1.5"),
        expect(card_text(front={"name": "Small_Model"}, file=archive(name="Small_Model")), name="Small_Model", model_name="Small_Model"),
        # Sections that a strict reader of CommonMark would lose, and tables that are none by GFM's rules.
        expect(card_text(usage="<div>\n```python\nx\n```\n</div>"), size_mb=406.6),
        expect(card_text(description="```json\n{"), labels=("neg", "pos"), size_mb=406.6, nlu_ref="en.classify.small"),
        expect(card_text(description="| Model Name | Language |\n|---|---|\n| x | fr |"), max_sentence_length=256),
        expect(card_text(more=f"## Results\n\n{FENCED}\n"), results=FENCED),
        expect(card_text(info=INFO.replace("sentence length", "sentense length")), max_sentence_length=256),
        expect(card_text(info="|Model Name:|a|b|\n|Size:|1.2 GB|"), size_mb=1228.8, model_info={"Model Name": "a|b", "Size": "1.2 GB"}),
        # NLU references.
        expect(card_text(usage=USAGE.replace("en.classify.small", "en.classify.small.")), nlu_ref="en.classify.small."),
        expect(card_text(usage=USAGE.replace("en.classify.small", "xx.Old Norse.to.English")), nlu_ref="xx.Old Norse.to.English"),
        # Labels.
        expect(card_text(labels="`A, B, and C [G]`, `D`"), labels=("A, B, and C [G]", "D"), labels_form="backticks"),
        expect(card_text(labels="`no`, `True`, `None`, `nan`"), labels=("no", "True", "None", "nan")),
        expect(card_text(labels="``, `a`"), labels=("", "a")),
        expect(card_text(labels="`0`, `1`, `10`"), labels=("0", "1", "10")),
        expect(card_text(labels="`score`"), labels=("score",)),
        expect(card_text(labels="``A``, ``B``."), labels=("A", "B"), labels_form="double_backticks"),
        expect(card_text(labels="Places-`LOC`, people-`PER`."), labels=("LOC", "PER"), labels_form="described_backticks"),
        # Where the model came from.
        expect(card_text(more=f"## References\n\n- {SPANISH}\n"), hf_origin="somebody/bert-es"),
        expect(card_text(more=f"## References\n\n- {SPANISH}\n- {SPANISH}-uncased\n"), hf_origin=None),
        expect(card_text(more="## References\n\n- https://huggingface.co/bert-base-cased\n"), hf_origin="bert-base-cased", hf_origins=()),
        expect(card_text(), hf_origin=None, hf_origins=()),
        # A text classifier that only its code gives away.
        expect(
            card_text(front={"annotator": None, "task": "Named Entity Recognition"}, usage="```python\nSentimentDLModel.pretrained()\n```"),
            annotator=None,
            how_to_use={"python": "SentimentDLModel.pretrained()"},
        ),
    ],
)  # fmt: skip
def test_traps(text: str, fields: dict[str, Any]) -> None:
    card = parse_card(text)
    assert {name: getattr(card, name) for name in fields} == fields


def test_the_name_of_the_file_says_nothing() -> None:
    read = [parse_card(card_text(), path=path) for path in (None, "2020-01-01-other_fr.md")]
    assert len({(card.name, card.language, card.date, card.model_name) for card in read}) == 1


def test_two_cards_of_one_archive_and_names_that_differ_in_case_are_two_cards() -> None:
    cards: list[Card] = [parse_card(card_text(front={"name": name})) for name in ("small_model", "Small_Model")]
    assert cards[0] != cards[1]
    assert cards[0].s3_parsed == cards[1].s3_parsed
