from __future__ import annotations

import io
import random
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

from hubclient.archive import zipmembers
from hubclient.archive.members import Subfolder, copy
from hubclient.archive.zipmembers import ZipMembers
from hubclient.errors import CorruptArchive, NotAnArchive, UnsafeArchive
from tests.archive.builders import zipped
from tests.archive.damage import flips_read, survives, truncations_read

_LIMIT = 1 << 30
_MEMBERS = {"metadata/part-00000": b'{"class": "x"}\n' * 20, "weights": random.Random(3).randbytes(3_000), "metadata/_SUCCESS": b""}


def opened(data: bytes) -> ZipMembers:
    return ZipMembers(io.BytesIO(data), "model.zip")


def read_whole(data: bytes) -> dict[str, bytes]:
    members = opened(data)
    return {name: members.read(name, _LIMIT) for name in members.names()}


def written(*names: str, change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            if change:
                change(info)
            archive.writestr(info, b"content")
    return out.getvalue()


def patched(data: bytes, *, central: int, local: int | None, value: bytes) -> bytes:
    """Overwrite a field of the first member, in the directory and in its own header."""
    patched = bytearray(data)
    start = data.index(b"PK\x01\x02") + central
    patched[start : start + len(value)] = value
    if local is not None:
        patched[local : local + len(value)] = value
    return bytes(patched)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_are_read(method: int) -> None:
    data = zipped(_MEMBERS, method=method)
    assert read_whole(data) == _MEMBERS
    assert opened(data).names() == tuple(_MEMBERS)
    assert opened(data).size("weights") == 3_000


def test_folders_are_no_members() -> None:
    assert opened(zipped({"metadata/": b"", "metadata/part-00000": b"x"})).names() == ("metadata/part-00000",)


def test_streams_may_be_read_in_turns_and_in_any_step() -> None:
    members = opened(zipped({"a": _MEMBERS["weights"], "b": bytes(5_000)}))
    first, second = members.open("a"), members.open("b")
    pieces = []
    while piece := first.read(7):
        pieces.append(piece)
        second.read(100)
    assert b"".join(pieces) == _MEMBERS["weights"]
    assert io.BufferedReader(members.open("a"), 10).read() == _MEMBERS["weights"]
    assert members.open("a").read() == _MEMBERS["weights"]


def test_copy_goes_through_a_file() -> None:
    target = io.BytesIO()
    assert copy(opened(zipped(_MEMBERS)), "weights", target) == 3_000
    assert target.getvalue() == _MEMBERS["weights"]


def test_subfolders_have_their_own_names() -> None:
    inside = Subfolder(opened(zipped({"top/a": b"one", "other/a": b"two"})), "top")
    assert inside.names() == ("a",)
    assert (inside.size("a"), inside.read("a", 10), inside.open("a").read()) == (3, b"one", b"one")


def test_a_member_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(UnsafeArchive, match="3,000 bytes, and 2,999"):
        opened(zipped(_MEMBERS)).read("weights", 2_999)


def test_a_member_that_is_not_there_is_named() -> None:
    with pytest.raises(CorruptArchive, match="'gone'"):
        opened(zipped(_MEMBERS)).read("gone", _LIMIT)


def test_deflate_without_isal() -> None:
    code = (
        "import sys, io; sys.modules['isal'] = None\n"
        "from hubclient.archive.zipmembers import ZipMembers\n"
        "data = sys.stdin.buffer.read(); members = ZipMembers(io.BytesIO(data), 'model.zip')\n"
        "sys.stdout.buffer.write(members.read('weights', 1 << 20))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], input=zipped(_MEMBERS), capture_output=True, check=True).stdout == _MEMBERS["weights"]
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_every_truncation_is_seen(method: int) -> None:
    assert truncations_read(read_whole, zipped(_MEMBERS, method=method)) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_flipped_bits_never_change_what_is_read(method: int) -> None:
    def read_the_same(data: bytes) -> None:
        found = read_whole(data)
        # Names have no checksum; where a flip hits one in both places, or makes a folder of an empty file, contents stay what they were.
        assert set(found.values()) <= set(_MEMBERS.values())

    flips_read(read_the_same, zipped(_MEMBERS, method=method))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_flipped_bits_in_the_data_name_the_member(method: int) -> None:
    data = bytearray(zipped({"weights": _MEMBERS["weights"]}, method=method))
    data[1_500] ^= 4
    with pytest.raises(CorruptArchive, match="member 'weights'"):
        read_whole(bytes(data))


@pytest.mark.parametrize("data", [b"", b"hello", b"<?xml version='1.0'?>" * 10, bytes(100)])
def test_other_files_are_no_archives(data: bytes) -> None:
    with pytest.raises(NotAnArchive, match="not a zip"):
        opened(data)


def test_a_zip_that_is_cut_off_is_corrupt() -> None:
    with pytest.raises(CorruptArchive, match="truncated"):
        opened(zipped(_MEMBERS)[:-40])


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "a/../../evil", "/etc/passwd", "//server/share", "a//b", "./a", "a/.", "C:/evil", "C:evil", "a\\b", "..\\evil",
        "\\\\server\\share", "a:stream", "nul\0.txt", "CON", "con.txt", "a/NUL", "com1", "LPT9.part", "COM¹", "aux .x", "a./b", "b ",
        "tab\tname", "what?", "a*", "<a>", 'a"b', "x" * 256, "/".join(["folder"] * 200), "..", "AUX/",
    ],
)  # fmt: skip
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(UnsafeArchive):
        opened(written("metadata/part-00000", name))


@pytest.mark.parametrize(
    "names",
    [
        ("a", "a"),
        ("Part", "part"),
        ("stra\u00dfe", "STRASSE"),
        ("e\u0301", "\u00e9"),
        ("a", "a/b"),
        ("A/b", "a"),
        ("a/b/c", "A/B"),
        ("x/", "x"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_would_be_one_file_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(UnsafeArchive):
        opened(written(*names))


def test_ordinary_names_are_allowed() -> None:
    names = (
        "fields/labels/.part-00000.crc",
        "bert_classification_tensorflow",
        "variables.data-00000-of-00001",
        "console",
        "données/é",
        "a b",
        "...x",
    )
    assert opened(written(*names)).names() == names


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int) -> None:
    def change(info: zipfile.ZipInfo) -> None:
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16

    with pytest.raises(UnsafeArchive, match="link or a device"):
        opened(written("a", change=change))


@pytest.mark.parametrize("flag", [0x0001, 0x0040, 0x2000])
def test_encrypted_members_are_refused(flag: int) -> None:
    with pytest.raises(UnsafeArchive, match="encrypted"):
        opened(patched(written("a"), central=8, local=6, value=struct.pack("<H", flag)))


@pytest.mark.parametrize("method", [12, 14, 9, 93, 99, 1])
def test_other_compressions_are_refused(method: int) -> None:
    with pytest.raises(UnsafeArchive, match=f"method {method},"):
        opened(patched(written("a"), central=10, local=8, value=struct.pack("<H", method)))


def test_a_stored_member_with_two_sizes_is_corrupt() -> None:
    with pytest.raises(CorruptArchive, match="two sizes"):
        opened(patched(written("a"), central=24, local=22, value=struct.pack("<I", 9)))


def test_absurd_ratios_are_refused() -> None:
    with pytest.raises(UnsafeArchive, match="would become 10,000,000"):
        opened(zipped({"bomb": bytes(10_000_000)}))
    assert opened(zipped({"small": bytes(1_000_000)})).size("small") == 1_000_000


def test_a_member_that_is_longer_than_it_says_is_corrupt() -> None:
    data = patched(zipped({"a": bytes(500_000)}), central=24, local=22, value=struct.pack("<I", 1_000))
    with pytest.raises(CorruptArchive, match="longer than it should be"):
        read_whole(data)


def test_a_member_that_is_shorter_than_it_says_is_corrupt() -> None:
    data = patched(zipped({"a": bytes(1_000)}), central=24, local=22, value=struct.pack("<I", 1_500))
    with pytest.raises(CorruptArchive, match="500 bytes are missing"):
        read_whole(data)


def test_too_many_or_too_large_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({str(index): b"content" for index in range(5)})
    monkeypatch.setattr(zipmembers, "MAX_MEMBERS", 4)
    with pytest.raises(UnsafeArchive, match="5 members, and 4"):
        opened(data)
    monkeypatch.setattr(zipmembers, "MAX_MEMBERS", 5)
    monkeypatch.setattr(zipmembers, "MAX_TOTAL", 34)
    with pytest.raises(UnsafeArchive, match="35 bytes, and 34"):
        opened(data)


def test_overlapping_members_are_refused() -> None:
    data = zipped({"a": _MEMBERS["weights"], "b": _MEMBERS["weights"]})
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    overlapping = bytearray(data)
    overlapping[second + 42 : second + 46] = bytes(4)
    with pytest.raises(UnsafeArchive, match="overlaps"):
        opened(bytes(overlapping))


def test_a_member_whose_header_reaches_into_the_next_is_refused() -> None:
    data = bytearray(zipped({"a": b"content", "b": b"content"}))
    data[28:30] = struct.pack("<H", 20)
    with pytest.raises(UnsafeArchive, match="overlap"):
        read_whole(bytes(data))


def test_headers_that_disagree_are_corrupt() -> None:
    data = bytearray(zipped({"a": b"content"}))
    data[30:31] = b"b"
    with pytest.raises(CorruptArchive, match="differs from the directory"):
        read_whole(bytes(data))


def test_noise_raises_nothing_else() -> None:
    data, noise = zipped(_MEMBERS), random.Random(5)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(noise.randrange(1, 6)):
            damaged[noise.randrange(len(data) - 300, len(data))] = noise.randrange(256)
        survives(read_whole, bytes(damaged))
