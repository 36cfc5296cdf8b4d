"""hub predict"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import counting, print_facts, print_json, watching
from hubclient.errors import InvalidText

if TYPE_CHECKING:
    from hubclient.engines import Precision
    from hubclient.entities import Entity
    from hubclient.prediction import Prediction
    from hubclient.tables.answers import Asking

    Answer = Prediction | list[Entity]

Texts = Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Texts; '-' or nothing reads stdin, one text a line.")]
FileHelp = "Texts from a .csv, .tsv, .jsonl, .parquet or .txt file; .gz after all but .parquet."


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
    input_file: Annotated[Path | None, typer.Option("--input", metavar="FILE", help=FileHelp)] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Where answers go: .csv, .tsv, .jsonl, .parquet.")] = None,
    column: Annotated[list[str] | None, typer.Option("--column", help="The column of the texts; two for pairs of texts.")] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", help="A column to carry over; give several; all unless given.")] = None,
    scores: Annotated[bool, typer.Option("--scores", help="In the output file, a column with the score of each label.")] = False,
    also: Annotated[list[str] | None, typer.Option("--also", metavar="REF", help="Another model for the same file.")] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="Before the names of the answers' columns.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output file; begin a run anew that was broken off.")] = False,
    engine: Annotated[str | None, typer.Option("--engine", metavar="onnx|openvino|torch", help="What runs the model.")] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", metavar="float32|bfloat16|int8", help="Faster than float32; what it costs is measured.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="cpu|cuda", help="Where the model is run.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Cores to use, instead of all.")] = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Classify texts.

    One line each: label, score, text, separated by tabs; several labels of a multi-label model by ' | '. A model of entities has one line
    for each: label, score, entity, text.

    With --input and --output, a file of any size is worked off into another one. A run that was killed is taken up where it was when the
    same is asked again; rows that cannot be used go to OUT.bad.jsonl, with the reason.
    """
    _check_file_options(input_file, output, texts, top_k, {"--column": column, "--keep": keep, "--also": also, "--prefix": prefix})
    wanted = _texts(texts) if input_file is None else ()
    hub = hub_for(cache_dir, offline)
    models = [
        hub.pretrained(
            name,
            lang,
            task="zero-shot-classification" if label else None,
            source=checked_source(source),
            revision=revision,
            engine=engine,
            precision=cast("Precision | None", precision),
            device=device,
            threads=threads,
            max_length=max_length,
            threshold=threshold,
        )
        for name in (ref, *(also or ()))
    ]
    every = [_options(model.task, top_k, label, multi_label, template) for model in models]
    if input_file is not None and output is not None:
        prefixes = [prefix or ""] if len(models) == 1 else [f"{prefix or ''}{_called(name)}." for name in (ref, *(also or ()))]
        askings = _askings(models, every, prefixes, scores)
        _predict_file(askings, input_file, output, json=json, columns=column or (), keep=keep, force=force)
        return
    _print_answers(models[0], wanted, every[0], top_k, json=json)


def _print_answers(model: Any, texts: Iterable[str], options: dict[str, Any], top_k: int | None, *, json: bool) -> None:
    chosen, ahead = itertools.tee(texts)
    with counting("texts") as advance:
        for text, answer in zip(chosen, _answers(model, ahead, {**options, "progress": advance}), strict=True):
            if json:
                print_json({"text": text, **_record(answer)})
            else:
                _print(text, answer, top_k)


def _check_file_options(
    source: Path | None, target: Path | None, texts: list[str] | None, top_k: int | None, others: Mapping[str, object]
) -> None:
    """Raises BadParameter for what goes together with a file alone, or with none."""
    if (source is None) != (target is None):
        raise typer.BadParameter("--input and --output go together", param_hint="--input" if source else "--output")
    if source is None:
        if given := next((name for name, value in others.items() if value), None):
            raise typer.BadParameter("it is for files: give --input and --output", param_hint=given)
    elif texts or top_k is not None:
        raise typer.BadParameter("with --input, it cannot be given", param_hint="TEXT" if texts else "--top-k")


def _askings(models: Sequence[Any], every: Sequence[dict[str, Any]], prefixes: Sequence[str], scores: bool) -> list[Asking]:
    from hubclient.tables.answers import Asking

    options = [{name: value for name, value in each.items() if name != "top_k"} for each in every]
    return [Asking(*parts, scores=scores) for parts in zip(models, options, prefixes, strict=True)]


def _predict_file(askings: Sequence[Asking], source: Path, target: Path, *, json: bool, **options: Any) -> None:
    from hubclient.tables.run import predict_file

    with watching("rows") as show:
        done = predict_file(askings, source, target, watch=lambda seen: show(seen.rows, seen.at, seen.size), **options)
    facts: dict[str, Any] = {"output": str(target), "rows": done.rows, "of an earlier run": done.resumed, "bad rows": done.bad}
    if done.bad_file:
        facts["bad rows are in"] = str(done.bad_file)
    if json:
        print_json({name.replace(" ", "_"): value for name, value in facts.items()})
    else:
        print_facts([(name, f"{value:,}" if isinstance(value, int) else value) for name, value in facts.items()])


def _called(reference: str) -> str:
    """What a model is called before its columns: the end of its name or path."""
    return reference.rstrip("/").rpartition("/")[2].partition("@")[0].removesuffix(".zip")


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
