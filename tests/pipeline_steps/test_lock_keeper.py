"""The keeper of DVC's table of locks removes the entry of its run, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

from pipeline_steps.dvc_locks import KEEPER

MINE, OTHER = {"pid": 1, "cmd": "mine"}, {"pid": 2, "cmd": "another run"}


def kept(table: Path) -> str:
    """The table after a run whose entry is `mine` has ended."""
    subprocess.run([sys.executable, "-IS", KEEPER, table, "mine"], input=b"", check=True, cwd="/")
    return table.read_text()


def test_the_entry_of_the_run_is_removed_and_no_other(tmp_path: Path) -> None:
    table, write = tmp_path / "rwlock", {"results": {"pid": 3, "cmd": "mine"}}
    table.write_text(json.dumps({"write": write, "read": {"data": [MINE, OTHER], "results": [MINE]}}))
    assert json.loads(kept(table)) == {"write": write, "read": {"data": [OTHER]}}
    assert {path.name for path in tmp_path.iterdir()} == {"rwlock", "rwlock.lock"}


def test_a_damaged_table_is_left_to_dvc(tmp_path: Path) -> None:
    table = tmp_path / "rwlock"
    table.write_text("{")
    assert kept(table) == "{"
