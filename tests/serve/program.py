"""A server with limits of the test's choosing: `python -m tests.serve.program SETTINGS`, JSON as `Served` has it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from hubclient import load
from hubclient.serve import Desk, Limits, run


class Slow:
    """A classifier that takes its time."""

    def __init__(self, classifier: Any, seconds: float) -> None:
        self._classifier, self._seconds = classifier, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)

    async def apredict(self, texts: Any, **options: Any) -> Any:
        await asyncio.sleep(self._seconds)
        return await self._classifier.apredict(texts, **options)


def main(settings: str) -> None:
    asked = json.loads(settings)
    models: Any = {name: load(name) for name in asked["models"]}
    if asked["slow"]:
        models = {name: Slow(model, asked["slow"]) for name, model in models.items()}
    run(Desk(models, Limits(**asked["limits"]), batching=asked["batching"]), port=0, ready=lambda address: print(address, flush=True))
    print("ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
