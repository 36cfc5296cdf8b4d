"""The live index: kept on this machine, asked of a real S3 server, and looked up by name."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubclient.catalog.live import BrokenLine, LiveCount
from hubclient.catalog.live_index import LiveIndex
from hubclient.errors import CardError, CorruptTransfer, NotFound, Offline, UsageError
from hubclient.settings import Settings
from hubclient.transfer.kept import ABOUT
from tests.catalog.live_lines import line
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

KEY = "public/models/metadata.json"
START = datetime(2024, 2, 29, 12, tzinfo=UTC)
LINES = [
    line("bert_sst2"),
    line("bert_sst2", language="fr", libVersion={"parts": [4, 10, 0]}),
    line("bert_sst2", libVersion={"parts": [4, 2, 0]}),
    line("bert_sst2", libVersion={"parts": [4, 10, 0]}, time="2022-11-01T00:00:00Z"),
    line("bert_sst2", libVersion={"parts": [4, 10, 0]}, time="2023-11-01T00:00:00Z", annotator=""),
    b"{broken",
    line("bert_sst2", readyToUse=False, libVersion={"parts": [9, 9, 9]}),
    line("other", isZipped=False),
]
CONTENT = b"\n".join(LINES)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


class Watched:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, int | None]] = []

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        self.tasks.append((label, total))
        yield lambda count: None


def settings(tmp_path: Path, endpoint: str, *, key: str = KEY, offline: bool = False) -> Settings:
    address = f"s3://auxdata.johnsnowlabs.com/{key}"
    return Settings(cache_dir=tmp_path / "cache", s3_endpoint=endpoint, live_index=address, offline=offline)


def serve(script: ScriptedServer, content: bytes) -> None:
    script.answer = lambda request: file_reply(request, content, f'"{hashlib.md5(content).hexdigest()}"')


def test_the_index_of_a_real_bucket(seaweed: Seaweed, tmp_path: Path) -> None:
    key = "live/first/metadata.json"
    seaweed.put(seaweed.public_bucket, key, CONTENT)
    progress = Watched()
    index = LiveIndex(settings(tmp_path, seaweed.endpoint, key=key), progress)
    cards = index.cards_named("bert_sst2")
    assert progress.tasks == [("metadata.json", len(CONTENT))]
    assert [(card.model_language, card.version, card.epoch_ms, card.annotator) for card in cards] == [
        ("en", (4, 10, 0), 1698796800000, None),
        ("en", (4, 10, 0), 1667260800000, "BertForSequenceClassification"),
        ("fr", (4, 10, 0), 1635774771318, "BertForSequenceClassification"),
        ("en", (4, 2, 0), 1635774771318, "BertForSequenceClassification"),
        ("en", (3, 3, 2), 1635774771318, "BertForSequenceClassification"),
    ]
    assert cards[0].s3_uri == "s3://auxdata.johnsnowlabs.com/live/first/bert_sst2_en_4.10.0_3.0_1698796800000.zip"
    assert index.cards_named("other") == index.cards_named("bert") == []


def test_a_real_bucket_that_is_refreshed(seaweed: Seaweed, tmp_path: Path) -> None:
    key = "live/second/metadata.json"
    seaweed.put(seaweed.public_bucket, key, CONTENT)
    index = LiveIndex(settings(tmp_path, seaweed.endpoint, key=key))
    first = index.refresh()
    assert first.count == LiveCount(5, 1, 1, 1, (BrokenLine(6, "not JSON: Expecting property name enclosed in double quotes, column 2"),))
    assert (first.changed, first.etag) == (True, f'"{hashlib.md5(CONTENT).hexdigest()}"')
    assert first.url == f"{seaweed.endpoint}/auxdata.johnsnowlabs.com/{key}"
    again = index.refresh()
    assert (again.changed, again.fetched_at, again.count) == (False, first.fetched_at, first.count)
    seaweed.put(seaweed.public_bucket, key, CONTENT + b"\n" + line("new"))
    assert index.cards_named("new") == []
    state = index.refresh()
    assert (state.changed, state.count.entries, len(index.cards_named("new"))) == (True, 6, 1)


def test_how_often_the_bucket_is_asked(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, CONTENT)
    clock = Clock()

    def look_up() -> int:
        return len(LiveIndex(settings(tmp_path, script.endpoint), clock=clock).cards_named("bert_sst2"))

    assert look_up() == 5
    assert [request.path for request in script.requests] == ["/auxdata.johnsnowlabs.com/public/models/metadata.json"] * 2
    script.requests.clear()
    clock.time += timedelta(minutes=59)
    assert look_up() == 5
    assert script.requests == []
    clock.time += timedelta(minutes=1)
    assert look_up() == look_up() == 5
    assert ["If-None-Match" in request.headers for request in script.requests] == [True]


def test_a_bucket_in_trouble(script: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    serve(script, CONTENT)
    clock = Clock()
    LiveIndex(settings(tmp_path, script.endpoint), clock=clock).refresh()
    script.answer = lambda request: Reply(404)
    clock.time += timedelta(hours=1)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "hubclient"):
        index = LiveIndex(settings(tmp_path, script.endpoint), clock=clock)
        assert len(index.cards_named("bert_sst2")) == 5
    assert len(caplog.records) == 1
    with pytest.raises(NotFound):
        index.refresh()
    with pytest.raises(NotFound):
        LiveIndex(settings(tmp_path / "empty", script.endpoint)).cards_named("bert_sst2")


def test_offline(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, CONTENT)
    offline = LiveIndex(settings(tmp_path, script.endpoint, offline=True))
    with pytest.raises(Offline):
        offline.cards_named("bert_sst2")
    assert script.requests == []
    LiveIndex(settings(tmp_path, script.endpoint), clock=Clock()).refresh()
    script.requests.clear()
    assert len(offline.cards_named("bert_sst2")) == 5
    assert script.requests == []


def test_no_live_index(tmp_path: Path) -> None:
    index = LiveIndex(Settings(cache_dir=tmp_path, live_index=None))
    assert index.cards_named("bert_sst2") == []
    with pytest.raises(UsageError, match="no live index"):
        index.refresh()


def test_an_address_that_is_none(tmp_path: Path) -> None:
    index = LiveIndex(Settings(cache_dir=tmp_path, live_index="s3://b!/metadata.json", s3_endpoint=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(CardError, match="S3 object"):
        index.cards_named("bert_sst2")


@pytest.mark.parametrize("page", [b"<html>Log in</html>\n", b"[" + line("a") + b"]"])
def test_a_page_in_place_of_the_index_does_not_replace_it(script: ScriptedServer, tmp_path: Path, page: bytes) -> None:
    serve(script, page)
    index = LiveIndex(settings(tmp_path, script.endpoint))
    with pytest.raises(CorruptTransfer, match="line 1: not"):
        index.refresh()
    serve(script, CONTENT)
    index.refresh()
    serve(script, page)
    with pytest.raises(CorruptTransfer):
        index.refresh()
    assert len(index.cards_named("bert_sst2")) == 5


def test_an_empty_index(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, b"\n")
    index = LiveIndex(settings(tmp_path, script.endpoint))
    assert index.refresh().count == LiveCount()
    assert index.cards_named("bert_sst2") == []


def test_broken_lines_are_told_when_they_arrive(script: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    serve(script, CONTENT)
    index = LiveIndex(settings(tmp_path, script.endpoint))
    with caplog.at_level(logging.WARNING, "hubclient"):
        index.cards_named("bert_sst2")
        index.cards_named("bert_sst2")
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "lines that cannot be read: 1, the first is line 6 (not JSON: Expecting property name enclosed in double quotes, column 2)"
    ]


def test_what_was_counted_is_not_counted_again(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, CONTENT)
    count = LiveIndex(settings(tmp_path, script.endpoint)).refresh().count
    (about,) = (tmp_path / "cache" / "live").glob(f"*/{ABOUT}")
    text = about.read_text()
    about.write_text(text.replace('"entries": 5', '"entries": 55'))
    assert LiveIndex(settings(tmp_path, script.endpoint)).refresh().count.entries == 55
    about.write_text(text.replace('"entries"', '"rows"'))
    assert LiveIndex(settings(tmp_path, script.endpoint)).refresh().count == count


def test_a_cache_that_cannot_be_made(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, CONTENT)
    (tmp_path / "cache").write_text("")
    index = LiveIndex(settings(tmp_path, script.endpoint))
    assert len(index.cards_named("bert_sst2")) == len(index.cards_named("bert_sst2")) == 5
    assert [request.method for request in script.requests] == ["HEAD", "GET"]
    assert os.listdir(tmp_path) == ["cache"]


def test_an_index_on_a_web_server(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, CONTENT)
    index = LiveIndex(Settings(cache_dir=tmp_path, live_index=f"{script.endpoint}/m/metadata.json"))
    assert [card.download_url for card in index.cards_named("bert_sst2") if card.model_language == "en"] == [
        f"{script.endpoint}/m/bert_sst2_en_4.10.0_3.0_1698796800000.zip",
        f"{script.endpoint}/m/bert_sst2_en_4.2.0_3.0_1635774771318.zip",
        f"{script.endpoint}/m/bert_sst2_en_3.3.2_3.0_1635774771318.zip",
    ]


def test_of_two_lines_for_one_archive_the_later_one_counts(script: ScriptedServer, tmp_path: Path) -> None:
    serve(script, b"\n".join([line(engine="onnx"), line(engine="openvino")]))
    assert [card.engine for card in LiveIndex(settings(tmp_path, script.endpoint)).cards_named("bert_sst2")] == ["openvino"]
