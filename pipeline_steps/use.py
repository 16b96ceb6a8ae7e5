"""Make a study of `studies/` the active one: write it, fully resolved, to params.yaml."""

import subprocess

import click
import yaml

from pipeline_steps.command import command
from vaeline.data import raw_images
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, read_yaml
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.files import write_text


@command
@click.argument("name", required=False)
@click.option("--quick", is_flag=True, help="With the study's quick overlay: small, for a first look on a CPU.")
@click.option("--source", help="A folder that holds the data set's files, in place of the study's dataset.source.")
def main(name: str | None, quick: bool, source: str | None) -> None:
    """Make the study NAME of studies/ the active one, and bring back what is known of its results."""
    if name is None:
        raise UserError(f"Name a study, as in `make use STUDY=digits`; there are: {', '.join(ready_studies.names())}.")
    chosen = ready_studies.resolve(name, quick)
    here = from_source(chosen, source) if source else chosen
    if source and not raw_images.folder(here.dataset).is_dir():
        raise UserError(f"There is no folder {source}; SOURCE is the one that holds the files of the data set.")
    every = ready_studies.every()
    _refuse_clashing_data(chosen, every)
    _refuse_to_lose_edits(every)
    write_text(PARAMS, ready_studies.as_yaml(here))
    click.echo(f"params.yaml now holds the study {chosen.study.name}.")
    bring_back()


def bring_back() -> None:
    """Lay out what DVC's cache holds of the active study, and take away what it holds of the others."""
    done = subprocess.run(["dvc", "checkout", "--allow-missing"], capture_output=True, text=True)
    if done.returncode:
        # It warns of each file that has not been made yet, which is as it should be.
        said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        reason = "DVC did not bring back all of its results, for the reason above; a run makes what is missing."
        click.echo("\n".join([*said, reason]), err=True)


def from_source(study: Study, source: str) -> Study:
    """The study with its data read from the folder `source`."""
    return study.model_copy(update={"dataset": study.dataset.model_copy(update={"source": source})})


def _refuse_clashing_data(chosen: Study, every: list[Study]) -> None:
    for other in every:
        if other.dataset.id == chosen.dataset.id and _shared(other) != _shared(chosen):
            raise UserError(
                f"The studies {chosen.study.name} and {other.study.name} both call their data {chosen.dataset.id!r} but "
                f"differ in dataset, classifier, training.device or sampling.count, so that each would undo the other's; give one of them "
                f"another dataset.id."
            )


def _shared(study: Study) -> object:
    """What decides the files that the studies of a data set share."""
    return study.dataset, study.classifier, study.training.device, study.sampling.count


def _refuse_to_lose_edits(every: list[Study]) -> None:
    """An edit is whatever stands neither at HEAD nor in a ready study: it could not be had back."""
    if not PARAMS.exists():
        return
    current = read_yaml(PARAMS)
    committed = subprocess.run(["git", "show", f"HEAD:./{PARAMS}"], capture_output=True, text=True)
    known = [study.model_dump(mode="json") for study in every]
    if committed.returncode == 0:
        known.append(yaml.safe_load(committed.stdout))
    # Where the files lie on this machine is a way to read the data, not a part of the study.
    for study in (current, *known):
        if isinstance(study, dict) and isinstance(study.get("dataset"), dict):
            study["dataset"].pop("source", None)
    if current not in known:
        raise UserError(
            "params.yaml holds edits that are not committed; commit them, or drop them by `git checkout params.yaml`, and try again."
        )


if __name__ == "__main__":
    main()
