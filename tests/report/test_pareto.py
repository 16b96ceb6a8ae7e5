"""Trade-offs between variants, on values whose front is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

from tests.made_up import study, write_run
from vaeline.report import compare, pareto, results
from vaeline.report.comparison import Comparison, Summary
from vaeline.report.plots import figures
from vaeline.report.results import Results
from vaeline.system.files import write_json

Found = tuple[Results, Comparison]
# Quick and small, slow and good, worse than quick in both and no cheaper.
VALUES = {
    "small": {"nll": 5.0, "fd_sample": 3.0, "parameters": 100},
    "good": {"nll": 1.0, "fd_sample": 1.0, "parameters": 5000},
    "beaten": {"nll": 6.0, "fd_sample": 4.0, "parameters": 100},
}
SECONDS = {"small": 10.0, "good": 100.0, "beaten": 20.0}


@pytest.fixture
def runs(tmp_path: Path) -> Callable[..., Found]:
    """Write two runs of each variant, a seed apart by 0.5 in every figure but parameters, and compare them."""

    def write(
        values: dict[str, dict[str, float]] = VALUES,
        seconds: dict[str, float] = SECONDS,
        how: dict[str, dict[str, Any]] | None = None,
    ) -> Found:
        for variant, of_variant in values.items():
            for seed in range(2):
                moved = {name: value + 0.5 * seed * (name != "parameters") for name, value in of_variant.items()}
                folder = tmp_path / variant / f"seed-{seed}"
                write_run(folder, moved, {"nll": how[variant]} if how and variant in how else None)
                if variant in seconds:
                    write_json(
                        folder / "timing.json", {"train": {"seconds": seconds[variant] + 0.5 * seed, "host": "a"}}
                    )
        found = results.read(tmp_path, study(tuple(values), (0, 1)))
        return found, compare.compare(found)

    return write


def markers(found: Found) -> list[dict[str, str]]:
    """Panel by panel, the variants that have a mean in it, and whether it is filled."""
    drawn = pareto.draw(*found)
    names = {colour: variant for variant, colour in figures.colours(found[1].variants).items()}
    panels = []
    for axes in drawn.axes:
        lines = [container.lines[0] for container in axes.containers if isinstance(container, ErrorbarContainer)]
        fills = {names[str(line.get_color())]: line.get_markerfacecolor() for line in lines}
        panels.append({variant: "open" if fill == "none" else to_hex(fill) for variant, fill in fills.items()})
    return [panel for panel in panels if panel]


def test_on_the_front_is_what_no_other_equals_or_beats_in_both() -> None:
    points = {"left": (1.0, 5.0), "low": (4.0, 1.0), "middle": (2.0, 2.0), "beaten": (3.0, 3.0), "level": (2.0, 4.0)}
    assert pareto.front(points) == ["left", "low", "middle"]
    assert pareto.front(points | {"twin": (2.0, 2.0)}) == ["left", "low", "middle", "twin"]
    assert pareto.front({"alone": (9.0, 9.0)}) == ["alone"]


def test_the_scales_are_those_that_the_study_is_answered_by(runs: Callable[..., Found]) -> None:
    found = pareto.scales(*runs())
    assert {key: scale.figure for key, scale in found.items()} == {
        "likelihood": "nll", "samples": "fd_sample", "parameters": "parameters", "seconds": "seconds",
    }  # fmt: skip
    assert found["likelihood"].summaries["good"].values == {0: 1.0, 1: 1.5}
    assert found["seconds"].summaries["small"].mean == 10.25
    assert found["likelihood"].label == "nll (nats)"


def test_a_study_without_likelihoods_takes_the_bound(runs: Callable[..., Found]) -> None:
    found = pareto.scales(*runs({name: {"negative_elbo": 1.0, "fd_sample": 1.0} for name in ("one", "two")}, {}))
    assert {key: scale.figure for key, scale in found.items()} == {
        "likelihood": "negative_elbo",
        "samples": "fd_sample",
    }


def test_a_variant_measured_in_another_way_is_left_out(runs: Callable[..., Found]) -> None:
    measures = {"small": "density", "good": "probability", "beaten": "density"}
    found = pareto.scales(*runs(how={variant: {"measure": f"{of} of pixels"} for variant, of in measures.items()}))
    assert found["likelihood"].summaries.keys() == {"small", "beaten"}
    assert found["samples"].summaries.keys() == set(VALUES)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["likelihood", "samples", "parameters", "seconds"],
            [
                [("samples", "likelihood"), ("parameters", "likelihood"), ("seconds", "likelihood")],
                [None, ("parameters", "samples"), ("seconds", "samples")],
            ],
        ),
        (["likelihood", "samples"], [[("samples", "likelihood")]]),
        (["samples", "seconds"], [[("seconds", "samples")]]),
        (["likelihood"], []),
        (["parameters", "seconds"], []),
        ([], []),
    ],
)
def test_a_quality_is_held_against_what_comes_after_it(names: list[str], expected: list[Any]) -> None:
    scale = pareto.Scale("", "", dict.fromkeys("ab", Summary(mean=1.0, half_width=None, values={0: 1.0})), frozenset())
    assert pareto.panels(dict.fromkeys(names, scale)) == expected


def test_means_on_the_front_are_filled(runs: Callable[..., Found]) -> None:
    found = runs()
    small, good, _ = figures.colours(found[1].variants).values()
    by_likelihood, *_ = drawn = markers(found)
    assert len(drawn) == 5
    assert by_likelihood == {"small": "open", "good": good, "beaten": "open"}  # `good` is best in both
    assert drawn[1] == {"small": small, "good": good, "beaten": "open"}  # as many parameters as `small`, a worse nll


def test_an_upper_bound_bears_another_sign(runs: Callable[..., Found]) -> None:
    found = runs(how={"good": {"upper_bound": "too few samples"}})
    drawn = pareto.draw(*found)
    signs = [container.lines[0].get_marker() for container in drawn.axes[0].containers]
    assert signs == ["o", pareto.BOUND, "o"]
    assert {container.lines[0].get_marker() for container in drawn.axes[-1].containers} == {"o"}  # samples by seconds


def test_every_run_is_a_dot(runs: Callable[..., Found]) -> None:
    [axes, *_] = pareto.draw(*runs()).axes
    dots = [line.get_xydata().tolist() for line in axes.get_lines() if line.get_markersize() == 3]
    assert dots == [[[3.0, 5.0], [3.5, 5.5]], [[1.0, 1.0], [1.5, 1.5]], [[4.0, 6.0], [4.5, 6.5]]]


def test_a_wide_scale_is_logarithmic(runs: Callable[..., Found]) -> None:
    likelihood, parameters, *_ = pareto.draw(*runs()).axes
    assert (likelihood.get_xscale(), parameters.get_xscale()) == ("linear", "log")


def test_a_study_with_nothing_to_trade_off_says_so(runs: Callable[..., Found]) -> None:
    drawn = pareto.draw(*runs({name: {"rate": 1.0} for name in ("one", "two")}, {}))
    assert drawn.texts[0].get_text() == "No two variants of this study have figures to trade off."


def test_records_are_a_row_a_variant_with_the_same_keys(runs: Callable[..., Found]) -> None:
    rows = pareto.records(*runs(seconds={"small": 10.0, "good": 100.0}))
    assert [row["variant"] for row in rows] == ["small", "good", "beaten"]
    assert len({tuple(row) for row in rows}) == 1
    assert [row["seconds"] for row in rows] == [10.25, 100.25, None]
    assert {row["likelihood_figure"] for row in rows} == {"nll"}
    assert rows[0]["unbeaten"] == [
        "likelihood by parameters", "likelihood by seconds", "samples by parameters", "samples by seconds",
    ]  # fmt: skip
    assert len(rows[1]["unbeaten"]) == 5 and not rows[2]["unbeaten"]
