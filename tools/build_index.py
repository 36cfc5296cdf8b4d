"""Build the index that ships with hubclient: the facts, and no prose, of the cards in folders, in one compressed file.

The same cards give the same file, in whatever order they lie on the disk. Of two cards of the same name, language, version and time
that of the later folder counts; within a folder, the one that is called as its archive is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient.bundled import INDEX
from hubclient.cards import Card
from hubclient.cards.facts_form import to_facts
from hubclient.catalog.bundle import write_bundle
from hubclient.catalog.folder import card_from, list_folder, read_bytes
from hubclient.catalog.layer import CardKey
from hubclient.errors import CardError

ORIGIN = "model cards in the documentation of Spark NLP, https://github.com/JohnSnowLabs/spark-nlp, Apache-2.0"
# A person's name that no command shows.
_LEFT_OUT = {"author"}
# What stands above a table of scores may be its name, or the end of a paragraph.
_LONGEST_TITLE = 40


@dataclass(frozen=True)
class Source:
    """The cards of one folder with their paths below it, in the order in which later ones outrank."""

    cards: tuple[tuple[str, Card], ...]
    problems: tuple[CardError, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        return _build(options.sources, options.output, options.origin, skip_broken=options.skip_broken)
    except (OSError, zipfile.BadZipFile, CardError) as error:
        print(error, file=sys.stderr)
        return 1


def _build(paths: Sequence[Path], output: Path, origin: str, *, skip_broken: bool) -> int:
    sources = [read_source(path) for path in paths]
    problems = [problem for source in sources for problem in source.problems]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and not skip_broken:
        print(f"{len(problems)} problems: nothing was written (--skip-broken leaves such cards out)", file=sys.stderr)
        return 1
    kept = outranking(sources)
    if not kept:
        print("no card was found: nothing was written", file=sys.stderr)
        return 1
    output.write_bytes(bundle_of(kept, origin))
    read = sum(len(source.cards) for source in sources)
    print(f"{len(kept)} cards in {output}, {read - len(kept)} outranked, {len(problems)} problems", file=sys.stderr)
    return 0


def read_source(path: Path) -> Source:
    cards: list[tuple[str, Card]] = []
    with _folder(path) as folder:
        listed = list_folder(folder)
        problems = list(listed.problems)
        for file in (Path(card.path) for card in listed.cards):
            below = file.relative_to(folder)
            try:
                cards.append((below.as_posix(), card_from(read_bytes(file), path / below)))
            except CardError as error:
                problems.append(error)
    cards.sort(key=lambda item: item[1].name == item[1].model_name and item[1].language == item[1].model_language)
    return Source(tuple(cards), tuple(problems))


def outranking(sources: Sequence[Source]) -> list[tuple[str, Card]]:
    """One card of each key: the last."""
    return list({CardKey.of(card): (file, card) for source in sources for file, card in source.cards}.values())


def bundle_of(cards: Sequence[tuple[str, Card]], origin: str) -> bytes:
    return write_bundle(((file, _without_prose(to_facts(card))) for file, card in cards), origin=origin)


def _without_prose(facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in facts.items() if name not in _LEFT_OUT}
    if "benchmarks" in kept:
        kept["benchmarks"] = [_with_short_title(table) for table in kept["benchmarks"]]
    return kept


def _with_short_title(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != "title" or len(value) <= _LONGEST_TITLE}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=_source, metavar="CARD_FOLDER", help="a folder, with its subfolders, or a zip of one")
    parser.add_argument("-o", "--output", type=Path, default=INDEX, metavar="FILE", help="what to write (default: the index in hubclient)")
    parser.add_argument(
        "--origin", default=ORIGIN, metavar="TEXT", help="where the cards come from, and their licence (default: %(default)s)"
    )
    parser.add_argument("--skip-broken", action="store_true", help="leave out cards that cannot be read, instead of writing nothing")
    return parser.parse_args(arguments)


def _source(text: str) -> Path:
    path = Path(text)
    if not path.is_dir() and not zipfile.is_zipfile(path):
        raise argparse.ArgumentTypeError(f"'{text}' is neither a folder nor a zip")
    return path


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as cards:
        cards.extractall(folder)
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
