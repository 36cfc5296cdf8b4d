"""The Models Hub page over many cards: a search and a model page, against bare SQL and the same template behind the same web server, and
many users at once."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from measure.cards import unpacked
from measure.material import existing, parser
from measure.report import Row, as_milliseconds, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, python

_SEED = 11141
_SEARCHES = ("", "bert", "sentiment", "sst2", "distilbert base", "german", "multilingual cased", "ner", "tiny", "xlm roberta")
_BY_HAND = "SQL and the template"


def main() -> None:
    options = _options()
    source = existing(options.cards or options.shared / "corpus" / "cards.zip")
    with tempfile.TemporaryDirectory() as folder:
        cards, cache = unpacked(source, Path(folder) / "cards"), Path(folder) / "cache"
        asked = Path(folder) / "asked.json"
        asked.write_text(json.dumps({"searches": _SEARCHES, "models": _models(cards, cache, options.models)}), encoding="utf-8")
        with _served(_page(cards), cache) as ours, _served(python("pages_by_hand.py", cards, cache, asked), cache) as by_hand:
            sides = [
                Side("ours", python("pages_asked.py", ours, asked)),
                Side("by hand", python("pages_asked.py", by_hand, asked)),
                Side("users", python("pages_users.py", ours, asked, options.users)),
            ]
            runs = interleaved(sides, options.rounds, warm_up=True)
    publish("web", _rows(runs, options.users), rounds=options.rounds, as_json=options.json)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=7)
    options.add_argument("--cards", type=Path, help="a folder of cards, or a zip of one (default: corpus/cards.zip)")
    options.add_argument("--models", type=int, default=100, help="whose pages are asked for (default: %(default)s)")
    options.add_argument("--users", type=int, default=32, help="at the same time (default: %(default)s)")
    return options.parse_args()


def _models(cards: Path, cache: Path, count: int) -> Sequence[tuple[str, str]]:
    """Languages and names, drawn from the cards, whose index is then in the cache."""
    from hubclient import Hub
    from hubclient.settings import Settings

    hub = Hub(settings=Settings(cache_dir=cache, card_folders=(cards,), live_index=None), progress=False)
    known = sorted({(key.language, key.name) for key in hub.catalog.cards if hub.catalog.cards[key].path})
    return random.Random(_SEED).choices(known, k=count)


def _page(cards: Path) -> Sequence[str]:
    hub = shutil.which("hub", path=str(Path(sys.executable).parent)) or sys.exit("the command hub is missing: install the project")
    return hub, "ui", "--port", "0", "--cards", str(cards)


@contextmanager
def _served(command: Sequence[str], cache: Path) -> Iterator[str]:
    """The address of a server, which prints it when it is ready."""
    env = {**os.environ, "HUBCLIENT_CACHE": str(cache), "HUBCLIENT_LIVE_INDEX": "off"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip().rstrip("/") or sys.exit(f"{command[1]} did not start")
    finally:
        process.terminate()
        process.communicate()


def _rows(runs: Mapping[str, Sequence[Run]], users: int) -> list[Row]:
    rows = [
        ratio_row(what, figures(runs["ours"], kind), _BY_HAND, figures(runs["by hand"], kind), shown=as_milliseconds, at_most=2)
        for what, kind in (("a search", "search"), ("a model page", "model"))
    ]
    errors = int(max(figures(runs["users"], "errors")))
    answers, slow = (median(figures(runs["users"], name)) for name in ("answers_per_second", "slowest"))
    return [
        *rows,
        Row(f"errors, {users} users at once", str(errors), "", "", str(errors), "0", errors == 0),
        Row("answers a second to them", f"{answers:.0f}", "", "", f"{answers:.0f}", "", None),
        Row("95 % of their answers within", as_milliseconds(slow), "", "", as_milliseconds(slow), "", None),
    ]


if __name__ == "__main__":
    main()
