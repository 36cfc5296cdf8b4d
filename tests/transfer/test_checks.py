"""Digests that were announced, of whole objects and of their parts, against what arrived."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable

import google_crc32c
import pytest

from hubclient.sources.digests import Algorithm, Composite, Digests
from hubclient.sources.s3_checksums import announced
from hubclient.transfer.checks import Check, plan_checks

MIB = 1 << 20
CONTENT = bytes(range(256)) * (21 * 4096) + b"the end"
WHOLE = Digests(
    md5=hashlib.md5(CONTENT).hexdigest(),
    sha1=hashlib.sha1(CONTENT).hexdigest(),
    git_sha1=hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest(),
    crc32c=f"{google_crc32c.value(CONTENT):08x}",
    crc32=f"{zlib.crc32(CONTENT):08x}",
)
DIGEST: dict[Algorithm, Callable[[bytes], bytes]] = {
    "md5": lambda data: hashlib.md5(data).digest(),
    "sha1": lambda data: hashlib.sha1(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: google_crc32c.value(data).to_bytes(4, "big"),
}


def composite(algorithm: Algorithm, part_size: int) -> Composite:
    parts = [CONTENT[start : start + part_size] for start in range(0, len(CONTENT), part_size)]
    return Composite(algorithm, DIGEST[algorithm](b"".join(map(DIGEST[algorithm], parts))).hex(), len(parts))


def planned(announced: Digests, *, expected: Digests | None = None, part_size: int | None = None) -> list[Check]:
    return plan_checks(expected or Digests(), announced, len(CONTENT), lambda: part_size)


def agrees(check: Check, content: bytes = CONTENT, step: int = MIB) -> bool:
    for start in range(0, len(content), step):
        check.running.update(content[start : start + step])
    return check.running.hexdigest() == check.wanted


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "git_sha1", "crc32c", "crc32"])
def test_a_digest_of_the_whole(algorithm: str) -> None:
    (check,) = planned(Digests(**{algorithm: getattr(WHOLE, algorithm)}))
    assert check.binding
    assert agrees(check)
    (check,) = planned(Digests(**{algorithm: getattr(WHOLE, algorithm)}))
    assert not agrees(check, CONTENT[:-1] + b"?")


@pytest.mark.parametrize("algorithm", list(DIGEST))
@pytest.mark.parametrize("part_size", [MIB, 3_000_001, len(CONTENT), len(CONTENT) + 1])
@pytest.mark.parametrize("step", [MIB, 7_777_777])
def test_a_digest_of_parts_of_known_size(algorithm: Algorithm, part_size: int, step: int) -> None:
    (check,) = planned(Digests(composites=(composite(algorithm, part_size),)), part_size=part_size)
    assert check.binding
    assert agrees(check, step=step)


def test_parts_whose_size_only_experience_tells() -> None:
    """A match says much, and no match says nothing."""
    (check,) = planned(Digests(composites=(composite("md5", 5 * MIB),)))
    assert check.name == "MD5 of 5 parts"
    assert not check.binding
    assert agrees(check)
    assert planned(Digests(composites=(composite("md5", 123_456),))) == []


def test_the_cheapest_announced_digest_serves() -> None:
    assert [check.name for check in planned(WHOLE)] == ["CRC-32C"]
    assert [check.name for check in planned(Digests(md5="0" * 32, composites=(composite("crc32", MIB),)))] == ["MD5"]
    both = Digests(composites=(composite("md5", MIB), composite("crc32", MIB)))
    assert [check.name for check in planned(both, part_size=MIB)] == ["CRC-32 of 22 parts"]


def test_where_sha256_is_known_nothing_else_is_worked_out() -> None:
    assert planned(Digests(sha256="0" * 64, md5="0" * 32)) == []
    assert planned(WHOLE, expected=Digests(sha256="0" * 64)) == []


def test_all_that_the_caller_expects_is_compared() -> None:
    checks = planned(Digests(sha256="0" * 64, crc32="0" * 8), expected=Digests(md5="1" * 32, sha1="2" * 40))
    assert {check.name: check.wanted for check in checks} == {"MD5": "1" * 32, "SHA-1": "2" * 40}


def test_the_part_size_is_asked_for_only_where_it_matters() -> None:
    def never() -> int | None:
        raise AssertionError("asked")

    assert plan_checks(Digests(), Digests(crc32="0" * 8, composites=(composite("md5", MIB),)), 1, never)
    assert not plan_checks(Digests(), Digests(), 1, never)


def test_headers_of_objects() -> None:
    crc32 = base64.b64encode(bytes.fromhex("00112233")).decode()
    assert announced({"ETag": f'"{"a" * 32}"'}) == Digests(md5="a" * 32)
    assert announced({"ETag": f'"{"a" * 32}-12"', "x-amz-checksum-crc32": f"{crc32}-12"}) == Digests(
        composites=(Composite("crc32", "00112233", 12), Composite("md5", "a" * 32, 12))
    )
    assert announced({"ETag": '"weak"', "x-amz-checksum-crc32": crc32}) == Digests(crc32="00112233")


@pytest.mark.parametrize("written", ["", "AAAA", "!!!!!!==", "AAAAAA==-0", "AAAAAA==-x", "AAAAAA"])
def test_checksums_that_are_none(written: str) -> None:
    assert announced({"x-amz-checksum-crc32": written}) == Digests()
