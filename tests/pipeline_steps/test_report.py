"""The report step, from a folder of runs to the files it declares."""

import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from pipeline_steps import report, table
from tests.made_up import (
    references,
    study_content,
    write_choices,
    write_manifest_and_classifier,
    write_numbers,
    write_run,
    write_runs,
    write_store,
)
from vaeline.evaluation.record import Record
from vaeline.report.plots.shared import rendering
from vaeline.study.reading import load

RESULTS = Path("results/tiny")
ROOT = Path(__file__).parents[2]
STAGE = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["report"]
DECLARED = [
    entry
    for key in ("outs", "metrics", "plots")
    for each in STAGE[key]
    for entry in ([each] if isinstance(each, str) else each)
]
OUTPUTS = {Path(entry).name for entry in DECLARED}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of two variants and three seeds, all of them run."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(yaml.safe_dump(study_content(question="Is one better?")))
    write_runs(RESULTS / "runs", {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    write_store(Path("data/dots.h5"))
    write_choices(load())
    write_numbers(load(), references({"fd_floor": 1.5}))
    write_manifest_and_classifier(load())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering plots takes most of the time, and most tests do not look at them."""
    monkeypatch.setattr(rendering, "svg", lambda _: b"<svg/>")
    monkeypatch.setattr(rendering, "png", lambda _: b"PNG")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(report.main, arguments)


def remove_runs() -> None:
    for run in (RESULTS / "runs").glob("*/seed-*"):
        shutil.rmtree(run)


def outputs() -> set[str]:
    """The files that the step wrote, except timings."""
    return {path.name for path in RESULTS.iterdir()} - {"runs", "tuning", "timing.json"}


def test_the_declared_outputs_are_written() -> None:
    assert run().exit_code == 0
    assert outputs() == OUTPUTS
    for name in ("metrics.json", "means.json"):
        assert json.loads((RESULTS / name).read_text()) == {"one": {"nll": 2.0}, "two": {"nll": pytest.approx(5.1)}}
    [pair] = json.loads((RESULTS / "comparison.json").read_text())["metrics"]["nll"]["pairs"]
    assert pair["difference"] == pytest.approx(-3.1)
    assert (pair["first"], pair["second"], pair["seeds"], pair["won"]) == ("one", "two", 3, 3)
    assert [row["variant"] for row in json.loads((RESULTS / "pareto.json").read_text())] == ["one", "two"]


def test_running_twice_writes_the_same_bytes() -> None:
    run()
    first = {name: (RESULTS / name).read_bytes() for name in OUTPUTS}
    run()
    assert {name: (RESULTS / name).read_bytes() for name in OUTPUTS} == first


@pytest.mark.usefixtures("undrawn")
def test_the_report_shows_real_images_beside_samples() -> None:
    run()
    assert "Grid of real test images" in (RESULTS / "report.html").read_text()


def test_a_missing_run_stops_the_stage_and_is_named() -> None:
    (RESULTS / "runs" / "two" / "seed-1" / "metrics.json").unlink()
    result = run()
    assert result.exit_code == 1
    assert (
        "missing: two seed 1 (sampled, not evaluated); run them, or see the others with make report." in result.output
    )
    assert outputs() == set()


@pytest.mark.usefixtures("undrawn")
def test_a_partial_report_is_not_a_declared_output() -> None:
    (RESULTS / "runs" / "two" / "seed-1" / "metrics.json").unlink()
    result = run("--partial")
    assert result.exit_code == 0
    assert (
        result.output
        == "results/tiny/partial-report.html shows 5 runs; missing: two seed 1 (sampled, not evaluated).\n"
    )
    assert outputs() == {"partial-report.html"}
    assert not (RESULTS / "timing.json").exists()  # its time is not that of the declared report
    assert "two seed 1: sampled, not evaluated" in (RESULTS / "partial-report.html").read_text()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("variant.yaml", b"variant: one\n"),
        ("evaluation.json", b'{"nll": 1.0}'),
        ("training.csv", b"epoch,rate\n1,none\n"),
        ("samples.h5", b"an older kind of file"),
        ("samples.png", b"no picture"),
        ("timing.json", b'{"train": 3}'),
    ],
)
def test_a_partial_report_names_and_skips_outdated_runs(file: str, content: bytes) -> None:
    (RESULTS / "runs/one/seed-1" / file).write_bytes(content)
    assert run().exit_code == 1
    assert run("--partial").exit_code == 0
    page = (RESULTS / "partial-report.html").read_text()
    damaged = "is not a file of samples, or is damaged" if file == "samples.h5" else "is damaged"
    assert f"one seed 1: results/tiny/runs/one/seed-1/{file} {damaged}" in page and "5 of 6 runs complete" in page


def test_a_partial_report_without_runs_is_refused() -> None:
    (RESULTS / "runs").rename(RESULTS / "elsewhere")
    result = run("--partial")
    assert result.exit_code == 1
    assert "No run in results/tiny/runs is finished; run the study first" in result.output


@pytest.mark.usefixtures("undrawn")
def test_only_the_stage_moves_former_runs() -> None:
    write_run(RESULTS / "runs" / "gone" / "seed-0", {"nll": 0.0})
    run("--partial")
    assert (RESULTS / "runs" / "gone").exists()
    assert run().exit_code == 0
    assert (RESULTS / "former" / "gone" / "seed-0" / "metrics.json").exists()
    assert not (RESULTS / "runs" / "gone").exists()
    assert "gone" not in json.loads((RESULTS / "metrics.json").read_text())


@pytest.mark.usefixtures("undrawn")
def test_the_table_is_printed_with_the_answer_and_the_report() -> None:
    run()
    result = CliRunner().invoke(table.main, [])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "tiny: Is one better?"
    assert "nll ↓  2.0 ± 2.5 *  5.1 ± 2.9" in lines
    assert "one is better than two by 3.10 ± 0.43 nats in nll, on 3 of 3 seeds." in lines
    assert lines[-1] == "Report: results/tiny/report.html"


def test_a_missing_table_explains_what_to_run() -> None:
    result = CliRunner().invoke(table.main, [])
    assert result.exit_code == 1
    assert result.output == (
        "Error: There is no results/tiny/comparison.json; run the study to its end (snakemake --cores 4 all), or see the runs so far with make report.\n"
    )


NOTHING = (
    "the classifier was not shown to be better than chance on 24 validation images (digit 0.30 where chance is 0.30)"
)
OF_CLASSIFIER = ("condition_accuracy", "fd_sample", "fd_reconstruction", "kd_sample", "precision_sample")


def test_a_study_whose_classifier_learned_nothing_is_reported() -> None:
    remove_runs()
    dashes = {name: {"dash": NOTHING} for name in OF_CLASSIFIER}
    for variant, seed in product(("one", "two"), range(3)):
        write_run(RESULTS / "runs" / variant / f"seed-{seed}", {"nll": seed + len(variant)}, dashes)
    record = Record()
    record.dash_each(
        ("fd_floor", "fd_pixel_gaussian", "condition_accuracy_floor", "condition_accuracy_ceiling"), NOTHING
    )
    record.put("classifier_accuracy", 0.3)
    write_numbers(load(), record)
    result = run()
    assert result.exit_code == 0, result.output
    assert outputs() == OUTPUTS
    page = (RESULTS / "report.html").read_text()
    assert NOTHING in page and "fd_sample" in page
    printed = CliRunner().invoke(table.main, []).output
    (absent,) = [line for line in printed.splitlines() if NOTHING in line]
    assert absent.startswith("in no system: ") and "condition_accuracy" in absent and "fd_sample" in absent


def test_labels_that_the_classifier_cannot_tell_are_named_in_the_table() -> None:
    remove_runs()
    how = {"by_label": {"a": 0.5, "b": 0.7}, "left_out": ["c=7", "d"], "unlearned": ["d"]}
    for variant, seed in product(("one", "two"), range(3)):
        folder = RESULTS / "runs" / variant / f"seed-{seed}"
        write_run(folder, {"condition_accuracy": 0.6}, {"condition_accuracy": how})
    assert run().exit_code == 0
    printed = CliRunner().invoke(table.main, []).output
    assert (
        "without c=7: too few images have it; without d: the classifier was not shown to be better than chance on it"
        in printed
    )


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"settings": {}}, "was made with other settings than those of params.yaml"),
        ({"judges": {"0": "other"}}, "condition_accuracy of a run was measured with another classifier than data/dots"),
        ({"data": {"test": "other"}}, "is of another test split than that of dots"),
    ],
)
def test_numbers_of_another_reference_are_refused(changes: dict[str, Any], sentence: str) -> None:
    remove_runs()
    for variant, seed in product(("one", "two"), range(3)):
        folder = RESULTS / "runs" / variant / f"seed-{seed}"
        write_run(folder, {"condition_accuracy": 0.6}, {"condition_accuracy": {"judge": ""}})
    write_numbers(load(), references({"fd_floor": 1.5}), **changes)
    result = run()
    assert result.exit_code == 1 and sentence in result.output


@pytest.mark.usefixtures("undrawn")
def test_runs_and_reference_name_the_same_classifiers() -> None:
    remove_runs()
    how = {"judge": {"0": "a", "7": "b"}, "by_judge": {"0": 0.5, "7": 0.7}}
    for variant, seed in product(("one", "two"), range(3)):
        folder = RESULTS / "runs" / variant / f"seed-{seed}"
        write_run(folder, {"condition_accuracy": 0.6}, {"condition_accuracy": how})
    write_numbers(load(), references({"fd_floor": 1.5}), judges=how["judge"])
    assert run().exit_code == 0
    write_numbers(load(), references({"fd_floor": 1.5}), judges={"0": "a", "7": "c"})
    assert "measured with another classifier than data/dots" in run().output


@pytest.mark.usefixtures("undrawn")
def test_altered_numbers_of_the_reference_are_refused() -> None:
    path = Path("data/dots.classifier.json")
    path.write_text(path.read_text().replace("1.5", "1.4"))
    result = run()
    assert result.exit_code == 1 and "data/dots.classifier.json is damaged" in result.output


OTHERS = [
    ("dataset", {"split": {"seed": 1}}, "data/dots.h5 was made with other settings", "dataset.split.seed 0, now 1"),
    ("dataset", {"limit": 30}, "data/dots.h5 was made with other settings", "dataset.limit None, now 30"),
    ("dataset", {"range": [0.0, 1.0]}, "data/dots.h5 was made with other settings", "dataset.range"),
    ("dataset", {"source": "here"}, "data/raw/dots.json is of another data set", "source 'download', now 'here'"),
    ("classifier", {"epochs": 3}, "data/dots.classifier.safetensors was made with other settings", "epochs 20, now 3"),
]


def edit(section: str, changes: dict[str, Any]) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content[section] = content.get(section, {}) | changes
    Path("params.yaml").write_text(yaml.safe_dump(content))


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("arguments", [[], ["--partial"]])
@pytest.mark.parametrize(("section", "changes", "file", "what"), OTHERS)
def test_data_and_a_classifier_of_other_settings_are_refused(
    section: str, changes: dict[str, Any], file: str, what: str, arguments: list[str]
) -> None:
    """The page and the comparison would name the settings of today for results of the data of before."""
    edit(section, changes)
    result = run(*arguments)
    assert result.exit_code == 1 and file in result.output and what in result.output
    assert outputs() == set()


@pytest.mark.usefixtures("undrawn")
def test_without_a_store_runs_of_other_data_are_left_out() -> None:
    Path("data/dots.h5").unlink()
    assert run("--partial").exit_code == 0
    edit("dataset", {"limit": 30})
    result = run("--partial")
    assert result.exit_code == 1
    assert "one/seed-0 was made with other settings" in result.output and "limit None, now 30" in result.output


@pytest.mark.usefixtures("undrawn")
def test_only_a_partial_report_does_without_the_classifier() -> None:
    Path("data/dots.classifier.safetensors").unlink()
    result = run()
    assert result.exit_code == 1 and "There is no data/dots.classifier.safetensors" in result.output
    result = run("--partial")
    assert result.exit_code == 0 and "has settings of the classifier that nothing confirms" in result.output


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("section", "changes"), [("dataset", {"limit": 30}), ("classifier", {"epochs": 3})])
def test_the_table_names_files_of_other_settings(section: str, changes: dict[str, Any]) -> None:
    """The files were made again, and params.yaml is as it was for the report."""
    run()
    assert "out of date" not in CliRunner().invoke(table.main, []).output
    before = Path("params.yaml").read_text()
    edit(section, changes)
    write_store(Path("data/dots.h5"), load())
    write_manifest_and_classifier(load())
    Path("params.yaml").write_text(before)
    printed = CliRunner().invoke(table.main, []).output
    assert "These results are out of date: data/dots" in printed and "made with other settings" in printed


@pytest.mark.parametrize("change", [{"looks": [3, 5]}, {"baseline": "one"}], ids=["looks", "baseline"])
def test_the_table_knows_that_other_claims_were_declared(undrawn: None, change: dict[str, Any]) -> None:
    assert run().exit_code == 0
    params = Path("params.yaml")
    params.write_text(yaml.safe_dump(study_content(question="Is one better?", **change)))
    printed = CliRunner().invoke(table.main, []).output
    assert f"These results are out of date: study.{next(iter(change))}" in printed
