"""The command `hub`. Exit codes: 0 done, 2 unusable input, 3 and above as `hubclient.errors` lists them, 130 interrupted."""

from __future__ import annotations

import io
import sys


def main() -> None:
    from hubclient.cli.app import app
    from hubclient.errors import HubError

    _settle_encoding()
    try:
        app()
    except HubError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _settle_encoding() -> None:
    """What goes into a pipe or a file is UTF-8, names of files that are not included; a terminal is shown what it can show."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors="backslashreplace")
    else:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
