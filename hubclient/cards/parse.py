"""Text -> Card.

The format is that of the Spark NLP Models Hub: a Jekyll page with YAML front matter, then sections under second-level headings, links after
`{:.btn-box}` and a table under "Model Information". Written from what 11,000 public cards do, not from a specification: there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hubclient.cards import links
from hubclient.cards.benchmark import parse_benchmarks
from hubclient.cards.card import Card
from hubclient.cards.front_matter import FrontMatter, split_front_matter
from hubclient.cards.frozen import FrozenMap
from hubclient.cards.labels import parse_labels
from hubclient.cards.location import S3Location, parse_s3_uri, parse_s3_url
from hubclient.cards.model_info import parse_model_info, size_mb, truth, whole_number
from hubclient.cards.problem import card_error
from hubclient.cards.sections import TEMPLATE, Section, code_blocks, first_section, split_sections
from hubclient.errors import CardError

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})+", re.ASCII)


def parse_card(text: str, *, path: str | None = None) -> Card:
    """Parse a model card. `path` only serves error messages and `Card.path`. A byte-order mark and any line ends are fine.

    Raises CardError, `where` being `path:line`.
    """
    page = _Page.cut(text, path)
    return Card(**page.facts(), **page.prose(), front_matter=page.front.values)


def parse_facts(text: str, *, path: str | None = None) -> Card:
    """As `parse_card`, but without the prose: what an index needs, in four fifths of the time."""
    return Card(**_Page.cut(text, path).facts())


@dataclass(frozen=True)
class _Page:
    """A card's text, cut up. `first_line` is where the body begins in the file."""

    path: str | None
    front: FrontMatter
    body: str
    first_line: int
    sections: tuple[Section, ...]

    @classmethod
    def cut(cls, text: str, path: str | None) -> _Page:
        text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        head, body = split_front_matter(text, path=path)
        first_line = head.count("\n") + 2
        return cls(path, FrontMatter.parse(head, path=path), body, first_line, split_sections(body, first_line))

    def facts(self) -> dict[str, Any]:
        benchmarking = "\n\n".join(section.text for section in self.sections if section.title == "Benchmarking")
        return {
            "path": self.path,
            **_front_fields(self.front),
            **_link_fields(self.body, self.first_line, self.path),
            **_info_fields(self.sections),
            **_label_fields(self.sections),
            "benchmarks": parse_benchmarks(benchmarking) if benchmarking else (),
        }

    def prose(self) -> dict[str, Any]:
        texts: dict[str, list[str]] = {}
        for section in self.sections:
            texts.setdefault(section.title, []).append(section.text)
        joined = {title: "\n\n".join(part) for title, part in texts.items()}
        usage = first_section(self.sections, "How to use")
        return {
            "description": joined.get("Description"),
            "how_to_use": _usage(usage) if usage else FrozenMap(),
            "results": joined.get("Results"),
            "data_source": joined.get("Data Source"),
            "benchmarking": joined.get("Benchmarking"),
            "references": joined.get("References"),
            "other_sections": FrozenMap(
                (title, text) for title, text in joined.items() if title not in TEMPLATE or title == "Included Models"
            ),
        }


def _front_fields(front: FrontMatter) -> dict[str, Any]:
    edition = front.text("edition")
    product, lib_version = _product_and_version(edition or "")
    spark_versions = front.texts("spark_version")
    return {
        "name": front.required("name"),
        "language": front.required("language"),
        "title": front.text("title"),
        "author": front.text("author"),
        "date": front.date("date"),
        "tags": front.texts("tags"),
        "task": front.texts("task"),
        "edition": edition,
        "product": product,
        "lib_version": lib_version,
        "spark_version": spark_versions[0] if spark_versions else None,
        "annotator": front.text("annotator"),
        "supported": front.flag("supported"),
        "engine": front.text("engine"),
        "recommended": front.flag("recommended"),
        "deprecated": front.flag("deprecated"),
        "nav_key": front.text("nav_key"),
        "class_": front.text("class"),
        "repository": front.text("repository"),
    }


def _product_and_version(edition: str) -> tuple[str | None, str | None]:
    """`"Spark NLP 4.1.0"` -> `("Spark NLP", "4.1.0")`."""
    product, _, version = edition.rstrip().rpartition(" ")
    return (product.rstrip() or None, version) if _VERSION.fullmatch(version) else (None, None)


def _link_fields(body: str, first_line: int, path: str | None) -> dict[str, Any]:
    download, uri = links.download_url(body), links.s3_uri(body)
    owned, bare = links.hugging_face_repos(body)
    refs = links.nlu_refs(body)
    return {
        "download_url": download,
        "download_parsed": parse_s3_url(download) if download else None,
        "s3_uri": uri,
        "s3_parsed": _s3_location(uri, body, first_line, path) if uri else None,
        "hf_origins": owned,
        "hf_legacy_models": bare,
        "hf_origin": _only(owned or bare),
        "nlu_refs": refs,
        "nlu_ref": refs[0] if refs else None,
    }


def _only(repos: tuple[str, ...]) -> str | None:
    # Addresses on the Hub are found whatever their case: two spellings are one repository.
    return repos[0] if len({repo.casefold() for repo in repos}) == 1 else None


def _s3_location(uri: str, body: str, first_line: int, path: str | None) -> S3Location:
    try:
        return parse_s3_uri(uri)
    except CardError as error:
        line = first_line + body.count("\n", 0, body.index(uri))
        raise card_error(error.what, path=path, line=line, hint=error.hint) from error


def _info_fields(sections: Iterable[Section]) -> dict[str, Any]:
    section = first_section(sections, "Model Information")
    info = parse_model_info(section.lines if section else ())
    return {
        "model_info": info,
        "max_sentence_length": whole_number(info.get("Max sentence length")),
        "case_sensitive": truth(info.get("Case sensitive")),
        "size_mb": size_mb(info.get("Size")),
    }


def _label_fields(sections: Iterable[Section]) -> dict[str, Any]:
    section = first_section(sections, "Predicted Entities")
    found = parse_labels(section.lines if section else None)
    return {"labels_form": found.form, "labels": found.labels, "labels_verbatim": found.verbatim}


def _usage(section: Section) -> FrozenMap[str, str]:
    codes: dict[str, list[str]] = {}
    for code in code_blocks(section.text):
        codes.setdefault("nlu" if code.is_nlu else code.language, []).append(code.text)
    return FrozenMap((language, "\n\n".join(texts)) for language, texts in codes.items())
