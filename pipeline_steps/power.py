"""Print how many seeds a wanted difference needs, from the variance of the runs so far. Differences are not shown."""

from math import isfinite

import click

from pipeline_steps.command import study_command
from vaeline.evaluation.catalogue import catalogue, require_primary
from vaeline.report import compare, comparison, results
from vaeline.report.comparison import Comparison
from vaeline.report.power import MOST_SEEDS, SURE, Claim, claims_of, holds_claims, level_of
from vaeline.report.table import number
from vaeline.report.text_table import aligned
from vaeline.runs.folder import FILES, StudyFolder
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, shown

SEEDS = (3, 5, 8, 10, 20)


@study_command
@click.option("--difference", type=float, help="Print the seeds that it needs, in the unit of the metric.")
@click.option("--metric", help="The primary metric of the difference; the study's first if it is left out.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Probability to find the difference.")
def main(study: Study, difference: float | None, metric: str | None, power: float) -> None:
    """Print what seeds can find: for each claim of the study the smallest difference, or the seeds that --difference needs."""
    _check_options(difference, metric, power)
    require_primary(study.study.primary)
    compared = _comparison(study)
    claims = _claims(study, compared)
    level = level_of(study.study, len(claims))
    shared = f"each of {len(claims)} claims" if len(claims) > 1 else "one claim"
    finished = {seed for variant in compared.variants for seed in compared.seeds_of(variant)}
    click.echo(
        f"Variance: of {study.study.name}, seeds {', '.join(map(str, sorted(finished)))}. Differences are not shown, since seeds that are "
        f"added for their sake find what is not there.\nLevel: {level:.2g} for {shared}. Power: {power}.\n"
        f"In brackets: if the deviation over seeds is at its upper {SURE:.0%} limit, because few seeds know it badly."
    )
    for line in _left_out(compared):
        click.echo(line)
    if difference is None:
        _print_differences(claims, level, power)
    else:
        _print_seeds(claims, metric or claims[0].metric, difference, level, power)


def _check_options(difference: float | None, metric: str | None, power: float) -> None:
    if difference is not None and not (isfinite(difference) and difference > 0):
        raise UserError(f"--difference is {difference}, but should be a number above 0, in the unit of the metric.")
    if not 0.05 < power < 1:
        raise UserError(f"--power is {power}, but should be above 0.05 and below 1, as 0.8.")
    if metric is not None and difference is None:
        raise UserError("--metric says what --difference is a difference of; give both, or none for a table.")


def _comparison(study: Study) -> Comparison:
    """The comparison of the study, or of the runs that are finished if there is no report yet."""
    folder = StudyFolder(study.study.name)
    path = folder.comparison
    if path.exists():
        found = comparison.read(path)
        if found.study != study.study.name:
            raise UserError(f"{path} has the results of the study {found.study}; run the study again.")
        if list(found.variants) == study.study.variants and holds_claims(found, study.study):
            return found  # else variants came or went after the report, or the study claims something else
    runs = results.read(folder.runs, study, tolerant=True)
    if not runs.runs:
        raise UserError(f"No run in {folder.runs} is finished; run the study first (snakemake --cores 4 all).")
    return compare.compare(runs)


def _claims(study: Study, compared: Comparison) -> list[Claim]:
    if claims := claims_of(compared, study.study):
        return claims
    if len(study.study.variants) == 1:
        raise UserError("The study has one variant, so that it compares nothing; add a variant to study.variants.")
    of = ", ".join(study.study.primary or ()) or "a primary metric"
    raise UserError(
        f"No two variants share two finished seeds with a value of {of}, so that no variance is known; run two seeds or more of each, and see "
        "python -m pipeline_steps.table for values that are missing."
    )


def _left_out(compared: Comparison) -> list[str]:
    """What the variance says nothing of, though the study has it."""
    unfinished = tuple(FILES.values())
    damaged = [each.removesuffix(".") for each in compared.missing if not each.endswith(unfinished)]
    lines = [f"Left out: {each}." for each in damaged]
    if compared.undecided:
        lines.append(
            f"Nothing is known of {', '.join(compared.undecided)}: no two variants share two seeds with a value."
        )
    return lines


def _print_differences(claims: list[Claim], level: float, power: float) -> None:
    """A table of the smallest differences."""
    for metric in dict.fromkeys(claim.metric for claim in claims):
        unit = catalogue().metric(metric).unit
        lines = [[f"{metric}{f' ({unit})' if unit else ''}, by seeds", *map(str, SEEDS)]]
        for claim in claims:
            if claim.metric == metric:
                cells = [_smallest(claim, seeds, level, power) for seeds in SEEDS]
                lines.append([f"  {' and '.join(claim.variants)}", *cells])
        click.echo("\n".join(["", *aligned(lines, "<>")]))


def _smallest(claim: Claim, seeds: int, level: float, power: float) -> str:
    if not claim.varies:
        return "no variance"
    found, most = (each.detectable(seeds, level, power) for each in (claim, claim.at_its_limit()))
    return f"{number(found, found)} ({number(most, most)})"


def _print_seeds(claims: list[Claim], metric: str, difference: float, level: float, power: float) -> None:
    """The seeds that a difference of a metric needs, for each claim."""
    chosen = [claim for claim in claims if claim.metric == metric]
    if not chosen:
        names = ", ".join(dict.fromkeys(claim.metric for claim in claims))
        raise UserError(f"--metric is {shown(metric)}; the study claims something in {names}. Take one of them.")
    click.echo(
        f"\nSeeds that find a difference of {difference:g} {catalogue().metric(metric).unit}".rstrip()
        + f" in {metric}:"
    )
    for claim in chosen:
        click.echo(f"  {' and '.join(claim.variants)}: {_needed(claim, difference, level, power)}")


def _needed(claim: Claim, difference: float, level: float, power: float) -> str:
    if not claim.varies:
        return "unknown, because the differences of these runs do not vary"
    found, most = (each.needed(difference, level, power) for each in (claim, claim.at_its_limit()))
    if found:
        return f"{found:,}" + (f" ({most:,})" if most else "")
    if claim.bounded:
        return "no number, because test images and classifiers alone leave more open"
    return f"more than {MOST_SEEDS:,}"


if __name__ == "__main__":
    main()
