"""How many cores may be used: affinity, SMT, and the limits of containers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubclient.cores import cores

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the files are Linux's")


def machine(folder: Path, files: dict[str, str], siblings: int = 1) -> Path:
    """The files of a machine with 8 logical processors, of which so many share a core."""
    topology = {f"sys/devices/system/cpu/cpu{n}/topology/thread_siblings_list": f"{n // siblings}\n" for n in range(8)}
    for name, text in {**topology, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="ascii")
    return folder


@pytest.fixture(autouse=True)
def _eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert cores({}, tmp_path) == 8


def test_threads_of_one_core_count_once(tmp_path: Path) -> None:
    assert cores({}, machine(tmp_path, {}, siblings=2)) == 4


def test_an_affinity_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 3, 5})
    assert cores({}, machine(tmp_path, {})) == 3
    assert cores({}, machine(tmp_path, {}, siblings=2)) == 2


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("200000 100000", 2), ("max 100000", 8), ("50000 100000", 1), ("250000 100000", 3), ("1600000 100000", 8), ("", 8), ("a b", 8)],
)
def test_control_groups_of_version_2(tmp_path: Path, written: str, wanted: int) -> None:
    files = {"proc/self/cgroup": "0::/work\n", "sys/fs/cgroup/work/cpu.max": f"{written}\n"}
    assert cores({}, machine(tmp_path, files)) == wanted


def test_the_narrowest_group_counts(tmp_path: Path) -> None:
    groups = {"work": "600000 100000", "work/inner": "max 100000", "": "300000 100000"}
    files = {f"sys/fs/cgroup/{name}/cpu.max": text for name, text in groups.items()}
    assert cores({}, machine(tmp_path, {"proc/self/cgroup": "0::/work/inner\n", **files})) == 3


@pytest.mark.parametrize(("quota", "wanted"), [("150000", 2), ("-1", 8), ("0", 8)])
def test_control_groups_of_version_1(tmp_path: Path, quota: str, wanted: int) -> None:
    group = "sys/fs/cgroup/cpu/docker"
    files = {
        "proc/self/cgroup": "4:memory:/docker\n3:cpu,cpuacct:/docker\n0::/\n",
        f"{group}/cpu.cfs_quota_us": quota,
        f"{group}/cpu.cfs_period_us": "100000",
    }
    assert cores({}, machine(tmp_path, files)) == wanted


@pytest.mark.parametrize(("written", "wanted"), [("3", 3), ("2,4", 2), ("0", 8), ("", 8), ("many", 8), ("64", 8)])
def test_a_limit_for_numerical_libraries(tmp_path: Path, written: str, wanted: int) -> None:
    assert cores({"OMP_NUM_THREADS": written}, machine(tmp_path, {})) == wanted


def test_this_machine() -> None:
    assert 1 <= cores({}) <= 8
