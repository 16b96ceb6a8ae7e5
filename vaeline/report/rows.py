"""The results of runs as rows, for Python: `pandas.DataFrame(vaeline.metrics_of(folder))` makes a data frame of them."""

import os
from pathlib import Path

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.common_ground import CommonGround
from vaeline.report.compare import pairs_of
from vaeline.report.results import Results, Run
from vaeline.runs.description import described
from vaeline.runs.folder import DESCRIPTION, EVALUATION, RunKey, key_of, runs_in
from vaeline.runs.identity import description_of, evaluation_of, require_place
from vaeline.study.schema import StudySection
from vaeline.system.errors import UserError, shown

Row = dict[str, str | int | float | None]


def metrics_of(run: Path | str) -> list[Row]:
    """The metrics of a run with their definitions, a row for each, in the order of the table.

    Args:
        run: folder of the run, such as `results/digits/runs/cvae/seed-0`.

    Returns:
        Rows with the keys `metric`, `value` (None if it has no meaning here), `standard_error`, `unit`, `better` (lower, higher or None),
        `group`, `definition` and `dash` (why there is no value, else None).

    Raises:
        UserError: the folder is not that of a run, or a file of it is missing, damaged, or of another run.
    """
    folder = _path(run, "run")
    if key_of(Path(os.path.abspath(folder))) is None and not (folder / DESCRIPTION).exists():
        raise UserError(f"{folder} is no folder of a run; give one such as results/<study>/runs/<variant>/seed-0.")
    made = described(folder / DESCRIPTION)
    require_place(folder, made)  # a run that was fetched may lie anywhere
    entries, known = evaluation_of(folder, made).metrics, catalogue()
    return [
        {
            "metric": name,
            "value": entries[name].get("value"),
            "standard_error": entries.get(metric.error_name, {}).get("value"),
            "unit": metric.unit,
            "better": metric.better,
            "group": metric.group,
            "definition": metric.definition,
            "dash": entries[name].get("dash"),
        }
        for name, metric in known.metrics.items()
        if name in entries
    ]


def study_table(study: Path | str) -> list[Row]:
    """The metrics of all runs of a study that are evaluated, a row for each run.

    Args:
        study: folder of its results, such as `results/digits`.

    Returns:
        Rows with the keys `variant`, `seed` and the names of metrics; a value is None if the metric has no meaning for the run.

    Raises:
        UserError: no run is evaluated, or a file is damaged or of another run.
    """
    folder = _path(study, "study")
    found = _evaluated(folder)
    if not found:
        raise UserError(
            f"No run in {folder / 'runs'} is evaluated; give the folder of a study's results, such as results/digits."
        )
    entries = {key: _entries(path, key) for key, path in found.items()}
    names = [name for name in catalogue().metrics if any(name in each for each in entries.values())]
    return [
        {"variant": key.variant, "seed": key.seed, **{name: each.get(name, {}).get("value") for name in names}}
        for key, each in entries.items()
    ]


def differences(study: Path | str, first: str, second: str) -> list[Row]:
    """The difference of two variants in every metric, paired over the seeds that both ran, from the files of their runs.

    comparison.json holds the pairs that a study of many variants claims or shows; this gives any other. Intervals are not adjusted for the
    number of comparisons, so they claim nothing.

    Args:
        study: folder of its results, such as `results/digits`.
        first: name of a variant.
        second: name of another.

    Returns:
        Rows with the keys `metric`, `difference` (first minus second), `half_width` (of the 95% interval; None for one seed), `p_value`
        (None for one seed), `seeds` (shared), `won` and `lost` (seeds on which the first is better or worse). A metric that one of
        the two lacks, or that was measured in different ways, has no row.

    Raises:
        UserError: a variant has no run that is evaluated, or a file is damaged or of another run, or the runs are of other images.
    """
    folder = _path(study, "study")
    there = _evaluated(folder)
    for variant in (first, second):
        if not any(key.variant == variant for key in there):
            raise UserError(f"{shown(variant)} has no run in {folder / 'runs'} that is evaluated; {_others(there)}.")
    if first == second:
        raise UserError(f"Both variants are {first}; name two.")
    common = CommonGround()
    runs = [_measured(path, key, common) for key, path in there.items() if key.variant in (first, second)]
    section = StudySection(name="study", variants=[first, second], seeds=sorted({run.seed for run in runs}))
    found = pairs_of(Results(section, runs, {}))
    return [
        {
            "metric": name, "difference": pair.difference, "half_width": pair.half_width, "p_value": pair.p_value,
            "seeds": pair.seeds, "won": pair.won, "lost": pair.lost,
        }
        for name in catalogue().metrics
        if (pair := found.get(name))
    ]  # fmt: skip


def _evaluated(study: Path) -> dict[RunKey, Path]:
    """The folders of the runs of a study that are evaluated."""
    return {key: path for key, path in runs_in(study / "runs").items() if (path / EVALUATION).exists()}


def _others(there: dict[RunKey, Path]) -> str:
    names = sorted({key.variant for key in there})
    return f"the variants that have one are {', '.join(names)}" if names else "run the study first"


def _measured(folder: Path, key: RunKey, common: CommonGround) -> Run:
    """A run with its metrics alone, which must be of the same images as the runs before."""
    made = description_of(folder, key)
    measured = evaluation_of(folder, made)
    common.admit(folder, made.facts, measured.of)
    return Run(*key, measured.metrics, {}, b"", b"", {}, {}, made.facts, {}, made.weights_sha256, measured.checksum)


def _entries(folder: Path, key: RunKey) -> dict[str, dict]:
    """What the evaluation.json of a run says of each metric."""
    return evaluation_of(folder, description_of(folder, key)).metrics


def _path(value: object, name: str) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} is {shown(value)}; give a path.")
    return Path(value)
