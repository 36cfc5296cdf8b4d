"""The command `hub`. Exit codes: 0 done, 1 findings or unwritable output, 2 and above as `hubclient.errors` lists them, 130 interrupted."""

from __future__ import annotations

import errno
import io
import os
import sys

_CANNOT_WRITE = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def main() -> None:
    _open_missing_streams()
    from hubclient.cli.app import app
    from hubclient.cli.output import harmless
    from hubclient.errors import HubError

    _settle_encoding()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except HubError as error:
        print(f"error: {harmless(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Of a file that was opened there would be a name: this is stdout.
        if error.filename is not None or error.errno not in _CANNOT_WRITE:
            raise
        _give_up_stdout(error)
        sys.exit(1)


def _give_up_stdout(error: OSError) -> None:
    """A full disk is told, a reader that went away is not. Python writes what is left once more at its end: into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        print(f"error: the output cannot be written\n  where: stdout\n  why: {error.strerror}", file=sys.stderr)


def _open_missing_streams() -> None:
    """A program may be started with stdin, stdout or stderr closed: nothing else may then become file 0, 1 or 2."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(file, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open to the end


def _settle_encoding() -> None:
    """What goes into a pipe or a file is UTF-8, names of files that are not included; a terminal is shown what it can show."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors="backslashreplace")
    else:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
