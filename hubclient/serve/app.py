"""The application: its paths, and what is answered on each."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse  # noqa: TC002 - FastAPI reads the annotation
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from hubclient import __version__
from hubclient.serve.desk import Desk
from hubclient.serve.forms import AnswerForm, ModelsForm, Question, StateForm, described, request_form
from hubclient.serve.measures import Measured, Measures
from hubclient.serve.page import page_of
from hubclient.serve.problem import Problem, Refusal, answer
from hubclient.serve.question import read_question
from hubclient.texts import Text

_ABOUT = "Texts in, labels and scores out. What is asked at the same time is answered in common batches."
_PROBLEMS = {
    400: "The body is not JSON in UTF-8.",
    404: "There is no such model.",
    408: "The body took too long.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The question is not of its form, or a text is none.",
    503: "Too much is waiting, or the server is about to end.",
    504: "The answer took too long.",
}


def make_app(desk: Desk) -> FastAPI:
    form = request_form(desk.limits, list(desk.models))
    measures = Measures(desk)
    app = FastAPI(title="hubclient", version=__version__, description=_ABOUT, docs_url=None, redoc_url=None)
    _add_predict(app, desk, form, measures)
    _add_facts(app, desk, measures)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Measured, measures=measures, paths=frozenset(getattr(route, "path", "") for route in app.routes))
    return app


def _add_predict(app: FastAPI, desk: Desk, form: type[Question], measures: Measures) -> None:
    schema = form.model_json_schema()

    async def predict(request: Request) -> Response:
        """Classify texts."""
        if desk.closing:
            raise Refusal(503, "the server is about to end")
        question = await read_question(request, form, desk.limits)
        name, classifier = desk.choose(question.model)
        predictions = await desk.predict(classifier, _texts(question), threshold=question.threshold, top_k=question.top_k)
        measures.texts.labels(name).inc(len(predictions))
        return _json({"model": name, "predictions": [one.to_dict() for one in predictions]})

    app.add_api_route(
        "/v1/predict",
        predict,
        methods=["POST"],
        response_model=AnswerForm,
        responses={status: {"model": Problem, "description": told} for status, told in _PROBLEMS.items()},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    )


def _add_facts(app: FastAPI, desk: Desk, measures: Measures) -> None:
    models = ModelsForm(models=[described(name, classifier) for name, classifier in desk.models.items()])
    ending: dict[int | str, dict[str, Any]] = {503: {"model": StateForm, "description": "The server is about to end."}}

    @app.get("/v1/models")
    async def list_models() -> ModelsForm:
        """The models that are served."""
        return models

    @app.get("/healthz")
    async def health() -> StateForm:
        """Whether the server runs."""
        return StateForm(state="alive")

    @app.get("/readyz", responses=ending, response_model=StateForm)
    async def readiness(response: Response) -> StateForm:
        """Whether it takes questions."""
        response.status_code = 503 if desk.closing else 200
        return StateForm(state="ending" if desk.closing else "ready")

    @app.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}})
    async def metrics() -> Response:
        """Counts and times, for Prometheus."""
        return Response(measures.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page_of(app.openapi())


def _texts(question: Question) -> list[Text]:
    return [text if isinstance(text, str) else (text[0], text[1]) for text in question.texts]


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, allow_nan=False).encode(), media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, Problem(what=str(error.detail), where=request.url.path), error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    """The reason is for the server's own log."""
    return answer(500, Problem(what="the server failed", where=request.url.path))
