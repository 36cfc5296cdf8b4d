"""`hub search`, `info`, `explain`, `cards`, `refresh`: what is known without and beside the models."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.bundled import INDEX
from tests.cards.shared import archive, card_text
from tests.catalog.live_lines import line
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, IMDB, PUBMED, PUBMED_KEY
from tests.e2e.shell import cache, hub
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def as_json(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in hub("search", "--json", *arguments).out.splitlines()]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own cards, with one in it."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "small_en.md").write_text(card_text(file=archive("small_qwertz"), front={"name": "small_qwertz"}), encoding="utf-8")
    monkeypatch.setenv("HUBCLIENT_CARDS", str(folder))
    return folder


class TestSearch:
    def test_every_public_model_is_known_at_once(self) -> None:
        found = rows(hub("search", DEMO).out)
        assert found[0] == [DEMO, "en", "3.4.4", "4.7 MB", "yes", "neg, pos"]
        assert rows(hub("search", "pubmed", "--label", "anatomy [a]").out)[0][:5] == [PUBMED, "en", "4.1.0", "406.6 MB", "yes"]
        assert len(rows(hub("search", "--limit", "30").out)) == 30

    def test_what_cannot_be_opened_is_said(self) -> None:
        assert {row[4] for row in rows(hub("search", "--task", "question-answering", "-n", "5").out)} == {"no"}
        assert [row[4] for row in rows(hub("search", "wikiner_6B_100", "--lang", "de").out)] == ["?"]

    def test_filters(self) -> None:
        found = as_json("--task", "text-classification", "--lang", "fr", "-n", "500")
        assert found
        assert {card["language"] for card in found} == {"fr"}
        small = as_json("bert", "--max-size", "0.02GB")
        assert small
        assert all(card["size_mb"] <= 20.48 for card in small)
        assert [card["name"] for card in as_json("--origin", "owaiskha9654")] == [PUBMED]
        assert {card["opens"] for card in as_json("--annotator", "bertforsequenceclassification")} == {True}

    def test_nothing_found(self) -> None:
        done = hub("search", "bert_large_sequence_classifer_imdb")
        assert (done.code, done.out) == (0, "")
        assert f"no card matches; names like it: {IMDB}" in done.err
        assert hub("search", "zzzzzzzz", "--json").out == ""

    def test_a_size_that_is_none(self) -> None:
        done = hub("search", "--max-size", "big")
        assert done.code == 2
        assert "500MB" in done.err

    def test_own_cards_and_broken_ones(self, own: Path) -> None:
        (own / "broken_en.md").write_text("---\nname: broken\n", encoding="utf-8")
        done = hub("search", "qwertz")
        assert [row[0] for row in rows(done.out)] == ["small_qwertz"]
        assert f"{own / 'broken_en.md'}:3" in done.err
        assert done.err.endswith("it is left out\n")

    def test_controls_are_shown_and_columns_stay(self, own: Path) -> None:
        front = {"name": "ctrl_qwertz", "title": '"red \\e[31m\\ttab"'}
        text = card_text(file=archive("ctrl_qwertz"), front=front, labels="`a\tb`, `c\x1b[31m`")
        (own / "good\x1b[31m\n_en.md").write_text(text, encoding="utf-8")
        (own / "bad\x1b[31m\n.md").write_text("---\n")
        done = hub("search", "ctrl_qwertz")
        (row,) = rows(done.out)
        assert row[5] == "a\\tb, c\\x1b[31m"
        assert len(done.err.splitlines()) == 1
        told = "".join(hub(*command).out for command in (["info", "ctrl_qwertz"], ["explain", "ctrl_qwertz"])) + done.err
        assert "\x1b" not in told
        assert "red \\x1b[31m\\ttab" in told

    def test_a_file_whose_name_is_no_text_is_json_all_the_same(self, own: Path) -> None:
        odd = os.fsencode(own) + b"/\xff_en.md"
        os.rename(own / "small_en.md", odd)
        file = json.loads(hub("explain", "small_qwertz", "--json").out)["candidates"][0]["file"]
        assert os.fsencode(file) == odd

    def test_a_folder_that_is_gone_is_told(self, own: Path) -> None:
        (own / "small_en.md").unlink()
        own.rmdir()
        for command in (["search", "zzzz"], ["cards", "list"], ["refresh"]):
            assert f"a folder of cards cannot be listed ({own}): No such file or directory: it is left out" in hub(*command).err


class TestInfo:
    def test_the_whole_card(self, own: Path) -> None:
        done = hub("info", "small_qwertz")
        facts, _, sections = done.out.partition("\n\n")
        said = dict(line.split("\t") for line in facts.splitlines())
        assert said["NLU"] == "en.classify.small"
        assert (said["date"], said["author"], said["tags"]) == ("2022-03-04", "Somebody", "en, open_source")
        assert sections.startswith("## Description\n\nIt classifies.\n\n## How to use\n\n# python\nprint(")
        assert "{:." not in sections
        assert "<div" not in sections

    def test_a_card_of_the_bundled_index_tells_its_page(self) -> None:
        done = hub("info", "bert_base_cased_qa_squad2")
        said = dict(line.split("\t") for line in done.out.splitlines())
        assert said["page"] == "https://sparknlp.org/2022/06/02/bert_base_cased_qa_squad2_en_3_0.html"
        assert said["Hugging Face"] == "deepset/bert-base-cased-squad2"

    def test_the_page_is_that_of_the_version_that_is_shown(self) -> None:
        for version, page in ("4.1.0", "2022/09/19"), ("4.2.0", "2022/09/20"):
            said = dict(line.split("\t") for line in hub("info", f"bert_classifier_mini_sst2_distilled@{version}").out.splitlines())
            assert (said["version"], said["page"].rpartition("/")[0]) == (version, f"https://sparknlp.org/{page}")

    def test_an_nlu_reference(self) -> None:
        assert hub("info", "en.classify.bert.pubmed.").out.startswith(f"name\t{PUBMED}\n")


class TestExplain:
    def test_a_model_that_was_not_pulled(self, own: Path) -> None:
        done = hub("explain", "small_qwertz")
        assert done.code == 0, done.err
        assert done.out.splitlines()[:6] == [
            "small_qwertz",
            "  'small_qwertz' is the name of a card",
            "  language en: the only one",
            "candidates",
            "  * en/small_qwertz@3.4.2  BertForSequenceClassification",
            f"      from the cards in {own}: {own / 'small_en.md'}",
        ]
        assert "      not asked; fetch and convert" in done.out
        assert done.out.endswith("so: fetch from the first source that has it, verify, convert, keep\n")

    def test_candidates_that_were_not_chosen(self, own: Path) -> None:
        newer = card_text(file=archive("small_qwertz", version="9.0.0"), front={"annotator": "Unheard", "name": "small_qwertz"})
        (own / "newer_en.md").write_text(newer, encoding="utf-8")
        record = json.loads(hub("explain", "small_qwertz", "--json").out)
        assert [(candidate["model"], candidate["chosen"], candidate["verdict"]) for candidate in record["candidates"]] == [
            ("en/small_qwertz@3.4.2", True, None),
            ("en/small_qwertz@9.0.0", False, "hubclient cannot open Unheard"),
        ]
        assert record["steps"][-1] == "versions that hubclient cannot open are passed over"

    def test_a_pulled_model(self, shop: Path) -> None:
        done = hub("explain", DEMO)
        assert f"  1. store: s3://{BUCKET}/{DEMO_KEY}\n      there; use\n" in done.out
        assert f"so: open {shop / 'contents'}" in done.out

    def test_a_mirror_has_it(self) -> None:
        record = json.loads(hub("explain", DEMO, "--json").out)
        assert [(source["role"], source["state"], source["action"]) for source in record["sources"]] == [
            ("store", "not in the store", "pass"),
            ("mirror", "there", "convert"),
            ("S3", "not asked", "pass: a mirror has it"),
        ]

    def test_what_no_card_has(self) -> None:
        done = hub("explain", "bert_large_sequence_classifer_imdb")
        assert done.code == 4
        assert f"did you mean {IMDB}" in done.err
        assert "so: no card is chosen" in done.out

    @pytest.mark.parametrize(
        ("reference", "role", "outcome"),
        [(str(DEMO_ZIP), "file", "convert it"), ("hf:owner/repo", "Hugging Face", "fetch"), ("s3://bucket/a.zip", "S3", "fetch")],
    )
    def test_references_that_are_no_names(self, reference: str, role: str, outcome: str) -> None:
        record = json.loads(hub("explain", reference, "--json").out)
        assert record["sources"][-1]["role"] == role
        assert record["outcome"].startswith(outcome)
        assert record["candidates"] == []

    def test_what_is_no_model_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        for reference, code, outcome in (tmp_path / "missing.zip", 5, "cannot be had"), (tmp_path / "empty", 6, "cannot be had"):
            done = hub("explain", str(reference))
            assert (done.code, hub("pull", str(reference)).code) == (code, code)
            assert outcome in done.out
            assert str(reference) in done.err

    def test_a_name_that_only_the_live_index_might_have(self, monkeypatch: pytest.MonkeyPatch, script: ScriptedServer) -> None:
        monkeypatch.setenv("HUBCLIENT_LIVE_INDEX", f"{script.endpoint}/metadata.json")
        done = hub("explain", "unheard_qwertz")
        assert done.code == 4
        assert "the live index was not asked" in done.err
        assert "hub refresh" in done.err
        assert "offline" not in done.err
        assert script.requests == []

    @pytest.mark.parametrize(
        "reference",
        [DEMO, PUBMED, f"en/{DEMO}@3.4.4", f"{DEMO}@>=9", f"fr/{DEMO}", "bert_base_cased_qa_squad2", "ca.lemma", "no_such_model", "lemma",
         "en.classify.bert.pubmed.", str(DEMO_ZIP), "./missing.zip", "hf:owner/repo", f"s3://{BUCKET}/{DEMO_KEY}", "s3://bucket/a.zip",
         "https://example.com/a.zip", "https://example.com/a", "owner/repo", "fr/", ""],
    )  # fmt: skip
    def test_offline_it_ends_as_pulling_does(self, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
        assert hub("explain", reference).code == hub("pull", reference).code

    def test_nobody_is_asked_unless_it_is_wanted(self, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        monkeypatch.setenv("HF_ENDPOINT", script.endpoint)
        monkeypatch.delenv("HUBCLIENT_LIVE_INDEX")
        hub("explain", PUBMED)
        hub("explain", "no_such_model_anywhere")
        assert script.requests == []

    def test_sources_answer(self, seaweed: Seaweed, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", seaweed.endpoint)
        monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
        seaweed.delete(seaweed.public_bucket, PUBMED_KEY)
        record = json.loads(hub("explain", PUBMED, "--online", "--json").out)
        states = {source["role"]: source["state"] for source in record["sources"]}
        assert "not there" in states["S3"] or "no such" in states["S3"]
        assert states["Hugging Face"]
        assert record["sources"][-1]["action"].endswith("gone or forbidden")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUBCLIENT_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


class TestCards:
    def test_folders_are_added_listed_and_removed(self, own: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HUBCLIENT_CARDS")
        assert hub("search", "qwertz").out == ""
        added = hub("cards", "add", "own", cwd=own.parent)
        assert rows(added.out) == [["1", "0", "you", str(own)]]
        assert [row[0] for row in rows(hub("search", "qwertz").out)] == ["small_qwertz"]
        assert rows(hub("cards", "list").out) == [
            ["11,141", "0", "hubclient", str(INDEX)],
            ["3", "0", "hubclient", str(INDEX.parents[1] / "cards")],
            ["1", "0", "you", str(own)],
        ]
        assert "was there already" in hub("cards", "add", str(own)).err
        assert json.loads(hub("cards", "list", "--json").out.splitlines()[-1]) == {
            "kind": "folder", "path": str(own), "own": True, "cards": 1, "broken": 0,
        }  # fmt: skip
        assert hub("cards", "remove", str(own)).code == 0
        assert len(rows(hub("cards", "list").out)) == 2
        assert (own / "small_en.md").exists()

    def test_what_is_no_folder(self, own: Path, config: Path) -> None:
        missing = hub("cards", "add", str(own / "missing"))
        assert (missing.code, "this is not a folder" in missing.err) == (2, True)
        never = hub("cards", "remove", str(own))
        assert (never.code, "was not added" in never.err) == (2, True)
        assert not config.exists()

    def test_a_checkout_with_posts(self, own: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HUBCLIENT_CARDS")
        posts = tmp_path / "checkout" / "docs" / "_posts"
        posts.mkdir(parents=True)
        (own / "small_en.md").rename(posts / "2022-03-04-small_qwertz_en.md")
        (tmp_path / "checkout" / "docs" / "page.md").write_text("# Not a card\n", encoding="utf-8")
        assert rows(hub("cards", "add", str(tmp_path / "checkout")).out)[0][:3] == ["1", "0", "you"]

    @pytest.mark.skipif(os.name != "posix", reason="a folder is put in the file's way")
    def test_a_configuration_that_cannot_be_written(self, own: Path, config: Path) -> None:
        config.write_text("in the way")
        done = hub("cards", "add", str(own))
        assert done.code == 8
        assert "HUBCLIENT_CONFIG" in done.err


@pytest.fixture
def live(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A live index with one model that no card has."""
    content = b"\n".join([line("unheard_qwertz"), b"{broken"])
    script.answer = lambda request: file_reply(request, content, '"one"') if "metadata.json" in request.path else Reply(404)
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HUBCLIENT_LIVE_INDEX", f"s3://{BUCKET}/public/models/metadata.json")
    return script


class TestLive:
    def test_a_name_that_no_card_has(self, live: ScriptedServer) -> None:
        done = hub("info", "unheard_qwertz")
        assert done.code == 0, done.err
        assert "is known from the live index alone" in done.err
        assert f"archive\ts3://{BUCKET}/public/models/unheard_qwertz_en_" in done.out
        asked = len(live.requests)
        assert hub("info", "unheard_qwertz").code == 0
        assert len(live.requests) == asked

    def test_names_of_cards_ask_nobody(self, live: ScriptedServer) -> None:
        assert hub("info", IMDB).code == 0
        assert hub("path", "unheard_qwertz").code != 0
        assert live.requests == []

    def test_a_name_that_nobody_has(self, live: ScriptedServer) -> None:
        done = hub("info", "unheard_qwert")
        assert done.code == 4
        assert "no card has the name" in done.err

    def test_a_live_index_that_cannot_be_had_is_told(self, live: ScriptedServer) -> None:
        live.answer = lambda request: Reply(403)
        done = hub("info", "unheard_qwertz")
        assert done.code == 4
        assert "metadata.json" in done.err
        assert hub("info", "unheard_qwertz", env={"HUBCLIENT_OFFLINE": "1"}).code == 4

    def test_refresh(self, live: ScriptedServer) -> None:
        done = hub("refresh", "--json")
        assert done.code == 0, done.err
        record = json.loads(done.out)
        assert (record["cards"], record["broken_cards"]) == (11_144, 0)
        assert (record["archives"], record["broken_lines"], record["changed"]) == (1, 1, True)
        assert "metadata.json:2: " in done.err
        assert json.loads(hub("refresh", "--json").out)["changed"] is False

    def test_refresh_without_a_network(self, live: ScriptedServer) -> None:
        live.answer = lambda request: Reply(403)
        assert hub("refresh").code == 5


def test_the_same_from_python(own: Path) -> None:
    found = Hub(cache_dir=cache())
    (card,) = found.search("qwertz", task="text-classification", lang="en", label="pos", max_size_mb=500)
    assert card == found.resolve("small_qwertz").card == next(card for key, card in found.cards.items() if key.name == "small_qwertz")
    assert found.resolve("en.classify.small").card == card
    assert found.explain("small_qwertz").deliberation is not None
    newer = card_text(file=archive("small_qwertz", version="9.0.0"), front={"annotator": "Unheard", "name": "small_qwertz"})
    (own / "newer_en.md").write_text(newer, encoding="utf-8")
    found.catalog.refresh()
    resolution = found.resolve("small_qwertz")
    assert resolution.card == card == found.search("qwertz")[0]
    pulled = found.find("small_qwertz").card
    assert pulled is not None
    assert pulled.version == card.version
    assert "en/small_qwertz@9.0.0 is passed over: hubclient cannot open Unheard" in resolution.notices
    assert len(found.cards) == 11_144  # two of the shipped cards are in the bundled index, too
