"""The catalogue: an index of many cards built, opened and asked, against libyaml on their front matters and a bare scan of their folder."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from measure.cards import unpacked
from measure.material import existing, parser
from measure.report import Row, as_megabytes, as_milliseconds, as_seconds, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, python

_SEED = 11141
_KNOWN = 2_000  # names that are resolved
_MISSPELT = 40
_BROKEN_ONCE_IN = 1_000  # lines
_YAML = "CSafeLoader on the front matters"
_SCAN = "scandir and stat of the folder"


def main() -> None:
    options = _options()
    source = existing(options.cards or options.shared / "corpus" / "cards.zip")
    with tempfile.TemporaryDirectory() as folder:
        runs = interleaved(_sides(source, options.lines, Path(folder)), options.rounds, warm_up=True)
    _check(runs, options.lines)
    publish("catalogue", _rows(runs), rounds=options.rounds, as_json=options.json)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=9)
    options.add_argument("--cards", type=Path, help="a folder of cards, or a zip of one (default: corpus/cards.zip)")
    options.add_argument("--lines", type=int, default=40_000, help="of the live index (default: %(default)s)")
    return options.parse_args()


def _sides(source: Path, lines: int, folder: Path) -> list[Side]:
    cards, cache = unpacked(source, folder / "cards"), folder / "cache"
    names, live = folder / "names.json", folder / "metadata.json"
    names.write_text(json.dumps(_names(cards, cache)), encoding="utf-8")
    live.write_text("".join(_line(number) for number in range(lines)), encoding="utf-8")
    return [
        Side("yaml", python("cards_by_hand.py", "yaml", cards)),
        Side("cold", python("catalogue.py", "cold", cards)),
        Side("scan", python("cards_by_hand.py", "scan", cards)),
        Side("open", python("catalogue.py", "open", cards, cache, names)),
        Side("bundle", python("catalogue.py", "bundle")),
        Side("json", python("cards_by_hand.py", "json", live)),
        Side("live", python("catalogue.py", "live", live)),
    ]


def _names(cards: Path, cache: Path) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Names with languages, drawn from the cards, whose index is then in the cache; some of them again with a letter left out."""
    from hubclient.catalog import Catalog, Layer

    catalog = Catalog([Layer("folder", cards, own=True)], folder=cache)
    drawn = random.Random(_SEED)
    known = sorted({(key.name, key.language) for key in catalog.cards})
    spelt = {name for name, _ in known}
    wrong = [(name[: len(name) // 2] + name[len(name) // 2 + 1 :], language) for name, language in known]
    misspelt = [(name, language) for name, language in wrong if name not in spelt]
    return {kind: drawn.choices(names, k=count) for kind, names, count in (("known", known, _KNOWN), ("misspelt", misspelt, _MISSPELT))}


def _line(number: int) -> str:
    """A line of a live index as Spark NLP writes it: each begins with a line break; old ones have no annotator, a few are cut short."""
    time = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(seconds=3600 * number + 0.001 * (number % 1000))
    fields = {
        "name": f"bert_sequence_classifier_{number // 3:05d}",
        "language": ("en", "fr", "xx")[number % 3],
        "libVersion": {"parts": [3 + number // 20_000, number % 5, number % 3]},
        "sparkVersion": {"parts": [3, 0]},
        "readyToUse": number % 50 != 0,
        "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "isZipped": True,
        "category": "ml",
        "checksum": "",
        **({"annotator": "BertForSequenceClassification"} if number % 4 else {}),
    }
    text = json.dumps(fields, separators=(",", ":"))
    return "\n" + (text[: len(text) // 2] if number % _BROKEN_ONCE_IN == _BROKEN_ONCE_IN - 1 else text)


def _check(runs: Mapping[str, Sequence[Run]], lines: int) -> None:
    cards = {run.said["cards"] for name in ("yaml", "cold") for run in runs[name]}
    if len(cards) != 1:
        sys.exit(f"the sides count different cards: {', '.join(map(str, sorted(cards)))}")
    if any(run.said["broken"] != lines // _BROKEN_ONCE_IN for run in runs["live"]):
        sys.exit("the broken lines of the live index were not counted")


def _rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    return [*_index_rows(runs), *_name_rows(runs), *_other_rows(runs)]


def _index_rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    cold, loading = ({name: figures(runs[side], name) for name in ("seconds", "cpu")} for side in ("cold", "yaml"))
    with_reading = [sum(times) for times in zip(loading["seconds"], figures(runs["yaml"], "reading"), strict=True)]
    what = f"index of {runs['cold'][0].said['cards']:,} cards, cold"
    return [
        ratio_row(what, cold["seconds"], _YAML, loading["seconds"], shown=as_seconds, at_most=1.6),
        ratio_row(what, cold["seconds"], f"{_YAML}, files read", with_reading, shown=as_seconds, at_most=1.6),
        ratio_row(f"{what}, processor time", cold["cpu"], _YAML, loading["cpu"], shown=as_seconds),
        _memory_row("the cold index", runs["cold"]),
        _figure_row("the same, of a process that reads", figures(runs["cold"], "readers"), as_megabytes),
    ]


def _name_rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    opened, scan = runs["open"], figures(runs["scan"], "seconds")
    return [
        ratio_row("open it unchanged, a first name", figures(opened, "seconds"), _SCAN, scan, shown=as_milliseconds, at_most=2),
        _figure_row("a further name", figures(opened, "further"), _as_microseconds, at_most=100e-6),
        _figure_row("the names near a misspelt one, the first time", figures(opened, "first near"), as_milliseconds),
        _figure_row("the same, a further time", figures(opened, "near"), as_milliseconds, at_most=0.05),
        _memory_row("all these names", opened),
    ]


def _other_rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    bundle, live = runs["bundle"], runs["live"]
    entries, seconds = live[0].said["entries"], figures(live, "seconds")
    return [
        _figure_row(f"bundled index of {bundle[0].said['cards']:,} cards, first use", figures(bundle, "seconds"), as_seconds),
        _memory_row("bundled index", bundle),
        _figure_row(f"live index, {entries:,} archives read and counted", seconds, as_seconds, at_most=1),
        ratio_row("the same", seconds, "`json.loads` on each line", figures(runs["json"], "seconds"), shown=as_seconds),
        _memory_row("live index", live),
    ]


def _figure_row(what: str, ours: Sequence[float], shown: Callable[[float], str], *, at_most: float | None = None) -> Row:
    """A figure that stands for itself; its median shall be `at_most` so much."""
    middle = median(ours)
    goal, met = ("", None) if at_most is None else (f"<= {shown(at_most)}", middle <= at_most)
    return Row(what, shown(middle), "", "", shown(middle), goal, met)


def _memory_row(what: str, runs: Sequence[Run]) -> Row:
    return _figure_row(f"resident at most, {what}", figures(runs, "resident"), as_megabytes)


def _as_microseconds(value: float) -> str:
    return f"{value * 1e6:.0f} µs"


if __name__ == "__main__":
    main()
