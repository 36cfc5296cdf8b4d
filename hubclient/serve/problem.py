"""An answer that is an error, as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from hubclient.errors import HubError


class Problem(BaseModel):
    """What went wrong, where and why, and what to do."""

    what: str
    where: str | None = None
    why: str | None = None
    hint: str | None = None


class Refusal(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, what: str, *, where: str | None = None, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.status = status
        self.problem = Problem(what=what, where=where, why=why, hint=hint)

    @property
    def response(self) -> JSONResponse:
        return answer(self.status, self.problem, {"Retry-After": "1"} if self.status == 503 else None)

    @classmethod
    def of(cls, status: int, error: HubError) -> Refusal:
        return cls(status, error.what, where=error.where, why=error.why, hint=error.hint)


def answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status, headers)
