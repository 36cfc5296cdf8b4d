"""ADDRESS ASKED.json USERS: so many users search and look at models at the same time; says errors, answers a second, and how slow the
slowest twentieth was."""

from __future__ import annotations

import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import urllib3

_EACH = 20


def main() -> None:
    address, asked, users = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), int(sys.argv[3])
    searches = [f"{address}/search?q={quote(words)}" for words in asked["searches"]]
    models = [f"{address}/model/{language}/{quote(name)}" for language, name in asked["models"]]
    start = time.perf_counter()
    with ThreadPoolExecutor(users) as pool:
        answers = [answer for each in pool.map(lambda user: _use(user, searches + models), range(users)) for answer in each]
    took = time.perf_counter() - start
    slowest = sorted(seconds for seconds, _ in answers)[len(answers) * 95 // 100]
    errors = sum(not fine for _, fine in answers)
    print(json.dumps({"errors": errors, "answers_per_second": len(answers) / took, "slowest": slowest}))


def _use(user: int, addresses: list[str]) -> list[tuple[float, bool]]:
    chosen, pool, answers = random.Random(user).choices(addresses, k=_EACH), urllib3.PoolManager(maxsize=1), []
    for address in chosen:
        start = time.perf_counter()
        try:
            fine = pool.request("GET", address, retries=False, timeout=60).status == 200
        except urllib3.exceptions.HTTPError:
            fine = False
        answers.append((time.perf_counter() - start, fine))
    return answers


if __name__ == "__main__":
    main()
