"""Cards found by words and by facts.

A word matches where it begins a word of the name, the title, the labels or the tags (which count the languages, annotators, NLU
references and Hugging Face repositories among them). First comes the card of that very name, then those whose names begin with it,
then those with all words in the name, in name or title, and anywhere; among equals the newest first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from hubclient.catalog.index import Reader
from hubclient.catalog.tasks import slug
from hubclient.errors import UsageError

_WORD = re.compile(r"[^\W_]+")
_FACTS = "(SELECT facts FROM facts WHERE facts.id = card.id)"
_COLUMNS = ("{name}", "{name title}", "{name title labels tags}")


@dataclass(frozen=True)
class Query:
    """What cards must have; None and empty ask for nothing.

    `task`: as the card or its annotator tells it, spelled as on the card or as on the Hub (`text-classification`). `label`: one of the
    labels on the card, whatever its case. `max_size_mb`: in 1024 * 1024 bytes; cards that tell no size do not match. `origin`: a Hugging
    Face repository or its owner.
    """

    words: tuple[str, ...] = ()
    task: str | None = None
    language: str | None = None
    annotator: str | None = None
    label: str | None = None
    max_size_mb: float | None = None
    origin: str | None = None

    def __post_init__(self) -> None:
        """Raises UsageError."""
        for text in (*self.words, self.task, self.language, self.annotator, self.label, self.origin):
            if not isinstance(text, str | None):
                raise UsageError(
                    f"cards are searched for by texts, and {text!r} is none", hint="a number or a list is no text: write a str"
                )


def search(reader: Reader, query: Query, among: Collection[int]) -> list[int]:
    """The numbers of the matching cards, best first."""
    conditions, values = _conditions(query)
    sql = f"SELECT id, name, epoch_ms FROM card WHERE {' AND '.join(conditions) or '1'}"
    reader.connection.create_function("folded", 1, str.casefold, deterministic=True)
    found = {number: (name, epoch) for number, name, epoch in reader.rows(sql, *values) if number in among}
    ranks = word_ranks(reader, query.words) if query.words else dict.fromkeys(found, 0)
    wanted = "_".join(query.words).casefold()
    ranked = []
    for number in found.keys() & ranks.keys():
        name, epoch = found[number]
        rank = _by_name(name.casefold(), wanted) if wanted else None
        ranked.append((ranks[number] if rank is None else rank, -epoch, name, number))
    return [number for *_, number in sorted(ranked)]


def _by_name(name: str, wanted: str) -> int | None:
    if name == wanted:
        return -2
    return -1 if name.startswith(wanted) else None


def word_ranks(reader: Reader, words: Sequence[str]) -> dict[int, int]:
    """By card, where all words occur: 0 for the name, 1 for name and title, 2 for anything."""
    terms = dict.fromkeys(term for word in words for term in _WORD.findall(word))
    if not terms:
        return {}
    wanted = " AND ".join(f'"{term}"*' for term in terms)
    found: dict[int, int] = {}
    for rank, columns in enumerate(_COLUMNS):
        for (number,) in reader.rows("SELECT rowid FROM words WHERE words MATCH ?", f"{columns} : ({wanted})"):
            found.setdefault(number, rank)
    return found


def every_word(reader: Reader) -> list[tuple[str, str, int]]:
    """Each word, a column and a card where it is, in the order of words (https://sqlite.org/fts5.html#the_fts5vocab_virtual_table_module)."""
    reader.connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab('main', 'words', 'instance')")
    return [(term, column, number) for term, number, column in reader.rows("SELECT DISTINCT term, doc, col FROM temp.vocabulary")]


def _conditions(query: Query) -> tuple[list[str], list[object]]:
    parts = list(_parts(query))
    return [condition for condition, _ in parts], [value for _, values in parts for value in values]


def _parts(query: Query) -> Iterator[tuple[str, tuple[object, ...]]]:
    if query.task is not None:
        yield "instr(tasks, ?)", (f" {slug(query.task)} ",)
    if query.language is not None:
        yield "language = ?", (query.language,)
    if query.annotator is not None:
        yield "annotator = ? COLLATE NOCASE", (query.annotator,)
    if query.label is not None:
        yield f"EXISTS (SELECT 1 FROM json_each({_FACTS}, '$.labels') WHERE folded(value) = ?)", (query.label.casefold(),)
    if query.max_size_mb is not None:
        yield f"json_extract({_FACTS}, '$.size_mb') <= ?", (float(query.max_size_mb),)
    if query.origin is not None:
        repository, owner = query.origin.casefold(), f"{query.origin.casefold()}/"
        yield (
            f"EXISTS (SELECT 1 FROM json_each({_FACTS}, '$.hf_origins') WHERE folded(value) = ? OR instr(folded(value), ?) = 1)",
            (repository, owner),
        )
