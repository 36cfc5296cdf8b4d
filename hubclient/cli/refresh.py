"""hub refresh"""

from __future__ import annotations

import sys

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import one_line, print_facts, print_json, print_problems


def refresh(cache_dir: CacheDir = None, json: Json = False) -> None:
    """Look for new cards, and ask whether the live index changed.

    Folders are looked through at every start of hub anyway; the live index, the public bucket's list of its archives, is asked once an hour
    and only for names that no card has.
    """
    hub = hub_for(cache_dir)
    counts = hub.catalog.counts()
    print_problems(hub.catalog.problems)
    facts: dict[str, object] = {"cards": sum(count.cards for count in counts), "broken cards": sum(count.broken for count in counts)}
    if hub.settings.live_index is not None:
        live = hub.live.refresh()
        for line in live.count.first_broken:
            print(one_line(f"{live.url}:{line.number}: {line.why}: it is left out"), file=sys.stderr)
        facts |= {"live index": live.url, "changed": live.changed, "archives": live.count.entries, "broken lines": live.count.broken}
    if json:
        print_json({name.replace(" ", "_"): value for name, value in facts.items()})
    else:
        print_facts([(name, str(value)) for name, value in facts.items()])
