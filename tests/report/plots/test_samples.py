"""Samples beside the test images."""

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from vaeline.data.facts import Facts
from vaeline.report.findings import Findings
from vaeline.report.plots import samples
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.plots.shared.panels import GAP, TITLE, decoded
from vaeline.report.real_images import RealImages
from vaeline.report.sections.image_grids import images_section


def test_samples_are_shown_beside_test_images_unscaled(findings: Findings) -> None:
    drawn = decoded(findings.results.runs[0].samples)
    real = BytesIO()
    Image.fromarray(255 - drawn).save(real, "PNG")
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0"]])
    shown = RealImages(np.zeros((4, 1, 8, 8), np.uint8), facts, real.getvalue())
    canvas = decoded(samples.PLOT.render(Findings(findings.results, findings.comparison, shown), "png"))
    height, width = drawn.shape[:2]
    assert canvas.shape == (height + GAP + TITLE, 3 * (width + GAP), 3)
    for panel, expected in enumerate([255 - drawn, drawn, drawn]):
        left = GAP // 2 + panel * (width + GAP)
        assert np.array_equal(canvas[TITLE : TITLE + height, left : left + width], expected)


def test_samples_with_noise_say_so(findings: Findings) -> None:
    settings = {"sampling": {"noise": "drawn"}}
    noisy = replace(findings, results=replace(findings.results, settings=settings))
    assert [text.get_text() for text in samples.draw(noisy).texts] == ["one, with noise", "two, with noise"]
    assert [text.get_text() for text in samples.draw(findings).texts] == ["one", "two"]
    sections = [images_section(RenderedPlots(each, {})) for each in (noisy, findings)]
    assert [section.noise for section in sections if section] == ["drawn", "mean"]
