"""hub predict"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import counting, print_json
from hubclient.errors import InvalidText

if TYPE_CHECKING:
    from hubclient.classifier import Classifier
    from hubclient.prediction import Prediction

Texts = Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Texts; '-' or nothing reads stdin, one text a line.")]


def predict(
    ref: Reference,
    texts: Texts = None,
    lang: Lang = None,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="Print that many labels a text, best first.")] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", help="Labels of a multi-label model score above it.")] = None,
    max_length: Annotated[int | None, typer.Option("--max-length", min=1, help="Tokens a text, at most.")] = None,
    engine: Annotated[str | None, typer.Option("--engine", metavar="onnx|torch", help="What runs the model.")] = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Classify texts.

    One line each: label, score, text, separated by tabs; several labels of a multi-label model by ' | '.
    """
    wanted = _texts(texts)
    classifier = hub_for(cache_dir, offline).pretrained(
        ref, lang, source=checked_source(source), revision=revision, engine=engine, max_length=max_length, threshold=threshold
    )
    chosen, ahead = itertools.tee(wanted)
    with counting("texts") as advance:
        for text, prediction in zip(chosen, _answers(classifier, ahead, top_k, advance), strict=True):
            if json:
                print_json({"text": text, **prediction.to_dict()})
            else:
                _print(text, prediction, top_k)


def _answers(classifier: Classifier, texts: Iterable[str], top_k: int | None, advance: Callable[[int], None]) -> Iterator[Prediction]:
    if sys.stdin.isatty():  # who types waits for each answer
        return (classifier(text, top_k=top_k, progress=advance) for text in texts)
    return classifier.stream(texts, top_k=top_k, progress=advance)


def _print(text: str, prediction: Prediction, top_k: int | None) -> None:
    for label, score in _lines(prediction, top_k):
        print(f"{label}\t{score:.4f}\t{_one_line(text)}")


def _texts(given: list[str] | None) -> Iterable[str]:
    if given and given != ["-"]:
        return given
    if not given and sys.stdin.isatty():
        raise typer.BadParameter("give texts as arguments, or one a line on stdin", param_hint="TEXT")
    return _stdin_lines()


def _stdin_lines() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InvalidText("a text is not UTF-8", where=f"stdin, line {number}", why=str(error), hint="convert it with iconv") from error


def _lines(prediction: Prediction, top_k: int | None) -> list[tuple[str, float]]:
    if top_k is not None:
        return prediction.top(top_k)
    return [(" | ".join(prediction.selected) or "(none)", prediction.score)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
