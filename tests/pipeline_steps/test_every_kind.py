"""Runs with every kind of latent are sampled and evaluated."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import yaml
from click.testing import Result

from pipeline_steps import classifier, draw, evaluate, reference, sample
from tests.made_up import identity
from tests.pipeline_steps.conftest import STUDY, blocks, write_store
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.runs.evaluation_file import read_evaluation
from vaeline.runs.folder import StudyFolder
from vaeline.runs.model_files import save
from vaeline.study.reading import load
from vaeline.study.schema import Study

pytestmark = pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")
PLAIN: dict[str, Any] = STUDY["variants"]["plain"]
KINDS: dict[str, dict[str, Any]] = {
    "codes": {
        **PLAIN, "network": {"name": "conv", "width": 4, "depth": 2},
        "condition": {"embedding": None, "encoder": False, "decoder": False}, "likelihood": {"name": "fixed_sigma"},
        "posterior": {"name": "vector_quantized", "codes": 5}, "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
        "density": {"name": "pixelcnn", "width": 4, "layers": 1},
    },
    "points": {**PLAIN, "condition": None, "posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}},
    "mixture": {**PLAIN, "condition": None, "density": {"name": "gaussian_mixture", "components": 2}},
    "flows": {**PLAIN, "posterior": {"name": "flow", "flows": [{"name": "planar"}], "context": 2}},
    "ladder": {**PLAIN, "latent": 2, "posterior": {"name": "ladder", "width": 4}},
    "conditional": {**PLAIN, "latent": 1, "prior": {"name": "conditional_gaussian"}},
    "vamp": {**PLAIN, "condition": {"embedding": None, "encoder": False}, "prior": {"name": "vamp", "pseudo_inputs": 3}},
}  # fmt: skip
LATENTS = {"codes", "prior", "posterior", "low_posterior", "low_posterior_codes", "high_posterior", "traversals"}


def attributes(split: Split) -> Split:
    """The same images with two attributes: which half is bright, and one that is invisible."""
    other = np.arange(len(split.labels))[:, None] % 2
    return Split(split.images, np.concatenate([split.labels, other], 1), split.ids)


A_CLASS = pytest.mark.slow(reason="attributes go through the same steps, and other tests evaluate a class")


@pytest.fixture(params=[pytest.param("a class", marks=A_CLASS), "attributes"])
def project_of_kinds(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Result]
) -> Study:
    monkeypatch.chdir(tmp_path)
    study = {**STUDY, "study": {"name": "tiny", "variants": list(KINDS), "seeds": [0]}, "variants": KINDS}
    Path("params.yaml").write_text(yaml.safe_dump(study))
    two = request.param == "attributes"
    splits = {
        name: blocks(count, seed)
        for seed, (name, count) in enumerate({"train": 96, "validation": 24, "test": 40}.items())
    }
    splits = {name: attributes(split) for name, split in splits.items()} if two else splits
    facts = write_store(splits, ("side", "odd") if two else ("side",))
    for step in (classifier, reference):
        assert run(step.main).exit_code == 0
    for name, variant in load().variants.items():
        torch.manual_seed(0)
        folder = StudyFolder("tiny").run(name, 0)
        save(folder, Model(variant, facts), facts, identity(load(), name, 0, folder))
    return load()


@pytest.mark.filterwarnings("ignore::vaeline.evaluation.skill.LearnedNothing")
def test_every_kind_of_latent_is_sampled_and_evaluated(project_of_kinds: Study, run: Callable[..., Result]) -> None:
    there = {
        "codes": set(), "points": {"codes", "prior", "traversals"}, "mixture": {*LATENTS, "posterior_log_p"},
        "flows": {"codes", "prior", "traversals"}, "ladder": {"codes", "prior", "traversals"}, "conditional": LATENTS, "vamp": {*LATENTS, "posterior_log_p"},
    }  # fmt: skip
    for name in KINDS:
        for step in (sample, evaluate):
            result = run(step.main, "--variant", name, "--seed", 0)
            assert result.exit_code == 0, f"{name}: {result.output}"
        folder = StudyFolder("tiny").run(name, 0)
        with h5py.File(folder / "samples.h5") as file:
            drawn = set(file) & {*LATENTS, "posterior_log_p"}
            assert drawn == there[name], name
            assert "low_posterior" not in file or len(file["low_posterior"]) == 10
        metrics = json.loads((folder / "metrics.json").read_text())
        evaluation = read_evaluation(folder).metrics
        assert ("fd_low_posterior" in metrics) == ("low_posterior" in drawn), name
        assert "fd_sample" in metrics and not metrics.keys() & {key for key, of in evaluation.items() if "dash" in of}
        assert ("condition_accuracy" in metrics) == (name not in ("points", "mixture")), name
        assert ("negative_elbo" in metrics) == (name != "points"), name
        result = run(draw.main, folder, "--count", 3, "--out", f"{name}.png")
        assert result.exit_code == 0, result.output
