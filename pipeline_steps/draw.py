"""Draw images from a trained run."""

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from pipeline_steps.command import WholeNumber, command
from vaeline.data.facts import SHOWN
from vaeline.runs.pictures import picture
from vaeline.runs.trained_run import TrainedRun, load
from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError, some_of
from vaeline.system.files import written_aside


@command
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "wanted",
    multiple=True,
    metavar="LABEL=VALUE",
    help="Set a label, as in --set Smiling=1 or --set digit=3.",
)
@click.option("--count", default=16, show_default=True, type=WholeNumber(1, 10_000), help="Number of images.")
@click.option("--seed", default=0, show_default=True, type=WholeNumber(0, MOST_SEED), help="Seed of the draws.")
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Store of the run's images, data/<id>.h5, for a RUN outside its project.",
)
@click.option("--noise", is_flag=True, help="Draw pixels with the noise of p(x|z), in place of the decoder's mean.")
@click.option(
    "--out",
    default=Path("drawn.png"),
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the picture.",
)
def main(run: Path, wanted: tuple[str, ...], count: int, seed: int, store: Path | None, noise: bool, out: Path) -> None:
    """Draw images from the folder RUN, such as results/digits/runs/cvae_nf/seed-0.

    Labels that are not set are taken from random test images.
    """
    if out.suffix != ".png":
        raise UserError(f"--out is {out}; the picture is a PNG, so its name must end in .png.")
    trained = load(run, store)
    settings = _settings(wanted, trained)
    _require_store(trained, settings)
    drawn = trained.sample(count, settings, seed=seed, noise=noise)
    _warn_of_unseen(trained, trained.labels(count, settings, seed=seed) if settings else None, settings)
    with written_aside(out) as aside:
        aside.write_bytes(picture(drawn, trained.facts, trained.split().images if trained.facts.points else drawn))
    click.echo(f"{count} images{' with noise' if noise else ''} are in {out}.")


def _require_store(run: TrainedRun, settings: Mapping[str, str]) -> None:
    """Check that there is a store if the images to draw need one.

    Raises:
        UserError: the run has no store.
    """
    unset = [name for name in run.facts.label_names if name not in settings] if run.model.conditional else []
    if run.store.exists() or not (unset or run.facts.points):
        return
    needed = f"{some_of(unset)} would be taken from test images" if unset else "Points are drawn over test images"
    advice = "set each label by --set, or give that file by --store" if unset else "give that file by --store"
    raise UserError(f"{needed}, and there is no {run.store}; {advice}.")


def _warn_of_unseen(run: TrainedRun, labels: np.ndarray | None, settings: Mapping[str, str]) -> None:
    if labels is None:
        return
    if not run.store.exists():
        click.echo(
            f"There is no {run.store}, so nothing tells whether a training image has these labels together.", err=True
        )
    elif words := run.unseen_combinations(labels, settings):
        click.echo(f"Warning: {words}", err=True)


def _settings(wanted: tuple[str, ...], run: TrainedRun) -> dict[str, str]:
    """The labels of --set, with their values.

    Raises:
        UserError: a label is set twice, or to nothing.
    """
    settings = [setting.partition("=")[::2] for setting in wanted]
    if len(dict(settings)) < len(settings):
        raise UserError(f"--set {' --set '.join(wanted)} sets a label twice; set each label once.")
    known = dict(zip(run.facts.label_names, run.facts.label_values, strict=True))
    for name, value in settings:
        if name in known and not value:
            raise UserError(
                f"--set {name} gives {name} no value; write --set {name}=VALUE, with one of: {some_of(known[name], SHOWN)}."
            )
    return dict(settings)


if __name__ == "__main__":
    main()
