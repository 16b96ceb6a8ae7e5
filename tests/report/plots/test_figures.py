"""Training curves."""

from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.made_up import study, write_run
from vaeline.report import results
from vaeline.report.plots import figures
from vaeline.report.results import Results
from vaeline.system import plot_style


@pytest.fixture
def runs(tmp_path: Path) -> Results:
    for variant in ("one", "two"):
        for seed in range(2):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": 1.0}, epochs=4 + seed)
    return results.read(tmp_path, study(("one", "two"), (0, 1)))


def test_curves_are_the_same_bytes_each_time(runs: Results) -> None:
    first = figures.png(partial(figures.curves, runs))
    assert first == figures.png(partial(figures.curves, runs))
    assert Image.open(BytesIO(first)).size == (1200, 792)
    assert not Image.open(BytesIO(first)).text.keys() & {"Software", "Creation Time"}  # type: ignore[attr-defined]


def test_each_seed_is_a_line_and_their_mean_ends_with_the_shortest(runs: Results) -> None:
    axes = Figure().subplots()
    figures._draw(axes, runs, figures.CURVES[0])
    lines = [(line.get_label(), list(np.asarray(line.get_xdata()))) for line in axes.get_lines()]
    assert [epochs for _, epochs in lines[:3]] == [[1, 3, 4], [1, 3, 4, 5], [1, 3, 4]]  # epoch 2 was not validated
    assert lines[2][0] == "one"
    assert len(lines) == 6


def test_a_drawing_takes_its_ink_from_the_page(runs: Results) -> None:
    drawing = figures.curve_svg(runs, figures.CURVES[3])
    assert drawing == figures.curve_svg(runs, figures.CURVES[3])
    assert figures.INK not in drawing
    assert "currentColor" in drawing
    assert "prefers-color-scheme:dark" in drawing
    assert "Negative ELBO" in drawing


def test_a_study_without_runs_draws_empty_axes() -> None:
    assert figures.png(partial(figures.curves, Results(study().study, [], {}))).startswith(b"\x89PNG")


def test_colours_come_round_with_another_stroke(runs: Results) -> None:
    names = [f"variant_{number}" for number in range(9)]
    colours = figures.colours(names)
    assert len(set(colours.values())) == len(plot_style.COLOURS) == 8
    assert colours["variant_8"] == colours["variant_0"]


def test_samples_lie_beside_the_test_images_pixel_for_pixel(runs: Results) -> None:
    samples = np.asarray(Image.open(BytesIO(runs.runs[0].samples)).convert("L"))
    real = BytesIO()
    Image.fromarray(255 - samples).save(real, "PNG")
    drawn = figures.samples_png(runs, real.getvalue())
    assert drawn == figures.samples_png(runs, real.getvalue())
    canvas = np.asarray(Image.open(BytesIO(drawn)).convert("L"))
    height, width = samples.shape
    assert canvas.shape == (height + figures.GAP + figures.TITLE, 3 * (width + figures.GAP))
    for panel, expected in enumerate([255 - samples, samples, samples]):
        left = figures.GAP // 2 + panel * (width + figures.GAP)
        assert np.array_equal(canvas[figures.TITLE : figures.TITLE + height, left : left + width], expected)
