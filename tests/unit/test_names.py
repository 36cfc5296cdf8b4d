"""References: every form, and every ambiguity refused with both spellings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.errors import InvalidReference
from hubclient.names import (
    AddressReference,
    CardReference,
    Constraint,
    HubReference,
    PathReference,
    Reference,
    parse_reference,
    parse_version,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bert_imdb", CardReference("bert_imdb")),
        (" bert_imdb ", CardReference("bert_imdb")),
        ("fr/bert_imdb", CardReference("bert_imdb", "fr")),
        ("xx/name.with.dots", CardReference("name.with.dots", "xx")),
        ("zh-CN/name", CardReference("name", "zh-CN")),
        ("name@3.3.2", CardReference("name", None, Constraint("==", (3, 3, 2)))),
        ("fr/name@>=4.0", CardReference("name", "fr", Constraint(">=", (4, 0)))),
        ("name@<=4.10", CardReference("name", None, Constraint("<=", (4, 10)))),
        ("en.classify.bert.imdb", CardReference("en.classify.bert.imdb")),
        ("hf:owner/repo", HubReference("owner/repo")),
        ("hf:owner/repo@main", HubReference("owner/repo", "main")),
        ("hf:gpt2", HubReference("gpt2")),
        ("s3://bucket.with.dots/a/b.zip", AddressReference("s3://bucket.with.dots/a/b.zip")),
        ("https://example.org/a.zip?versionId=1", AddressReference("https://example.org/a.zip?versionId=1")),
        ("./folder", PathReference("./folder")),
        ("../file.zip", PathReference("../file.zip")),
        ("/absolute", PathReference("/absolute")),
        ("~/file.zip", PathReference("~/file.zip")),
        ("C:\\models\\a.zip", PathReference("C:\\models\\a.zip")),
        (".", PathReference(".")),
    ],
)
def test_forms(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


def test_a_zip_that_exists_is_a_path() -> None:
    assert parse_reference("model.zip", is_file=lambda path: path == "model.zip") == PathReference("model.zip")
    assert parse_reference("model.zip") == CardReference("model.zip")


@pytest.mark.parametrize(
    "text", ["", "  ", "a b", "a//b", "name@", "name@latest", "name@3.x", "s3://bucket", "https://example.org/", "hf:", "hf:a/b/c"]
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "options", "spellings"),
    [
        ("owner/repo", {}, ["hf:owner/repo", "./owner/repo"]),
        ("fr/name", {"language": "en"}, ["fr/name", "en/name"]),
        ("name@3.0", {"version": "4.0"}, ["name@3.0", "name@4.0"]),
        ("hf:owner/repo@a", {"revision": "b"}, ["hf:owner/repo@a", "hf:owner/repo@b"]),
    ],
)
def test_ambiguity_names_both_spellings(text: str, options: dict[str, Any], spellings: list[str]) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text, **options)
    assert all(spelling in str(caught.value) for spelling in spellings)


@pytest.mark.parametrize("text", ["a/b/c", "folder/.hidden", "-x/name"])
def test_no_repository_is_proposed_where_none_can_be(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert caught.value.hint == f"write ./{text} for a path"


@pytest.mark.parametrize("text", ["hf:owner/repo", "s3://bucket/key.zip", "./folder"])
def test_a_language_belongs_to_a_name(text: str) -> None:
    with pytest.raises(InvalidReference, match="takes no language"):
        parse_reference(text, "en")


def test_the_same_said_twice_is_no_ambiguity() -> None:
    assert parse_reference("fr/name@3.0", "fr", "3.0") == CardReference("name", "fr", Constraint("==", (3, 0)))


def test_versions_are_integers() -> None:
    assert parse_version("4.10.0") > parse_version("4.2.0")
    assert Constraint(">=", (4, 0)).admits((4, 10, 0))
    assert Constraint("==", (4, 1)).admits((4, 1, 0))
    assert not Constraint("<=", (4, 2)).admits((4, 10))


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(parsed)) == parsed
