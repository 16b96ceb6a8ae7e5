"""The evaluate stage measures one run and records how each metric was computed."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import Result

from pipeline_steps import classifier, closure, draw, evaluate, reference, sample
from tests.made_up import identity
from tests.pipeline_steps.conftest import blocks, write_store
from tests.pipeline_steps.test_classifier import invisible
from vaeline.data import store
from vaeline.data.facts import UnseenLabels
from vaeline.data.store import read_facts
from vaeline.evaluation.catalogue import catalogue
from vaeline.models.model import Model
from vaeline.runs.evaluation_file import read_evaluation
from vaeline.runs.folder import StudyFolder
from vaeline.runs.model_files import save
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.system.state_files import state_folder

pytestmark = pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")


@pytest.fixture
def drawn(project: Study, run: Callable[..., Result]) -> Study:
    """An untrained run of each variant with its samples, and the reference."""
    facts = read_facts(Path("data/blocks.h5"))
    run(classifier.main)
    run(reference.main)
    for variant, options in project.variants.items():
        torch.manual_seed(0)
        folder = StudyFolder("tiny").run(variant, 0)
        save(folder, Model(options, facts), facts, identity(project, variant, 0, folder))
        run(sample.main, "--variant", variant, "--seed", 0)
    return project


@pytest.mark.parametrize("variant", ["plain", "flow"])
def test_every_metric_is_finite_and_defined(drawn: Study, run: Callable[..., Result], variant: str) -> None:
    result = run(evaluate.main, "--variant", variant, "--seed", 0)
    assert result.exit_code == 0, result.output
    folder = StudyFolder("tiny").run(variant, 0)
    metrics, evaluation = json.loads((folder / "metrics.json").read_text()), read_evaluation(folder).metrics
    expected = {
        "negative_elbo",
        "nll",
        "nll_given_label_refit",
        "bits_per_dim",
        "fd_sample",
        "condition_accuracy",
    }
    assert expected <= set(metrics)
    assert {name for name, how in evaluation.items() if "definition" in how} == set(metrics)
    floor = json.loads(Path("data/blocks.classifier.json").read_text())["metrics"]["fd_floor"]["value"]
    assert metrics["fd_reconstruction"] > floor
    assert not metrics.keys() & catalogue().references.keys()
    assert (metrics["nll_refit"] == metrics["nll"]) == (variant == "flow")


def test_each_metric_uses_the_split_it_records(drawn: Study, run: Callable[..., Result]) -> None:
    run(evaluate.main, "--variant", "flow", "--seed", 0)
    evaluation = read_evaluation(StudyFolder("tiny").run("flow", 0)).metrics
    facts = read_facts(Path("data/blocks.h5"))
    measured = {name: how for name, how in evaluation.items() if "split" in how}
    for name, how in measured.items():
        assert how["split_sha256"] == facts.checksums[how["split"]], name
        assert how.get("of", how["images"]) == facts.counts[how["split"]], name
    assert {name for name, how in measured.items() if how["split"] == "train"} >= {"skl", "mutual_information"}
    assert evaluation["probe_linear"]["fitted_to"] == facts.counts["train"]
    known = json.loads(Path("data/blocks.classifier.json").read_text())["metrics"]
    of_floor = {known[name][count] for name in ("fd_floor", "kd_floor") for count in ("images", "of")}
    assert of_floor == {facts.counts["test"]} == {known["classifier_accuracy"]["images"]}


def test_another_evaluation_seed_draws_different_samples(drawn: Study, run: Callable[..., Result]) -> None:
    content, found = yaml.safe_load(Path("params.yaml").read_text()), []
    for seed in (0, 1):
        content["evaluation"]["seed"] = seed
        Path("params.yaml").write_text(yaml.safe_dump(content))
        assert run(evaluate.main, "--variant", "plain", "--seed", 0).exit_code == 0
        evaluation = read_evaluation(StudyFolder("tiny").run("plain", 0)).metrics
        assert {evaluation[name]["seed"] for name in ("nll", "skl", "probe_linear")} == {seed}
        found.append(
            {name: evaluation[name]["value"] for name in ("nll", "negative_elbo", "skl", "mutual_information")}
        )
    assert all(found[0][name] != found[1][name] for name in found[0])


def test_two_seeds_of_the_same_weights_draw_numbers_of_their_own(drawn: Study, run: Callable[..., Result]) -> None:
    facts, found = read_facts(Path("data/blocks.h5")), []
    for seed in (0, 1):
        torch.manual_seed(0)
        folder = StudyFolder("tiny").run("plain", seed)
        save(folder, Model(drawn.variants["plain"], facts), facts, identity(drawn, "plain", seed, folder))
        for step in (sample, evaluate):
            assert run(step.main, "--variant", "plain", "--seed", seed).exit_code == 0
        found.append(read_evaluation(folder).metrics)
    one, other = found
    for name in ("nll", "negative_elbo", "skl", "mutual_information", "fd_sample"):
        assert one[name]["value"] != other[name]["value"]
    for name in ("fd_reconstruction", "active_units"):  # these draw nothing, and the images are the same
        assert one[name] == other[name]


def test_a_collapsed_run_is_said_to_have_collapsed_and_not_ranked_by_pockets(
    drawn: Study, run: Callable[..., Result]
) -> None:
    folder, facts = StudyFolder("tiny").run("plain", 0), read_facts(Path("data/blocks.h5"))
    model = Model(drawn.variants["plain"], facts)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.zero_()  # q(z|x) = N(0, I)
    save(folder, model, facts, identity(drawn, "plain", 0, folder))
    for step in (sample, evaluate):
        assert run(step.main, "--variant", "plain", "--seed", 0).exit_code == 0
    found = read_evaluation(folder).metrics
    assert (found["posterior"]["verdict"], found["posterior"]["in_use"]) == ("collapsed", 0)
    assert found["shuffle_loss"]["value"] == 0 and found["rate"]["value"] == 0
    described = {name for name, how in found.items() if "collapsed" in how.get("descriptive", "")}
    assert described == {"skl", "fd_low_posterior", "kd_low_posterior"}


def test_running_it_twice_writes_the_same_bytes(drawn: Study, run: Callable[..., Result]) -> None:
    folder = StudyFolder("tiny").run("flow", 0)
    contents = []
    for _ in range(2):
        run(evaluate.main, "--variant", "flow", "--seed", 0)
        contents.append((folder / "metrics.json").read_bytes() + (folder / "evaluation.json").read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", ["samples.h5", "model.safetensors", "variant.yaml"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_missing_or_damaged_file_is_reported(
    drawn: Study, run: Callable[..., Result], name: str, damage: str
) -> None:
    path = StudyFolder("tiny").run("flow", 0) / name
    content = path.read_bytes()
    path.unlink()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 3])
    result = run(evaluate.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1
    assert name in result.output and "Traceback" not in result.output
    assert not (path.parent / "metrics.json").exists()


def test_a_store_of_different_images_is_refused(drawn: Study, run: Callable[..., Result]) -> None:
    facts, other = read_facts(Path("data/blocks.h5")), blocks(40, 9)
    store.write(Path("data/blocks.h5"), facts, {"train": other, "validation": other, "test": other})
    for step in (evaluate, sample):
        result = run(step.main, "--variant", "flow", "--seed", 0)
        assert result.exit_code == 1
        assert "holds other images than those that this run was trained on" in result.output


def test_a_reference_of_another_classifier_is_refused(drawn: Study, run: Callable[..., Result]) -> None:
    """The classifier and its features are of the right data and settings, but the reference is of the one before."""
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["classifier"]["epochs"] = 19
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(evaluate.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1
    assert "classifier.epochs 20, now 19" in result.output and "pipeline_steps.classifier" in result.output
    assert run(classifier.main).exit_code == 0
    result = run(evaluate.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and "The reference was measured with" in result.output
    assert run(reference.main).exit_code == 0
    assert run(evaluate.main, "--variant", "flow", "--seed", 0).exit_code == 0


@pytest.mark.parametrize(
    ("section", "key", "value", "sentence"),
    [
        ("dataset", "range", [0.0, 1.0], "data/blocks.h5 was made with other settings"),
        ("evaluation", "by_label", True, "reference.safetensors was made with other settings"),
    ],
)
def test_shared_files_of_other_settings_are_refused(
    drawn: Study, run: Callable[..., Result], section: str, key: str, value: object, sentence: str
) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content[section][key] = value
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(evaluate.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and sentence in result.output and f"{section}.{key}" in result.output


@pytest.mark.filterwarnings("ignore::vaeline.evaluation.skill.LearnedNothing")
def test_a_classifier_that_learned_nothing_gives_dashes(project: Study, run: Callable[..., Result]) -> None:
    counts = {"train": 96, "validation": 24, "test": 40}
    facts = write_store({name: invisible(blocks(count, count)) for name, count in counts.items()})
    run(classifier.main)
    run(reference.main)
    folder = StudyFolder("tiny").run("plain", 0)
    save(folder, Model(project.variants["plain"], facts), facts, identity(project, "plain", 0, folder))
    for step in (sample, evaluate):
        result = run(step.main, "--variant", "plain", "--seed", 0)
        assert result.exit_code == 0, result.output
    evaluation = read_evaluation(folder).metrics
    for name in ("condition_accuracy", "fd_sample", "kd_reconstruction", "recall"):
        assert evaluation[name]["dash"].startswith(
            "the classifier was not shown to be better than chance on 24 validation images"
        )
    assert "value" in evaluation["nll"]


def test_samples_under_labels_that_training_never_saw_are_called_out(
    project: Study, run: Callable[..., Result]
) -> None:
    splits = {name: blocks(count, count) for name, count in {"train": 96, "validation": 24, "test": 40}.items()}
    splits["train"].labels[:] = 0
    facts, asked = write_store(splits), int(splits["test"].labels.sum())
    for variant, condition in (("plain", {"embedding": 2}), ("flow", {"embedding": None})):
        content = yaml.safe_load(Path("params.yaml").read_text())
        content["variants"][variant]["condition"] = condition
        Path("params.yaml").write_text(yaml.safe_dump(content))
        folder = StudyFolder("tiny").run(variant, 0)
        save(folder, Model(load().variants[variant], facts), facts, identity(load(), variant, 0, folder))
        with pytest.warns(UnseenLabels, match=rf"{asked} of 40 test images.*: side=right \({asked}\)"):
            assert run(sample.main, "--variant", variant, "--seed", 0).exit_code == 0
        with pytest.warns(UnseenLabels, match=r"3 of 3 images to draw .*: side=right \(3\)"):
            run(draw.main, folder, "--set", "side=right", "--count", 3, "--out", "a.png")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnseenLabels)
            assert run(draw.main, folder, "--set", "side=left", "--count", 3, "--out", "a.png").exit_code == 0


def sections(run: Callable[..., Result]) -> dict[str, str]:
    """The names of the results that an evaluation keeps -> the file of each."""
    assert run(evaluate.main, "--variant", "flow", "--seed", 0).exit_code == 0
    found = sorted(path.name for path in state_folder("tiny-flow-seed-0-evaluation").glob("*.kept"))
    return {name.rpartition("-")[0]: name for name in found}


DRAWN = ("low_posterior", "reconstruction", "sample")
FEATURES, FID, KD = (
    {f"{name}-{subject}-judge-0" for subject in DRAWN} for name in ("features", "frechet_distance", "kernel_distance")
)
OF_IMAGES = FID | KD | {"memorisation-sample-judge-0", "precision_recall-sample-judge-0"}
LABELS = {"labels-judge-0"}
LIKELIHOODS = {"elbo", "likelihood-own", "annealing-own", "sandwich-own"}
LATENTS = {"aggregate", "posteriors", "collapse"}
ALL = FEATURES | OF_IMAGES | LABELS | LIKELIHOODS | LATENTS | {"representation"}
AGAIN = {  # a file -> what an edit of it computes again
    "vaeline/metrics/frechet_distance.py": FID,
    "vaeline/metrics/condition_accuracy.py": LABELS | {"representation"},  # probes call it
    "vaeline/metrics/elbo.py": set(),
    "vaeline/metrics/probes.py": {"representation"},
    "vaeline/evaluation/features/classifier.py": FEATURES | OF_IMAGES | LABELS,
    "vaeline/evaluation/images.py": FEATURES | OF_IMAGES,
    "vaeline/evaluation/conditions.py": LABELS,
    "vaeline/evaluation/halves.py": OF_IMAGES | LABELS,
    "vaeline/evaluation/likelihood.py": LIKELIHOODS,
    "vaeline/evaluation/latents.py": LATENTS,
    "vaeline/data/store.py": ALL,
    "pipeline_steps/evaluate.py": ALL,
}


def test_an_edit_computes_again_what_the_code_decides(
    drawn: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of a metric computes that metric alone, and one of the code that chooses inputs all that is made of them."""
    before, digest, edited = sections(run), closure._digest, set()
    assert set(before) == ALL
    monkeypatch.setattr(closure, "_digest", lambda path: digest(path) + "edited" * (path in edited))
    for file, again in AGAIN.items():
        edited.add(closure.ROOT / file)
        after = sections(run)
        assert {name for name in before if before[name] != after[name]} == again, file
        before = after


def test_another_option_or_reference_of_a_feature_space_measures_again(
    drawn: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A space may say the same of itself for each of its options."""
    before = sections(run)
    monkeypatch.setattr(type(drawn.evaluation.features), "model_dump", lambda self, **_: {"side": 4})
    after = sections(run)
    assert {name for name in before if before[name] != after[name]} == FEATURES | OF_IMAGES | LABELS
    monkeypatch.setattr("vaeline.evaluation.reference_file.checksum", lambda tensors: "another")
    assert {name for name, path in sections(run).items() if path != after[name]} == OF_IMAGES


def judged_by(run: Callable[..., Result], *seeds: int) -> dict[str, str]:
    """Measure the run under classifiers of these seeds: kept sections, as in `sections`."""
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["classifier"]["seeds"] = list(seeds)
    Path("params.yaml").write_text(yaml.safe_dump(content))
    for step in (classifier.main, reference.main):
        assert run(step).exit_code == 0
    return sections(run)


def test_another_classifier_computes_nothing_of_the_others_again(drawn: Study, run: Callable[..., Result]) -> None:
    before = sections(run)
    after = judged_by(run, 0, 1)
    of_other = {name.replace("-judge-0", "-judge-1") for name in FEATURES | OF_IMAGES | LABELS}
    assert set(after) == ALL | of_other
    assert all(before[name] == after[name] for name in ALL)


def test_several_classifiers_give_means_and_the_value_of_each(drawn: Study, run: Callable[..., Result]) -> None:
    folder, found = StudyFolder("tiny").run("flow", 0), {}
    for seeds in ((0,), (1,), (0, 1)):
        judged_by(run, *seeds)
        found[seeds] = (
            read_evaluation(folder).metrics,
            json.loads(Path("data/blocks.classifier.json").read_text())["metrics"],
        )
    for place, names in enumerate(
        (("fd_sample", "kd_reconstruction", "precision", "condition_accuracy"), ("fd_floor", "classifier_accuracy"))
    ):
        [one, other], both = [found[seeds][place] for seeds in ((0,), (1,))], found[0, 1][place]
        for name in names:
            values = {"0": one[name]["value"], "1": other[name]["value"]}
            assert both[name]["by_judge"] == values and "by_judge" not in one[name]
            assert both[name]["value"] == pytest.approx(sum(values.values()) / 2)
            key = "judge" if "judge" in one[name] else "weights"
            assert both[name][key] == {"0": one[name][key], "1": other[name][key]}
    assert found[0, 1][0]["nll"] == found[0,][0]["nll"]
