"""Draw what is asked from a trained run."""

from pathlib import Path

import click
import numpy as np
import torch

from pipeline_steps.command import command
from vaeline import model as models
from vaeline.errors import UserError
from vaeline.files import written_aside
from vaeline.params import MOST_SEED
from vaeline.pictures import picture
from vaeline.sampling import sample
from vaeline.store import Facts, read_split, require_images


@command
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "wanted",
    multiple=True,
    metavar="LABEL=VALUE",
    help="Hold a label, as in --set Smiling=1 or --set digit=3.",
)
@click.option("--count", default=16, show_default=True, type=click.IntRange(1, 10_000), help="Images to draw.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, MOST_SEED), help="Of the draws.")
@click.option(
    "--out",
    default=Path("drawn.png"),
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the picture goes.",
)
def main(run: Path, wanted: tuple[str, ...], count: int, seed: int, out: Path) -> None:
    """Draw images from the folder RUN, such as results/digits/runs/cvae_nf/seed-0.

    Labels that are not set are those of test images, drawn at random.
    """
    if out.suffix != ".png":
        raise UserError(f"--out is {out}; the picture is a PNG, so let its name end in .png.")
    model, facts = models.load(run)
    if wanted and not model.conditional:
        raise UserError(f"{run} holds a model without labels, which cannot be asked for {wanted[0]}; leave --set out.")
    store = Path(f"data/{facts.dataset_id}.h5")
    require_images(store, facts)
    test = read_split(store, "test")
    rows = np.random.default_rng(seed).integers(len(test.labels), size=count)
    labels = test.labels[rows].copy()
    settings = [_parse(setting, facts) for setting in wanted]
    if len(dict(settings)) < len(settings):
        raise UserError(f"--set {' --set '.join(wanted)} sets a label twice; set each label once.")
    for column, value in settings:
        labels[:, column] = value
    drawn = torch.cat(list(sample(model, torch.from_numpy(labels), facts, seed)))
    with written_aside(out) as aside:
        aside.write_bytes(picture(drawn.numpy(), facts, test.images))
    click.echo(f"{count} images are in {out}.")


def _parse(setting: str, facts: Facts) -> tuple[int, int]:
    """The column and the value of a setting such as Smiling=1 or Smiling=yes."""
    name, _, value = setting.partition("=")
    if name not in facts.label_names:
        raise UserError(f"--set {setting}: there is no label {name!r}; there are: {', '.join(facts.label_names)}.")
    column = facts.label_names.index(name)
    values = facts.label_values[column]
    if value in values:
        return column, values.index(value)
    if value.isascii() and value.isdigit() and int(value) < len(values):
        return column, int(value)
    raise UserError(f"--set {setting}: {name} has no value {value!r}; it has: {', '.join(values)}.")


if __name__ == "__main__":
    main()
