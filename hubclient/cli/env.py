"""hub env"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import human_size, print_facts, print_json

if TYPE_CHECKING:
    from hubclient.environment import Environment, Holdings
    from hubclient.machine import Machine


def env(
    online: Annotated[bool, typer.Option("--online", help="Ask the services that models are fetched from whether they answer.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Show versions, settings and paths, for a report about a failure.

    Each setting is followed by what decided it. Tokens and passwords are not shown, only whether they are set. Without --online nobody is
    asked.
    """
    from hubclient.environment import describe

    settings = hub_for(cache_dir).settings
    found = describe(settings, cache_given=cache_dir is not None, online=online)
    if online and settings.offline:
        print("offline: nobody was asked", file=sys.stderr)
    if json:
        print_json(found.to_dict())
    else:
        print_facts(list(_lines(found)))


def _lines(found: Environment) -> Iterator[tuple[str, str]]:
    yield from ((name, version) for name, version in found.versions.items() if version)
    yield "not installed", ", ".join(name for name, version in found.versions.items() if version is None) or "-"
    yield from ((f"{name} in", path) for name, path in found.paths.items())
    yield from _machine(found.machine)
    for name, setting in found.settings.items():
        yield name.replace("_", " "), f"{_written(setting.value)} ({setting.source})"
    yield from _cache(found.cache)
    yield from found.network.items()
    yield from found.credentials.items()
    for reached in found.reachable or ():
        yield reached.address, f"{reached.status or reached.why}, {reached.seconds:.2f} s"


def _machine(machine: Machine) -> Iterator[tuple[str, str]]:
    limit = f", limited to {machine.cpu_quota:g}" if machine.cpu_quota is not None else ""
    yield "CPUs", f"{machine.usable} of {machine.cpus}{limit}"
    if machine.memory is not None:
        limit = f", limited to {human_size(machine.memory_limit)}" if machine.memory_limit is not None else ""
        yield "memory", f"{human_size(machine.memory)}{limit}"


def _cache(cache: Holdings) -> Iterator[tuple[str, str]]:
    free = f", {human_size(cache.free)} free" if cache.free is not None else ""
    yield "cache holds", f"{cache.models} model{'' if cache.models == 1 else 's'}, {human_size(cache.size)}{free}"
    if cache.problem:
        yield "cache", cache.problem


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_written(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if value is None:
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
