"""The command `hub`. Exit codes: 0 done, 2 unusable input, 3 and above as `hubclient.errors` lists them, 130 interrupted."""

from __future__ import annotations

import sys


def main() -> None:
    from hubclient.cli.app import app
    from hubclient.errors import HubError

    try:
        app()
    except HubError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
