"""The rows for Python say what the files of the runs say."""

from pathlib import Path

import pytest

import vaeline
from tests.made_up import study as of_variants
from tests.made_up import write_run, write_runs
from vaeline.report import compare, results
from vaeline.system.errors import UserError


@pytest.fixture
def study(tmp_path: Path) -> Path:
    runs = tmp_path / "results/tiny/runs"
    errors = {
        "nll": {"value": 3.0},
        "nll_standard_error": {"value": 0.5, "definition": "e"},
        "mig": {"dash": "no labels"},
    }
    for variant, seed, nll in (("two", 0, 4.0), ("one", 1, 2.0), ("one", 0, 3.0)):
        write_run(runs / variant / f"seed-{seed}", {"nll": nll, "sigma": 0.1}, errors if nll == 3 else None)
    return tmp_path / "results/tiny"


def test_a_runs_metrics_come_with_their_definitions(study: Path) -> None:
    rows = vaeline.metrics_of(study / "runs/one/seed-0")
    assert [row["metric"] for row in rows] == ["nll", "mig", "sigma"] and len({tuple(row) for row in rows}) == 1
    nll, mig, _ = rows
    assert (nll["value"], nll["standard_error"], nll["unit"], nll["better"], nll["dash"]) == (
        3.0,
        0.5,
        "nats",
        "lower",
        None,
    )
    assert str(nll["definition"]).endswith(".") and (mig["value"], mig["dash"]) == (None, "no labels")


def test_a_studys_runs_are_one_table(study: Path) -> None:
    assert vaeline.study_table(str(study)) == [
        {"variant": "one", "seed": 0, "nll": 3.0, "mig": None, "sigma": 0.1},
        {"variant": "one", "seed": 1, "nll": 2.0, "mig": None, "sigma": 0.1},
        {"variant": "two", "seed": 0, "nll": 4.0, "mig": None, "sigma": 0.1},
    ]


def test_the_difference_of_any_two_variants_is_that_of_the_report(tmp_path: Path) -> None:
    values = {name: [place + 0.1 * seed * (-1) ** place for seed in range(3)] for place, name in enumerate("abcdefgh")}
    write_runs(tmp_path / "results/tiny/runs", values)
    whole = compare.compare(results.read(tmp_path / "results/tiny/runs", of_variants(tuple("gh"))))
    [row] = vaeline.differences(tmp_path / "results/tiny", "h", "g")
    pair = whole.metrics["nll"].pair("h", "g")
    assert pair is not None
    (tmp_path / "results/tiny").rename(tmp_path / "A copy of Anna")
    assert vaeline.differences(tmp_path / "A copy of Anna", "h", "g") == [row]
    assert row == {
        "metric": "nll", "difference": pair.difference, "half_width": pair.half_width, "p_value": pair.p_value, "seeds": 3,
        "won": 0, "lost": 3,
    }  # fmt: skip


def test_differences_are_of_two_variants_that_ran(study: Path) -> None:
    assert [row["seeds"] for row in vaeline.differences(study, "one", "two")] == [1, 1]
    with pytest.raises(UserError, match="'three' has no run in .* the variants that have one are one, two"):
        vaeline.differences(study, "one", "three")
    with pytest.raises(UserError, match="Both variants are one; name two"):
        vaeline.differences(study, "one", "one")


def test_what_is_no_result_is_one_sentence(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No run in .*nowhere/runs is evaluated; give the folder of a study's results"):
        vaeline.study_table(tmp_path / "nowhere")
    with pytest.raises(
        UserError, match="is no folder of a run; give one such as results/<study>/runs/<variant>/seed-0"
    ):
        vaeline.metrics_of(study)
    with pytest.raises(UserError, match="run is 3; give a path"):
        vaeline.metrics_of(3)  # type: ignore[arg-type]
    (study / "runs/one/seed-0/evaluation.json").write_text("{}")
    with pytest.raises(UserError, match="evaluation.json is damaged"):
        vaeline.metrics_of(study / "runs/one/seed-0")
