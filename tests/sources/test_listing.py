"""Lists of buckets: of a real server, page by page, and of what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient.errors import CorruptTransfer, Forbidden, ServerFailure
from hubclient.settings import Settings
from hubclient.sources import S3Location
from hubclient.sources.listing import Listed, Page, is_listed, list_page, pages, parse_page
from tests.servers.script import Reply, ScriptedServer
from tests.servers.seaweed import Seaweed

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def settings(endpoint: str) -> Settings:
    return Settings(cache_dir=Path("unused"), s3_endpoint=endpoint)


def xml(*objects: str, more: str = "") -> bytes:
    return f'<?xml version="1.0"?><ListBucketResult xmlns="{SPACE}"><Name>b</Name>{more}{"".join(objects)}</ListBucketResult>'.encode()


def entry(key: str, size: object = 3, etag: str = "&quot;e&quot;", more: str = "") -> str:
    return f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>{etag}</ETag>{more}</Contents>"


def test_pages_of_a_real_bucket(seaweed: Seaweed) -> None:
    keys = ["listed/a b+c%.zip", "listed/é.zip", *(f"listed/{number}.zip" for number in range(5))]
    for key in keys:
        seaweed.put(seaweed.public_bucket, key, b"x" * len(key))
    found: list[Listed] = []
    token = None
    for _ in range(4):
        page = list_page(seaweed.public_bucket, "listed/", settings(seaweed.endpoint), token, limit=2)
        found += page.objects
        token = page.next_token
    assert token is None
    assert {listed.key: listed.size for listed in found} == {key: len(key) for key in keys}
    assert all(listed.etag for listed in found)
    (whole,) = pages(seaweed.public_bucket, "listed/", settings(seaweed.endpoint))
    assert {listed.key for listed in whole.objects} == set(keys)


def test_whether_one_object_is_listed(seaweed: Seaweed) -> None:
    seaweed.put(seaweed.public_bucket, "one/here.zip", b"x")
    for key, expected in (("one/here.zip", True), ("one/here", False), ("one/there.zip", False)):
        assert is_listed(S3Location(seaweed.public_bucket, key), settings(seaweed.endpoint)) is expected


def test_a_bucket_that_may_not_be_listed(seaweed: Seaweed) -> None:
    with pytest.raises(Forbidden) as error:
        list_page(seaweed.private_bucket, "", settings(seaweed.endpoint))
    assert error.value.code == "AccessDenied"


def test_what_a_page_says() -> None:
    more = "<EncodingType>url</EncodingType><NextContinuationToken>t+/=</NextContinuationToken><IsTruncated>true</IsTruncated>"
    page = parse_page(xml(entry("a%2Bb+c", more="<StorageClass>GLACIER</StorageClass><Owner><ID>x</ID></Owner>"), more=more), "here")
    assert page == Page([Listed("a+b c", 3, '"e"', "GLACIER")], "t+/=")
    assert parse_page(xml(entry("a%2Bb+c")), "here").objects[0].key == "a%2Bb+c"
    assert parse_page(xml(), "here") == Page()


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
BROKEN = {
    "empty": b"",
    "cut": xml(entry("a"))[:-30],
    "page": b"<html><body>not found</body></html>",
    "size": xml(entry("a", size="many")),
    "no size": xml("<Contents><Key>a</Key></Contents>"),
    "doctype": ENTITIES + b"<ListBucketResult><Name>&b;</Name></ListBucketResult>",
    "not XML": b"\x00\x01",
    "encoding": xml(entry("%ff"), more="<EncodingType>url</EncodingType>"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(CorruptTransfer, match="list cannot be read"):
        parse_page(content, "here")


def test_every_cut_of_a_list_is_refused() -> None:
    content = xml(entry("a"), entry("b"))
    for end in range(len(content) - 1):
        with pytest.raises(CorruptTransfer):
            parse_page(content[:end], "here")


def test_pages_that_go_round_in_a_circle(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200, xml(more="<NextContinuationToken>again</NextContinuationToken>"))
    with pytest.raises(CorruptTransfer, match="circle"):
        list(pages("b", "", settings(script.endpoint)))


def test_a_list_without_an_end_is_not_read_to_it(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200, b"<!-- " + b"x" * (17 << 20))
    with pytest.raises(CorruptTransfer, match="more than"):
        list_page("b", "", settings(script.endpoint))


def test_a_server_in_trouble(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(503, headers={"Retry-After": "3"})
    with pytest.raises(ServerFailure) as error:
        list_page("b", "", settings(script.endpoint))
    assert error.value.retry_after == 3
