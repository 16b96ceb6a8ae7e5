"""Whether a report is of its runs, its study and the code as they are now, by the records of both engines."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from pipeline_steps.code_hashes import hashes
from vaeline.data import paths, source_fingerprint
from vaeline.data.paths import DOWNLOAD, DataFiles, from_study
from vaeline.report import outdated
from vaeline.report.comparison import Comparison
from vaeline.report.results import Results
from vaeline.runs.folder import StudyFolder
from vaeline.study.schema import Study
from vaeline.study.step_settings import OF_RUN
from vaeline.system.errors import reading_ours
from vaeline.system.sealed_files import read_sealed

HASHES = TypeAdapter(dict[str, str | dict[str, str]])
LOCK = Path("dvc.lock")  # the only record of what was made by which code
AGAIN = "run it to its end (`make run`), and try again"


def why_stale(folder: StudyFolder, study: Study, compared: Comparison, found: Results) -> str:
    """What has changed since the report was written; empty if nothing has."""
    if changed := outdated.changes(compared, study):
        return "; ".join(changed)
    if source_changed(study):
        return f"files in {study.dataset.source} have changed"
    for run in found.runs:
        was = compared.weights[run.variant].get(run.seed), compared.evaluations[run.variant].get(run.seed)
        if was != (run.weights_sha256, run.evaluation_sha256):
            return f"{run.variant} seed {run.seed} was trained or evaluated again"
    now, made, recorded = hashes(study), _planned(folder), _recorded(folder)
    changed = [
        key for stage, key in stages(study).items() if recorded.get(stage, {}).get(key, _at(made, key)) != _at(now, key)
    ]
    return f"the code of the step {changed[0]} has changed" if changed else ""


def _planned(folder: StudyFolder) -> dict[str, Any]:
    """The hashes of code.json, which each planning writes anew: those of stages that no engine has recorded."""
    return {**(_hashes_in(paths.CODE) if paths.CODE.exists() else {}), **_hashes_in(folder.code)}


def _hashes_in(path: Path) -> dict[str, Any]:
    """The hashes of a code.json: a step's, or a mapping of those of its variants."""
    with reading_ours(path, AGAIN):
        return HASHES.validate_json(path.read_bytes())


def _recorded(folder: StudyFolder) -> dict[str, dict[str, str]]:
    """Stage -> key of its code -> hash of the code that made its files, as dvc.lock says."""
    if not LOCK.exists():
        return {}
    of_code = (str(folder.code), str(paths.CODE))
    with reading_ours(LOCK, AGAIN):
        stages = yaml.safe_load(LOCK.read_bytes())["stages"]
        return {
            name: {key: value for file in of_code for key, value in stage.get("params", {}).get(file, {}).items()}
            for name, stage in stages.items()
        }


def stages(study: Study) -> dict[str, str]:
    """The stages behind the results, as dvc.yaml names them, and the key of the code of each in code.json."""
    data, features, name = study.dataset, study.evaluation.features.name, study.study.name
    of_data = {
        f"download@{data.id}": f"download.{data.name}",
        f"preprocess@{data.id}": f"preprocess.{data.name}",
        f"classifier@{data.id}": "classifier",
        f"reference@{data.id}-{features}": f"reference.{features}",
    }
    of_runs = {
        f"{step}@{name}-{variant}-{seed}": f"{step}.{variant}"
        for step in OF_RUN
        for variant in study.study.variants
        for seed in study.study.seeds
    }
    return {**of_data, **_of_tuning(study), **of_runs, f"report@{name}": "report"}


def _of_tuning(study: Study) -> dict[str, str]:
    """The stages that choose what the variants are trained with; none without trials."""
    trials, name = study.tuning.trials, study.study.name
    found: dict[str, str] = {}
    for variant in study.study.variants if trials else []:
        found |= {f"{step}@{name}-{variant}": step for step in ("design", "choose")}
        found |= {f"trial@{name}-{variant}-{trial}": f"trial.{variant}" for trial in trials}
    return found


def source_changed(study: Study) -> bool:
    """Whether the files of a local source are others than those that the download step found; False if they are not there any more."""
    manifest = DataFiles(study.dataset.id).manifest
    if study.dataset.source == DOWNLOAD or not from_study(study.dataset.source).is_dir() or not manifest.exists():
        return False
    was = read_sealed(manifest, AGAIN).get(source_fingerprint.KEY)
    return bool(was != source_fingerprint.of_source(study.dataset))


def _at(of: dict[str, Any], key: str) -> object:
    step, _, variant = key.partition(".")
    found = of.get(step)
    if not variant:
        return found
    return found.get(variant) if isinstance(found, dict) else None
