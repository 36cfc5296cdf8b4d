"""Plans are decided from values alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubclient.cards import Card, parse_s3_uri
from hubclient.errors import UnknownModel, UsageError
from hubclient.names import AddressReference, HubReference
from hubclient.plan import Fetch, UseStored, plan_address, plan_card, plan_repository
from hubclient.store import Entry, Name
from hubclient.store.content import Content
from hubclient.store.layer import Layer

URI = "s3://auxdata.johnsnowlabs.com/public/models/name_en_3.4.4_3.0_1635774771318.zip"
CARD = Card("name", "en", s3_uri=URI, s3_parsed=parse_s3_uri(URI), hf_origin="owner/repo")


def nothing(identity: str) -> None:
    return None


def has(*identities: str) -> Callable[[str], Entry | None]:
    """A store with these names."""
    return {identity: entry(identity) for identity in identities}.get


def entry(identity: str) -> Entry:
    digest = "0" * 64
    return Entry(Name(identity, digest), Content(digest, Path("/contents") / digest, {}), Layer(Path("/")), datetime.fromtimestamp(0, UTC))


def test_mirrors_then_s3_then_the_hub() -> None:
    plan = plan_card(CARD, nothing, mirrors=[Path("/m1"), Path("/m2")])
    assert isinstance(plan, Fetch)
    assert [candidate.mirror for candidate in plan.candidates] == [Path("/m1"), Path("/m2"), None]
    assert {candidate.identity for candidate in plan.candidates} == {URI}
    assert plan.fallback is not None
    assert str(plan.fallback.location) == "hf:owner/repo"


def test_what_came_from_elsewhere_is_another_entry() -> None:
    plan = plan_card(CARD, nothing)
    assert isinstance(plan, Fetch)
    assert plan.fallback is not None
    assert plan.fallback.identity not in (URI, "hf:owner/repo")
    stored = plan_card(CARD, has(plan.fallback.identity))
    assert isinstance(stored, UseStored)
    assert (stored.identity, stored.why) == (plan.fallback.identity, "hf:owner/repo is in the store")
    assert isinstance(plan_card(CARD, has("hf:owner/repo")), Fetch)


def test_the_store_comes_first() -> None:
    plan = plan_card(CARD, has(URI), mirrors=[Path("/m")])
    assert isinstance(plan, UseStored)
    assert plan.identity == URI


def test_one_source_alone() -> None:
    only_s3 = plan_card(CARD, nothing, source="s3")
    assert isinstance(only_s3, Fetch)
    assert only_s3.fallback is None
    only_hub = plan_card(CARD, nothing, source="hf", revision="abc")
    assert isinstance(only_hub, Fetch)
    assert only_hub.identity == "hf:owner/repo@abc"
    with pytest.raises(UsageError):
        plan_card(CARD, nothing, source="ftp")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="revision"):
        plan_card(CARD, nothing, source="s3", revision="abc")


def test_a_card_without_the_place_is_an_error() -> None:
    with pytest.raises(UnknownModel, match="names no archive"):
        plan_card(Card("name", "en"), nothing)
    with pytest.raises(UnknownModel, match="names no Hugging Face"):
        plan_card(Card("name", "en"), nothing, source="hf")


def test_addresses_and_repositories() -> None:
    mirrored = plan_address(AddressReference(URI), nothing, mirrors=[Path("/m")])
    assert isinstance(mirrored, Fetch)
    assert [candidate.mirror for candidate in mirrored.candidates] == [Path("/m"), None]
    web = plan_address(AddressReference("https://example.org/a.zip"), nothing, mirrors=[Path("/m")])
    assert isinstance(web, Fetch)
    assert len(web.candidates) == 1
    assert isinstance(plan_repository(HubReference("a/b", "c"), has("hf:a/b@c")), UseStored)
