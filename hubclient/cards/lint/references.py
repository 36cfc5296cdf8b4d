"""Checks of the names under which a model is found elsewhere: in NLU, on Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from hubclient.cards.links import hugging_face_repos, nlu_refs
from hubclient.cards.lint.finding import Remark, Remarks, listed, quoted
from hubclient.cards.lint.source import Source


def nlu_reference(source: Source) -> Remarks:
    faults = {ref: fault for ref in source.card.nlu_refs if (fault := _fault(ref))}
    for number, line in _lines_with(source, "nlu.load(", faults):
        for ref in nlu_refs(line):
            if fault := faults.pop(ref, None):
                yield Remark(number, f"the NLU reference {quoted(ref)} {fault}")


def several_origins(source: Source) -> Remarks:
    card = source.card
    repos = card.hf_origins or card.hf_legacy_models
    if card.hf_origin is None and len(repos) > 1:
        message = f"links lead to {len(repos)} models on Hugging Face, {listed(repos)}, and nothing says which is this one"
        yield Remark(source.line_of(repos[1]), message)


def origin_without_owner(source: Source) -> Remarks:
    bare = set(source.card.hf_legacy_models)
    for number, line in _lines_with(source, ".co/", bare):
        for repo in hugging_face_repos(line)[1]:
            if repo in bare:
                bare.remove(repo)
                yield Remark(number, f"the link to {quoted(repo)} on Hugging Face names no owner")


def _fault(ref: str) -> str | None:
    if not ref.strip():
        return "is empty"
    if any(char.isspace() for char in ref):
        return "holds a space, at which NLU begins another one"
    return "ends in a dot" if ref.endswith(".") else None


def _lines_with(source: Source, mark: str, wanted: Sized) -> Iterator[tuple[int, str]]:
    """The lines that hold `mark`, if anything is looked for; none of its readers looks beyond a line."""
    if wanted:
        yield from ((number, line) for number, line in enumerate(source.text.split("\n"), 1) if mark in line)
