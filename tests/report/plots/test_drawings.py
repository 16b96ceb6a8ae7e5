"""Drawings as files."""

import xml.etree.ElementTree as tree

import pytest

from tests.made_up import study, write_run
from vaeline.report import compare, results
from vaeline.report.plots import drawings

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a study of two variants, drawn twice."""
    folder = tmp_path_factory.mktemp("runs")
    for index, variant in enumerate(("one", "two")):
        figures = {"nll": index, "fd_sample": index, "parameters": index + 1, "leakage": 1.0, "condition_accuracy": 0.5}
        curve = [{"threshold": -10.0, "leakage": 1.0, "share": 0.5}, {"threshold": -1.0, "leakage": 1.0, "share": 1.0}]
        made = {"leakage": {"curve": curve}, "condition_accuracy": {"by_label": {"Male": 0.5}}}
        write_run(folder / variant / "seed-0", figures, made)
    found = results.read(folder, study(("one", "two"), (0,)))
    first, again = (drawings.files(found, compare.compare(found)) for _ in range(2))
    return first, again


def test_every_drawing_is_there_in_both_forms(files: tuple[dict[str, bytes], ...]) -> None:
    assert set(files[0]) == {f"{name}.{form}" for name in drawings.DRAWINGS for form in ("png", "svg")}
    for name, content in files[0].items():
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml"), name


def test_drawings_are_the_same_bytes_each_time(files: tuple[dict[str, bytes], ...]) -> None:
    first, again = files
    assert [name for name in first if first[name] != again[name]] == []
    assert not any(b"dc:date" in content or b"Matplotlib v" in content for content in first.values())


@pytest.mark.parametrize("name", drawings.DRAWINGS)
def test_text_is_text_and_says_which_variants(files: tuple[dict[str, bytes], ...], name: str) -> None:
    drawn = tree.fromstring(files[0][f"{name}.svg"])
    texts = {"".join(text.itertext()).strip() for text in drawn.iter(f"{SVG}text")}
    assert {"one", "two"} <= texts


def test_scattered_points_are_a_picture_and_lines_are_not(files: tuple[dict[str, bytes], ...]) -> None:
    counts = {
        name: len(list(tree.fromstring(files[0][f"{name}.svg"]).iter(f"{SVG}image"))) for name in drawings.DRAWINGS
    }
    assert {name: count for name, count in counts.items() if count} == {"codes": 2, "pockets": 2}  # one a panel
