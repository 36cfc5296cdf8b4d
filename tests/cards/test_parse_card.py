"""What real cards do, each trap as a small card."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest

from hubclient.cards import Card, S3Location, parse_card
from tests.cards.shared import INFO, USAGE, archive, card_text, links

FRONT_CASES: list[tuple[dict[str, str | None], dict[str, Any]]] = [
    ({}, {"name": "small_model", "language": "en", "title": "A small model", "author": "Somebody", "supported": True, "deprecated": None}),
    ({"article_header": "\n  type: cover", "type": None}, {"name": "small_model"}),
    ({"task": "[Text Classification, Sentiment Analysis]"}, {"task": ("Text Classification", "Sentiment Analysis")}),
    ({"task": "[Spell Check,]"}, {"task": ("Spell Check",)}),
    ({"task": None, "annotator": None, "tags": None}, {"task": (), "annotator": None, "tags": ()}),
    ({"spark_version": "3.10"}, {"spark_version": "3.10"}),
    ({"spark_version": "[3.0]"}, {"spark_version": "3.0"}),
    ({"spark_version": "[3.0, 3.2]"}, {"spark_version": "3.0"}),
    ({"date": "2020-02-17 00:16:00 +0800"}, {"date": "2020-02-17"}),
    ({"date": "03/05/2020"}, {"date": "2020-05-03"}),
    ({"date": "2022-3-4"}, {"date": "2022-03-04"}),
    ({"date": None}, {"date": None}),
    ({"language": '"no"'}, {"language": "no"}),
    ({"language": "no"}, {"language": "no"}),
    ({"language": "xx", "tags": '[xx, "no", no, on, 3.10, null_]'}, {"tags": ("xx", "no", "no", "on", "3.10", "null_")}),
    ({"name": "Emotion Classifier"}, {"name": "Emotion Classifier", "model_name": "small_model"}),
    ({"name": "v1.5_Model.x"}, {"name": "v1.5_Model.x"}),
    ({"name": "1234"}, {"name": "1234"}),
    ({"title": "'Quoted: with colon' "}, {"title": "Quoted: with colon"}),
    ({"edition": "Healthcare NLP 4.10.0"}, {"product": "Healthcare NLP", "lib_version": "4.10.0"}),
    ({"edition": "Official"}, {"edition": "Official", "product": None, "lib_version": None}),
    ({"edition": None}, {"edition": None, "lib_version": None}),
    ({"supported": "false", "deprecated": "true", "recommended": "yes"}, {"supported": False, "deprecated": True, "recommended": True}),
    ({"supported": None}, {"supported": None}),
    ({"engine": "onnx", "nav_key": "models", "class": "X", "repository": "r"}, {"engine": "onnx", "nav_key": "models", "class_": "X"}),
]


@pytest.mark.parametrize(("front", "expected"), FRONT_CASES)
def test_front_matter(front: dict[str, str | None], expected: dict[str, Any]) -> None:
    card = parse_card(card_text(front=front))
    assert {name: getattr(card, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("section", "form", "labels"),
    [
        ("`neg`, `pos`", "backticks", ("neg", "pos")),
        ("`A`, `B`, and `C`.", "backticks", ("A", "B", "C")),
        ("`A, B and C [G]`, `D (x)`, `no`, `True`, `nan`, `1`", "backticks", ("A, B and C [G]", "D (x)", "no", "True", "nan", "1")),
        ("`a|b`, `=c=`", "backticks", ("a|b", "=c=")),
        ("`a`,\n`b`\n`c`", "backticks", ("a", "b", "c")),
        ("- `a`\n- `b`", "backticks", ("a", "b")),
        ("``, `too-strict`, `ok`", "backticks", ("", "too-strict", "ok")),
        ("`ok`, ``, `no`, ``", "backticks", ("ok", "", "no", "")),
        ("` padded  `, `   `", "backticks", ("padded", "")),
        ("`open, `closed`", "backticks", ("open,",)),
        ("`dup`, `dup`", "backticks", ("dup", "dup")),
        ("``ABBR``,  ``DESC`` , ``NUM``.", "double_backticks", ("ABBR", "DESC", "NUM")),
        ("Persons-`PER`, Locations-`LOC`.", "described_backticks", ("PER", "LOC")),
        ("- ADP\n- B-LOC\n\n- None", "bullets", ("ADP", "B-LOC", "None")),
        ("* a b \n* c", "bullets", ("a b", "c")),
        ("| Tag | Meaning |\n|:---:|---|\n| A.B | x, y |\n| `C` | z |", "table", ("A.B", "C")),
        ("\\[DOCUMENT]", "prose", ()),
        ("", "empty", ()),
        (None, "absent", ()),
    ],
)
def test_labels(section: str | None, form: str, labels: tuple[str, ...]) -> None:
    card = parse_card(card_text(labels=section))
    assert (card.labels_form, card.labels) == (form, labels)


def test_labels_verbatim_keep_the_space_inside() -> None:
    assert parse_card(card_text(labels="` a`, `b `")).labels_verbatim == (" a", "b ")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("|Max sentense length:|128|", {"Max sentence length": "128"}),
        ("|Input labels:|[a, b]|\n|Output labels:|[c]|", {"Input Labels": "[a, b]", "Output Labels": "[c]"}),
        ("| Model Class   | X |\n| Spark NLP Compatibility | 2.4 |", {"Model Class": "X", "Compatibility": "2.4"}),
        ("|Upstream Dependencies|with x|", {"Dependencies": "with x"}),
        ("|Type:|a|b|", {"Type": "a|b"}),
        ("|Language:|[en]|", {"Language": "[en]"}),
        ("|:--|--:|\n|License:||", {"License": ""}),
        ("|Own Key:|1|\n|Own Key:|2|", {"Own Key": "1"}),
        ("|Type:|x|\n\n|Size:|1 MB|", {"Type": "x", "Size": "1 MB"}),
        ("|Type:|x|\nText.\n|Size:|1 MB|", {"Type": "x"}),
        ("No table.", {}),
    ],
)
def test_model_info(rows: str, expected: dict[str, str]) -> None:
    assert dict(parse_card(card_text(info=rows)).model_info) == expected


def test_rows_of_other_tables_do_not_count() -> None:
    table = "| Model Name | Language |\n|---|---|\n| other | fr |\n"
    card = parse_card(card_text(description=table, more="## Benchmarking\n\n" + table))
    assert (card.model_info["Model Name"], card.model_info["Language"]) == ("small_model", "en")


@pytest.mark.parametrize(
    ("size", "mb"),
    [("406.6 MB", 406.6), ("1.2 GB", 1228.8), ("512 KB", 0.5), ("29 KB", 0.0283), ("3B", 0.0), ("big", None), ("9" * 400 + " GB", None)],
)
def test_size_counts_in_powers_of_1024(size: str, mb: float | None) -> None:
    assert parse_card(card_text(info=f"|Size:|{size}|")).size_mb == mb


def test_values_of_the_table() -> None:
    card = parse_card(card_text())
    assert (card.max_sentence_length, card.case_sensitive, card.size_mb) == (256, True, 406.6)
    bare = parse_card(card_text(info="|Case sensitive:|maybe|\n|Max sentence length:|many|"))
    assert (bare.max_sentence_length, bare.case_sensitive, bare.size_mb) == (None, None, None)


def test_archive_key_outranks_the_front_matter() -> None:
    card = parse_card(card_text(file=archive("other_name", "fr", "4.10.0", 1646352000001)))
    assert (card.model_name, card.model_language, card.version, card.epoch_ms) == ("other_name", "fr", (4, 10, 0), 1646352000001)
    assert (card.name, card.language, card.lib_version) == ("small_model", "en", "3.4.2")


def test_a_card_without_links_goes_by_its_front_matter() -> None:
    card = parse_card("---\nname: m\nlanguage: fr\nedition: Spark NLP 3.4.2\n---\nNo heading.\n")
    assert (card.model_name, card.model_language, card.version, card.epoch_ms) == ("m", "fr", (3, 4, 2), 0)
    assert (card.s3_uri, card.download_url, card.labels_form) == (None, None, "absent")
    assert card.other_sections == {"": "No heading."}


def test_links() -> None:
    card = parse_card(card_text())
    location = S3Location(
        "a.bucket.with.dots", f"public/models/{archive()}", "public/models", archive(), "small_model", "en", "3.4.2", "3.0", 1646352000000
    )
    assert card.s3_parsed == card.download_parsed == location
    assert card.s3_uri == location.uri


def test_links_joined_by_line_breaks_and_with_two_decorations() -> None:
    joined = links(archive()).replace("\n[", '{:target="_blank"}<br/>[').replace("{:.btn-box}", "{:.btn-box}\n", 1)
    assert parse_card(card_text().replace(links(archive()), joined)).s3_parsed == parse_card(card_text()).s3_parsed


@pytest.mark.parametrize(
    ("text", "origin", "origins"),
    [
        ("[x](https://huggingface.co/a/b)", "a/b", ("a/b",)),
        ("https://huggingface.co/a/b.", "a/b", ("a/b",)),
        ("https://huggingface.co/a/b-1.5_c, http://www.huggingface.co/a/b-1.5_c/tree/main", "a/b-1.5_c", ("a/b-1.5_c",)),
        ("https://hf.co/a/b https://huggingface.co/A/B", "a/b", ("a/b", "A/B")),
        ("https://huggingface.co/a/b?x=1 https://huggingface.co/a/b#y", "a/b", ("a/b",)),
        ("https://huggingface.co/a/b https://huggingface.co/c/d", None, ("a/b", "c/d")),
        ("https://huggingface.co/datasets/imdb https://huggingface.co/spaces/a/b https://huggingface.co/transformers/x.html", None, ()),
        ("https://huggingface.co/models?pipeline_tag=x", None, ()),
        ("https://huggingface.co/BAAI https://huggingface.co/BAAI/bge", "BAAI/bge", ("BAAI/bge",)),
        ("https://huggingface.co/bert-base-cased", "bert-base-cased", ()),
        ("https://huggingface.co/bert-base-cased https://huggingface.co/roberta-base", None, ()),
        ("https://huggingface.co/bert-base-cased https://huggingface.co/a/b", "a/b", ("a/b",)),
        ("https://huggingface.co/somebody", None, ()),
        ("https://cdn-lfs.huggingface.co/a/b https://nothuggingface.co/a/b", None, ()),
    ],
)
def test_hugging_face_origin(text: str, origin: str | None, origins: tuple[str, ...]) -> None:
    card = parse_card(card_text(more=f"## References\n\n{text}\n"))
    assert (card.hf_origin, card.hf_origins) == (origin, origins)


@pytest.mark.parametrize(
    ("code", "refs"),
    [
        ("nlu.load('en.a.b').predict(t)", ("en.a.b",)),
        ('x = nlu.load( "en.a." )', ("en.a.",)),
        ("nlu.load('xx.Baltic languages.translate_to.English')", ("xx.Baltic languages.translate_to.English",)),
        ('nlu.load("""en.a""")', ("en.a",)),
        ("nlu.load('')", ("",)),
        ("nlu.load('a')\nnlu.load('b')\nnlu.load('a')", ("a", "b")),
        ("nlu.load(name)\nmy_nlu.load('a')", ()),
    ],
)
def test_nlu_references(code: str, refs: tuple[str, ...]) -> None:
    card = parse_card(card_text(usage=f"```python\n{code}\n```"))
    assert (card.nlu_refs, card.nlu_ref) == (refs, refs[0] if refs else None)


def test_sections() -> None:
    results = "```bash\n+--+\n{:.model-param}\n```"
    more = f"## Results\n\n{results}\n\n{{:.h2_title}}\n## Data Source\nHere.\n\n## Benchmarking\n\n### By class\nx\n\n"
    more += "## References\n- y\n\n## Cite\nz\n"
    card = parse_card(card_text(more=more))
    assert card.description == "It classifies."
    assert card.results == results
    assert (card.data_source, card.benchmarking, card.references) == ("Here.", "### By class\nx", "- y")
    assert card.other_sections == {"Cite": "z"}
    assert card.how_to_use == {
        "python": 'print("python")',
        "scala": 'println("scala")',
        "nlu": 'nlu.load("en.classify.small").predict("text")',
    }


def test_headings_of_the_template_are_known_whatever_their_case_or_ending() -> None:
    text = (
        card_text().replace("## Predicted Entities", "## Predicted entities: ").replace("## Model Information", "##  model information ##")
    )
    assert (parse_card(text).labels, parse_card(text).size_mb) == (("neg", "pos"), 406.6)


def test_a_fence_that_never_closes_hides_nothing() -> None:
    card = parse_card(card_text(description="```markdown\n@article{x}\n## Not a heading"))
    assert (card.labels, card.size_mb, card.s3_parsed is not None) == (("neg", "pos"), 406.6, True)
    assert card.other_sections == {}
    assert set(card.how_to_use) == {"python", "scala", "nlu"}


def test_a_block_that_never_closes_ends_where_the_next_begins() -> None:
    card = parse_card(card_text(usage="```python\na\n```scala\nb\n```\n~~~java\n```\n~~~"))
    assert card.how_to_use == {"python": "a", "scala": "b", "java": "```"}


def test_several_blocks_of_a_language_are_all_kept() -> None:
    assert parse_card(card_text(usage="```python\na\n```\n```Python\nb\n```")).how_to_use == {"python": "a\n\nb"}


def test_a_division_that_runs_into_a_fence_loses_no_table() -> None:
    usage = USAGE.replace("</div>", "") + "<div>\n```bash\nx\n```\n</div>"
    assert parse_card(card_text(usage=usage)).model_info["Model Name"] == "small_model"


@pytest.mark.parametrize(
    "bend", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\r")]
)
def test_byte_order_mark_and_line_ends_make_no_difference(bend: Any) -> None:
    assert parse_card(bend(card_text())) == parse_card(card_text())


def test_blank_lines_in_the_front_matter() -> None:
    text = card_text()
    end = text.index("---", 3)
    assert dataclasses.replace(parse_card(text[:end].replace("\n", "\n\n") + text[end:])) == parse_card(text)


def test_to_dict_is_json_with_the_names_of_the_fields() -> None:
    card = parse_card(card_text(front={"class": "X"}), path="a.md")
    data = json.loads(json.dumps(card.to_dict()))
    assert data["class"] == "X"
    assert data["s3_parsed"]["lang"] == "en"
    assert data["model_info"]["Size"] == "406.6 MB"
    assert data["front_matter"]["supported"] == "true"
    assert data.keys() == {field.name.rstrip("_") for field in dataclasses.fields(Card)}


def test_cards_are_values() -> None:
    card = parse_card(card_text())
    assert pickle.loads(pickle.dumps(card)) == card
    assert hash(card) == hash(parse_card(card_text()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.name = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        card.model_info["Size"] = "x"  # type: ignore[index]


def test_the_table_may_stand_without_its_decoration() -> None:
    text = card_text(info="\n" + INFO).replace("{:.table-model}\n", "").replace("{:.model-param}\n", "")
    assert parse_card(text).model_info == parse_card(card_text()).model_info
