"""The files that hosts and editors read agree with the project."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github/workflows"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_citation_has_the_name_version_and_licence_of_the_package() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert [citation["title"], citation["version"], citation["license"]] == [
        PROJECT[key] for key in ("name", "version", "license")
    ]


def test_the_changelog_has_the_version_and_a_place_for_what_is_new() -> None:
    heads = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(PROJECT['version'])} - \d{{4}}-\d\d-\d\d", heads[1])


def test_the_workflow_runs_what_ci_runs() -> None:
    steps = read(WORKFLOWS / "tests.yml")["jobs"]["tests"]["steps"]
    here = re.findall(r"^make .*", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert [step["run"] for step in steps if "run" in step] == here != []


def test_tests_run_on_both_systems_and_a_release_has_a_wheel_and_the_site() -> None:
    jobs, release = read(WORKFLOWS / "tests.yml")["jobs"], read(WORKFLOWS / "release.yml")["jobs"]
    assert jobs["tests"]["strategy"]["matrix"] == {"os": ["ubuntu-latest", "macos-latest"], "python": ["3.11", "3.13"]}
    assert "make docs-site SERVE=" in [step.get("run") for step in jobs["docs"]["steps"]]
    assert release["tests"] == {"uses": "./.github/workflows/tests.yml"}
    assert "uv build" in [step.get("run") for step in release["build"]["steps"]]


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_may_only_read_and_names_versions(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    more = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert more in ({}, {"publish": {"id-token": "write"}})
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert all(re.search(r"@(v\d+|release/v\d+)$", name) for name in used if not name.startswith("./"))


def test_the_container_makes_a_target_of_the_makefile() -> None:
    assert '"postCreateCommand": "make .venv/.ready"' in (ROOT / ".devcontainer/devcontainer.json").read_text()
    assert (
        "READY := $(VENV)/.ready" in (ROOT / "Makefile").read_text()
        and "VENV := .venv" in (ROOT / "Makefile").read_text()
    )


def test_the_hook_against_data_stops_data_and_nothing_that_is_tracked() -> None:
    [hook] = [
        each for each in read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"] if each["id"] == "data-files"
    ]
    data = [
        "img_align_celeba.zip", "x/list_attr_celeba.txt", "list_eval_partition.csv", "identity_CelebA.txt",
        "train_32x32.mat", "data/train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", "data/digits.h5", "model.safetensors",
    ]  # fmt: skip
    assert [name for name in data if not re.search(hook["files"], name)] == []
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    assert [name for name in tracked if re.search(hook["files"], name)] == []
