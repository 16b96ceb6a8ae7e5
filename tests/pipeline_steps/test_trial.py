"""A tuned study through its commands: design, trials, choice, training."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
import yaml
from click.testing import Result

from pipeline_steps import choose, design, train, trial
from tests.pipeline_steps.conftest import blocks, write_project, write_store
from vaeline.data.store import read_facts_of
from vaeline.models.fitting import fit
from vaeline.models.regularizers import perceptual as perceptual_loss
from vaeline.runs.folder import RunKey, StudyFolder
from vaeline.runs.identity import description_of
from vaeline.runs.tuning import read_choice
from vaeline.study.design import point
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.system import hdf5_files, state_files
from vaeline.system.errors import UserError
from vaeline.system.files import sha256
from vaeline.system.state_files import state_folder
from vaeline.training import job, loop, stages
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job
from vaeline.training.tally import Tally

SPACE = {"training.learning_rate": {"log": [0.0001, 0.01]}, "regularizer.weight": {"linear": [0.5, 2.0]}}
WHERE = StudyFolder("tiny")


def edit(**tuning: Any) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tuning"] = {"trials": [0, 1, 2], "epochs": 2, "space": SPACE, **tuning}
    Path("params.yaml").write_text(yaml.safe_dump(content))


@pytest.fixture
def tuned(project: Study) -> Study:
    edit()
    return load()


def run_tuning(run: Callable[..., Result], variant: str) -> None:
    assert run(design.main, "--variant", variant).exit_code == 0
    for number in load().tuning.trials:
        result = run(trial.main, "--variant", variant, "--trial", number)
        assert result.exit_code == 0, result.output
    result = run(choose.main, "--variant", variant)
    assert result.exit_code == 0, result.output


def found(number: int, variant: str = "flow") -> Path:
    return WHERE.trial(variant, number) / "trial.json"


def test_a_run_is_trained_with_the_values_of_the_best_trial(tuned: Study, run: Callable[..., Result]) -> None:
    run_tuning(run, "flow")
    choice = read_choice(tuned, "flow", read_facts_of(tuned))
    best = min((each.score, each.trial) for each in choice.trials if each.score is not None)
    assert choice.chosen == best[1] and len({each.score for each in choice.trials}) == 3
    assert run(train.main, "--variant", "flow", "--seed", 0).exit_code == 0
    made = description_of(WHERE.run("flow", 0), RunKey("flow", 0))
    assert made.tuned == choice.point and made.is_of(tuned, "flow")
    assert made.training["learning_rate"] == choice.point["training.learning_rate"]
    assert made.variant["regularizer"]["weight"] == choice.point["regularizer.weight"]
    assert (made.training["epochs"], made.variant["latent"]) == (2, 2)


def test_no_trial_opens_the_test_split(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trial asks for it, and none notices that its images are destroyed, which every reader of them does."""
    monkeypatch.setattr(hdf5_files, "LARGE", 1024)  # the bytes of a dataset that its readers verify
    write_project()
    edit()
    with h5py.File("data/blocks.h5") as file:
        images = file["test/images"]
        start, size = images.id.get_offset(), images.id.get_storage_size()
    content = bytearray(Path("data/blocks.h5").read_bytes())
    content[start : start + size] = bytes(255 - each for each in content[start : start + size])
    Path("data/blocks.h5").write_bytes(content)
    splits, read = [], job.read_split
    monkeypatch.setattr(
        job, "read_split", lambda store, split, *others: splits.append(split) or read(store, split, *others)
    )
    run_tuning(run, "flow")
    assert set(splits) == {"train", "validation"} and len(splits) == 2 * len(load().tuning.trials)
    with pytest.raises(UserError, match="damaged"):
        read(Path("data/blocks.h5"), "test", 2**30)


def test_a_killed_trial_ends_in_the_same_bytes(
    tuned: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--variant", "flow", "--trial", 1)
    assert run(trial.main, *words).exit_code == 0
    whole = found(1).read_bytes()
    found(1).unlink()
    for path in state_folder().rglob("epoch-*"):
        path.unlink()
    write = Checkpoints.write

    def killed(self: Checkpoints, epoch: int, *others: Any) -> None:
        write(self, epoch, *others)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", killed)
        run(trial.main, *words)
    assert not found(1).exists()
    epochs, step = [], loop._train_epoch
    monkeypatch.setattr(loop, "_train_epoch", lambda *given: epochs.append(given[2].epoch) or step(*given))
    assert run(trial.main, *words).exit_code == 0
    assert epochs == [2] and found(1).read_bytes() == whole


def test_a_trial_has_a_seed_of_its_own_which_all_variants_share(
    tuned: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    prepare = trial.prepare
    monkeypatch.setattr(trial, "prepare", lambda *given: seeds.append(given[3]) or prepare(*given))
    for variant in ("plain", "flow"):
        for number in (0, 1):
            assert run(trial.main, "--variant", variant, "--trial", number).exit_code == 0
    assert seeds[:2] == seeds[2:] and len(set(seeds)) == 2 and not set(seeds) & set(tuned.study.seeds)
    points = [json.loads(found(0, variant).read_text())["point"] for variant in ("plain", "flow")]
    assert points[0] == points[1]


def test_every_variant_has_the_same_design_which_its_trials_follow(tuned: Study, run: Callable[..., Result]) -> None:
    designs = []
    for variant in ("plain", "flow"):
        assert run(design.main, "--variant", variant).exit_code == 0
        designs.append(json.loads(WHERE.design(variant).read_text())["points"])
    assert run(trial.main, "--variant", "flow", "--trial", 1).exit_code == 0
    assert designs[0] == designs[1] and designs[0][1]["point"] == json.loads(found(1).read_text())["point"]


def test_more_trials_keep_those_that_were_run(tuned: Study, run: Callable[..., Result]) -> None:
    run_tuning(run, "flow")
    before = [sha256(found(number)) for number in range(3)]
    edit(trials=[0, 1, 2, 3])
    assert run(choose.main, "--variant", "flow").exit_code == 1
    assert run(design.main, "--variant", "flow").exit_code == 0
    assert run(trial.main, "--variant", "flow", "--trial", 3).exit_code == 0
    assert run(choose.main, "--variant", "flow").exit_code == 0
    assert [sha256(found(number)) for number in range(3)] == before
    assert len(read_choice(load(), "flow").trials) == 4


def test_a_trial_that_diverges_has_no_score(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(of: Job, checkpoints: Checkpoints, *others: Any) -> Any:
        if of.settings.learning_rate == 1.0:
            raise Tally(1, checkpoints).diverged("step 2", "objective nan")
        return loop.train(of, checkpoints, *others)

    monkeypatch.setattr(stages, "train", diverge)
    edit(space={"training.learning_rate": {"among": [0.001, 1.0]}}, trials=[0, 1])
    run_tuning(run, "flow")
    choice = read_choice(load(), "flow")
    assert choice.point == {"training.learning_rate": 0.001}
    [failed] = [each for each in choice.trials if each.score is None]
    assert failed.failed == "Training diverged at epoch 1, step 2: objective nan."  # and no folder of this machine


def test_a_trial_whose_first_fit_diverges_has_no_score(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*given: Any) -> Any:
        list(
            fit(
                torch.nn.Linear(1, 1),
                perceptual_loss.Options(name="perceptual"),
                lambda adam, epoch: math.nan,
                None,
                "The network",
            )
        )

    monkeypatch.setattr(stages, "pretrain", diverge)
    edit(trials=[0])
    assert run(design.main, "--variant", "flow").exit_code == 0
    result = run(trial.main, "--variant", "flow", "--trial", 0)
    assert result.exit_code == 0, result.output
    failed = json.loads(found(0).read_text())
    assert failed["score"] is None and failed["failed"] == "The network diverged in epoch 1 of its fit (loss nan)."


@pytest.mark.parametrize("in_sum", [False, True])
def test_a_trial_fits_the_network_of_its_regularizer_first(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, in_sum: bool
) -> None:
    perceptual = {"name": "perceptual", "width": 4, "epochs": 2}
    regularizer = {"name": "sum", "parts": [{"name": "kl"}, perceptual]} if in_sum else perceptual
    edit(space={"training.learning_rate": {"log": [0.0001, 0.01]}}, metric="validation_objective", trials=[0])
    content = yaml.safe_load(Path("params.yaml").read_text())
    posterior, prior = {"name": "gaussian" if in_sum else "deterministic"}, {"name": "standard"}
    content["variants"]["flow"] |= {"regularizer": regularizer, "posterior": posterior, "prior": prior}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    stages_run: list[str] = []
    pretrain, fit = stages.pretrain, stages.train

    def pretrained(*given: Any) -> list[float]:
        losses = pretrain(*given)
        stages_run.append(f"{len(losses)} epochs of the network")
        return losses

    def trained(*given: Any) -> Any:
        stages_run.append("training")
        return fit(*given)

    monkeypatch.setattr(stages, "pretrain", pretrained)
    monkeypatch.setattr(stages, "train", trained)
    result = run(trial.main, "--variant", "flow", "--trial", 0)
    assert result.exit_code == 0, result.output
    assert stages_run == ["2 epochs of the network", "training"]
    folders = {path.name.rpartition("-")[0]: path for path in state_folder().iterdir()}
    both = [
        state_files.read_state(next(folders[name].glob("epoch-*.done")))["seconds"]
        for name in ("tiny-flow-trial-0-pretraining", "tiny-flow-trial-0")
    ]
    noted = json.loads((WHERE.trial("flow", 0) / "timing.json").read_text())["trial"]["seconds"]
    assert noted == pytest.approx(sum(both), abs=0.01)


def test_a_trial_that_is_not_named_is_refused(tuned: Study, run: Callable[..., Result]) -> None:
    result = run(trial.main, "--variant", "flow", "--trial", 7)
    assert result.exit_code == 1 and "--trial is 7; tuning.trials in params.yaml contains: 0, 1, 2." in result.output
    result = run(trial.main, "--variant", "flowy", "--trial", 0)
    assert result.exit_code == 1 and "--variant is 'flowy'; study.variants" in result.output


def test_a_metric_that_a_variant_lacks_is_refused_before_its_training(tuned: Study, run: Callable[..., Result]) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["variants"]["plain"].update(posterior={"name": "deterministic"}, regularizer={"name": "none"})
    content["tuning"]["space"] = {"training.learning_rate": {"log": [0.0001, 0.01]}}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(trial.main, "--variant", "plain", "--trial", 0)
    assert result.exit_code == 1
    assert "posterior deterministic has no evidence lower bound; take validation_objective" in result.output


def test_values_with_which_a_model_cannot_be_built_stop_the_first_trial(
    project: Study, run: Callable[..., Result]
) -> None:
    """Some trial has the even kernel; the ends of the range, and trial 0, have an odd one."""
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["dataset"]["pixels"] = "greys"
    for variant in content["variants"].values():
        variant.update(prior={"name": "standard"}, likelihood={"name": "pixelcnn", "layers": 1, "width": 4})
    Path("params.yaml").write_text(yaml.safe_dump(content))
    write_store({name: blocks(24, 1) for name in ("train", "validation", "test")}, pixels="greys")
    space = {"likelihood.kernel": {"whole": [3, 5]}}
    of_trials = [point(space, 0, trial)["likelihood.kernel"] for trial in range(8)]
    odd, even = (next(n for n, each in enumerate(of_trials) if each % 2 == rest) for rest in (1, 0))  # type: ignore[operator]
    edit(space=space, trials=[odd, even])
    result = run(trial.main, "--variant", "flow", "--trial", odd)
    assert result.exit_code == 1 and f"Trial {even} of flow cannot have likelihood.kernel: 4: " in result.output
    assert not found(odd).exists()


def test_a_training_without_a_choice_names_what_to_run(tuned: Study, run: Callable[..., Result]) -> None:
    """The choice that is there is of a study without trials."""
    result = run(train.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and "pipeline_steps.choose --variant flow" in result.output
