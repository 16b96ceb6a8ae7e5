"""How many cores a process may use, from made-up control groups."""

import os
import sys
from pathlib import Path

import pytest

from vaeline.system import control_groups
from vaeline.system.background import cores


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 16 cores without quotas: its control groups are in the folder, /proc/self/cgroup is `groups` there."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(16), raising=False)
    monkeypatch.setattr(control_groups, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(control_groups, "LIMITS", tmp_path)
    assert cores() == 16
    return tmp_path


def write(group: Path, **files: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (group / f"cpu.{name}").write_text(content + "\n")


@pytest.mark.parametrize(
    ("quota", "count"), [("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("max 100000", 16), ("", 16)]
)
def test_a_quota_of_a_group_is_worth_cores(groups: Path, quota: str, count: int) -> None:
    (groups / "groups").write_text("0::/job/step\n")
    write(groups / "job/step", max="max 100000")
    write(groups / "job", max=quota)
    assert cores() == count


def test_a_quota_above_the_cores_that_are_there_gives_none(groups: Path) -> None:
    (groups / "groups").write_text("0::/docker/0123\n")
    write(groups, max="6400000 100000")
    assert cores() == 16


@pytest.mark.parametrize(("quota", "count"), [("300000", 3), ("-1", 16)])
def test_a_quota_of_the_first_version_of_groups_counts(groups: Path, quota: str, count: int) -> None:
    (groups / "groups").write_text("4:cpu,cpuacct:/here\n3:cpuset:/\n0::/\n")
    write(groups / "cpu/here", cfs_quota_us=quota, cfs_period_us="100000")
    assert cores() == count
