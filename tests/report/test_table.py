"""The table of results."""

import re
from itertools import product
from pathlib import Path

import pytest

from tests.made_up import described, references, study, write_run, write_runs
from vaeline.report import compare, results, table
from vaeline.report.comparison import Comparison


def compared(
    folder: Path,
    variants: tuple[str, ...] = ("one", "two"),
    seeds: tuple[int, ...] = (0, 1, 2),
    scale: dict[str, float] | None = None,
) -> Comparison:
    return compare.compare(results.read(folder, study(variants, seeds), reference=references(scale or {})))


def marks(folder: Path, *variants: str, primary: list[str] | None = None) -> list[str]:
    found = compare.compare(results.read(folder, study(variants, (0, 1, 2), primary=primary)))
    return [cell.mark for cell in table.rows(found)[0].cells]


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (-3118.437, 2.13, "-3,118.4"), (-3118.437, 213.0, "-3,118"), (0.96071, 0.0086, "0.9607"), (12.0, 0.96, "12.00"),
        (21.0612, None, "21.06"), (0.0065981, None, "0.006598"), (185730.0, 0.0, "185,730"), (0.0, None, "0"),
        (1.5, 0.0, "1.500"), (1e-9, None, "0.000000"),
    ],
)  # fmt: skip
def test_digits_are_rounded_to_the_interval(value: float, half_width: float | None, text: str) -> None:
    assert table.number(value, half_width) == text


def test_a_significantly_best_variant_is_marked(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [2.0, 3.1, 4.0], "three": [9.0, 9.0, 9.1]})
    assert marks(tmp_path, "one", "two", "three") == ["best", "", ""]


def test_variants_not_significantly_worse_share_the_mark(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [2.0, 2.1, 2.0], "three": [9.0, 9.0, 9.1]})
    assert marks(tmp_path, "one", "two", "three") == ["tied", "tied", ""]


def test_nothing_is_marked_without_an_interval(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0], "two": [2.0, 2.0, 2.0]})
    assert marks(tmp_path, "one", "two") == ["", ""]


def test_no_variant_is_best_if_one_is_not_compared(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 1.1, 1.0], "two": [9.0, 9.0, 9.1], "three": [2.0]})
    assert marks(tmp_path, "one", "two", "three") == ["", "", ""]
    assert marks(tmp_path, "one", "two") == ["best", ""]


def test_no_variant_is_best_by_an_unshared_seed(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [10.0, 10.1, -50.0], "two": [9.0, 9.2]})
    assert marks(tmp_path, "one", "two") == ["", ""]


def test_a_value_past_real_images_is_not_best(tmp_path: Path) -> None:
    for seed in range(2):
        for variant, value in (("one", 1.0), ("two", 0.8)):
            write_run(tmp_path / variant / f"seed-{seed}", {"precision": value - 0.001 * seed})
    [first, second] = table.rows(compared(tmp_path, seeds=(0, 1), scale={"precision_ceiling": 0.9}))[0].cells
    assert (first.mark, second.mark) == ("", "")
    assert first.note.startswith("better than real images") and not second.note


def test_errors_of_floors_are_named_and_never_look_like_intervals(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"kd_sample": 9.0})
    for spreads, shown in (({}, "0.3 (s.e. 4.0)"), ({"kd_floor": 0.171}, "0.25 (spread 0.17)")):
        scale = references({"kd_floor": 0.2529, "kd_floor_standard_error": 4.05}, spreads)
        found = compare.compare(results.read(tmp_path, study(("one",), (0,)), reference=scale))
        assert table.rows(found)[0].references == {"kd_floor": shown}
        assert f"kd_sample: kd_floor {shown}" in table.plain(found, 120)


def test_descriptive_metrics_are_not_ranked(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 1.0, 1.1], "two": [5.0, 5.0, 5.1]}, "rate")
    assert marks(tmp_path, "one", "two") == ["", ""]


def test_the_highest_is_best_if_higher_is_better(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [0.1, 0.1, 0.11], "two": [0.9, 0.92, 0.91]}, "condition_accuracy")
    assert marks(tmp_path, "one", "two") == ["", ""]  # it is exploratory
    assert marks(tmp_path, "one", "two", primary=["condition_accuracy"]) == ["", "best"]


def test_bounds_dashes_and_lost_seeds_are_explained(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(
            tmp_path / "one" / f"seed-{seed}",
            {"nll": 5.0 + seed},
            {"nll": {"upper_bound": "its effective sample size is under 10"}},
        )
        write_run(tmp_path / "two" / f"seed-{seed}", {"rate": 1.0} | ({"nll": 7.0} if seed else {}))
        write_run(tmp_path / "three" / f"seed-{seed}", {}, {"nll": {"dash": "it has no density"}})
    cells = table.rows(compared(tmp_path, ("one", "two", "three")))[0].cells
    assert cells[0] == table.Cell("<= 6.0", "± 2.5", "", "an upper bound: its effective sample size is under 10", 6.0)
    assert cells[1] == table.Cell("7", "", "", "not ranked: there is no value for seed 0; over seeds 1, 2 only", 7.0)
    assert cells[2] == table.Cell("-", note="it has no density")


def test_metrics_without_values_are_notes_with_each_reason_once(tmp_path: Path) -> None:
    dashes = {
        "mig": {"dash": "there are no factors"},
        "precision": {"dash": "nothing was learned"},
        "recall": {"dash": "nothing was learned"},
    }
    for variant in ("one", "two"):
        write_run(tmp_path / variant / "seed-0", {"nll": 5.0}, dashes)
    found = compared(tmp_path, seeds=(0,))
    assert [row.name for row in table.rows(found)] == ["nll"]
    assert table.nowhere(found) == ["precision, recall: nothing was learned", "mig: there are no factors"]
    assert "in no system: mig: there are no factors" in table.plain(found, 80)


def test_floors_are_shown_beside_their_metric(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"fd_sample": 9.0, "nll": 3.0})
    rows = {row.name: row for row in table.rows(compared(tmp_path, ("one",), (0,), {"fd_floor": 1.25}))}
    assert rows["fd_sample"].references == {"fd_floor": "1.250"}
    assert rows["nll"].references == {}


def test_the_plain_table_is_aligned(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "longer_name": [-12.0, -11.1, -9.9]})
    lines = table.plain(compared(tmp_path, ("one", "longer_name")), 80).splitlines()
    assert lines[:2] == ["               one    longer_name", "nll ↓  2.0 ± 2.5    -11.0 ± 2.6 *"]


def test_the_brief_table_has_the_primary_metric_first_and_no_second_one_of_a_group(tmp_path: Path) -> None:
    for place, variant in product(range(2), ("one", "two")):
        values = {"bits_per_dim": 9.0, "nll": 3.0, "fd_sample": 2.0, "kd_sample": 1.0 + place}
        write_run(tmp_path / variant / f"seed-{place}", values)
    of = study(("one", "two"), (0, 1), primary=["kd_sample"])
    found = compare.compare(results.read(tmp_path, of, reference=references({"fd_floor": 1.25})))
    names = [line.split()[0] for line in table.brief(found, 80).splitlines() if "↓" in line]
    assert names == ["kd_sample", "bits_per_dim"] and "fd_floor" not in table.brief(found, 80)
    whole = [line.split()[0] for line in table.plain(found, 80).splitlines() if re.search(r"↓  +\d", line)]
    assert sorted(whole) == ["bits_per_dim", "fd_sample", "kd_sample", "nll"]


def test_a_wide_table_is_cut_into_blocks(tmp_path: Path) -> None:
    variants = tuple(f"variant_{number}" for number in range(6))
    write_runs(tmp_path, {variant: [1.0, 2.0, 3.0] for variant in variants})
    blocks = table.plain(compared(tmp_path, variants), 60).split("\n\n")[:-1]
    assert len(blocks) == 2
    assert all(len(line) <= 60 for block in blocks for line in block.splitlines())
    assert [name in block for name in variants for block in blocks] == [True, False] * 4 + [False, True] * 2


def test_a_variant_with_missing_runs_shows_its_count(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0], "two": [1.0, 2.0, 3.0]})
    assert table.plain(compared(tmp_path), 80).splitlines()[1].split() == ["2", "of", "3", "seeds"]


def test_a_saturated_divergence_has_a_note(tmp_path: Path) -> None:
    for variant, saturated in (("one", True), ("two", False)):
        write_run(tmp_path / variant / "seed-0", {"skl": 3.0}, {"skl": {"saturated": saturated}})
    [row] = [row for row in table.rows(compared(tmp_path, seeds=(0,))) if row.name == "skl"]
    assert [cell.note for cell in row.cells] == [table.SATURATED, ""]


def write_judged(folder: Path, judges: int, parts: bool) -> None:
    """Two variants whose samples several classifiers judged; their likelihoods are known of parts of the images if `parts`."""
    for variant, shift in {"one": 0.0, "two": 1.0}.items():
        for seed in range(3):
            by_judge = {str(judge): shift + seed + 5.0 * judge for judge in range(judges)}
            how = {
                "fd_sample": {"by_judge": by_judge} if judges > 1 else {},
                "nll": {"parts": [1.0 + seed, 2.0]} if parts else {},
            }
            value = sum(by_judge.values()) / judges
            write_run(
                folder / variant / f"seed-{seed}",
                {"nll": 1.0 + shift + seed, "fd_sample": value, "sigma": 0.1 + seed},
                how,
            )


@pytest.mark.parametrize(
    ("judges", "parts", "lines"),
    [
        (1, False, ["for new seeds, with the same test images and one classifier"]),
        (1, True, ["for new seeds, with the same test images and one classifier", "for new seeds and new images: nll"]),
        (
            3,
            True,
            [
                "for new seeds and new images",
                "for new seeds and new classifiers: fd_sample",
                "for new seeds, with the same test images: sigma",
            ],
        ),
    ],
)
def test_the_legend_says_what_intervals_range_over(tmp_path: Path, judges: int, parts: bool, lines: list[str]) -> None:
    write_judged(tmp_path, judges, parts)
    text = table.plain(compared(tmp_path), 120)
    assert [
        line.removeprefix("± half width of the 95% interval ") for line in text.splitlines() if line.startswith("±")
    ] == lines


def test_the_legend_of_few_metrics_says_it_of_those_alone(tmp_path: Path) -> None:
    write_judged(tmp_path, 1, True)
    assert table.ranges(compared(tmp_path), {"nll"}) == ["for new seeds and new images"]


def test_one_seed_has_no_interval_to_explain(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    write_run(tmp_path / "two" / "seed-0", {"nll": 2.0})
    assert not table.ranges(compared(tmp_path, seeds=(0,)))


def test_the_interval_contains_what_classifiers_do(tmp_path: Path) -> None:
    """Classifiers that shift all runs alike widen the means, and not the difference of two variants."""
    write_judged(tmp_path / "one", 1, False)
    write_judged(tmp_path / "three", 3, False)
    one, three = (compared(tmp_path / name).metrics["fd_sample"] for name in ("one", "three"))
    assert three.summaries["one"].half_width > 3 * one.summaries["one"].half_width  # type: ignore[operator]
    assert three.summaries["one"].over == three.pairs[0].over == ["seeds", "classifiers"]
    assert three.pairs[0].half_width == pytest.approx(one.pairs[0].half_width or 0, abs=1e-9)


def test_a_variant_that_a_metric_only_describes_has_no_mark(tmp_path: Path) -> None:
    described(tmp_path)
    assert marks(tmp_path, "one", "two", "three", primary=["fd_low_posterior"]) == ["", "best", ""]
    [row] = table.rows(compared(tmp_path, ("one", "two", "three")))
    assert [cell.note for cell in row.cells] == ["not ranked: the posterior has collapsed", "", ""]
    assert row.metric.better == "lower"
    [row] = table.rows(compared(tmp_path, ("one",)))
    assert row.metric.better is None


def test_a_verdict_stands_in_words_with_its_numbers_as_a_note(tmp_path: Path) -> None:
    for seed, (used, verdict) in enumerate(((0, "collapsed"), (2, "partly"), (0, "collapsed"))):
        how = {"verdict": verdict, "in_use": used, "of_units": 8, "unit": "units", "cause": ""}
        write_run(tmp_path / "one" / f"seed-{seed}", {"posterior": used / 8, "rate": seed / 4}, {"posterior": how})
        full = {**how, "verdict": "in use", "in_use": 8, "shuffle_loss": 31.5}
        write_run(tmp_path / "two" / f"seed-{seed}", {"posterior": 1.0, "rate": 9.0}, {"posterior": full})
    found = compared(tmp_path)
    [row] = (each for each in table.rows(found) if each.metric.name == "posterior")
    assert [(cell.value, cell.spread) for cell in row.cells] == [("collapsed in 2 of 3 seeds", ""), ("in use", "")]
    assert row.cells[0].note == "0 to 2 of 8 units in use, a rate of 0 to 0.5000 nats"
    assert row.cells[1].note == "8 of 8 units in use, a rate of 9 nats, z of another image costs 31.50 nats"
    assert row.cells[0].number == pytest.approx(1 / 12)
    assert "[1] 0 to 2 of 8 units in use" in table.plain(found, 120)
