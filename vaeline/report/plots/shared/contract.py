"""What a plot is, and how the plots are found: each file of vaeline/report/plots/ defines one `PLOT`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared import rendering
from vaeline.study import parts
from vaeline.system.errors import UserError

Form = Literal["png", "svg"]


@dataclass(frozen=True)
class OnPage:
    """Where and how the report's page shows a plot."""

    section: Literal["pictures", "labels", "latents", "failures"]
    place: int  # in the section, counted from the top
    title: str
    alt: str  # what the plot shows, for readers who cannot see it
    caption: str  # follows the title


def unless_drawn(name: str, sentence: str) -> Callable[[Findings], str]:
    """The sentence if no run has drawn the dataset `name` of samples.h5: a plot's `missing`."""
    return lambda findings: "" if findings.first_runs_with(name) else sentence


def unless_failing(name: str, sentence: str) -> Callable[[Findings], str]:
    """The sentence if no variant's first run has images of the failures `name`: a plot's `missing`."""
    return lambda findings: "" if findings.first_runs_failing(name) else sentence


def _complete(findings: Findings) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Plot:
    """A plot of a study.

    `missing` says in a sentence why there is nothing to draw, and is empty if there is something. `draw` is called only if it
    is empty. Both forms of an output exist for every study: if nothing can be drawn, they show that sentence.
    """

    draw: Callable[[Findings], Figure]
    missing: Callable[[Findings], str]
    forms: tuple[Form, ...]  # of the output files: `codes.png`, `codes.svg`; none if the plot is on the page alone
    on_page: OnPage | None = None  # None if the page does not show the plot, or shows it in a section of its own
    left_out: Callable[[Findings], Mapping[str, str]] = _complete  # variant -> why the plot does not show it

    def figure(self, findings: Findings) -> Figure:
        """The plot, or the sentence that says why there is nothing to draw."""
        missing = self.missing(findings)
        return rendering.sentence(missing) if missing else self.draw(findings)

    def render(self, findings: Findings, form: Form) -> bytes:
        """The content of the output file of this form; the same bytes for the same findings."""
        draw = partial(self.figure, findings)
        return rendering.png(draw) if form == "png" else rendering.svg(draw)


@dataclass(frozen=True)
class RenderedPlots:
    """Every plot of a study as files; each file is rendered when it is first asked for, and kept."""

    findings: Findings
    plots: Mapping[str, Plot]
    kept: dict[tuple[str, Form], bytes] = field(default_factory=dict)

    def file(self, name: str, form: Form) -> bytes:
        """The content of the output file `name`.`form`."""
        if (name, form) not in self.kept:
            self.kept[name, form] = self.plots[name].render(self.findings, form)
        return self.kept[name, form]

    def on_page(self, name: str) -> bytes:
        """The plot as SVG for the page."""
        return rendering.for_page(self.file(name, "svg"))

    def files(self) -> dict[str, bytes]:
        """All output files by their names: `codes.png`, `codes.svg`, ..."""
        return {f"{name}.{form}": self.file(name, form) for name, plot in self.plots.items() for form in plot.forms}


def found() -> dict[str, Plot]:
    """Every plot by its name.

    Raises:
        UserError: a file of the folder does not define `PLOT`.
    """
    return {name: _plot(name) for name in parts.names("plots")}


def _plot(name: str) -> Plot:
    plot = vars(parts.module("plots", name)).get("PLOT")
    if not isinstance(plot, Plot):
        raise UserError(
            f"{parts.shown_file('plots', name)} must define PLOT, an instance of Plot; "
            f"its PLOT is of type {type(plot).__name__}."
        )
    return plot
