"""What commands do with several models: one that fails does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from hubclient.cli.output import harmless, one_line

if TYPE_CHECKING:
    from hubclient.errors import HubError


def references_in(name: str) -> list[str]:
    """The references in a file, a line each; `#` begins a comment, `-` is stdin. Raises UsageError."""
    from hubclient.errors import UsageError

    where = "stdin" if name == "-" else name
    try:
        if name == "-":
            text = sys.stdin.buffer.read().decode("utf-8")
        else:
            with open(name, encoding="utf-8") as file:
                text = file.read()
    except OSError as error:
        raise UsageError("the list of models cannot be read", where=where, why=error.strerror, hint="check the path") from error
    except UnicodeDecodeError as error:
        raise UsageError("the list of models is not UTF-8", where=where, why=str(error), hint="convert it with iconv") from error
    return [reference for line in text.removeprefix("\ufeff").splitlines() if (reference := _without_comment(line))]


def tell(error: HubError, reference: str | None = None) -> None:
    """Say at once what failed, and of several models which one."""
    print(f"error: {f'{one_line(reference)}: ' if reference else ''}{harmless(str(error))}", file=sys.stderr)


def conclude(failed: Sequence[HubError], total: int) -> None:
    """After everything was told: ends with the error's exit code where there was one model, else with that of SomeFailed."""
    from hubclient.errors import SomeFailed

    if failed and total == 1:
        raise typer.Exit(failed[0].exit_code)
    if failed:
        raise SomeFailed(f"{len(failed)} of {total} models failed")


def _without_comment(line: str) -> str:
    """A `#` within a reference is its own."""
    if line.lstrip().startswith("#"):
        return ""
    return line.partition(" #")[0].partition("\t#")[0].strip()
