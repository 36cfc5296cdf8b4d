"""`hub` apart from predict: pull, path, ls, rm, info, completion, help."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hubclient import bundled, pull
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, IMDB, IMDB_KEY, PUBMED, TREC6_ZIP, make_mirror
from tests.e2e.shell import holdings, hub, models

COMMANDS = ["pull", "predict", "search", "info", "explain", "path", "ls", "verify", "rm", "prune", "refresh", "lint", "cards"]


@pytest.fixture
def copy(stocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with three models that may be spoiled."""
    shutil.copytree(stocked, tmp_path / "cache")
    monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def test_pull_prints_the_folder_and_nothing_else() -> None:
    first, again = hub("pull", DEMO), hub("pull", DEMO)
    assert first.out == again.out == f"{models()[0]}\n"
    assert f"pulled s3://{BUCKET}/{DEMO_KEY} (4.9 MB)" in first.err
    assert "cached: " in again.err


def test_pull_as_json() -> None:
    first, again = (json.loads(hub("pull", DEMO, "--json").out) for _ in range(2))
    assert first["path"] == str(models()[0])
    assert (first["cached"], again["cached"]) == (False, True)
    assert {key: value for key, value in first.items() if key != "cached"} == {k: v for k, v in again.items() if k != "cached"}
    assert first["labels"] == ["neg", "pos"]
    assert first["origin"]["url"] == f"s3://{BUCKET}/{DEMO_KEY}"
    assert first["facts"]["activation"] == {
        "value": "softmax",
        "source": "archive defaultParamMap.activation",
        "disagreements": [],
    }


def test_another_cache(tmp_path: Path) -> None:
    done = hub("pull", DEMO, "--cache-dir", tmp_path / "elsewhere")
    assert Path(done.out.strip()).parent.parent == tmp_path / "elsewhere"
    assert not models()
    assert rows(hub("ls", "--cache-dir", tmp_path / "elsewhere").out)[0][0] == DEMO
    assert hub("ls").out == ""


def test_path(shop: Path) -> None:
    done = hub("path", DEMO)
    assert (done.code, done.err) == (0, "")
    folder = Path(done.out.strip())
    assert (folder / "manifest.json").is_file()
    assert folder.is_relative_to(shop)
    assert json.loads(hub("path", DEMO, "--json").out)["path"] == str(folder)
    for reference in (f"en/{DEMO}", f"{DEMO}@3.4.4", f"{DEMO}@>=3", f"s3://{BUCKET}/{DEMO_KEY}"):
        assert hub("path", reference).out == done.out
    assert hub("path", str(TREC6_ZIP)).code == 0
    for reference in (f"fr/{DEMO}", f"{DEMO}@4", IMDB):
        missed = hub("path", reference)
        assert (missed.code, missed.out) == (5, "")


def test_ls(shop: Path) -> None:
    listed = rows(hub("ls").out)
    assert sorted(row[0] for row in listed) == [row[0] for row in listed]
    assert {row[0]: row[1:3] for row in listed} == {
        DEMO: ["en", "3.4.4"],
        PUBMED: ["en", "4.1.0"],
        "bert_tiny_cased_sequence_classifier_trec6": ["en", "3.4.4"],
    }
    assert all(row[3].endswith(" MB") for row in listed)
    records = [json.loads(line) for line in hub("ls", "--json").out.splitlines()]
    assert {record["name"]: len(record["labels"]) for record in records}[PUBMED] == 14
    assert all(Path(record["path"]).is_dir() for record in records)


def test_ls_of_nothing() -> None:
    for arguments in (["ls"], ["ls", "--json"]):
        done = hub(*arguments)
        assert (done.code, done.out, done.err) == (0, "", "")


def test_rm(copy: Path) -> None:
    before = holdings()
    planned = hub("rm", DEMO, PUBMED, "--dry-run")
    assert planned.code == 0
    assert planned.err.count("would remove") == 2
    assert holdings() == before
    done = hub("rm", DEMO, PUBMED)
    assert (done.code, done.out) == (0, "")
    assert done.err.count("removed ") == 2
    assert [row[0] for row in rows(hub("ls").out)] == ["bert_tiny_cased_sequence_classifier_trec6"]
    assert not [file for file in holdings() if file.startswith("staging")]
    again = hub("rm", DEMO)
    assert again.code == 5
    assert hub("predict", DEMO, "fine").out.startswith("pos\t")


def test_rm_removes_all_or_nothing_that_was_asked_for(copy: Path) -> None:
    before = holdings()
    assert hub("rm", DEMO, IMDB).code == 5
    assert holdings() == before


def test_rm_as_json(copy: Path) -> None:
    (record,) = map(json.loads, hub("rm", DEMO, "--json").out.splitlines())
    assert record["removed"] is True
    assert record["identity"] == f"s3://{BUCKET}/{DEMO_KEY}"
    assert not Path(record["path"]).exists()


def facts(text: str) -> dict[str, list[str]]:
    """What stands before the card's sections."""
    found: dict[str, list[str]] = {}
    for name, value in rows(text.partition("\n\n")[0]):
        found.setdefault(name, []).append(value)
    return found


def test_info_before_it_is_pulled() -> None:
    done = hub("info", IMDB)
    assert done.code == 0, done.err
    shown = facts(done.out)
    assert shown["name"] == [IMDB]
    assert shown["labels (card)"] == ["neg, pos"]
    assert shown["archive"] == [f"s3://{BUCKET}/{IMDB_KEY}"]
    assert shown["pulled"] == ["no"]
    assert "disagreement" not in shown
    assert not models()


def test_info_shows_where_card_and_model_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(make_mirror(tmp_path, {IMDB_KEY: DEMO_ZIP})))
    pull(IMDB)
    shown = facts(hub("info", IMDB).out)
    assert shown["pulled"] == [str(models()[0])]
    assert shown["disagreement"] == [
        "max_length: 128 (archive maxSentenceLength), not 512 (card)",
        "lowercase: True (archive vocabulary), not False (card)",
    ]
    record = json.loads(hub("info", IMDB, "--json").out)
    assert record["card"]["name"] == IMDB
    assert record["manifest"]["labels"] == ["neg", "pos"]
    assert record["disagreements"][0] == {
        "fact": "max_length",
        "used": 128,
        "used_source": "archive maxSentenceLength",
        "said": 512,
        "said_source": "card",
    }


def test_info_of_the_shipped_pubmed(shop: Path) -> None:
    shown = facts(hub("info", PUBMED).out)
    assert shown["activation"] == ["sigmoid (overlay)"]
    assert shown["Hugging Face"] == ["owaiskha9654/Multi-Label-Classification-of-PubMed-Articles"]
    assert shown["NLU"] == ["en.classify.bert.pubmed."]
    # The card lists the same labels in another order, which is none that a model has.
    assert not [line for line in shown.get("disagreement", []) if line.startswith("labels")]


def test_info_shows_labels_that_disagree(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8").replace("`neg`, `pos`", "`bad`, `good`")
    (tmp_path / f"{DEMO}_en.md").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HUBCLIENT_CARDS", str(tmp_path))
    assert facts(hub("info", DEMO).out)["disagreement"] == ["labels: neg, pos (archive labels field), not bad, good (card)"]


def test_info_of_a_file(shop: Path) -> None:
    shown = facts(hub("info", str(TREC6_ZIP)).out)
    assert shown["architecture"] == ["bert"]
    assert shown["origin"][0].startswith("file://")
    assert shown["lowercase"] == ["False (archive caseSensitive)"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    done = hub("--show-completion", shell, env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"})
    assert done.code == 0, done.err
    assert "_HUB_COMPLETE" in done.out
    assert shell in done.out or "compdef" in done.out


def test_completion_knows_the_commands() -> None:
    done = hub(env={"_HUB_COMPLETE": "complete_bash", "COMP_WORDS": "hub p", "COMP_CWORD": "1"})
    assert set(done.out.split()) == {"pull", "predict", "path", "prune"}


def test_help_and_version() -> None:
    shown = hub("--help")
    assert shown.code == 0
    assert all(command in shown.out for command in COMMANDS)
    assert hub("-h").out == shown.out
    assert hub("--version").out.startswith("hubclient ")
    for command in COMMANDS:
        assert command == "cards" or "--json" in hub(command, "--help").out


def test_what_is_no_command_is_refused_in_a_line() -> None:
    for arguments in (["pul"], ["pull"], ["pull", DEMO, "--no-such-option"], []):
        done = hub(*arguments)
        assert done.code == 2
        assert "Traceback" not in done.err
