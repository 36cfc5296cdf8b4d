"""ADDRESS ASKED.json: ask a running page for searches and models one after the other; says the medians in seconds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from urllib.parse import quote

import urllib3

_TIMES = 5


def main() -> None:
    address, asked = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    pool = urllib3.PoolManager(maxsize=1)
    searches = [f"{address}/search?q={quote(words)}" for words in asked["searches"]]
    models = [f"{address}/model/{language}/{quote(name)}" for language, name in asked["models"]]
    _seconds(pool, [*searches, *models])
    print(json.dumps({"search": median(_seconds(pool, searches * _TIMES)), "model": median(_seconds(pool, models))}))


def _seconds(pool: urllib3.PoolManager, addresses: Sequence[str]) -> list[float]:
    took = []
    for address in addresses:
        start = time.perf_counter()
        answer = pool.request("GET", address)
        took.append(time.perf_counter() - start)
        if answer.status != 200:
            sys.exit(f"{address}: {answer.status}")
    return took


if __name__ == "__main__":
    main()
