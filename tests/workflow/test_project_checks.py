"""A project that a run could not be recorded in is refused with the remedy."""

import errno
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from workflow.project_checks import check_folder_of_snakemake, check_repository


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_folder_of_snakemake(tmp_path / ".snakemake")
    refused = pytest.raises(UserError, match="Snakemake cannot write to its folder")
    with refused:
        check_folder_of_snakemake(tmp_path / "missing/.snakemake")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as on a read-only disk
    with refused:
        check_folder_of_snakemake(tmp_path / ".snakemake")


def test_a_full_disk_is_named_before_snakemake_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**keywords: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(UserError, match="The disk of this project is full; free some space and run again"):
        check_folder_of_snakemake(tmp_path)


@pytest.mark.parametrize("initialised", [False, True])
def test_a_repository_without_a_commit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, initialised: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    if initialised:
        subprocess.run(["git", "init", "--quiet"], check=True)
    with pytest.raises(UserError, match=r"is not a git repository with a commit, .*; run `git init`"):
        check_repository()
