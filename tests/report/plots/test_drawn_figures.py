"""Pictures of what runs drew: what is in them, and what stands where there is nothing to draw."""

from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.made_up import study, write_runs
from vaeline.report import results
from vaeline.report.plots import drawn_figures
from vaeline.report.results import Results


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    return tmp_path


def read(runs: Path) -> Results:
    return results.read(runs, study())


def size(picture: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(picture)).size


def test_the_worst_reconstructions_stand_under_their_images_worst_first(runs: Path) -> None:
    run = read(runs).runs[0]
    assert run.failures["test_index"].tolist() == [1, 0, 2, 3]  # of errors 0.4, 0.3, 0.2, 0.1
    test = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    with_images, without = drawn_figures.worst_png(read(runs), test), drawn_figures.worst_png(read(runs), None)
    assert size(with_images)[1] > size(without)[1]
    panel = np.asarray(Image.open(BytesIO(with_images)).convert("L"))
    greys = [round(255 / 16 * shade) for shade in (1, 0, 2, 3)]
    [row] = [line for line in panel if all(grey in line for grey in greys[2:])][:1]
    places = [int(np.flatnonzero(row == grey)[0]) for grey in greys[2:]]
    assert places[0] < places[1]


def test_switches_have_the_names_of_their_values(runs: Path) -> None:
    assert drawn_figures._switches(read(runs).runs[0]) == ["digit 0", "digit 1"]


def test_attributes_are_named_where_they_are_switched(runs: Path) -> None:
    run = read(runs).runs[0]
    run.facts.label_names[:], run.facts.label_values[:] = ["Male", "Wavy_Hair"], [["no", "yes"]] * 2
    run.drawn["switched_labels"] = np.array([[[0, 1], [1, 1], [0, 0]]])
    assert drawn_figures._switches(run) == ["as asked", "Male", "Wavy Hair"]


def test_every_picture_is_the_same_each_time_and_as_wide_as_the_page_has_room_for(runs: Path) -> None:
    found = read(runs)
    for draw in (drawn_figures.switched_png, drawn_figures.interpolations_png, drawn_figures.low_posterior_png):
        assert draw(found) == draw(found)
        assert size(draw(found))[0] <= drawn_figures.WIDEST + 500


def test_where_there_is_nothing_to_draw_a_sentence_stands(runs: Path) -> None:
    for file in runs.glob("*/*/samples.h5"):
        with h5py.File(file, "a") as samples:
            for name in ("switched", "switched_labels", "interpolations", "reconstruction_errors", "low_posterior"):
                del samples[name]
    found = read(runs)
    pictures = [
        drawn_figures.switched_png(found), drawn_figures.interpolations_png(found), drawn_figures.worst_png(found, None),
        drawn_figures.low_posterior_png(found),
    ]  # fmt: skip
    assert len(set(pictures)) == 4 and all(size(picture) == (720, 72) for picture in pictures)
