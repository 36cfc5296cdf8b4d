"""References: what a person may write to name a model, parsed once into a value.

    NAME   fr/NAME   NAME@3.3.2   fr/NAME@>=4.0        a card
    hf:OWNER/REPO[@REVISION]                           a Hugging Face repository
    s3://BUCKET/KEY.zip   https://….zip                an archive by its address
    ./FILE.zip   ./FOLDER   /…   ../…   ~/…   C:\\…     a path; so is the bare name of a .zip that exists

An NLU reference (`en.classify.bert.imdb`) has a name's form: the catalogue tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hubclient.errors import InvalidReference

Version = tuple[int, ...]
Operator = Literal["==", ">=", "<="]

_NAME = re.compile(r"[^\s/@:\\]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_VERSION = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18}){0,18}")
_REPO_PART = re.compile(r"[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[^\s.@~^:?*\[\\][^\s@~^:?*\[\\]*")
_PATH_START = re.compile(r"[/\\]|\.{1,2}(?:[/\\]|$)|~(?:[/\\]|$)|[A-Za-z]:[/\\]")
_FORMS = "NAME, fr/NAME, NAME@3.3.2, hf:OWNER/REPO, s3://BUCKET/KEY.zip, https://….zip or ./FILE.zip"


@dataclass(frozen=True)
class Constraint:
    """Which library versions are wanted; missing components count as zero, as in `==4` for 4.0.0."""

    operator: Operator
    version: Version

    def admits(self, version: Version) -> bool:
        width = max(len(version), len(self.version))
        have, want = _pad(version, width), _pad(self.version, width)
        if self.operator == "==":
            return have == want
        return have >= want if self.operator == ">=" else have <= want

    def __str__(self) -> str:
        sign = "" if self.operator == "==" else self.operator
        return sign + ".".join(map(str, self.version))


@dataclass(frozen=True)
class CardReference:
    name: str
    language: str | None = None
    constraint: Constraint | None = None

    def __str__(self) -> str:
        language = f"{self.language}/" if self.language else ""
        version = f"@{self.constraint}" if self.constraint else ""
        return f"{language}{self.name}{version}"


@dataclass(frozen=True)
class HubReference:
    """A Hugging Face repository; `revision` is a branch, tag or commit."""

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"hf:{self.repo}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class AddressReference:
    """An archive at an `s3://` or `https://` address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class PathReference:
    path: str

    def __str__(self) -> str:
        return self.path


Reference = CardReference | HubReference | AddressReference | PathReference


def parse_version(text: str) -> Version:
    """`"4.10.0"` -> `(4, 10, 0)`: versions are compared as integers, never as text or floats."""
    if not _VERSION.fullmatch(text):
        raise InvalidReference(f"'{text}' is not a version", hint="write numbers with dots, as in 3.3.2")
    return tuple(int(part) for part in text.split("."))


def is_name(text: str) -> bool:
    """Whether a reference can name a card so. Characters that cannot be printed are in no name.

    >>> [is_name(text) for text in ("bert_v1.2", "fr/bert", "bert uncased", "", "bert\\x1b")]
    [True, False, False, False, False]
    """
    return text.isprintable() and _NAME.fullmatch(text) is not None


def parse_constraint(text: str) -> Constraint:
    operators: tuple[Operator, ...] = ("==", ">=", "<=")
    for operator in operators:
        if text.startswith(operator):
            return Constraint(operator, parse_version(text[2:]))
    return Constraint("==", parse_version(text))


def parse_reference(
    text: str,
    language: str | None = None,
    version: str | None = None,
    revision: str | None = None,
    *,
    is_file: Callable[[str], bool] = lambda path: False,
) -> Reference:
    """Parse what a person wrote. `is_file` says whether a bare `NAME.zip` exists, so that parsing itself reads nothing.

    Raises InvalidReference when there is no meaning, or more than one.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidReference("a reference is a non-empty text", hint=f"write one of: {_FORMS}")
    text = text.strip()
    if text.startswith("hf:"):
        _refuse(text, language=language, version=version)
        return _hub_reference(text, revision)
    if text.startswith(("s3://", "https://", "http://")):
        _refuse(text, language=language, version=version, revision=revision)
        return _address_reference(text)
    if _PATH_START.match(text) or (text.endswith(".zip") and is_file(text)):
        _refuse(text, language=language, version=version, revision=revision)
        return PathReference(text)
    _refuse(text, revision=revision)
    return _card_reference(text, language, version)


def _refuse(text: str, **given: str | None) -> None:
    for option, value in given.items():
        if value is not None:
            raise InvalidReference(f"'{text}' takes no {option}, and {option}={value!r} was given", hint=f"leave {option} out")


def _demand_unicode(text: str) -> None:
    """A path may hold bytes that are no text (Python has surrogates for them), nothing else may."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidReference(f"{text!r} is not valid Unicode", why=error.reason, hint=f"write one of: {_FORMS}") from error


def _hub_reference(text: str, revision: str | None) -> HubReference:
    _demand_unicode(text + (revision or ""))
    repo, at, written = text.removeprefix("hf:").partition("@")
    parts = repo.split("/")
    if len(parts) not in (1, 2) or not all(_REPO_PART.fullmatch(part) for part in parts):
        raise InvalidReference(f"'{text}' does not name a Hugging Face repository", hint="write hf:OWNER/REPO or hf:OWNER/REPO@REVISION")
    wanted = revision if revision is not None else written if at else "main"
    if not _REVISION.fullmatch(wanted) or ".." in wanted:
        raise InvalidReference(f"'{wanted}' is not a revision", hint=f"write a branch, a tag or a commit, as in hf:{repo}@main")
    if written and revision and written != revision:
        raise InvalidReference(
            f"two revisions were given: '{written}' in '{text}', and revision={revision!r}",
            hint=f"write hf:{repo}@{written} or hf:{repo}@{revision}",
        )
    return HubReference(repo, written or revision)


def _address_reference(text: str) -> AddressReference:
    _demand_unicode(text)
    path = text.partition("://")[2].partition("?")[0]
    if not path.endswith(".zip") or "/" not in path:
        raise InvalidReference(f"'{text}' is not the address of an archive", hint="an address ends in .zip: s3://BUCKET/KEY.zip")
    return AddressReference(text)


def _card_reference(text: str, language: str | None, version: str | None) -> CardReference:
    _demand_unicode(text)
    head, at, written = text.partition("@")
    if at and version is not None and written != version:
        raise InvalidReference(
            f"two versions were given: '{written}' in '{text}', and version={version!r}", hint=f"write {head}@{written} or {head}@{version}"
        )
    constraint = parse_constraint(written) if at else parse_constraint(version) if version is not None else None
    prefix, slash, name = head.rpartition("/")
    if slash:
        language = _prefix_language(text, prefix, name, language)
    if not _NAME.fullmatch(name):
        raise InvalidReference(f"'{text}' is not a reference", hint=f"write one of: {_FORMS}")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise InvalidReference(f"'{language}' is not a language code", hint="codes have two or three letters: en, fr, xx (multilingual)")
    return CardReference(name, language, constraint)


def _prefix_language(text: str, prefix: str, name: str, language: str | None) -> str:
    if not _LANGUAGE.fullmatch(prefix):
        if not (_REPO_PART.fullmatch(prefix) and _REPO_PART.fullmatch(name)):
            raise InvalidReference(
                f"'{text}' is not a reference", why=f"'{prefix}' is not a language code", hint=f"write ./{text} for a path"
            )
        raise InvalidReference(
            f"'{text}' can be read in two ways",
            why=f"'{prefix}' is not a language code",
            hint=f"write hf:{text} for the Hugging Face repository, or ./{text} for the path",
        )
    if language is not None and language != prefix:
        raise InvalidReference(
            f"two languages were given: '{prefix}' in '{text}', and '{language}'", hint=f"write {prefix}/{name} or {language}/{name}"
        )
    return prefix


def _pad(version: Version, width: int) -> Version:
    return version + (0,) * (width - len(version))
