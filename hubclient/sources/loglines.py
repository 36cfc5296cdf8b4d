"""What the libraries that we ask with write into logs, at level DEBUG: addresses with their signatures, headers with their tokens."""

from __future__ import annotations

import functools
import logging

from hubclient.sources.location import without_secrets

_ADDRESSES = "urllib3.connectionpool"
_SIGNING = "botocore.auth"


@functools.cache
def keep_secrets_out() -> None:
    """To be called before the first request: from then on, no signature and no token is written there."""
    logging.getLogger(_ADDRESSES).addFilter(_without_signatures)
    logging.getLogger(_SIGNING).addFilter(lambda record: False)


def _without_signatures(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(without_secrets(value) if isinstance(value, str) and "?" in value else value for value in record.args)
    return True
