"""Draw the report of the active study."""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from pipeline_steps.command import reads, study_command, study_timing, timed
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts, read_split
from vaeline.evaluation import reference_numbers
from vaeline.evaluation.record import Record
from vaeline.report import compare, pareto, results
from vaeline.report.costs import costs
from vaeline.report.page import render
from vaeline.report.plots import drawings, drawn_figures, latent_figures
from vaeline.report.plots.figures import samples_png
from vaeline.report.provenance import provenance
from vaeline.runs import former
from vaeline.runs.folder import StudyFolder
from vaeline.runs.pictures import picture
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.files import write_json, write_text, written_aside


@study_command
@click.option(
    "--partial",
    is_flag=True,
    help="From whatever runs there are, into partial-report.html beside the declared outputs.",
)
@timed(study_timing, "report")
@reads("study", "dataset", "training", "classifier", "sampling", "evaluation", "variants", "published")
def main(study: Study, partial: bool) -> None:
    """Draw the report of the active study, and write its metrics and comparisons."""
    where = StudyFolder(study.study.name)
    folder = where.path
    found = results.read(where.runs, study, partial)
    _refuse(found, folder, partial)
    found = replace(found, reference=_reference(study, partial))
    if not partial:
        for run in former.move_former(where.runs, study.study, where.former):
            click.echo(f"params.yaml no longer names this run: kept in {run}.")
    compared = compare.compare(found)
    test, facts = _test_images(study, found)
    real = _real_images(test, facts, study, found)
    drawn = drawings.files(found, compared)
    pictures = _pictures(found, drawn, test)
    spent = costs(found, DataFiles(study.dataset.id).timing, study.evaluation.features.name)
    page = render(study, found, compared, real, pictures, provenance(found, facts, spent))
    if partial:
        write_text(folder / "partial-report.html", page)
        click.echo(f"{len(found.runs)} runs, {len(found.missing)} missing: {folder / 'partial-report.html'}")
        return
    write_json(folder / "metrics.json", compared.means())
    write_json(folder / "comparison.json", compared.model_dump(mode="json"))
    write_json(folder / "pareto.json", pareto.records(found, compared))
    grids = {f"{name}.png": content for name, content in {"samples": samples_png(found, real), **pictures}.items()}
    for name, content in {**drawn, **grids}.items():
        with written_aside(folder / name) as aside:
            aside.write_bytes(content)
    write_text(folder / "report.html", page)


def _reference(study: Study, partial: bool) -> Record:
    """The numbers of the data set; a partial report does without if they are unavailable."""
    path = DataFiles(study.dataset.id).metrics(study.evaluation.features.name)
    return Record() if partial and not path.exists() else reference_numbers.read_numbers(path)[0]


def _refuse(found: results.Results, folder: Path, partial: bool) -> None:
    missing = [f"{variant} seed {seed} ({state})" for (variant, seed), state in found.missing.items()]
    if partial and not found.runs:
        raise UserError(
            f"No run of the study is finished in {folder / 'runs'}; run it first (snakemake --cores 4 all)."
        )
    if missing and not partial:
        raise UserError(
            f"The report needs every run of the study; missing: {', '.join(missing)}; "
            "run them, or see the others with make report."
        )


def _test_images(study: Study, found: results.Results) -> tuple[np.ndarray | None, Facts | None]:
    """The test images, and what they are; None where the data are not at hand.

    Raises:
        UserError: they are not those that the runs are of.
    """
    store = DataFiles(study.dataset.id).store
    if not store.exists():
        return None, None
    images = read_split(store, "test").images
    if max(run.drawn["test_index"].max() for run in found.runs) >= len(images):
        raise UserError(
            f"{store} is not the one that the runs are of; make it anew with `python -m pipeline_steps.preprocess`."
        )
    return images, read_facts(store)


def _real_images(test: np.ndarray | None, facts: Facts | None, study: Study, found: results.Results) -> bytes | None:
    """The test images that the pictures of the runs are of."""
    if test is None or facts is None:
        return None
    shown = found.runs[0].drawn["test_index"][: study.sampling.grid]
    return picture(test[slice(None) if facts.points else shown], facts, test)


def _pictures(found: results.Results, drawn: dict[str, bytes], test: np.ndarray | None) -> dict[str, bytes]:
    """Pictures of the variants, by the name of their file."""
    return {
        "codes": drawn["codes.png"],
        "pockets": drawn["pockets.png"],
        "traversals": latent_figures.traversals_png(found),
        "switched": drawn_figures.switched_png(found),
        "interpolations": drawn_figures.interpolations_png(found),
        "worst": drawn_figures.worst_png(found, test),
        "low_posterior": drawn_figures.low_posterior_png(found),
    }


if __name__ == "__main__":
    main()
