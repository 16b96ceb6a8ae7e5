"""Files of a run that lie in the place of other files are refused by every step that reads them."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
import yaml
from click.testing import CliRunner, Result

import vaeline
from pipeline_steps import classifier, evaluate, reference, report, sample, table, train
from tests.made_up import write_choices
from tests.pipeline_steps.conftest import STUDY, write_project
from vaeline.data.paths import DataFiles
from vaeline.explorer import runs as explored
from vaeline.report.plots.shared import rendering
from vaeline.runs.folder import FILES, RunKey
from vaeline.runs.settings_check import other_settings
from vaeline.study.reading import load
from vaeline.study.step_settings import BY_DVC
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import SEAL, write_sealed
from vaeline.system.state_files import state_folder

pytestmark = pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")
RUNS = Path("results/tiny/runs")
FLOW, OTHER_SEED, OTHER_VARIANT = (RUNS / name for name in ("flow/seed-0", "flow/seed-1", "plain/seed-0"))
OTHER_STUDY = Path("results/other/runs/flow/seed-0")
STORE = Path("data/blocks.h5")
SHARED = DataFiles("blocks")
KEYS = [(variant, seed) for variant in ("plain", "flow") for seed in (0, 1)]


def params(**sections: dict[str, Any]) -> None:
    """Write params.yaml with changes in some sections."""
    changed = {name: {**STUDY[name], **section} for name, section in sections.items()}  # type: ignore[dict-item]
    Path("params.yaml").write_text(yaml.safe_dump({**STUDY, **changed}))


def called(step: Any, *words: object) -> Result:
    return CliRunner().invoke(step.main, [str(word) for word in words])


def run_steps(variant: str, seed: int, *steps: Any) -> None:
    for step in steps or (train, sample, evaluate):
        result = called(step, "--variant", variant, "--seed", seed)
        assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study of two variants and two seeds, and a run of another study of the same data."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
        for step in (classifier, reference):
            assert called(step).exit_code == 0
        for variant, seed in KEYS:
            run_steps(variant, seed)
        params(study={"name": "other"}, training={"learning_rate": 0.001})
        write_choices(load())
        run_steps("flow", 0)
        params()
        yield folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is a copy of the project. Plots are not drawn."""
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr(rendering, "svg", lambda _: b"<svg/>")
    monkeypatch.setattr(rendering, "png", lambda _: b"PNG")


def swap(one: Path, other: Path, *names: str) -> None:
    """Swap files between two folders, or the folders."""
    for first, second in [(one / name, other / name) for name in names] or [(one, other)]:
        first.rename("aside")
        second.rename(first)
        Path("aside").rename(second)


def flip(path: Path, dataset: str = "", every: int = 3) -> None:
    """Flip a bit in every third byte of a file's middle, or of a dataset of an HDF5 file."""
    content = bytearray(path.read_bytes())
    start, size = len(content) // 2, len(content) // 4
    if dataset:
        with h5py.File(path) as file:
            start, size = file[dataset].id.get_offset(), file[dataset].nbytes
    for place in range(start, start + size, every):
        content[place] ^= 1
    path.write_bytes(content)


def refused(step: Any, *words: object) -> str:
    """The sentence with which a step refuses."""
    result = called(step, *words)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    return result.output


@pytest.mark.usefixtures("copied")
def test_a_whole_study_is_accepted() -> None:
    for words in ((), ("--partial",)):
        result = called(report, *words)
        assert result.exit_code == 0, result.output
    assert called(table).output.startswith("tiny") and "out of date" not in called(table).stderr
    for variant in ("plain", "flow"):
        for step in ("train", "sample", "evaluate"):
            assert not other_settings(load(), RunKey(variant, 1), step)
    run_steps("flow", 0)  # again, from the last checkpoint


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("other", [OTHER_SEED, OTHER_VARIANT, OTHER_STUDY], ids=["seed", "variant", "study"])
@pytest.mark.parametrize("name", FILES)
def test_no_file_of_another_run_is_reported(name: str, other: Path) -> None:
    assert (FLOW / name).read_bytes() != (other / name).read_bytes()
    swap(FLOW, other, name)
    assert re.search(r"(plain|flow)(/seed-| seed )[01]", refused(report))


TOGETHER = {
    "seed folders": ((FLOW, OTHER_SEED), (), "variant.yaml is of flow seed 1, in the folder of flow seed 0"),
    "variant folders": ((RUNS / "flow", RUNS / "plain"), ("seed-0", "seed-1"), "variant.yaml is of flow seed 0, in the folder of plain seed 0"),
    "models": ((FLOW, OTHER_SEED), ("variant.yaml", "model.safetensors"), "variant.yaml is of flow seed 1"),
    "trainings": ((FLOW, OTHER_SEED), ("variant.yaml", "model.safetensors", "training.csv"), "variant.yaml is of flow seed 1"),
    "samples": ((FLOW, OTHER_SEED), ("samples.h5", "samples.png", "reconstructions.png"), "samples.h5 is of flow seed 1"),
    "metrics": ((FLOW, OTHER_VARIANT), ("metrics.json", "evaluation.json"), "evaluation.json is of flow seed 0, in the folder of plain seed 0"),
    "results": (
        (FLOW, OTHER_SEED), ("samples.h5", "samples.png", "reconstructions.png", "metrics.json", "evaluation.json"), "samples.h5 is of flow seed 1",
    ),
    "models of studies": ((FLOW, OTHER_STUDY), ("variant.yaml", "model.safetensors", "training.csv"), "of the study other, in the folder of"),
    "samples of studies": (
        (FLOW, OTHER_STUDY), ("samples.h5", "samples.png", "reconstructions.png"), "samples.h5 is of other weights than those that are there now",
    ),
    "metrics of studies": (
        (FLOW, OTHER_STUDY), ("metrics.json", "evaluation.json"), "evaluation.json is of other weights than those that are there now",
    ),
    "runs of studies": ((FLOW, OTHER_STUDY), (), "of the study other, in the folder of"),
}  # fmt: skip


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("case", TOGETHER)
def test_no_files_of_another_run_are_reported_together(case: str) -> None:
    folders, names, sentence = TOGETHER[case]
    swap(*folders, *names)
    assert sentence in refused(report)
    partial = called(report, "--partial")
    if case == "variant folders":  # no run is left
        assert partial.exit_code == 1 and sentence in partial.output
        return
    page = Path("results/tiny/partial-report.html").read_text()
    assert sentence in page and "This report is partial" in page


DAMAGE: dict[str, tuple[Callable[[], None], str]] = {
    "weights": (lambda: flip(FLOW / "model.safetensors"), "model.safetensors is damaged"),
    "samples": (lambda: flip(FLOW / "samples.h5", "samples"), "samples.h5 is not a file of samples, or is damaged"),
    "reconstructions": (
        lambda: flip(FLOW / "samples.h5", "reconstructions"),
        "samples.h5 is not a file of samples, or is damaged",
    ),
    "codes": (lambda: flip(FLOW / "samples.h5", "codes"), "samples.h5 is not a file of samples, or is damaged"),
    "curves": (lambda: flip(FLOW / "training.csv"), "training.csv is damaged"),
    "picture": (lambda: flip(FLOW / "samples.png"), "samples.png is damaged"),
    "train split": (lambda: flip(STORE, "train/images"), "blocks.h5 is not a store of vaeline, or is damaged"),
    "validation split": (
        lambda: flip(STORE, "validation/images"),
        "blocks.h5 is not a store of vaeline, or is damaged",
    ),
    "test split": (lambda: flip(STORE, "test/images"), "blocks.h5 is not a store of vaeline, or is damaged"),
    "classifier": (lambda: flip(SHARED.classifier), f"{SHARED.classifier} is damaged"),
    "statistics": (lambda: flip(SHARED.statistics("classifier")), f"{SHARED.statistics('classifier')} is damaged"),
    "numbers": (lambda: flip(SHARED.metrics("classifier")), f"{SHARED.metrics('classifier')} is damaged"),
}


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("case", DAMAGE)
def test_flipped_bytes_are_not_reported(case: str) -> None:
    damage, sentence = DAMAGE[case]
    damage()
    assert sentence in refused(report)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize(
    ("section", "state"),
    [
        ({"training": {"learning_rate": 0.001}}, "trained under other parameters"),
        ({"sampling": {"seed": 1}}, "sampled under other parameters"),
        ({"evaluation": {"likelihood": {"samples": 37}}}, "evaluated under other parameters"),
    ],
)
def test_runs_of_other_parameters_are_not_reported(section: dict[str, Any], state: str) -> None:
    called(report)
    params(**section)
    said = refused(report)
    assert f"flow seed 0 ({state})" in said and BY_DVC in said
    assert f"These results are out of date: {next(iter(section))}." in called(table).stderr


@pytest.mark.usefixtures("copied")
def test_the_table_names_what_was_made_anew_after_the_report() -> None:
    """The results are printed nevertheless: the user may want to see them once more."""
    assert called(report).exit_code == 0
    evaluation = json.loads((FLOW / "evaluation.json").read_text())
    for change, sentence in (
        ({"settings": {}}, "These results are out of date: flow seed 0 was evaluated again; `make run`"),
        ({}, ""),
    ):
        write_sealed(
            FLOW / "evaluation.json", {name: value for name, value in (evaluation | change).items() if name != SEAL}
        )
        said = called(table).stderr
        assert sentence in said if sentence else not said
    for path in (SHARED.classifier, SHARED.statistics("classifier"), SHARED.metrics("classifier")):
        content = path.read_bytes()
        flip(path)
        assert f"These results are out of date: {path} is damaged" in called(table).stderr
        path.write_bytes(content)
    of_classifier = SHARED.classifier.read_bytes()
    params(classifier={"seeds": [1]})
    for step in (classifier, reference):
        assert called(step).exit_code == 0
    params()
    assert f"{SHARED.classifier} was made with other settings" in called(table).stderr
    SHARED.classifier.write_bytes(of_classifier)
    printed = called(table)
    assert "plain/seed-0 was evaluated with another reference than that of the data set now" in printed.stderr
    assert printed.exit_code == 0 and "Report: results/tiny/report.html" in printed.stdout
    (FLOW.parents[1] / "plain/seed-0/evaluation.json").unlink()
    assert "out of date: There is no results/tiny/runs/plain/seed-0/evaluation.json" in called(table).stderr


@pytest.mark.usefixtures("copied")
def test_a_partial_report_says_what_it_lacks() -> None:
    for path, without in ((SHARED.metrics("classifier"), "no floors, ceilings"), (STORE, "no real images")):
        path.unlink()
        found = called(report, "--partial")
        assert found.exit_code == 0 and f"There is no {path}, so the page has {without}" in found.stderr
    shutil.copy(FLOW / "metrics.json", SHARED.metrics("classifier"))
    assert f"{SHARED.metrics('classifier')} is damaged" in refused(report, "--partial")


@pytest.mark.usefixtures("copied")
def test_runs_of_two_classifiers_are_not_reported() -> None:
    params(classifier={"seeds": [1]})
    for step in (classifier, reference):
        assert called(step).exit_code == 0
    assert "flow/seed-0 was evaluated with another" in refused(report).replace("plain", "flow")
    run_steps("flow", 0, evaluate)
    assert "was evaluated with another" in refused(report)


@pytest.mark.usefixtures("copied")
def test_runs_of_other_images_are_not_reported() -> None:
    write_project(seed=10)
    assert "was trained on other images than those of data/blocks.h5" in refused(report)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("variant.yaml", "model.safetensors"), "variant.yaml is of flow seed 1, in the folder of flow seed 0"),
        (("variant.yaml",), "variant.yaml is of flow seed 1, in the folder of flow seed 0"),
        (("model.safetensors",), "it is not the one that variant.yaml describes"),
    ],
)
def test_a_model_of_another_seed_is_neither_sampled_nor_evaluated(names: tuple[str, ...], sentence: str) -> None:
    swap(FLOW, OTHER_SEED, *names)
    for step in (sample, evaluate):
        assert sentence in refused(step, "--variant", "flow", "--seed", 0)


@pytest.mark.usefixtures("copied")
def test_a_model_of_other_settings_is_not_sampled() -> None:
    params(training={"epochs": 3})
    found = refused(sample, "--variant", "flow", "--seed", 0)
    assert "training.epochs 2, now 3; run `python" in found


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda: swap(FLOW, OTHER_SEED, "samples.h5"), "samples.h5 is of flow seed 1"),
        (lambda: swap(FLOW, OTHER_STUDY, "samples.h5"), "samples.h5 is of other weights"),
        (lambda: flip(FLOW / "samples.h5", "samples"), "samples.h5 is not a file of samples, or is damaged"),
        (lambda: params(sampling={"seed": 1}), "sampling.seed 0, now 1"),
        (lambda: params(training={"epochs": 3}), "training.epochs 2, now 3"),
    ],
)
def test_samples_of_another_run_are_not_evaluated(change: Callable[[], None], sentence: str) -> None:
    change()
    assert sentence in refused(evaluate, "--variant", "flow", "--seed", 0)


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize(
    ("one", "other"),
    [("flow-seed-0", "flow-seed-1"), ("flow-seed-1", "flow-seed-0"), ("flow-seed-0", "plain-seed-0")],
)
def test_a_training_does_not_continue_from_another(one: str, other: str) -> None:
    [target], [source] = (sorted(state_folder().glob(f"tiny-{name}-?*[0-9a-f]")) for name in (one, other))
    for checkpoint in source.glob("epoch-*"):
        shutil.copy(checkpoint, target / checkpoint.name)
    variant, seed = one.split("-seed-")
    found = refused(train, "--variant", variant, "--seed", seed)
    assert f"epoch-00002.done is of the training tiny-{other}, not of tiny-{one}; delete it" in found


@pytest.mark.usefixtures("copied")
def test_only_whole_runs_are_loaded_from_any_folder() -> None:
    shutil.copytree(FLOW, "best")
    assert vaeline.load("best").sample(2).shape == (2, 1, 8, 8)
    shutil.copy(OTHER_SEED / "model.safetensors", "best")
    with pytest.raises(UserError, match="not the one that variant.yaml describes"):
        vaeline.load("best")
    shutil.copytree(FLOW, "edited")
    path = Path("edited/variant.yaml")
    path.write_text(path.read_text().replace("seed: 0", "seed: 1"))
    with pytest.raises(UserError, match=r"variant.yaml is damaged .*its checksum differs"):
        vaeline.load("edited")


@pytest.mark.usefixtures("copied")
def test_a_run_in_the_place_of_another_is_not_loaded() -> None:
    swap(FLOW, OTHER_SEED)
    with pytest.raises(
        UserError, match=r"variant.yaml is of flow seed 1 of the study tiny, in the folder of flow seed 0"
    ):
        vaeline.load(FLOW)
    shutil.copytree("results/tiny", "results/copy")
    with pytest.raises(UserError, match=r"is of plain seed 0 of the study tiny, .* of the study copy"):
        vaeline.load("results/copy/runs/plain/seed-0")


@pytest.mark.usefixtures("copied")
def test_a_swapped_run_is_not_explored() -> None:
    swap(FLOW, OTHER_SEED)
    for found in (explored.find(load()), explored.find_named("tiny")):
        assert "variant.yaml is of flow seed 1" in found.missing["flow", 0]
        assert set(found.finished) == {("plain", 0), ("plain", 1)}
    swap(RUNS / "plain/seed-0", RUNS / "plain/seed-1")
    with pytest.raises(UserError, match=r"no trained run of the study \(.*variant.yaml is of plain seed 1"):
        explored.find(load())


@pytest.mark.usefixtures("copied")
def test_the_table_names_results_of_runs_of_before() -> None:
    assert called(report).exit_code == 0
    swap(FLOW, OTHER_SEED, "variant.yaml")
    params(study={"name": "renamed"})
    shutil.copytree("results/tiny", "results/renamed")
    assert "comparison.json has the results of the study tiny, not of renamed" in called(table).stderr
    params()
    assert "These results are out of date: flow seed 0" in called(table).stderr


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("step", ["train", "sample", "evaluate"])
def test_the_check_of_settings_names_other_runs_and_other_settings(step: str) -> None:
    params(training={"device": "cpu"})
    assert "training.device 'auto', now 'cpu'" in other_settings(load(), RunKey("flow", 0), step)
    params()
    swap(FLOW, OTHER_SEED)
    assert "variant.yaml is of flow seed 1" in other_settings(load(), RunKey("flow", 0), step)
    assert "no longer contains the variant fish" in other_settings(load(), RunKey("fish", 0), step)
    shutil.rmtree(FLOW)
    assert "There is no results/tiny/runs/flow/seed-0/variant.yaml" in other_settings(load(), RunKey("flow", 0), step)
