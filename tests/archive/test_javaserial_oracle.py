"""Java streams that Spark NLP wrote, read as javaobj-py3 reads them: another program's reading of the same specification."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from javaobj.v2.beans import JavaInstance, JavaString
from javaobj.v2.main import loads
from javaobj.v2.transformers import JavaInt

from hubclient.archive.javaserial import Reader
from hubclient.archive.location import open_archive
from hubclient.archive.sequencefile import records
from tests.archive.test_real_archives import ARCHIVES

_RECORDS = 20  # of each part: javaobj-py3 is slow


def plain(value: Any) -> object:
    """javaobj's value as ours: boxed numbers, texts, and Scala's pairs."""
    if isinstance(value, JavaString):
        return str(value)
    if isinstance(value, JavaInt):
        return int(value)
    assert isinstance(value, JavaInstance)
    assert (value.classdesc.name or "").startswith("scala.Tuple2")
    fields = {field.name: item for own in value.field_data.values() for field, item in own.items()}
    return plain(fields["_1"]), plain(fields["_2"])


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_both_read_the_same(path: Path) -> None:
    compared = 0
    with open_archive(path) as members:
        for name in members.names():
            if not (name.startswith("fields/") and name.rpartition("/")[2].startswith("part-")):
                continue
            reader = Reader(name)
            for _, record in itertools.islice(records(members.read(name, 1 << 30), label=name), _RECORDS):
                theirs = [plain(entry) for entry in loads(bytes(record))]
                assert reader.read(bytes(record)) == theirs
                compared += len(theirs)
    assert compared
