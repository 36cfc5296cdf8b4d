"""What README and docs show is what the commands print, and their links lead somewhere."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pytest

from hubclient import errors
from hubclient.way import open_reference
from tests.package.console import printed, steps

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page.read_text(encoding="utf-8"))], ids=lambda page: page.name)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    for step in steps(page.read_text(encoding="utf-8")):
        assert rounded(printed(step.command, tmp_path)) == rounded(step.output), step.command


def rounded(text: str) -> str:
    """The last digits of a score are the processor's."""
    return re.sub(r"\d\.\d{5,}", lambda match: f"{float(match[0]):.4f}", text)


@pytest.mark.parametrize("page", ["README.md", "docs/catalogue.md"])
def test_the_python_on_a_page_runs(page: str) -> None:
    results = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 5
    assert results.failed == 0


def test_the_function_that_is_shown_is_the_real_one() -> None:
    source = inspect.getsource(open_reference)
    assert all(source in page.read_text(encoding="utf-8") for page in (ROOT / "README.md", ROOT / "docs" / "architecture.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_where_it_says(page: Path) -> None:
    named = re.findall(r"`([A-Z_]{4,})` \(`([\w/]+\.py)`\)", page.read_text(encoding="utf-8"))
    assert [
        name for name, path in named if not re.search(rf"^{name}\b.* = ", (ROOT / "hubclient" / path).read_text("utf-8"), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_on_a_page_exist(page: Path) -> None:
    paths = re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text(encoding="utf-8"))
    assert [path for path in paths if not any((base / path).exists() for base in (ROOT, ROOT / "hubclient"))] == []


def test_every_exit_code_is_told() -> None:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.HubError)]
    codes = {0, 130} | {kind.exit_code for kind in kinds}
    (told,) = re.findall(r"^Exit codes: (.+?)\.$", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert {int(code) for code in re.findall(r"\d+", told)} == codes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|s3://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
