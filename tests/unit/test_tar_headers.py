"""The headers of a bundle are those of an ordinary tar file."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.bundles.tar import BLOCK, END, described, header, padding

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda name: len(name.encode()) <= 100
)


@given(NAMES, st.sampled_from(["", "contents/" + "a" * 64]), st.integers(0, 1 << 45))
def test_tarfile_reads_them(name: str, folder: str, size: int) -> None:
    info = tarfile.TarInfo.frombuf(header(folder, name, size), "utf-8", "strict")
    assert info.name == (f"{folder}/{name}" if folder else name)
    assert (info.size, info.mode, info.mtime, info.uid, info.gid, info.uname, info.gname) == (size, 0o644, 0, 0, 0, "", "")
    assert info.isreg()


def test_a_whole_file() -> None:
    content = b"".join(header("folder", name, len(data)) + data + padding(len(data)) for name, data in FILES.items()) + END
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert {info.name.removeprefix("folder/"): tar.extractfile(info).read() for info in tar} == FILES  # type: ignore[union-attr]


FILES = {"empty": b"", "one": b"1", "block": bytes(BLOCK), "more": b"x" * (BLOCK + 1)}


@pytest.mark.parametrize("name", ["", "a" * 101, "é" * 51])
def test_names_without_room_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        header("", name, 1)


def test_what_else_may_stand_there_is_described() -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert described(link.tobuf(tarfile.USTAR_FORMAT)) == "a link named 'link'"
    assert described(header("contents", "a\x1b[31m", 1)) == "a file named 'contents/a\\x1b[31m'"
    assert described(b"\xff" * BLOCK).startswith("a member of another kind named ")
    assert described(END[:BLOCK]) == "the end of the archive"
    assert described(b"") == "the end of the file"
