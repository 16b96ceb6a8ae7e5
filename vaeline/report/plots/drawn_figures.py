"""Pictures of what runs drew, a panel for each variant's first run: labels switched, ways between images, failures."""

from collections.abc import Mapping

import numpy as np

from vaeline.report.plots.figures import headed, side_by_side
from vaeline.report.plots.latent_figures import first_runs, sentence
from vaeline.report.results import Results, Run
from vaeline.runs.pictures import grid

WIDEST = 1060  # pixels: what the report's page has room for
WAYS = {"interpolations": "straight", "interpolations_through_flow": "through the prior's flow"}


def switched_png(results: Results) -> bytes:
    """The same noise decoded under labels of which one is switched, a row a draw, a column a switch."""
    runs = first_runs(results, "switched")
    panels = {
        variant: headed(_rows(run.drawn["switched"], run.levels), _switches(run)) for variant, run in runs.items()
    }
    return _panels(panels, "No variant of this study has labels to switch, and images.")


def interpolations_png(results: Results) -> bytes:
    """Images on the way between two test images, a row a pair: straight in z, and through the flow of a prior that has one."""
    panels = {
        f"{variant}: {words}": _rows(run.drawn[way], run.levels)
        for variant, run in first_runs(results, "interpolations").items()
        for way, words in WAYS.items()
        if way in run.drawn
    }
    return _panels(panels, "No variant of this study has latents to go between, and images.")


def worst_png(results: Results, test: np.ndarray | None) -> bytes:
    """The test images that each variant reconstructs worst, by squared error, above what it makes of them.

    Args:
        results: of a study.
        test: the test images, uint8 (n, channel, height, width); None where they are not at hand.
    """
    panels = {}
    for variant, run in _failing(results, "reconstructions").items():
        failed = run.failures["reconstructions"]
        pairs = [failed] if test is None else [test[run.failures["test_index"]], failed]
        panels[variant] = _rows(np.stack(pairs), run.levels)
    return _panels(panels, "No run of this study holds errors of reconstructions; sample it again.")


def low_posterior_png(results: Results) -> bytes:
    """The samples that each variant's aggregate posterior covers least, the least covered first."""
    runs = _failing(results, "low_posterior")
    panels = {variant: _rows(run.failures["low_posterior"][None], run.levels) for variant, run in runs.items()}
    return _panels(panels, "No variant of this study has an aggregate posterior with a density, and images.")


def _failing(results: Results, name: str) -> Mapping[str, Run]:
    """Each variant's first run, if it has images of such failures."""
    runs = {variant: of[0] for variant in results.study.variants if (of := results.of(variant))}
    return {variant: run for variant, run in runs.items() if name in run.failures and run.levels}


def _rows(images: np.ndarray, levels: int) -> bytes:
    """A grid of images, (rows, columns, channel, height, width)."""
    return grid(images.reshape(-1, *images.shape[2:]), levels, columns=images.shape[1])


def _switches(run: Run) -> list[str]:
    """What each switch is called: the value of a class, or the attribute that is switched."""
    labels, names, values = run.drawn["switched_labels"][0], run.facts.label_names, run.facts.label_values
    if len(names) == 1:
        return [f"{names[0]} {values[0][row[0]]}" if len(values[0]) < 4 else values[0][row[0]] for row in labels]
    switched = [np.flatnonzero(row != labels[0]) for row in labels]
    return [names[columns[0]].replace("_", " ") if len(columns) else "as asked" for columns in switched]


def _panels(panels: Mapping[str, bytes], none: str) -> bytes:
    return side_by_side(panels, WIDEST) if panels else sentence(none)
