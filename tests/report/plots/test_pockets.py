"""Pockets and leaks, of arrays made by hand."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots import pockets


def test_pockets_and_leaks_are_equally_many(findings: Findings) -> None:
    posterior = np.random.default_rng(0).standard_normal((100, 2))
    drawn = {
        "posterior": posterior, "prior": posterior + 1, "low_posterior_codes": posterior[:91] + 5,
        "posterior_log_p": np.arange(100.0),
    }  # fmt: skip
    axes = Figure().subplots()
    pockets.draw_pockets(axes, replace(findings.results.runs[0], drawn=drawn))
    of_colour = {line.get_color(): line.get_xydata() for line in axes.get_lines()}
    assert np.allclose(of_colour[pockets.POCKET], posterior[:91:10] + 5)
    assert np.allclose(of_colour[pockets.LEAK], posterior[:10])
