"""hub evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Revision, Source, checked_source, hub_for
from hubclient.cli.output import counting, print_json
from hubclient.errors import UsageError

if TYPE_CHECKING:
    from hubclient.convert.annotators import Task
    from hubclient.evaluate import Evaluation, Form, LabelledFile, Options, Subject, Survey
    from hubclient.hub import Loading

References = Annotated[list[str], typer.Argument(metavar="REF...", help="What to examine, as for hub pull; several are compared.")]


def evaluate(
    refs: References,
    input: Annotated[Path, typer.Option("--input", "-i", metavar="FILE", help="Texts and labels: .csv, .tsv or .jsonl.")],
    text_column: Annotated[
        list[str] | None, typer.Option("--text-column", metavar="NAME", help="Where the texts are; twice for pairs. [default: text]")
    ] = None,
    label_column: Annotated[str, typer.Option("--label-column", metavar="NAME", help="Where the labels are.")] = "label",
    label_separator: Annotated[
        str | None, typer.Option("--label-separator", metavar="MARK", help="Between the labels of a text that has several.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option("--rename", metavar="FILE=MODEL", help="A label of the file, and what the model calls it: 1=pos.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", metavar="MARK", help="Between columns. [default: comma, tab in .tsv]")
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", metavar="NAME", help="Of the file.")] = "utf-8",
    threshold: Annotated[
        float | None, typer.Option("--threshold", metavar="SCORE", help="Labels of a multi-label model score above it.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="LABEL", help="Zero-shot: a label to choose from. [default: those of the file]")
    ] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help="Zero-shot: several labels may hold.")] = False,
    template: Annotated[
        str | None, typer.Option("--template", metavar="TEXT", help="Zero-shot: 'This example is {}.', or another sentence.")
    ] = None,
    max_length: Annotated[int | None, typer.Option("--max-length", metavar="TOKENS", min=1, help="Tokens a text, at most.")] = None,
    engine: Annotated[str | None, typer.Option("--engine", metavar="onnx|torch", help="What runs the model.")] = None,
    resamples: Annotated[int, typer.Option("--resamples", metavar="N", min=1, help="Of the bootstrap, for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the bootstrap's random numbers.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the body of a card's section 'Benchmarking'.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report with pictures.")] = None,
    write_card: Annotated[
        Path | None, typer.Option("--write-card", metavar="CARD", help="Write the section 'Benchmarking' of this card.")
    ] = None,
    lang: Lang = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Say how well models do on texts whose labels are known.

    Precision, recall and F1 by label, accuracy, averages, and how certain they are; of texts with several labels the Hamming loss too. The
    file may be of any size.
    """
    from hubclient.evaluate import LabelledFile, Options, subject_of

    if json and markdown:
        raise typer.BadParameter("take one of the two", param_hint="--json, --markdown")
    if write_card and len(refs) > 1:
        raise typer.BadParameter("a card is of one model", param_hint="--write-card")
    form = _form(text_column or ["text"], label_column, label_separator, rename or [], delimiter, encoding)
    file = LabelledFile(input, form)
    with counting("rows read", results_follow=True) as advance:
        survey = file.survey(advance)
    hub = hub_for(cache_dir, offline)
    task: Task | None = "zero-shot-classification" if label else None
    asking: _Asking = {"candidates": label or list(survey.labels), "multi_label": multi_label, "template": template, "threshold": threshold}
    opening: Loading = {"source": checked_source(source), "revision": revision, "engine": engine, "max_length": max_length}
    evaluations: list[Evaluation] = []
    for ref in refs:
        subject = subject_of(hub.pretrained(ref, lang, task=task, **opening), ref, **asking)
        _check_comparable(subject, evaluations)
        evaluations.append(_evaluated(subject, file, survey, Options(resamples, seed)))
    _publish(evaluations, json=json, markdown=markdown)
    _write(evaluations, html, write_card)


class _Asking(TypedDict):
    candidates: list[str]
    multi_label: bool
    template: str | None
    threshold: float | None


def _form(
    text_columns: list[str], label_column: str, separator: str | None, rename: list[str], delimiter: str | None, encoding: str
) -> Form:
    from hubclient.evaluate import Form

    if len(text_columns) > 2:
        raise typer.BadParameter("a text has one column, a pair of texts two", param_hint="--text-column")
    if delimiter == "\\t":
        delimiter = "\t"
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise typer.BadParameter("columns are parted by one mark, as ; or \\t", param_hint="--delimiter")
    if separator == "":
        raise typer.BadParameter("labels are parted by a mark, as | or ;", param_hint="--label-separator")
    return Form(tuple(text_columns), label_column, separator, delimiter, encoding, dict(map(_renamed, rename)))


def _renamed(written: str) -> tuple[str, str]:
    name, equals, other = written.partition("=")
    if not equals:
        raise typer.BadParameter(f"'{written}' has no =; write FILE=MODEL, as 1=pos", param_hint="--rename")
    return name, other


def _check_comparable(subject: Subject, before: list[Evaluation]) -> None:
    """Raises UsageError."""
    if before and subject.multi_label != before[0].multi_label:
        several, one = (subject.name, before[0].name) if subject.multi_label else (before[0].name, subject.name)
        why = f"'{several}' may give a text several labels, and '{one}' gives it one"
        raise UsageError("the models cannot be compared", why=why, hint="evaluate them one by one")


def _evaluated(subject: Subject, file: LabelledFile, survey: Survey, options: Options) -> Evaluation:
    from hubclient.evaluate import evaluate

    with counting("texts", results_follow=True) as advance:
        return evaluate(subject, file, survey, options, advance=advance)


def _publish(evaluations: list[Evaluation], *, json: bool, markdown: bool) -> None:
    from hubclient.evaluate.tables import benchmarking, comparison, terminal

    first, *others = evaluations
    if json:
        print_json(first.to_dict())
        for other in others:
            against = {name: {"value": value, "interval": between} for name, (value, between) in other.difference(first).items()}
            print_json({**other.to_dict(), "against_first": against})
        return
    shown = benchmarking if markdown else terminal
    print("\n\n".join(shown(evaluation).strip("\n") for evaluation in evaluations))
    if others and not markdown:
        print(f"\n{comparison(evaluations)}")


def _write(evaluations: list[Evaluation], html: Path | None, card: Path | None) -> None:
    from hubclient.authoring.file import write, write_section

    if html:
        from hubclient.evaluate.report import report

        write(html, report(evaluations), replace=True)
    if card:
        from hubclient.evaluate.tables import benchmarking

        write_section(card, "Benchmarking", benchmarking(evaluations[0]))
