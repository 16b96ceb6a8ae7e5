"""Write the report of the active study: numbers, plots, page."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipeline_steps.command import reads, study_command, study_timing, timed
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import verify
from vaeline.evaluation import reference_numbers
from vaeline.evaluation.catalogue import require_primary
from vaeline.evaluation.record import Record
from vaeline.evaluation.shared_files import other_settings
from vaeline.report import compare, comparison, real_images, results, tradeoffs
from vaeline.report.common_ground import CommonGround
from vaeline.report.costs import costs
from vaeline.report.few_metrics import few_means
from vaeline.report.findings import Findings
from vaeline.report.page import compose, render
from vaeline.report.plots.shared import contract
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.provenance import provenance
from vaeline.runs import former_runs
from vaeline.runs.folder import COMPARISON, METRICS, NOT_TRAINED, REPORT, TIMING, StudyFolder
from vaeline.runs.tuning import Choice, read_choice
from vaeline.study.schema import Study
from vaeline.study.step_settings import BY_DVC
from vaeline.system.errors import UserError
from vaeline.system.files import write_json, write_text, written_aside

PARTIAL = "partial-report.html"


def _vouching(study: Study, options: Mapping[str, Any]) -> Path | None:
    """The file that vouches for the outputs; None for a partial report, which no file vouches for."""
    return None if options["partial"] else StudyFolder(study.study.name).comparison


@study_command
@click.option(
    "--partial",
    is_flag=True,
    help=f"Use the runs that are complete, and write {PARTIAL} instead of the declared outputs.",
)
@timed(study_timing, "report", unless="partial")
@reads("report", code="report", vouching=_vouching)
def main(study: Study, partial: bool) -> None:
    """Write the report of the active study, with its metrics and comparisons."""
    where, store = StudyFolder(study.study.name), DataFiles(study.dataset.id).store
    folder = where.path
    require_primary(study.study.primary)
    common = _common_ground(study, partial)
    found = results.read(where.runs, study, partial, common=common, choices=_choices(study, common.facts, partial))
    _check_complete(found, folder, partial)
    real = real_images.read(store, found, study.sampling.grid)
    found = replace(found, reference=_reference(study, real.facts if real else None, found, partial))
    if not partial:
        for run in former_runs.move_former(where.runs, study.study, where.former):
            click.echo(f"params.yaml no longer names this run, which is kept in {run}.")
    findings = Findings(found, compare.compare(found), real)
    if partial:
        write_text(folder / PARTIAL, _page(study, RenderedPlots(findings, contract.found())))
        missing = f"; missing: {', '.join(_missing(found))}" if found.missing else ""
        click.echo(f"{folder / PARTIAL} shows {len(found.runs)} runs{missing}.")
    else:
        _write_outputs(study, findings, folder)


def _write_outputs(study: Study, findings: Findings, folder: Path) -> None:
    """Write the declared outputs: numbers, plots, page."""
    plots = RenderedPlots(findings, contract.found())
    page, files = _page(study, plots), plots.files()
    write_text(
        folder / METRICS, json.dumps(few_means(findings.comparison), indent=2) + "\n"
    )  # in the order of DVC's table
    write_json(folder / "means.json", findings.comparison.means())
    write_json(folder / "pareto.json", tradeoffs.records(findings))
    for name, content in files.items():
        with written_aside(folder / name) as aside:
            aside.write_bytes(content)
    write_text(folder / REPORT, page)
    comparison.write(folder / COMPARISON, findings.comparison)  # last, because it vouches for the others


def _reference(study: Study, facts: Facts | None, found: results.Results, partial: bool) -> Record:
    """The numbers of the data set; a partial report does without if they are unavailable."""
    path = DataFiles(study.dataset.id).metrics(study.evaluation.features.name)
    if partial and not path.exists():
        _say_missing(path, "reference", "no floors, ceilings or other values of real images")
        return Record()
    return reference_numbers.read_numbers_of(study, facts, [run.evaluation for run in found.runs])


def _common_ground(study: Study, partial: bool) -> CommonGround:
    """The data set that the runs must be of; a partial report does without a store and a classifier.

    Raises:
        UserError: the files of the data set are of other settings than the study's, damaged, or missing.
    """
    store, classifier = DataFiles(study.dataset.id).store, DataFiles(study.dataset.id).classifier
    if partial and not classifier.exists():
        _say_missing(classifier, "classifier", "settings of the classifier that nothing confirms")
    elif why := other_settings(study, "classifier"):
        raise UserError(why)
    if partial and not store.exists():
        _say_missing(store, "preprocess", "no real images beside samples and reconstructions")
        return CommonGround.on_disk(study, None)
    return CommonGround.on_disk(study, verify(store))


def _choices(study: Study, facts: Facts | None, partial: bool) -> dict[str, Choice]:
    """What the tuning of each variant has chosen; a partial report does without those that are unavailable."""
    found = {}
    for variant in study.study.variants:
        try:
            found[variant] = read_choice(study, variant, facts)
        except UserError:
            if not partial:
                raise
    return found


def _say_missing(path: Path, step: str, without: str) -> None:
    click.echo(f"There is no {path}, so the page has {without}; `python -m pipeline_steps.{step}` makes it.", err=True)


def _page(study: Study, plots: RenderedPlots) -> str:
    results, real = plots.findings.results, plots.findings.real
    notes = DataFiles(study.dataset.id).timing
    where = StudyFolder(study.study.name)
    trials = [where.trial(variant, each.trial) / TIMING for variant, of in results.tuned.items() for each in of.trials]
    spent = costs(results, notes, study.evaluation.features.name, trials)
    return render(compose(study, plots, provenance(results, real.facts if real else None, spent)))


def _missing(found: results.Results) -> list[str]:
    """The missing runs, each with the reason."""
    return [f"{variant} seed {seed} ({state.removesuffix('.')})" for (variant, seed), state in found.missing.items()]


def _check_complete(found: results.Results, folder: Path, partial: bool) -> None:
    """Check that the runs that a report needs are there.

    Raises:
        UserError: a run is missing, or for a partial report every run.
    """
    missing = _missing(found)
    if partial and not found.runs:
        why = "" if set(found.missing.values()) == {NOT_TRAINED} else f" ({', '.join(missing)})"
        raise UserError(f"No run in {folder / 'runs'} is finished{why}; run the study first (snakemake --cores 4 all).")
    if missing and not partial:
        by_dvc = BY_DVC if any(results.OTHERWISE in each for each in missing) else ""
        raise UserError(
            f"The report needs every run of the study; missing: {', '.join(missing)}; "
            f"run them, or see the others with make report{by_dvc}."
        )


if __name__ == "__main__":
    main()
