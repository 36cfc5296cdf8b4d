"""A server with a good model, one that is gone and one that is not given away, and cards of all three."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.cards.shared import archive, card_text
from tests.servers.script import Reply, Request, ScriptedServer

if TYPE_CHECKING:
    import pytest

GOOD, GONE, SECRET = ("good_model", "gone_model", "secret_model")
SIZE = 426_300_000  # as the cards say


def card_of(name: str) -> str:
    text = card_text(front={"name": name}, file=archive(name))
    return text.replace("small_model", name).replace("a.bucket.with.dots", "models")


def answer(request: Request) -> Reply:
    if GOOD in request.path:
        return Reply(200, b"", {"ETag": '"e"', "Content-Length": str(SIZE)})
    if SECRET in request.path:
        return Reply(403, b"<Error><Code>AllAccessDisabled</Code></Error>")
    return Reply(404, b"<Error><Code>NoSuchKey</Code></Error>")


def open_shop(script: ScriptedServer, cards: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """For this process and those that it starts."""
    cards.mkdir()
    for name in (GOOD, GONE, SECRET):
        (cards / f"{name}_en.md").write_text(card_of(name), encoding="utf-8")
    monkeypatch.setenv("HUBCLIENT_CARDS", str(cards))
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nobody listens
    script.answer = answer
    return script
