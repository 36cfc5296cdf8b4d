"""A request's body: read within its limits, and understood."""

from __future__ import annotations

import asyncio
from email.message import Message
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request

from hubclient.serve.forms import Question
from hubclient.serve.limits import Limits
from hubclient.serve.problem import Refusal

Asked = TypeVar("Asked", bound=Question)
_SHOWN = 3


async def read_question(request: Request, form: type[Asked], limits: Limits) -> Asked:
    """Raises Refusal."""
    _check_kind(request)
    try:
        async with asyncio.timeout(limits.body_seconds):
            body = await _body(request, limits.body)
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {limits.body_seconds:g} seconds") from None
    except ClientDisconnect:
        raise Refusal(400, "the body ended before its end") from None
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error


def _check_kind(request: Request) -> None:
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    charset = kind.get_content_charset("utf-8")
    if kind.get_content_type() != "application/json" or charset not in ("utf-8", "us-ascii"):
        raise Refusal(415, "the body is not of the type application/json", hint="send JSON in UTF-8, with that Content-Type")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, "the body is compressed", hint="send it as it is")


async def _body(request: Request, most: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> Refusal:
    return Refusal(413, f"the body has more than {most:,} bytes", hint="send the texts in several requests")


def _refusal(error: ValidationError) -> Refusal:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        return Refusal(400, "the body is not JSON", why=problems[0]["msg"])
    told = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems[:_SHOWN]]
    return Refusal(422, "the question cannot be answered", why="; ".join(told), hint="GET /docs shows what a question looks like")
