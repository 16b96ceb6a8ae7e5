"""A project whose study of many variants looks as if Snakemake had just run it: every file is there, and no model was trained."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.race import ROOT
from pipeline_steps.running import RUNNING
from tests.made_up import write_choices, write_manifest_and_classifier, write_numbers, write_run, write_store
from vaeline.data import source_fingerprint
from vaeline.data.paths import DataFiles
from vaeline.evaluation.record import Record
from vaeline.runs.folder import StudyFolder
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, check, load
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of
from vaeline.system.files import write_text
from vaeline.system.sealed_files import write_sealed
from vaeline.system.tensor_files import write_tensors
from workflow import bridge, records

if TYPE_CHECKING:
    from snakemake.jobs import Job
    from snakemake.workflow import Workflow

SEEDS = 5
OF_STUDY, OF_VARIANT = 6, 2 + 3 * SEEDS  # stages


def variants_for(stages: int) -> int:
    """How many variants, with five seeds each, give a study about so many stages."""
    return max(1, round((stages - OF_STUDY) / OF_VARIANT))


def write(folder: Path, variants: int) -> int:
    """Write a project, and return the number of its stages.

    Args:
        folder: of the project, which must not exist.
        variants: of the study; the systems of the default study, over and over.
    """
    _copy(folder)
    with within(folder):
        study = _study(variants)
        write_text(PARAMS, ready_studies.as_yaml(study))
        study = load()
        _write_shared(study)
        for variant in study.study.variants:
            for seed in study.study.seeds:
                run = StudyFolder(study.study.name).run(variant, seed)
                write_run(run, {"nll": 1.0}, of=study)
        return _as_if_run(study)


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Work in another folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _copy(folder: Path) -> None:
    """Copy this project's files, as they are, into a repository of their own."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    shutil.rmtree(folder / ".dvc/cache", ignore_errors=True)
    (folder / "dvc.lock").unlink(missing_ok=True)


def _study(variants: int) -> Study:
    content = ready_studies.resolve("digits").model_dump(mode="json")
    systems = list(content["variants"].values())
    names = [f"variant_{number:03}" for number in range(variants)]
    content["variants"] = {name: systems[place % len(systems)] for place, name in enumerate(names)}
    content["study"] |= {"name": "many", "variants": names, "seeds": list(range(SEEDS)), "baseline": None}
    return check(content | {"published": {}}, PARAMS)


def _write_shared(study: Study) -> None:
    """Write the files of the data set, of the tunings and of the report."""
    files, space = DataFiles(study.dataset.id), study.evaluation.features.name
    write_manifest_and_classifier(study)
    manifest = {"id": study.dataset.id, "dataset": study.dataset.name, "source": study.dataset.source}
    write_sealed(files.manifest, {**manifest, source_fingerprint.KEY: ""})
    write_store(files.store, study)
    write_numbers(study, Record())
    write_tensors(files.statistics(space), {}, {"settings": settings_of(study, "reference")})
    write_choices(study)
    of = {"study": study.study.name, "variants": study.study.variants, "seeds": study.study.seeds}
    write_sealed(StudyFolder(study.study.name).comparison, {**of, "settings": settings_of(study, "report")})


def _as_if_run(study: Study) -> int:
    """Mark a run that has ended, with all jobs finished one after another, and write the files that are still missing."""
    began = time.time() - 10_000
    with records.planned() as workflow:
        for place, job in enumerate(_jobs(workflow)):
            for path in map(Path, job.output):
                if not path.exists():
                    write_text(path, f"{study.study.name} {path}\n")
                os.utime(path, (began + place, began + place))
    with records.planned() as workflow:  # which looks at the times anew
        jobs = _jobs(workflow)
        for job in jobs:
            workflow.async_run(workflow.persistence.finished(job))
    bridge.FOLDER.mkdir(parents=True, exist_ok=True)
    RUNNING.touch()
    os.utime(RUNNING, (began - 1, began - 1))
    return len(jobs)


def _jobs(workflow: "Workflow") -> list["Job"]:
    return [job for level in workflow.dag.toposorted() for job in level if job.output]
