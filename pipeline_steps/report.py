"""Draw the report of the active study."""

from pathlib import Path

import click

from pipeline_steps.command import command, reads, store_of, timed
from vaeline import comparison, drawings, latent_figures, pareto, report, results
from vaeline.errors import UserError
from vaeline.figures import samples_png
from vaeline.files import write_json, write_text, written_aside
from vaeline.params import Study, load
from vaeline.pictures import picture
from vaeline.store import read_facts, read_split


@command
@click.option(
    "--partial",
    is_flag=True,
    help="From whatever runs there are, into partial-report.html beside the declared outputs.",
)
@timed("results/{study}/timing.json", "report")
@reads("study", "dataset", "training", "classifier", "sampling", "evaluation", "variants", "published")
def main(partial: bool) -> None:
    """Draw the report of the active study, and write its metrics and comparisons."""
    study = load()
    folder = Path("results") / study.study.name
    found = results.read(folder / "runs", study)
    _refuse(found, folder, partial)
    if not partial:
        for run in results.move_former(folder / "runs", study.study, folder / "former"):
            click.echo(f"params.yaml no longer names this run: kept in {run}.")
    compared = comparison.compare(found)
    real = _real_images(study, found)
    drawn = drawings.files(found, compared)
    latents = _latent_pictures(found, drawn)
    page = report.render(study, found, compared, real, latents, report.environment())
    if partial:
        write_text(folder / "partial-report.html", page)
        click.echo(f"{len(found.runs)} runs, {len(found.missing)} missing: {folder / 'partial-report.html'}")
        return
    write_json(folder / "metrics.json", compared.means())
    write_json(folder / "comparison.json", compared.model_dump(mode="json"))
    write_json(folder / "pareto.json", pareto.records(found, compared))
    pictures = {"samples": samples_png(found, real), **latents}
    for name, content in {**drawn, **{f"{name}.png": content for name, content in pictures.items()}}.items():
        with written_aside(folder / name) as aside:
            aside.write_bytes(content)
    write_text(folder / "report.html", page)


def _refuse(found: results.Results, folder: Path, partial: bool) -> None:
    missing = [f"{variant} seed {seed} ({state})" for (variant, seed), state in found.missing.items()]
    if partial and not found.runs:
        raise UserError(
            f"No run of the study is finished in {folder / 'runs'}; run it first (snakemake --cores 4 all)."
        )
    if missing and not partial:
        raise UserError(
            f"The report needs every run of the study; missing: {', '.join(missing)}; "
            "run them, or see the others with make report."
        )


def _real_images(study: Study, found: results.Results) -> bytes | None:
    """The test images that the pictures of the runs are of; None where the data are not at hand."""
    store, run = store_of(study), found.runs[0]
    if not store.exists():
        return None
    images, facts = read_split(store, "test").images, read_facts(store)
    shown = run.drawn["test_index"][: study.sampling.grid]
    if shown.max() >= len(images):
        raise UserError(
            f"{store} is not the one that the runs are of; make it anew with `python -m pipeline_steps.preprocess`."
        )
    return picture(images[slice(None) if facts.points else shown], facts, images)


def _latent_pictures(found: results.Results, drawn: dict[str, bytes]) -> dict[str, bytes]:
    """Pictures of the variants' latent spaces, by the name of their file."""
    return {
        "codes": drawn["codes.png"],
        "pockets": drawn["pockets.png"],
        "traversals": latent_figures.traversals_png(found),
    }


if __name__ == "__main__":
    main()
