"""What control groups allow, as their files say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient.machine import Processor, cpu_quota, memory_limit, processor, this_machine


def system(root: Path, group: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": group, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_the_smallest_limit_of_all_groups_above_counts(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "0::/pods/one\n",
        {
            "pods/one/cpu.max": "max 100000\n",
            "pods/cpu.max": "150000 100000\n",
            "cpu.max": "800000 100000\n",
            "pods/one/memory.max": "4000000000\n",
            "pods/memory.max": "max\n",
        },
    )
    assert cpu_quota(root) == 1.5
    assert memory_limit(root) == 4_000_000_000


def test_version_1(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "5:memory:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/box\n",
        {
            "memory/box/memory.limit_in_bytes": "1000000\n",
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "cpu/box/cpu.cfs_quota_us": "50000\n",
            "cpu/box/cpu.cfs_period_us": "100000\n",
            "cpu/cpu.cfs_quota_us": "-1\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert cpu_quota(root) == 0.5
    assert memory_limit(root) == 1_000_000


def test_in_a_container_the_own_folder_is_the_root(tmp_path: Path) -> None:
    root = system(tmp_path, "0::/\n", {"cpu.max": "200000 100000\n", "memory.max": "5000\n"})
    assert (cpu_quota(root), memory_limit(root)) == (2.0, 5000)


@pytest.mark.parametrize("text", ["", "max", "0 0", "x 100000", "1 2 3"])
def test_no_limit_is_none(tmp_path: Path, text: str) -> None:
    root = system(tmp_path, "0::/\n", {"cpu.max": text, "memory.max": text})
    assert (cpu_quota(root), memory_limit(root)) == (None, None)


def test_elsewhere_there_are_no_groups(tmp_path: Path) -> None:
    assert (cpu_quota(tmp_path), memory_limit(tmp_path)) == (None, None)


def test_the_processor(tmp_path: Path) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text("model name\t: Some CPU @ 2 GHz\nflags\t\t: fpu amx_bf16\n\nmodel name\t: Another\nflags\t\t: fpu\n", encoding="utf-8")
    assert processor(facts) == Processor("Some CPU @ 2 GHz", frozenset({"fpu", "amx_bf16"}))
    assert processor(tmp_path / "missing").flags == frozenset()
    assert processor(tmp_path / "missing").name


def test_this_machine() -> None:
    machine = this_machine()
    assert machine.cpus
    assert machine.usable
    assert 0 < machine.usable <= machine.cpus
