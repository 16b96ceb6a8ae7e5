"""The profiles: what Snakemake makes of them, and what they say if they cannot be used."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.profiles import ProfileConfigFileParser

SLURM = Path(__file__).parents[2] / "profiles/slurm/config.yaml"


def read(monkeypatch: pytest.MonkeyPatch, found: object) -> dict[str, object]:
    """The profile for Slurm, as Snakemake reads it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    with SLURM.open(encoding="utf-8") as stream:
        return dict(ProfileConfigFileParser().parse(stream))


def test_the_profile_for_slurm_names_its_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = read(monkeypatch, SimpleNamespace())
    assert profile["executor"] == "slurm" and profile["groups"] == ["train=run", "sample=run", "evaluate=run"]


def test_without_the_executor_the_profile_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="Error: There is no executor slurm here; run `make setup EXTRAS=slurm`"):
        read(monkeypatch, None)
