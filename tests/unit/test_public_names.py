"""The public names are there, sorted and few, whatever was imported before them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hubclient


def test_all_is_sorted_short_and_true() -> None:
    assert hubclient.__all__ == sorted(hubclient.__all__)
    assert len(hubclient.__all__) <= 15
    assert all(getattr(hubclient, name).__name__ == name for name in hubclient.__all__)
    assert set(hubclient.__all__) <= set(dir(hubclient))
    with pytest.raises(AttributeError):
        _ = hubclient.nothing


@pytest.mark.parametrize("first", ["hubclient", "hubclient.hub", "hubclient.cli.app", "hubclient.way"])
def test_functions_are_functions_whatever_was_imported_first(first: str) -> None:
    code = (
        f"import {first}, hubclient; from hubclient import *; assert all(map(callable, [pretrained, load, pull, from_archive, parse_card]))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
