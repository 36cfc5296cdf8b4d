"""hub predict"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import counting, print_json
from hubclient.errors import InvalidText

if TYPE_CHECKING:
    from hubclient.entities import Entity
    from hubclient.prediction import Prediction

    Answer = Prediction | list[Entity]

Texts = Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Texts; '-' or nothing reads stdin, one text a line.")]


def predict(
    ref: Reference,
    texts: Texts = None,
    lang: Lang = None,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="Print that many labels a text, best first.")] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", help="Labels of a multi-label model score above it.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="Zero-shot: a label to choose from; give several.")] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help="Zero-shot: several labels may hold.")] = False,
    template: Annotated[str | None, typer.Option("--template", help="Zero-shot: 'This example is {}.', or another sentence.")] = None,
    max_length: Annotated[int | None, typer.Option("--max-length", min=1, help="Tokens a text, at most.")] = None,
    engine: Annotated[str | None, typer.Option("--engine", metavar="onnx|torch", help="What runs the model.")] = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Classify texts.

    One line each: label, score, text, separated by tabs; several labels of a multi-label model by ' | '. A model of entities has one line
    for each: label, score, entity, text.
    """
    wanted = _texts(texts)
    model = hub_for(cache_dir, offline).pretrained(
        ref,
        lang,
        task="zero-shot-classification" if label else None,
        source=checked_source(source),
        revision=revision,
        engine=engine,
        max_length=max_length,
        threshold=threshold,
    )
    options = _options(model.task, top_k, label, multi_label, template)
    chosen, ahead = itertools.tee(wanted)
    with counting("texts") as advance:
        for text, answer in zip(chosen, _answers(model, ahead, {**options, "progress": advance}), strict=True):
            if json:
                print_json({"text": text, **_record(answer)})
            else:
                _print(text, answer, top_k)


def _options(task: str, top_k: int | None, labels: list[str] | None, multi_label: bool, template: str | None) -> dict[str, Any]:
    """What the model's task takes; raises BadParameter for what it does not."""
    if task == "zero-shot-classification":
        asked = {"hypothesis_template": template} if template is not None else {}
        return {"candidate_labels": labels, "multi_label": multi_label, "top_k": top_k, **asked}
    if multi_label or template is not None:
        raise typer.BadParameter("the model is no zero-shot classifier", param_hint="--multi-label" if multi_label else "--template")
    if task == "text-classification":
        return {"top_k": top_k}
    if top_k is not None:
        raise typer.BadParameter("the model finds entities, which have one label each", param_hint="--top-k")
    return {}


def _answers(model: Any, texts: Iterable[str], options: dict[str, Any]) -> Iterator[Answer]:
    # Who types waits for each answer.
    answers: Iterator[Answer] = (model(text, **options) for text in texts) if sys.stdin.isatty() else model.stream(texts, **options)
    return answers


def _record(answer: Answer) -> dict[str, Any]:
    return {"entities": [entity.to_dict() for entity in answer]} if isinstance(answer, list) else answer.to_dict()


def _print(text: str, answer: Answer, top_k: int | None) -> None:
    if isinstance(answer, list):
        for entity in answer:
            print(f"{entity.label}\t{entity.score:.4f}\t{_one_line(entity.text)}\t{_one_line(text)}")
        return
    for label, score in _lines(answer, top_k):
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
