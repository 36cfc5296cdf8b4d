from __future__ import annotations

import pytest

from hubclient.errors import InvalidReference
from hubclient.sources.location import HubLocation, S3Location, WebLocation


def test_s3_locations_read_as_they_are_written() -> None:
    url = "s3://auxdata.johnsnowlabs.com/public/models/a_en_3.4.4_3.0_1.zip"
    assert S3Location.parse(url) == S3Location("auxdata.johnsnowlabs.com", "public/models/a_en_3.4.4_3.0_1.zip")
    assert str(S3Location.parse(url)) == url


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3:///key", "s3://../key", "s3://bucket/../key", "s3://bucket/a/./b"])
def test_s3_locations_that_lead_elsewhere_are_refused(url: str) -> None:
    with pytest.raises(InvalidReference):
        S3Location.parse(url)


def test_hub_locations_name_the_revision() -> None:
    assert HubLocation("a/b").identity == "hf:a/b"
    assert HubLocation("a/b", "v1").identity == "hf:a/b@v1"


def test_secrets_are_no_part_of_an_identity() -> None:
    signed = "https://me:secret@example.org/a.zip?versionId=7&X-Amz-Credential=c&X-Amz-Signature=s&Expires=9&token=t"
    assert WebLocation(signed).identity == "https://example.org/a.zip?versionId=7"
    assert str(WebLocation(signed)) == "https://example.org/a.zip?versionId=7"
