"""Archives with golden answers: the committed ones, and all of the shared material where it is present."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient import bundled

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared" / "archives"

BUCKET = "auxdata.johnsnowlabs.com"
FOLDER = "public/models"
DEMO = "bert_tiny_sequence_classifier_sst2"
IMDB = "bert_large_sequence_classifier_imdb"
PUBMED = "bert_classifier_multi_label_classification_of_pubmed_articles"
PUBMED_REPO = "owaiskha9654/Multi-Label-Classification-of-PubMed-Articles"
DEMO_KEY = f"{FOLDER}/{DEMO}_en_3.4.4_3.0_1635774771318.zip"
IMDB_KEY = f"{FOLDER}/{IMDB}_en_3.3.2_3.0_1635774771318.zip"
PUBMED_KEY = f"{FOLDER}/{PUBMED}_en_4.1.0_3.0_1662500997655.zip"

DEMO_ZIP = bundled.MIRROR / BUCKET / DEMO_KEY
PUBMED_ZIP = DATA / Path(PUBMED_KEY).name
TREC6_ZIP = DATA / "bert_tiny_cased_sequence_classifier_trec6_en_3.4.4_3.0_1635774772318.zip"
SST2_ONNX_ZIP = DATA / "bert_tiny_sequence_classifier_sst2_en_5.5.3_3.4_1738774771318.zip"
PUBMED_FOLDER = DATA / "bert_tiny_pubmed"


@dataclass(frozen=True)
class Row:
    text: str
    input_ids: list[int]
    logits: list[float]


@dataclass(frozen=True)
class Golden:
    """An archive, and what the original checkpoint answers. `facts` is the file's first line."""

    archive: Path
    facts: dict[str, Any]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        return self.archive.stem + ("" if self.archive.parent == SHARED else "-trimmed")


def read_golden(archive: Path, folder: Path) -> Golden:
    lines = (folder / archive.with_suffix(".golden.jsonl").name).read_text(encoding="utf-8").splitlines()
    facts, *rows = map(json.loads, lines)
    return Golden(archive, facts, tuple(Row(row["text"], row["input_ids"], row["logits"]) for row in rows))


def committed() -> list[Golden]:
    return [read_golden(archive, DATA) for archive in (DEMO_ZIP, TREC6_ZIP, SST2_ONNX_ZIP, PUBMED_ZIP)]


def tolerance(golden: Golden, engine: str) -> float:
    """Two texts of the ALBERT model are ill-conditioned: its golden logits are 1.5e-4 from what float64 gives, and so are those of any
    other float32 arithmetic, the archive's own graph in ONNX Runtime included, each to its own side."""
    return 3e-4 if golden.facts["architecture"] == "albert" and engine == "onnx" else 1e-4


def shared_classifiers() -> list[Golden]:
    """Every sequence classifier among the shared archives."""
    found = []
    for path in sorted(SHARED.glob("*.golden.jsonl")):
        with path.open(encoding="utf-8") as file:
            facts = json.loads(file.readline())
        if facts["annotator"].endswith("ForSequenceClassification"):
            found.append(read_golden(SHARED / facts["archive"], SHARED))
    return found


def make_mirror(root: Path, objects: dict[str, Path], bucket: str = BUCKET) -> Path:
    """A local mirror, laid out as `<bucket>/<key>`."""
    for key, source in objects.items():
        target = root / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return root
