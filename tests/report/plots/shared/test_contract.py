"""Every plot on disk follows the contract."""

import sys
import xml.etree.ElementTree as tree
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.made_up import facts, findings_of, study, write_run
from tests.report.plots.test_tuning import choice, tuned
from vaeline.report import results
from vaeline.report.findings import Findings
from vaeline.report.plots.shared import contract
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.real_images import RealImages
from vaeline.report.results import Results
from vaeline.study import parts
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[4]
SVG = "{http://www.w3.org/2000/svg}"
PLOTS = contract.found()
CHARTS = [name for name, plot in PLOTS.items() if "svg" in plot.forms]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Two variants that have something to draw in every plot."""
    folder = tmp_path_factory.mktemp("runs")
    for index, variant in enumerate(("one", "two")):
        metrics = {"nll": index, "fd_sample": index, "parameters": index + 1, "leakage": 1.0, "condition_accuracy": 0.5}
        curve = [{"threshold": -10.0, "leakage": 1.0, "share": 0.5}, {"threshold": -1.0, "leakage": 1.0, "share": 1.0}]
        made = {"leakage": {"curve": curve}, "condition_accuracy": {"by_label": {"Male": 0.5}}}
        write_run(folder / variant / "seed-0", metrics, made)
    found = findings_of(results.read(folder, study(("one", "two"), (0,))))
    near = {run.variant: np.zeros((4, 1, 8, 8), np.uint8) for run in found.results.runs}
    real = RealImages(np.zeros((4, 1, 8, 8), np.uint8), facts(), found.results.runs[0].samples, near)
    return replace(tuned(found, choice(1.0, 2.0), choice(3.0, 2.0)).findings, real=real)


@pytest.fixture(scope="module")
def files(findings: Findings) -> dict[str, bytes]:
    return RenderedPlots(findings, PLOTS).files()


def test_the_files_have_the_names_and_forms_of_the_plots(files: dict[str, bytes]) -> None:
    assert {"curves.svg", "codes.png", "worst.png"} <= files.keys() and "worst.svg" not in files
    for name, content in files.items():
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml"), name


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_the_same_bytes_each_time(name: str, findings: Findings, files: dict[str, bytes]) -> None:
    assert not PLOTS[name].missing(findings)
    for form in PLOTS[name].forms:
        content = PLOTS[name].render(findings, form)
        assert content == files[f"{name}.{form}"]
        assert b"dc:date" not in content and b"Matplotlib v" not in content


@pytest.mark.parametrize("name", CHARTS)
def test_plots_keep_text_as_text_and_name_variants(files: dict[str, bytes], name: str) -> None:
    drawn = tree.fromstring(files[f"{name}.svg"])
    texts = {"".join(text.itertext()).strip() for text in drawn.iter(f"{SVG}text")}
    assert {"one", "two"} <= texts


def test_scatter_plots_are_rasterized_and_lines_are_not(files: dict[str, bytes]) -> None:
    counts = {name: len(list(tree.fromstring(files[f"{name}.svg"]).iter(f"{SVG}image"))) for name in CHARTS}
    assert {name: count for name, count in counts.items() if count} == {"codes": 2, "pockets": 2}  # one a panel


@pytest.fixture(scope="module")
def nothing(findings: Findings) -> list[Findings]:
    """A study whose runs hold nothing to draw, and one without runs."""
    bare = [replace(run, drawn={}, failures={}, evaluation={}, times={}) for run in findings.results.runs]
    return [findings_of(Results(findings.results.study, runs, {})) for runs in (bare, [])]


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_without_data_says_so_or_is_empty(nothing: list[Findings], name: str) -> None:
    for findings in nothing:
        missing, figure = PLOTS[name].missing(findings), PLOTS[name].figure(findings)
        assert not missing or (missing.endswith(".") and [text.get_text() for text in figure.texts] == [missing])


def test_most_plots_need_more_than_a_run(nothing: list[Findings]) -> None:
    bare, none = ({name for name, plot in PLOTS.items() if plot.missing(findings)} for findings in nothing)
    assert PLOTS.keys() - {"curves", "samples"} <= bare | none and "samples" in none - bare
    assert {"pareto", "codes", "pockets", "leakage", "by_attribute", "traversals"} <= bare
    assert {"interpolations", "switched", "worst", "low_posterior"} <= bare


def test_plots_of_a_section_have_places_of_their_own() -> None:
    places = [(plot.on_page.section, plot.on_page.place) for plot in PLOTS.values() if plot.on_page]
    assert len(set(places)) == len(places) > 5


@pytest.mark.parametrize("name", [name for name, plot in PLOTS.items() if plot.on_page])
def test_snakemakes_report_has_the_caption_of_the_page(name: str) -> None:
    about = PLOTS[name].on_page
    caption = " ".join((ROOT / f"workflow/report/{name}.rst").read_text().split())
    assert about and about.caption[1:] in caption


def test_a_file_without_a_plot_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "names", lambda family: ["empty"])
    monkeypatch.setitem(sys.modules, "vaeline.report.plots.empty", ModuleType("empty"))
    with pytest.raises(UserError, match=r"vaeline/report/plots/empty\.py must define PLOT, an instance of Plot"):
        contract.found()
