"""What a call loads: a subject to check, or why nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from hubclient.check.finding import Finding, Place, Subject
from hubclient.check.rules import DEFAULT_MODEL, DYNAMIC, INVALID_REFERENCE, LOCAL_PATH, UNKNOWN_NLU_REFERENCE
from hubclient.check.scan.call import Call, Unknown
from hubclient.errors import InvalidReference
from hubclient.names import CardReference, PathReference, Reference, is_name, parse_reference
from hubclient.plan import SourceChoice

_SPARK_LANGUAGE = "en"
# Those that say which model it is; others are options of how it is opened.
_TELLING = ("name", "reference", "request", "lang", "version", "source", "revision", "remote_loc")
_ON_DISK = ("disk_location", "path")
# NLU trains a new model for such a reference: train.sentiment, en.train.ner.
_TRAINS = ".train."


def meant(call: Call, path: str, cell: int | None = None) -> Iterator[Subject | Finding]:
    """`cell`: in a notebook, of which the columns are not told."""
    place = Place(path, call.line, call.column if cell is None else None, cell)
    said = Subject(call.code, place)
    unknown = [(name, value) for name, value in call.arguments.items() if name in _TELLING and isinstance(value, Unknown)]
    if any(call.get(name) is not None for name in _ON_DISK):
        yield Finding(LOCAL_PATH, said, "the model is read from a path")
    elif unknown:
        name, value = unknown[0]
        yield Finding(DYNAMIC, said, f"{name} is worked out when the program runs: {value.code}")
    elif call.kind == "nlu":
        yield from _nlu(call, place)
    elif call.kind in ("annotator", "pipeline"):
        yield _spark_nlp(call, said)
    else:
        yield _own(call, said)


def _own(call: Call, said: Subject) -> Subject | Finding:
    """hubclient's own functions, which take every reference."""
    name = _text(call, "name", "reference")
    if name is None:
        return Finding(INVALID_REFERENCE, said, "the call names no model")
    try:
        reference = _parsed(name, _text(call, "lang"), _text(call, "version"), _text(call, "revision"))
    except InvalidReference as error:
        return Finding(INVALID_REFERENCE, said, f"{error.what}: {error.why}" if error.why else error.what)
    if isinstance(reference, PathReference):
        return Finding(LOCAL_PATH, said, f"the model is read from {reference.path}")
    source = _text(call, "source")
    return Subject(
        str(reference),
        said.place,
        source=cast(SourceChoice, source) if source in ("s3", "hf") else None,
        revision=_text(call, "revision") if isinstance(reference, CardReference) else None,
    )


def _parsed(name: str, language: str | None, version: str | None, revision: str | None) -> Reference:
    """Of a card, a revision picks one of its repository, which is no part of the reference. Raises InvalidReference."""
    reference = parse_reference(name, language, version)
    return reference if isinstance(reference, CardReference) else parse_reference(name, language, version, revision)


def _spark_nlp(call: Call, said: Subject) -> Subject | Finding:
    """`X.pretrained(name, lang, remote_loc)`: English where no language is given, and a default of the class where no name is."""
    name, language = _text(call, "name"), _text(call, "lang") or _SPARK_LANGUAGE
    if name is None:
        what = call.annotator or "the class"
        return Finding(DEFAULT_MODEL, said, f"the call names no model, and loads the default of {what}")
    try:
        if not is_name(name):
            raise InvalidReference(f"'{name}' is not the name of a model")
        reference = CardReference(name, language)
        parse_reference(str(reference))
    except InvalidReference as error:
        return Finding(INVALID_REFERENCE, said, error.what)
    return Subject(str(reference), said.place, loader="spark-nlp", annotator=call.annotator, remote=_text(call, "remote_loc"))


def _nlu(call: Call, place: Place) -> Iterator[Subject | Finding]:
    """`nlu.load("en.sentiment en.ner")`: several references, with blanks between them."""
    request = _text(call, "request")
    if not request or not request.strip():
        yield Finding(INVALID_REFERENCE, Subject(call.code, place), "the call names no model")
        return
    for reference in dict.fromkeys(request.split()):
        if not is_name(reference):
            yield Finding(UNKNOWN_NLU_REFERENCE, Subject(reference, place, loader="nlu"), f"'{reference}' is not the name of a model")
        elif _TRAINS not in f".{reference}":
            yield Subject(reference, place, loader="nlu")


def _text(call: Call, *parameters: str) -> str | None:
    """The first of these that is given. Values are known here."""
    for parameter in parameters:
        value = call.get(parameter)
        if isinstance(value, str):
            return value
    return None
