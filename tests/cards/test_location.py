from __future__ import annotations

import pytest

from hubclient.cards import S3Location, parse_s3_uri, parse_s3_url
from hubclient.errors import CardError


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("a_en_1.2.3_3.0_1234567890123.zip", ("a", "en", "1.2.3", "3.0", 1234567890123)),
        ("a_b_fr_c_xx_1.2.3_2.4_1234567890123.zip", ("a_b_fr_c", "xx", "1.2.3", "2.4", 1234567890123)),
        ("a.b_v1.5__vie_4.10.0_3.10_1234567890123.zip", ("a.b_v1.5_", "vie", "4.10.0", "3.10", 1234567890123)),
        ("a_zh-TW_1.2.3_3.0_1234567890123.zip", ("a", "zh-TW", "1.2.3", "3.0", 1234567890123)),
        ("a_en_1.2.3_3.0_123.zip", (None,) * 5),
        ("model.zip", (None,) * 5),
        ("a_en_1.2.3_3.0_1234567890123.tar", (None,) * 5),
    ],
)
def test_keys(file: str, fields: tuple[object, ...]) -> None:
    found = parse_s3_uri(f"s3://a.dotted-bucket/x/y/{file}")
    assert (found.bucket, found.key, found.prefix, found.file) == ("a.dotted-bucket", f"x/y/{file}", "x/y", file)
    assert (found.name, found.lang, found.lib_version, found.spark_version, found.epoch_ms) == fields
    assert parse_s3_uri(found.uri) == found
    assert S3Location(**found.to_dict()) == found


def test_a_key_without_a_prefix() -> None:
    assert parse_s3_uri("s3://bucket/a.zip").prefix == ""


@pytest.mark.parametrize(
    "uri", ["", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/folder/", "https://bucket/key", "s3://b ad/key"]
)
def test_what_is_no_address(uri: str) -> None:
    with pytest.raises(CardError, match="not the address"):
        parse_s3_uri(uri)


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://s3.amazonaws.com/bucket.x/p/a.zip", "s3://bucket.x/p/a.zip"),
        ("https://s3.eu-west-1.amazonaws.com/bucket/p/a%20b.zip?x=1#y", "s3://bucket/p/a b.zip"),
        ("https://s3.amazonaws.com/bucket", None),
        ("https://example.com/bucket/a.zip", None),
        ("https://s3.amazonaws.com.example.com/bucket/a.zip", None),
    ],
)
def test_addresses_in_path_style(url: str, uri: str | None) -> None:
    found = parse_s3_url(url)
    assert (found.uri if found else None) == uri
