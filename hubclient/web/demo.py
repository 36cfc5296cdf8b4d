"""The live demo: a text in, scores out; and pulling a model first, with its progress."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from hubclient.classifier import Classifier
from hubclient.errors import UnknownModel, UsageError
from hubclient.portrait import portrait
from hubclient.tagger import TokenClassifier
from hubclient.web.models import checked
from hubclient.web.pulls import Pull
from hubclient.web.shop import Shop

if TYPE_CHECKING:
    from hubclient.way import Opened

_MOMENT_S = 0.1
_LONGEST = 100_000
_MOST_CANDIDATES = 100


class Question(BaseModel):
    """`candidates` and `several`: of a zero-shot classifier."""

    ref: str
    text: str = Field(max_length=_LONGEST)
    candidates: list[str] = Field(default=[], max_length=_MOST_CANDIDATES)
    several: bool = False


class Wanted(BaseModel):
    ref: str


def router(shop: Shop) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.post("/predict")
    def predict(question: Question) -> Response:
        model = opened(shop, question.ref)
        start = time.perf_counter()
        answer = _answer(model, question)
        return JSONResponse({**answer, "milliseconds": round(1000 * (time.perf_counter() - start), 2), "labels": len(model.labels)})

    @routes.post("/pull")
    def pull(wanted: Wanted) -> Response:
        under_way = shop.pulls.start(checked(shop, wanted.ref))
        return JSONResponse({"events": f"/api/pull/{under_way.number}"})

    @routes.get("/pull/{number}")
    def progress(number: int) -> Response:
        under_way = shop.pulls.get(number)
        if under_way is None:
            raise UnknownModel("no such pull is under way", hint="start it again")
        return StreamingResponse(_events(under_way), media_type="text/event-stream", headers={"cache-control": "no-store"})

    return routes


def opened(shop: Shop, ref: str) -> Opened:
    """Raises UsageError for a model that is not in the store: nothing is fetched without being asked for."""
    found = portrait(shop.strict, checked(shop, ref))
    if found.folder is None:
        raise UsageError("the model is not in the store", hint="pull it first")
    return shop.models.get(found)


def _answer(model: Opened, question: Question) -> dict[str, Any]:
    if isinstance(model, TokenClassifier):
        return {"task": model.task, "entities": [entity.to_dict() for entity in model(question.text)]}
    if isinstance(model, Classifier):
        prediction = model(question.text)
        several, threshold = model.multi_label, model.threshold
    else:
        prediction = model(question.text, question.candidates, multi_label=question.several)
        several, threshold = question.several, model.threshold
    scores = [{"label": label, "score": score} for label, score in prediction.scores.items()]
    return {"task": model.task, "scores": scores, "several": several, "threshold": threshold, "probable": _is_probable(model)}


def _is_probable(model: Opened) -> bool:
    """Whether scores lie between 0 and 1."""
    return not isinstance(model, Classifier) or model.activation != "none"


async def _events(pull: Pull) -> AsyncIterator[str]:
    """What has changed, until there is no more: server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    last: dict[str, Any] = {}
    while True:
        state = pull.state()
        if state != last:
            yield f"data: {json.dumps(state)}\n\n"
            last = state
        if state["stage"] != "running":
            return
        await asyncio.sleep(_MOMENT_S)
