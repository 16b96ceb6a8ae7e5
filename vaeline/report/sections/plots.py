"""The sections "Labels", "Latent spaces" and "Failures": the plots that name them, as found on disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaeline.report.plots.by_attribute import accuracies
from vaeline.report.plots.shared.contract import OnPage, RenderedPlots
from vaeline.report.results import Results
from vaeline.report.sections.section import Section

FEWEST_OBEYED = 5  # attributes that a variant obeys least


@dataclass(frozen=True)
class ShownPlot:
    """A plot on the page."""

    name: str
    about: OnPage  # title, alternative text, caption
    content: bytes  # SVG
    left_out: Mapping[str, str]  # variant -> why the plot does not show it


@dataclass(frozen=True)
class LabelsSection(Section):
    """What the variants do with labels."""

    id, title, template = "labels", "Labels", "plots.html.j2"

    plots: list[ShownPlot]


@dataclass(frozen=True)
class LatentsSection(Section):
    """The latent spaces of the variants."""

    id, title, template = "latents", "Latent spaces", "plots.html.j2"

    plots: list[ShownPlot]


@dataclass(frozen=True)
class FailuresSection(Section):
    """What the variants do worst."""

    id, title, template = "failures", "Failures", "plots.failures.html.j2"

    plots: list[ShownPlot]
    least_obeyed: dict[
        str, list[tuple[str, float]]
    ]  # variant -> attributes with their condition accuracy, lowest first
    guess: float | None  # condition accuracy of a classifier that guesses; None if unavailable


def labels_section(plots: RenderedPlots) -> LabelsSection | None:
    """What the variants do with labels, or None if no run has data for it."""
    shown = shown_plots(plots, "labels")
    return LabelsSection(shown) if shown else None


def latents_section(plots: RenderedPlots) -> LatentsSection | None:
    """The latent spaces of the variants, or None if no run has data for them."""
    shown = shown_plots(plots, "latents")
    return LatentsSection(shown) if shown else None


def failures_section(plots: RenderedPlots) -> FailuresSection | None:
    """What the variants do worst, or None if no run has data for it."""
    results = plots.findings.results
    shown, least = shown_plots(plots, "failures"), _least_obeyed(results)
    guess = results.reference.metrics.get("condition_accuracy_floor")
    return FailuresSection(shown, least, guess) if shown or least else None


def shown_plots(plots: RenderedPlots, section: str) -> list[ShownPlot]:
    """The plots of a section that have something to draw, in the order of their places."""
    found = {name: plot.on_page for name, plot in plots.plots.items() if not plot.missing(plots.findings)}
    of_section = {name: about for name, about in found.items() if about and about.section == section}
    order = sorted(of_section, key=lambda name: (of_section[name].place, name))
    return [_shown_plot(plots, name, of_section[name]) for name in order]


def _shown_plot(plots: RenderedPlots, name: str, about: OnPage) -> ShownPlot:
    plot = plots.plots[name]
    return ShownPlot(name, about, plots.on_page(name), plot.left_out(plots.findings))


def _least_obeyed(results: Results) -> dict[str, list[tuple[str, float]]]:
    """The attributes that each variant obeys least, with their condition accuracy."""
    found = accuracies(results, "condition_accuracy")
    of_variants = {
        variant: [(label, values[variant]) for label, values in found.items() if variant in values]
        for variant in results.study.variants
    }
    return {
        variant: sorted(labels, key=lambda each: each[1])[:FEWEST_OBEYED]
        for variant, labels in of_variants.items()
        if labels
    }
