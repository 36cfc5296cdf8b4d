"""Each part imports only what stands below it, imports inside functions and for annotations included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.material import ROOT

PACKAGE = ROOT / "hubclient"

# From the top down. Parts in one line know nothing of each other.
LAYERS = (
    ("__init__",),
    ("cli", "estimator", "spark"),
    ("serve", "web"),
    ("check",),
    ("portrait",),
    ("hub",),
    ("explain", "environment", "imports", "afar", "evaluate", "authoring", "notebook"),
    ("bundles", "mirror"),
    ("pulling",),
    ("way", "repair"),
    ("pinned",),
    ("acquire", "stored", "disagreements", "repository_card"),
    ("plan", "task", "snippets"),
    ("catalog",),
    ("tables",),
    ("classifier", "zero_shot", "tagger"),
    ("text_model",),
    ("export", "transformers_form", "local_copy"),
    ("reduced", "sample"),
    ("scheduler", "activation", "onnx_export", "gathering", "table_file"),
    ("batches", "chunks"),
    ("convert",),
    ("engines", "prediction", "checkpoint", "texts", "windows", "entities", "tokenizer_settings"),
    ("padding", "derived", "cores"),
    ("native", "tensors"),
    ("models",),
    ("archive",),
    ("store", "lockfile"),
    ("transfer", "outfile"),
    ("sources",),
    ("cards",),
    ("settings", "names", "facts", "bundled", "sarif", "machine", "turns", "wording"),
    ("card_folders",),
    ("locks",),
    ("errors",),
)
HEIGHT = {part: -row for row, parts in enumerate(LAYERS) for part in parts}
# Of these, what they compute depends on their arguments alone.
PURE = ("cards", "models", "archive", "names", "facts", "prediction", "texts", "windows", "entities", "sarif", "wording", "errors")
OUTSIDE = {"os", "pathlib", "shutil", "tempfile", "subprocess"}
NETWORK = {"socket", "http", "urllib3", "requests", "boto3", "botocore", "huggingface_hub", "asyncio"}
# Opens what the pure readers read.
OPENER = PACKAGE / "archive" / "location.py"

MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """Dotted names of the imported modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            if node.module == "hubclient":
                yield from (f"hubclient.{alias.name}" for alias in node.names if not alias.name.startswith("__"))
            else:
                yield node.module


def test_every_part_has_its_place() -> None:
    assert {part_of(path) for path in MODULES} == HEIGHT.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_lead_downwards(path: Path) -> None:
    own = part_of(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("hubclient.")}
    assert [part for part in sorted(used) if part != own and HEIGHT[part] >= HEIGHT[own]] == []


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in PURE], ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_pure_parts_touch_nothing_outside(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    assert not roots & NETWORK
    if path != OPENER:
        assert not roots & OUTSIDE


def test_the_plan_asks_nobody() -> None:
    assert not {name.partition(".")[0] for name in imports(PACKAGE / "plan.py")} & (NETWORK | {"os", "shutil"})
