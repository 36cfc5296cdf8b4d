"""A file of texts, predicted: it comes in, is read through once, and goes out as CSV with an answer in every row."""

from __future__ import annotations

import csv
import io
import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from hubclient.classifier import Classifier
from hubclient.errors import InvalidText, UsageError
from hubclient.prediction import Prediction
from hubclient.table_file import LINES_COLUMN, TableFile
from hubclient.tagger import TokenClassifier
from hubclient.web.demo import opened
from hubclient.web.shop import Shop
from hubclient.zero_shot import ZeroShotClassifier

if TYPE_CHECKING:
    from hubclient.way import Opened

_ENDINGS = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson")
_MOST_BYTES = 2**30
_MOST_LABELS = 50  # with a column each


@dataclass(frozen=True)
class Candidates:
    labels: tuple[str, ...] = ()
    several: bool = False


def router(shop: Shop) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.post("/texts")
    async def predict(
        request: Request,
        ref: str,
        name: str,
        column: str | None = None,
        label: Annotated[list[str] | None, Query()] = None,
        several: bool = False,
    ) -> Response:
        """The body is the file, `name` its name; without a `column`, the one called text, or the only one. `label`, `several`: candidates
        for a zero-shot classifier, and whether several of them may hold."""
        ending = PurePath(name).suffix.lower()
        if ending not in _ENDINGS:
            raise UsageError(f"'{name[:80]}' is no file of texts", hint=f"give one that ends in {', '.join(_ENDINGS)}")
        model = await run_in_threadpool(opened, shop, ref)
        with ExitStack() as open_files:
            file = open_files.enter_context(tempfile.NamedTemporaryFile(prefix="hubclient-", suffix=ending))
            await _receive(request, file)
            table = TableFile(Path(file.name))
            chosen = column or await run_in_threadpool(_column, table)
            if chosen is None:
                columns = await run_in_threadpool(table.columns)
                return JSONResponse({"what": "which column holds the texts?", "columns": list(columns)[:200]}, 400)
            rows = await run_in_threadpool(_count, table, chosen)
            if not (label or isinstance(model, Classifier | TokenClassifier)):
                raise UsageError("no candidate labels were given", hint="write some, with commas between them")
            kept = open_files.pop_all()
        headers = {"cache-control": "no-store", "x-rows": str(rows)}
        asked = Candidates(tuple(label or ()), several)
        return StreamingResponse(
            _until_done(_lines(model, table, chosen, asked), kept), media_type="text/csv; charset=utf-8", headers=headers
        )

    return routes


async def _receive(request: Request, file: Any) -> None:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            raise UsageError("the file is too large for the page", hint="hub predict takes files of any size")
        await run_in_threadpool(file.write, part)
    file.flush()


def _column(table: TableFile) -> str | None:
    """The only one, or the one that is called text."""
    columns = table.columns()
    return columns[0] if len(columns) == 1 else LINES_COLUMN if LINES_COLUMN in columns else None


def _count(table: TableFile, column: str) -> int:
    """How many texts; what is wrong with one is told before any is answered. Raises UsageError, InvalidText."""
    count = sum(1 for _ in _texts(table, column))
    if not count:
        raise UsageError("the file holds no texts", hint="give one with a text in each row")
    return count


def _texts(table: TableFile, column: str) -> Iterator[str]:
    for line, (text,) in table.rows([column]):
        if not isinstance(text, str):
            raise InvalidText("a text is not a string", where=f"line {line}", hint="leave the line out")
        yield text


def _lines(model: Opened, table: TableFile, column: str, asked: Candidates) -> Iterator[str]:
    texts, ahead = itertools.tee(_texts(table, column))
    if isinstance(model, TokenClassifier):
        yield _line(["text", "entities"])
        for text, entities in zip(texts, model.stream(ahead), strict=True):
            yield _line([text, json.dumps([entity.to_dict() for entity in entities], ensure_ascii=False)])
        return
    labels = model.labels if isinstance(model, Classifier) else asked.labels
    columns = labels if len(labels) <= _MOST_LABELS else ()
    yield _line(["text", "label", "score", *columns])
    for text, one in zip(texts, _predictions(model, ahead, asked), strict=True):
        yield _line([text, " | ".join(one.selected), f"{one.score:.6f}", *(f"{one.scores[label]:.6f}" for label in columns)])


def _predictions(model: Classifier | ZeroShotClassifier, texts: Iterator[str], asked: Candidates) -> Iterator[Prediction]:
    return model.stream(texts) if isinstance(model, Classifier) else model.stream(texts, asked.labels, multi_label=asked.several)


def _line(cells: Sequence[object]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow(cells)
    return file.getvalue()


def _until_done(lines: Iterator[str], files: ExitStack) -> Iterator[str]:
    with files:
        yield from lines
