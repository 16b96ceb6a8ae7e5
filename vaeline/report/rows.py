"""The results of runs as rows, for Python: `pandas.DataFrame(vaeline.metrics_of(folder))` makes a data frame of them."""

import os
from pathlib import Path

from vaeline.evaluation.catalogue import catalogue
from vaeline.runs.folder import RunKey, key_of, runs_in
from vaeline.runs.identity import description_of, evaluation_of
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
    key = key_of(Path(os.path.abspath(folder)))
    if key is None:
        raise UserError(f"{folder} is no folder of a run; give one such as results/<study>/runs/<variant>/seed-0.")
    entries, known = _entries(folder, key), catalogue()
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
    found = {key: path for key, path in runs_in(folder / "runs").items() if (path / "evaluation.json").exists()}
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


def _entries(folder: Path, key: RunKey) -> dict[str, dict]:
    """What the evaluation.json of a run says of each metric."""
    return evaluation_of(folder, description_of(folder, key)).metrics


def _path(value: object, name: str) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} is {shown(value)}; give a path.")
    return Path(value)
