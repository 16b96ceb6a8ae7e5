"""Keep the results of a finished study in the repository, as docs/results/<study>.json, from which pages take their numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipeline_steps.closure import closure
from pipeline_steps.code_hashes import modules_at
from pipeline_steps.command import command
from pipeline_steps.file_states import ROOT
from pipeline_steps.staleness import AGAIN, stages, why_stale
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts
from vaeline.report import comparison, kept_results, results
from vaeline.report.common_ground import CommonGround
from vaeline.report.comparison import Comparison
from vaeline.report.kept_results import QUICK, KeptResults, file_name
from vaeline.report.recomputed import recomputed
from vaeline.report.results import Results
from vaeline.runs.folder import COMPARISON, RESULTS, StudyFolder
from vaeline.runs.tuning import read_choice
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, check, load, read_yaml
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.system.errors import UserError, instead_of, shown, some_of
from vaeline.system.machine_paths import without_machine_paths
from vaeline.system.repository import CODE, edited, last_commit


@command
@click.argument("name", required=False)
@click.option("--statistics", is_flag=True, help="Only compute the statistics of all kept results again.")
def main(name: str | None, statistics: bool) -> None:
    """Keep the results of the active study, or of the study NAME of results/, for the pages of the project.

    With --statistics, the intervals and claims of all kept results are computed again from the values of their runs, after the code that
    computes them has changed.
    """
    if statistics:
        _recompute(name)
        return
    active = load() if PARAMS.exists() else None
    folder = StudyFolder(_chosen(name, active))
    compared = comparison.read(folder.comparison)
    if compared.study != folder.name:
        raise UserError(f"{folder.path} has the results of the study {compared.study}; {AGAIN}.")
    study = active if active and active.study.name == folder.name else _study_of(compared)
    found = _read_runs(folder, study)
    if why := why_stale(folder, study, compared, found):
        raise UserError(f"The results of {folder.name} are stale: {why}; {AGAIN}.")
    _refuse_less(folder.name)
    path = kept_results.write(_kept(folder, study, compared, found))
    click.echo(f"{path} holds the results of {folder.name}; `make docs` renders the pages that show them.")


def _recompute(name: str | None) -> None:
    """Compute the statistics of all kept results again, and write those that changed, with the commit of the code that computed them.

    Raises:
        UserError: a study is named, or the code was edited since the last commit.
    """
    if name is not None:
        raise UserError(f"--statistics is for all kept results, and {shown(name)} names one; leave the name out.")
    commit = _commit_of(CODE)
    if files := edited(CODE):
        raise UserError(
            f"Results name the commit of their code, and files differ from the last one: {some_of(files)}; commit them, and try again."
        )
    found = [(each, recomputed(each)) for each in map(kept_results.read, kept_results.names())]
    changed = [now.model_copy(update={"statistics": commit}) for was, now in found if now != was]
    for path in map(kept_results.write, changed):
        click.echo(f"{path} has its statistics as the code computes them now.")
    if not changed:
        click.echo("All kept results have their statistics as the code computes them now.")


def _chosen(name: str | None, active: Study | None) -> str:
    """The folder of a study's results. A name may leave out that the study is a quick one."""
    there = sorted(path.parent.name for path in Path(RESULTS).glob(f"*/{COMPARISON}"))
    if name is None and active:
        return active.study.name
    meant = [each for each in (name, f"{name}{QUICK}") if name and each in there]
    if active and active.study.name in meant:
        return active.study.name
    if not meant:
        known = instead_of(name or "", there, "finished are") if there else "no study is finished"
        asked = (
            f"{shown(name)} has no report in {RESULTS}"
            if name is not None
            else f"There is no {PARAMS}, so that no study is active; name one"
        )
        raise UserError(f"{asked}; {known}.")
    return meant[0]


def _refuse_less(name: str) -> None:
    """Check that the quick overlay of a study does not replace the results of the whole one.

    Raises:
        UserError: it would.
    """
    try:
        there = kept_results.read(file_name(name))
    except UserError:  # none are kept, or they are damaged
        return
    if name.endswith(QUICK) and there.study != name:
        raise UserError(
            f"{kept_results.path_of(name)} holds the results of the whole study {there.study}; remove it, and try again, if those of its quick overlay "
            "are to stand in their place."
        )


def _study_of(compared: Comparison) -> Study:
    """The study as its report read it."""
    base = file_name(compared.study)
    ready = ready_studies.resolve(base).study.model_dump(mode="json") if base in ready_studies.names() else {}
    own = compared.model_dump(mode="json", include={"variants", "seeds", "baseline", "looks"})
    return check({**compared.settings, "study": {**ready, "name": compared.study, **own}}, PARAMS)


def _read_runs(folder: StudyFolder, study: Study) -> Results:
    """The runs of a study, each file of which is checked.

    Raises:
        UserError: a run is missing, or a file of it is damaged.
    """
    store = DataFiles(study.dataset.id).store
    common = CommonGround.on_disk(study, read_facts(store) if store.exists() else None)
    variants = study.study.variants if study.tuning.trials else []
    choices = {variant: read_choice(study, variant, common.facts) for variant in variants}
    found = results.read(folder.runs, study, common=common, choices=choices)
    if found.missing:
        each = [f"{variant} seed {seed} is {why.removesuffix('.')}" for (variant, seed), why in found.missing.items()]
        raise UserError(f"The study {folder.name} is unfinished: {', '.join(each)}; {AGAIN}.")
    return found


def _kept(folder: StudyFolder, study: Study, compared: Comparison, found: Results) -> KeptResults:
    times = [run.times["train"] for run in found.runs if "train" in run.times]
    days = sorted({time.finished for time in times if time.finished})
    how, changed = _command(study)
    commit, edited = _commit(study)
    return KeptResults(
        study=folder.name,
        question=study.study.question,
        commit=commit,
        edited=edited,
        command=how,
        changed=changed,
        trained=list(dict.fromkeys([*days[:1], *days[-1:]])),
        hardware=sorted({time.hardware for time in times if time.hardware}),
        images=dict(found.runs[0].facts.counts),
        epochs=_epochs(study),
        params=without_machine_paths(study.model_dump(mode="json")),
        comparison=kept_results.reduced(compared),
        measured=kept_results.measured(found.runs),
    )


def _command(study: Study) -> tuple[str, list[str]]:
    """The command that makes the study active, and the settings that were changed afterwards."""
    name, base = study.study.name, file_name(study.study.name)
    if base not in ready_studies.names():
        return "`make run`", []
    ready = ready_studies.resolve(base, quick=name != base)
    words = ["make use", f"STUDY={base}", *(["QUICK=1"] if name != base else [])]
    if study.dataset.source != ready.dataset.source:
        words.append("SOURCE=<folder>")
    changed = differences(_without_source(ready), _without_source(study))
    return f"`{' '.join(words)}`, `make run`", changed


def _epochs(study: Study) -> list[int]:
    """The epochs of the study, and those of the whole study that it is the quick overlay of."""
    base = file_name(study.study.name)
    whole = [ready_studies.resolve(base).training.epochs] if base in ready_studies.names() else []
    return [study.training.epochs, *whole]


def _without_source(study: Study) -> dict[str, Any]:
    settings: dict[str, Any] = without_machine_paths(study.model_dump(mode="json", exclude={"dataset": {"source"}}))
    return settings


def _commit(study: Study) -> tuple[str, list[str]]:
    """The last commit that changed the code, and the files behind the results that are not as in that commit."""
    where = (*CODE, *_files_of(file_name(study.study.name)))
    commit = _commit_of(where)
    files = closure(module for key in set(stages(study).values()) for module in modules_at(study, key))
    behind = {str(path.relative_to(ROOT)) for path in files}.union(where)
    return commit, [file for file in edited(where) if file in behind]


def _commit_of(paths: Sequence[str]) -> str:
    """The last commit that changed some paths.

    Raises:
        UserError: the paths have no commit, or git refuses to read the repository.
    """
    if commit := last_commit(paths):
        return commit
    raise UserError(
        "Results are kept with the commit of the code, and git knows none of this folder; install git if it is missing, and clone the project, or commit it."
    )


def _files_of(name: str) -> list[str]:
    """The files that `make use` reads: of a ready study, and of those that it extends."""
    found: list[str] = []
    while name in ready_studies.names() and str(ready_studies.FOLDER / f"{name}.yaml") not in found:
        found.append(str(ready_studies.FOLDER / f"{name}.yaml"))
        name = str(read_yaml(ready_studies.folder() / f"{name}.yaml").get("extends"))
    return found


if __name__ == "__main__":
    main()
