"""Codes of test images as drawn."""

from dataclasses import replace

import numpy as np
import pytest

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import codes
from vaeline.report.plots.shared.latent_plane import neighbours_of
from vaeline.report.plots.shared.panels import decoded
from vaeline.report.results import Results


def test_a_run_without_codes_is_left_out(findings: Findings) -> None:
    one, two = findings.results.runs
    less = findings_of(Results(findings.results.study, [one, replace(two, drawn={})], {}))
    none = findings_of(Results(findings.results.study, [replace(run, drawn={}) for run in (one, two)], {}))
    shapes = [decoded(codes.PLOT.render(of, "png")).shape for of in (findings, less, none)]
    assert shapes[0][1] > shapes[1][1] and shapes[2][0] < shapes[1][0]


def test_few_values_are_named_with_their_label(findings: Findings) -> None:
    [legend] = codes.draw(findings).legends
    assert [text.get_text() for text in legend.get_texts()] == ["digit: 0", "digit: 1"]


@pytest.mark.parametrize(("name", "columns"), [("7", 10), ("a class with a long name", 3)])
def test_the_legend_fits_the_figure(findings: Findings, name: str, columns: int) -> None:
    values = [[f"{name}{number}" for number in range(10)]]
    runs = []
    for run in findings.results.runs:
        drawn = run.drawn | {"codes": np.repeat(run.drawn["codes"], 10, axis=0)}
        labels = np.arange(len(drawn["codes"]))[:, None] % 10
        facts = replace(run.facts, label_names=["kind"], label_values=values)
        runs.append(replace(run, facts=facts, drawn={**drawn, "labels": labels}))
    figure = codes.draw(findings_of(Results(findings.results.study, runs, {})))
    figure.draw_without_rendering()
    [legend] = figure.legends
    extent = legend.get_window_extent()
    assert len(legend.get_texts()) == 10 and legend._ncols <= columns
    assert extent.x0 >= 0 and extent.x1 <= figure.get_figwidth() * figure.dpi


def with_codes(findings: Findings, codes: np.ndarray) -> Findings:
    labels = np.arange(len(codes))[:, None] % 2
    runs = [replace(run, drawn={**run.drawn, "codes": codes, "labels": labels}) for run in findings.results.runs]
    return findings_of(Results(findings.results.study, runs, {}))


@pytest.mark.parametrize(
    ("count", "dimensions", "panels"),
    [
        (120, 3, ["one", "one, t-SNE", "two", "two, t-SNE"]),
        (120, 2, ["one", "two"]),
        (60, 3, ["one", "two"]),
    ],
)
def test_codes_of_several_dimensions_are_drawn_by_t_sne_too(
    count: int, dimensions: int, panels: list[str], findings: Findings
) -> None:
    random = np.random.default_rng(0).standard_normal((count, dimensions))
    figure = codes.draw(with_codes(findings, random.astype(np.float32)))
    assert [axes.get_title() for axes in figure.axes] == panels
    of_label = [[len(line.get_xdata()) for line in axes.get_lines()] for axes in figure.axes]
    assert of_label == [[count // 2] * 2] * len(panels)


def test_t_sne_keeps_groups_together_and_is_repeatable() -> None:
    random = np.random.default_rng(0)
    group = np.arange(200) % 2
    wide = np.concatenate([0.2 * random.standard_normal((200, 3)), 8.0 * group[:, None]], 1).astype(np.float32)
    flat = neighbours_of(wide)
    nearest = np.linalg.norm(flat[:, None] - flat, axis=2).argsort(1)[:, 1]
    assert (group[nearest] == group).all()
    assert np.array_equal(flat, neighbours_of(wide))
