"""The plan of seeds on the command line: it shows variances, and no difference."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from pipeline_steps import power
from tests.made_up import study_content, write_runs
from vaeline.report import compare, comparison, results
from vaeline.study.reading import load

RESULTS = Path("results/tiny")
VALUES = {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declare()
    write_runs(RESULTS / "runs", VALUES)


def declare(**more: object) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(study_content(**more)))  # type: ignore[arg-type]


def planned(*arguments: str) -> Result:
    return CliRunner().invoke(power.main, arguments)


def test_the_table_shows_what_seeds_find() -> None:
    result = planned()
    assert result.exit_code == 0, result.output
    [head, pair] = [line.split("  ") for line in result.output.splitlines() if line.startswith(("nll", "  one"))]
    assert head[0] == "nll (nats), by seeds" and [each.strip() for each in head if each][1:] == [
        "3",
        "5",
        "8",
        "10",
        "20",
    ]
    assert pair[1].strip() == "one and two" and "0.57 (1.2)" in "  ".join(pair)  # 3.26 deviations of 0.1732


def test_nothing_printed_depends_on_the_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [planned().output, planned("--difference", "0.5").output]
    for name, moved in (("far", [94.0, 95.0, 96.3]), ("turned", [-6.0, -5.0, -3.7])):
        monkeypatch.chdir(tmp_path)
        Path(name).mkdir()
        monkeypatch.chdir(name)
        declare()
        write_runs(RESULTS / "runs", {"one": VALUES["one"], "two": moved})
        assert [planned().output, planned("--difference", "0.5").output] == said


def test_a_report_and_its_runs_say_the_same() -> None:
    said = planned().output
    comparison.write(RESULTS / "comparison.json", compare.compare(results.read(RESULTS / "runs", load())))
    (RESULTS / "runs").rename(RESULTS / "away")
    assert planned().output == said


def test_the_seeds_of_a_difference() -> None:
    said = planned("--difference", "0.5", "--metric", "nll").output
    assert "Seeds that find a difference of 0.5 nats in nll:\n  one and two: 4 (7)\n" in said


def test_looks_and_claims_share_the_level() -> None:
    assert "Level: 0.05 for one claim." in planned().output
    declare(looks=[3, 5])
    assert "Level: 0.025 for one claim." in planned().output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--difference", "-1"], "--difference is -1.0, but should be a number above 0"),
        (["--difference", "nan"], "--difference is nan, but should be a number above 0"),
        (["--power", "1"], "--power is 1.0, but should be above 0.05 and below 1"),
        (["--metric", "nll"], "--metric says what --difference is a difference of"),
        (["--difference", "1", "--metric", "mse"], "--metric is 'mse'; the study claims something in nll"),
    ],
)
def test_options_without_a_meaning_are_refused(arguments: list[str], sentence: str) -> None:
    result = planned(*arguments)
    assert result.exit_code == 1 and sentence in result.output and result.output.count("\n") <= 7


def test_a_study_that_is_not_finished_is_planned_from_what_it_has() -> None:
    said = planned().output
    declare(seeds=(0, 1, 2, 3, 4))
    assert planned().output == said and "seeds 0, 1, 2." in said


def test_one_seed_has_no_variance() -> None:
    declare(seeds=(0,))
    assert "Error: No two variants share two finished seeds with a value of a primary metric" in planned().output


def test_without_a_run_nothing_is_planned() -> None:
    (RESULTS / "runs").rename(RESULTS / "away")
    assert "Error: No run in results/tiny/runs is finished; run the study first" in planned().output


def test_runs_that_cannot_be_read_are_named() -> None:
    assert "Left out" not in planned().output
    path = RESULTS / "runs/one/seed-0/evaluation.json"
    path.write_text(path.read_text().replace("nll", "nil", 1))
    said = planned().output
    assert said.count("Left out: one seed 0: ") == 1 and "seeds 0, 1, 2." in said


def test_a_primary_metric_without_values_is_named() -> None:
    declare(primary=["mig", "nll"])
    assert "Nothing is known of mig: no two variants share two seeds with a value." in planned().output
    declare(primary=["mig"])
    assert "Error: No two variants share two finished seeds with a value of mig, " in planned().output


def test_differences_that_do_not_vary_say_nothing_of_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alike").mkdir()
    monkeypatch.chdir(tmp_path / "alike")
    declare()
    write_runs(RESULTS / "runs", {"one": [1.0, 2.0, 3.0], "two": [2.0, 3.0, 4.0]})
    assert "no variance" in planned().output
    assert (
        "one and two: unknown, because the differences of these runs do not vary" in planned("--difference", "1").output
    )


def test_a_difference_that_no_number_of_seeds_finds() -> None:
    assert "one and two: more than 1,000,000,000" in planned("--difference", "1e-300").output


def test_a_variant_that_came_after_the_report_counts() -> None:
    comparison.write(RESULTS / "comparison.json", compare.compare(results.read(RESULTS / "runs", load())))
    write_runs(RESULTS / "runs", {"three": [7.0, 8.1, 9.0]})
    declare(variants=("one", "two", "three"))
    assert "for each of 3 claims." in planned().output
