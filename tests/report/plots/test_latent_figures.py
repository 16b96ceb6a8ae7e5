"""Pictures of latent spaces, of arrays made by hand."""

from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.made_up import study, write_run
from vaeline.report import results
from vaeline.report.plots import figures, latent_figures
from vaeline.report.results import Results


@pytest.fixture
def runs(tmp_path: Path) -> Results:
    for variant in ("one", "two"):
        write_run(tmp_path / variant / "seed-0", {"nll": 1.0})
    return results.read(tmp_path, study(("one", "two"), (0,)))


def picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def codes_png(of: Results) -> bytes:
    return figures.png(partial(latent_figures.codes, of))


def pockets_png(of: Results) -> bytes:
    return figures.png(partial(latent_figures.pockets, of))


def test_pictures_are_the_same_bytes_each_time(runs: Results) -> None:
    for draw in (codes_png, pockets_png, latent_figures.traversals_png):
        first = draw(runs)
        assert first == draw(runs)
        assert picture(first).size[0] > picture(first).size[1] > 100


def test_a_run_without_latents_is_left_out_and_a_study_of_such_is_a_sentence(runs: Results) -> None:
    lacking = Results(runs.study, [replace(run, drawn={}) for run in runs.runs], {})
    one = Results(runs.study, [runs.runs[0], lacking.runs[1]], {})
    whole, less, none = (picture(codes_png(of)).size for of in (runs, one, lacking))
    assert whole[0] > less[0] and none[1] < less[1]
    for draw in (pockets_png, latent_figures.traversals_png):
        assert picture(draw(lacking)).size == none


def test_two_dimensions_are_drawn_as_they_are() -> None:
    z = np.array([[1.0, 2.0], [3.0, -4.0]])
    assert np.array_equal(latent_figures.plane_of(z)(z), z)


def test_one_dimension_is_drawn_on_a_line() -> None:
    z = np.array([[1.0], [3.0]])
    assert np.array_equal(latent_figures.plane_of(z)(z), [[1, 0], [3, 0]])


def test_more_dimensions_are_drawn_where_they_vary_most() -> None:
    z = np.random.default_rng(0).standard_normal((500, 4)) * [0.1, 5, 0.1, 2]
    flat = latent_figures.plane_of(z)(z)
    assert np.allclose(np.abs(np.corrcoef(flat.T, z[:, [1, 3]].T)[[0, 1], [2, 3]]), 1, atol=0.01)


def test_as_many_pockets_are_red_as_leaks_are_violet() -> None:
    posterior = np.random.default_rng(0).standard_normal((100, 2))
    drawn = {
        "posterior": posterior, "prior": posterior + 1, "low_posterior_codes": posterior[:91] + 5,
        "posterior_log_p": np.arange(100.0),
    }  # fmt: skip
    axes = Figure().subplots()
    latent_figures._draw_pockets(axes, SimpleNamespace(drawn=drawn))  # type: ignore[arg-type]
    of_colour = {line.get_color(): line.get_xydata() for line in axes.get_lines()}
    assert np.allclose(of_colour[latent_figures.POCKET], posterior[:91:10] + 5)
    assert np.allclose(of_colour[latent_figures.LEAK], posterior[:10])


def test_a_traversal_is_a_row_of_nine(runs: Results) -> None:
    one = Results(replace_variants(runs), runs.runs[:1], {})
    found = np.asarray(picture(latent_figures.traversals_png(one)))
    assert found.shape[1] > 9 * 48 and found.shape[0] < 4 * 48


def test_a_traversal_is_as_bright_as_its_levels(runs: Results) -> None:
    [run, *_] = runs.runs
    dim = replace(run, drawn={**run.drawn, "traversals": np.full_like(run.drawn["traversals"], 4)})
    found = np.asarray(picture(latent_figures.traversals_png(Results(replace_variants(runs), [dim], {}))).convert("L"))
    assert (found == round(4 * 255 / 16)).sum() > found.size / 3 and not (found == 4).any()


def replace_variants(runs: Results) -> object:
    return runs.study.model_copy(update={"variants": ["one"]})
