"""Results are kept for pages if the study is finished, and nothing has changed since."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from pipeline_steps import keep_results, staleness
from pipeline_steps.code_hashes import modules_at
from tests import made_up
from tests.made_up import study_content, write_run
from tests.made_up_results import kept
from vaeline.data import paths, source_fingerprint
from vaeline.data.paths import DataFiles
from vaeline.report import compare, comparison, kept_results, provenance, results
from vaeline.runs import tuning
from vaeline.runs.folder import StudyFolder
from vaeline.study.design import point
from vaeline.study.reading import load
from vaeline.system.errors import UserError
from vaeline.system.files import write_json
from vaeline.system.machine_paths import without_machine_paths
from vaeline.system.sealed_files import write_sealed

FOLDER = Path("results/tiny")
CODE = {"report": "a", **{step: {"one": "b", "two": "c"} for step in ("train", "sample", "evaluate")}}
DATASET = study_content(("one",), (0,))["dataset"]["name"]
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished study, in a repository."""
    root = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(root)
        declare()
        for variant, value in (("one", 1.0), ("two", 3.0)):
            for seed in range(2):
                write_run(FOLDER / f"runs/{variant}/seed-{seed}", {"nll": value + seed / 10}, of=load())
        noted = {"seconds": 1.0, "host": "a", "finished": "2026-11-30", "hardware": "a machine, 2 cores"}
        write_json(FOLDER / "runs/one/seed-0/timing.json", {"train": noted})
        comparison.write(FOLDER / "comparison.json", compare.compare(results.read(FOLDER / "runs", load())))
        write_json(FOLDER / "code.json", CODE)
        Path("vaeline").mkdir()
        Path("vaeline/model.py").write_text("kept = 1\n")
        for words in (["init", "--quiet"], ["add", "vaeline"], [*IDENTITY, "commit", "--quiet", "--message", "a"]):
            subprocess.run(["git", *words], check=True)
    return root


@pytest.fixture(autouse=True)
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(staleness, "hashes", lambda study: CODE)
    monkeypatch.setattr(keep_results, "closure", lambda modules: set())


def declare(seeds: tuple[int, ...] = (0, 1), rate: float = 0.01, name: str = "tiny") -> None:
    content = study_content(("one", "two"), seeds)
    content["study"]["name"] = name
    content["training"]["learning_rate"] = rate
    content["dataset"]["source"] = "/home/me/data"
    Path("params.yaml").write_text(yaml.safe_dump(content))


def test_the_active_study_is_kept_without_paths(run: Callable[..., Result]) -> None:
    said = run(keep_results.main)
    assert said.exit_code == 0, said.output
    found = kept_results.read("tiny")
    assert (found.study, found.trained, found.hardware, found.images["train"]) == (
        "tiny",
        ["2026-11-30"],
        ["a machine, 2 cores"],
        4,
    )
    assert len(found.commit) == 40 and not found.edited and found.params["study"]["seeds"] == [0, 1]
    assert found.params["dataset"]["source"] == "data" and "/home" not in Path("docs/results/tiny.json").read_text()
    assert found.comparison == kept_results.reduced(comparison.read(FOLDER / "comparison.json"))


def test_edits_of_the_code_behind_the_results_are_named(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that no step needs, such as this command, does not count; one under a new name does."""
    for name in ("before", "beside"):
        Path(f"vaeline/{name}.py").write_text("kept = 1\n")
    subprocess.run(["git", "add", "vaeline/before.py"], check=True)
    subprocess.run(["git", *IDENTITY, "commit", "--quiet", "--message", "b"], check=True)
    subprocess.run(["git", "mv", "vaeline/before.py", "vaeline/behind.py"], check=True)  # which git calls a renaming
    monkeypatch.setattr(keep_results, "closure", lambda modules: {keep_results.ROOT / "vaeline/behind.py"})
    assert run(keep_results.main).exit_code == 0 and kept_results.read("tiny").edited == ["vaeline/behind.py"]


def test_edits_of_a_study_and_of_own_parts_are_named(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit without them would make another study; one that changed the study alone is the one to name."""
    for name, content in (("studies/base", "{}"), ("studies/tiny", "extends: base"), ("studies/other", "{}")):
        Path(name).parent.mkdir(exist_ok=True)
        Path(f"{name}.yaml").write_text(content)
    monkeypatch.setattr(keep_results, "_command", lambda study: ("`make run`", []))
    monkeypatch.setattr(keep_results, "_epochs", lambda study: [1])
    Path("parts/priors").mkdir(parents=True)
    Path("parts/priors/näher.py").write_text("kept = 1\n")
    monkeypatch.setattr(keep_results, "closure", lambda modules: {keep_results.ROOT / "parts/priors/näher.py"})
    assert run(keep_results.main).exit_code == 0
    assert kept_results.read("tiny").edited == ["parts/priors/näher.py", "studies/base.yaml", "studies/tiny.yaml"]
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", *IDENTITY, "commit", "--quiet", "--message", "b"], check=True)
    Path("studies/base.yaml").write_text("study: {}")
    subprocess.run(["git", *IDENTITY, "commit", "--quiet", "--all", "--message", "c"], check=True)
    last = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert run(keep_results.main).exit_code == 0
    assert (kept_results.read("tiny").commit, kept_results.read("tiny").edited) == (last, [])
    Path(".git/index").write_bytes(b"damaged")
    said = run(keep_results.main)
    assert said.exit_code == 1 and "git cannot read the repository" in said.output, said.output


def test_the_commit_of_a_repository_around_the_project_is_none_of_its_code(
    tmp_path: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that was unpacked in a folder which that repository ignores."""
    inside = tmp_path / "unpacked"
    inside.mkdir()
    for name in ("params.yaml", "results", "vaeline"):
        shutil.move(name, inside / name)
    shutil.rmtree(".git")
    Path(".gitignore").write_text("unpacked/\n")
    for words in (["init", "--quiet"], ["add", "."], [*IDENTITY, "commit", "--quiet", "--message", "a"]):
        subprocess.run(["git", *words], check=True)
    monkeypatch.chdir(inside)
    said = run(keep_results.main)
    assert said.exit_code == 1 and "git knows none of this folder" in said.output, said.output
    assert provenance.environment().get("commit") is None


def test_a_study_that_git_refuses_to_read_is_not_kept(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    said = run(keep_results.main)
    assert said.exit_code == 1 and "git cannot read the repository (fatal: detected dubious ownership" in said.output
    assert provenance.environment()["commit"] == "unknown: git refuses to read the repository"


def test_every_stage_behind_the_results_is_one_of_dvc() -> None:
    """A misspelt one would be in no dvc.lock, and never be stale."""
    stages = yaml.safe_load((keep_results.ROOT / "dvc.yaml").read_text())["stages"]
    tuning = load().tuning.model_copy(update={"trials": [0, 1]})
    study = load().model_copy(update={"tuning": tuning})
    matrices = {
        "code": 1, "download": 1, "preprocess": 1, "classifier": 1, "reference": 1, "design": 2, "trial": 4, "choose": 2,
        "train": 4, "sample": 4, "evaluate": 4, "report": 1,
    }  # fmt: skip
    found = staleness.stages(study)
    assert {name.partition("@")[0] for name in found} == matrices.keys() - {"code"} <= stages.keys()
    for name, key in found.items():
        step, _, of = name.partition("@")
        assert of.count("-") >= len(stages[step]["matrix"]) - 1 and modules_at(study, key)
    assert all(
        sum(name.startswith(f"{step}@") for name in found) == matrices[step] for step in matrices if step != "code"
    )
    assert not any(name.startswith(("design", "trial", "choose")) for name in staleness.stages(load()))


@pytest.mark.parametrize(
    ("stage", "key"), [("trial@tiny-two-0", "trial.two"), ("choose@tiny-one", "choose"), ("design@tiny-one", "design")]
)
def test_results_of_a_stale_tuning_are_stale(stage: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {**CODE, "design": "d", "choose": "e", "trial": {"one": "f", "two": "f"}}
    monkeypatch.setattr(staleness, "hashes", lambda study: made)
    write_json(FOLDER / "code.json", made)
    study = load().model_copy(update={"tuning": load().tuning.model_copy(update={"trials": [0]})})
    found = results.read(FOLDER / "runs", load())
    compared = compare.compare(found)
    monkeypatch.setattr(staleness.outdated, "changes", lambda compared, study: [])
    assert staleness.why_stale(StudyFolder("tiny"), study, compared, found) == ""
    before = {"params": {str(FOLDER / "code.json"): {key: "before"}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {stage: before}}))
    assert staleness.why_stale(StudyFolder("tiny"), study, compared, found) == f"the code of the step {key} has changed"


def test_runs_of_other_values_than_the_tuning_has_chosen_are_not_kept(run: Callable[..., Result]) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tuning"] = {"trials": [0], "space": {"training.learning_rate": {"log": [0.001, 0.1]}}}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    study = load()
    for variant in ("one", "two"):
        tuning.write_design(study, variant)
        tried = point(study.tuning.space, 0, 0)
        facts = replace(made_up.facts(), checksums={"train": "a", "validation": "b", "test": "c"})
        tuning.write_trial(study, variant, facts, tuning.Trial(trial=0, point=tried, score=1.0))
        tuning.write_choice(study, variant)
    said = run(keep_results.main).output
    assert "one seed 0 is trained with other values than its tuning has chosen" in said and said.count("\n") == 1


def test_another_study_is_kept_by_its_name(run: Callable[..., Result]) -> None:
    """Its settings are those of its report."""
    params = load().model_dump(mode="json")
    declare(rate=0.5, name="other")
    assert (
        "'tinny' has no report in results; did you mean tiny? Finished are: tiny."
        in run(keep_results.main, "tinny").output
    )
    Path("params.yaml").unlink()
    assert (
        "There is no params.yaml, so that no study is active; name one; finished are: tiny."
        in run(keep_results.main).output
    )
    assert run(keep_results.main, "tiny").exit_code == 0
    assert kept_results.read("tiny").params == without_machine_paths(params)


def test_a_changed_setting_names_no_path_of_the_machine() -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    for path, weights in (("studies/tiny.yaml", "download"), ("params.yaml", "/home/me/inception.pth")):
        content["evaluation"]["features"] = {"name": "inception", "weights": weights}
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(yaml.safe_dump(content))
    assert keep_results._command(load())[1] == ["evaluation.features.weights 'download', now 'inception.pth'"]


def test_a_quick_overlay_does_not_replace_the_whole_study() -> None:
    kept_results.write(kept({"nll": {"one": [1.0, 1.1], "two": [3.0, 3.1]}}, study="tiny"))
    keep_results._refuse_less("tiny")
    with pytest.raises(UserError, match=r"docs/results/tiny.json holds the results of the whole study tiny; remove it"):
        keep_results._refuse_less("tiny_quick")
    kept_results.path_of("tiny").write_text("damaged")
    keep_results._refuse_less("tiny_quick")


def test_an_unfinished_study_is_refused(run: Callable[..., Result]) -> None:
    (FOLDER / "runs/two/seed-1/evaluation.json").unlink()
    said = run(keep_results.main).output
    assert said == (
        "Error: The study tiny is unfinished: two seed 1 is sampled, not evaluated; run it to its end (`make run`), and try again.\n"
    )


def evaluate_again() -> None:
    shutil.rmtree(FOLDER / "runs/two/seed-1")
    write_run(FOLDER / "runs/two/seed-1", {"nll": 7.0}, of=load())


def change_grid() -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["classifier"] = {"epochs": 30}
    Path("params.yaml").write_text(yaml.safe_dump(content))


def of_study(**changed: object) -> Callable[[], None]:
    def change() -> None:
        content = yaml.safe_load(Path("params.yaml").read_text())
        content["study"] |= changed
        Path("params.yaml").write_text(yaml.safe_dump(content))

    return change


def change_source() -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    Path("mine").mkdir()
    Path("mine/image").write_text("a")
    content["dataset"]["source"] = "mine"
    Path("params.yaml").write_text(yaml.safe_dump(content))
    dataset = load().dataset
    manifest = DataFiles(dataset.id).manifest
    of = {"id": dataset.id, "dataset": dataset.name, "source": dataset.source}
    write_sealed(manifest, {**of, source_fingerprint.KEY: source_fingerprint.of_source(dataset)})
    comparison.write(FOLDER / "comparison.json", compare.compare(results.read(FOLDER / "runs", load())))
    assert not staleness.source_changed(load())
    Path("mine/image").write_text("b")


def edit_code() -> None:
    write_json(FOLDER / "code.json", {**CODE, "sample": {"one": "b", "two": "edited"}})


def edit_code_and_plan() -> None:
    """An engine that was only asked what it would do has written code.json anew, and the runs are those of before."""
    made = {"params": {str(FOLDER / "code.json"): {"train.two": "before"}, "params.yaml": {}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"train@tiny-two-1": made, "train@tiny-two-9": {}}}))


def edit_preprocessing() -> None:
    write_json(paths.CODE, {"preprocess": {load().dataset.name: "before"}})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (evaluate_again, "two seed 1 was trained or evaluated again"),
        (change_grid, "classifier.epochs 20, now 30"),
        (of_study(seeds=[0]), "study.seeds [0, 1], now [0]"),
        (of_study(variants=["one"]), "study.variants ['one', 'two'], now ['one']"),
        (of_study(baseline="one"), "study.baseline None, now 'one'"),
        (of_study(primary=["kl"]), "study.primary ['nll'], now []"),
        (change_source, "files in mine have changed"),
        (edit_code, "the code of the step sample.two has changed"),
        (edit_code_and_plan, "the code of the step train.two has changed"),
        (edit_preprocessing, f"the code of the step preprocess.{DATASET} has changed"),
    ],
)
def test_stale_results_are_refused(run: Callable[..., Result], change: Callable[[], None], why: str) -> None:
    change()
    said = run(keep_results.main).output
    assert said == f"Error: The results of tiny are stale: {why}; run it to its end (`make run`), and try again.\n"
    assert not kept_results.names()


@pytest.mark.parametrize("content", ["[]", "3", "null", '{"train": "abc", "report": 3}', '{"train": null}', "{", ""])
def test_damaged_hashes_of_code_are_told_in_one_sentence(run: Callable[..., Result], content: str) -> None:
    Path(FOLDER / "code.json").write_text(content)
    said = run(keep_results.main)
    assert said.exit_code == 1 and "code.json is damaged" in said.output and said.output.count("\n") == 1, said.output


def test_hashes_of_other_steps_than_those_of_variants_are_stale(run: Callable[..., Result]) -> None:
    write_json(FOLDER / "code.json", {**CODE, "train": "abc"})
    assert "are stale: the code of the step train.one has changed" in run(keep_results.main).output


def test_an_empty_name_names_no_study(run: Callable[..., Result]) -> None:
    assert run(keep_results.main, "").output == "Error: '' has no report in results; finished are: tiny.\n"
