"""docs/python.ipynb runs in the folder of a project whose default study is finished."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from sklearn.datasets import load_digits

from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.study.schema import Variant

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs/python.ipynb"
VARIANT = {
    "network": {"name": "mlp", "widths": [16]}, "latent": 8, "condition": {"embedding": 2}, "posterior": {"name": "gaussian"},
    "prior": {"name": "conditional_flow"}, "likelihood": {"name": "optimal_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip


def write_project(folder: Path) -> None:
    """Write the store of the digits and an untrained run of the default study."""
    digits = load_digits()
    whole = Split(digits.images[:, None].astype(np.uint8), digits.target[:, None], [str(row) for row in range(1797)])
    facts = Facts("digits", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [[str(digit) for digit in range(10)]])
    known = store.write(folder / "data/digits.h5", facts, dict.fromkeys(splits.SPLITS, whole))
    torch.manual_seed(0)
    run = folder / "results/digits/runs/cvae_nf/seed-0"
    of_run = {"study": "digits", "name": "cvae_nf", "seed": 0, "training": {}, "training_csv_sha256": ""}
    model_files.save(run, Model(Variant.model_validate(VARIANT), known), known, of_run)


def test_the_notebook_runs_and_shows_its_stored_outputs(tmp_path: Path) -> None:
    write_project(tmp_path)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert outputs[-1]["text"] == "digit has no value '11'; it has: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.\n"


def test_the_notebook_is_stored_with_its_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(cell["outputs"] for cell in notebook.cells if cell.cell_type == "code")


def test_the_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(example.replace("run.sample", "drawn = run.sample"), "README.md", "exec"), names := {})  # type: ignore[var-annotated]
    assert names["drawn"].shape == (16, 1, 8, 8) and names["z"].shape == (8, 8)
