"""The wheel, installed elsewhere, carries the cards, the overlay, the index of the public cards and the embedded model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEDS = ["bert_large_sequence_classifier_imdb", "bert_classifier_multi_label_classification_of_pubmed_articles"]
PROGRAM = """
import json, sys
from hubclient import Hub
from hubclient.bundled import INDEX
from hubclient.catalog.bundle import read_bundle
import hubclient
hub = Hub()
found = {name: hub.resolve(name, "en") for name in sys.argv[1:]}
print(json.dumps({
    "where": hubclient.__file__,
    "uris": {name: resolution.card.s3_uri for name, resolution in found.items()},
    "activations": {name: resolution.overlay.activation for name, resolution in found.items()},
    "indexed": [len(read_bundle(INDEX.read_bytes()).cards), str(INDEX)],
    "label": hub.pretrained("bert_tiny_sequence_classifier_sst2", "en")("I really liked that movie!").label,
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation: the build backend is among the test requirements, and nothing is fetched."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT], check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_it_holds_what_is_needed_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "hubclient/py.typed" in names
    (entries,) = (zipfile.ZipFile(wheel).read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    assert "[pytest11]\nhubclient = hubclient.check.pytest_plugin\n" in entries
    assert any(name.startswith("hubclient/_bundled/mirror/auxdata.johnsnowlabs.com/public/models/bert_tiny") for name in names)
    assert sum(name.startswith("hubclient/_bundled/cards/") and name.endswith(".overlay.yaml") for name in names) == 1
    assert {"hubclient/_bundled/index/spark-nlp.jsonl.xz", "hubclient/_bundled/index/NOTICE"} <= set(names)
    licences = ("licenses/LICENSE", "licenses/cards/NOTICE", "licenses/index/NOTICE")
    assert all(any(name.endswith(licence) for name in names) for licence in licences)
    assert all(name.startswith(("hubclient/", "hubclient-")) for name in names)


def test_the_source_distribution_holds_all_that_its_makefile_needs(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, ROOT], check=True, capture_output=True
    )
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {
        "Makefile",
        "pyproject.toml",
        "constraints.txt",
        ".ci/run",
        ".pre-commit-hooks.yaml",
        "action.yml",
        "LICENSE",
        "cards/NOTICE",
        "index/NOTICE",
        "index/spark-nlp.jsonl.xz",
        "tools/build_index.py",
        "tests/conftest.py",
        "bench/start.py",
    }


def test_every_requirement_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "hubclient").rglob("*.py"))
    modules = {"google-crc32c": "google_crc32c", "protobuf": "google.protobuf", "pyyaml": "yaml"}
    names = [re.split(r"[<>=]", requirement)[0] for requirement in (*project["dependencies"], *project["optional-dependencies"]["torch"])]
    wanted = [modules.get(name, name) for name in names]
    assert [name for name in wanted if not re.search(rf"^ *(?:from|import) {re.escape(name)}\b", sources, re.MULTILINE)] == []


def test_installed_elsewhere_it_resolves_the_seeds_and_answers(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel], check=True)
    dependencies = sysconfig.get_paths()["purelib"]
    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(site)!r}, {dependencies!r}]\n{PROGRAM}", *SEEDS],
        cwd=tmp_path,
        env={**os.environ, "HUBCLIENT_CACHE": str(tmp_path / "cache"), "HUBCLIENT_OFFLINE": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(run.stdout)
    assert Path(said["where"]).is_relative_to(site)
    assert said["indexed"][0] > 11_000
    assert Path(said["indexed"][1]).is_relative_to(site)
    assert said["label"] == "pos"
    assert said["activations"] == dict(zip(SEEDS, [None, "sigmoid"], strict=True))
    assert [uri.rpartition("/")[2] for uri in said["uris"].values()] == [
        "bert_large_sequence_classifier_imdb_en_3.3.2_3.0_1635774771318.zip",
        "bert_classifier_multi_label_classification_of_pubmed_articles_en_4.1.0_3.0_1662500997655.zip",
    ]
