"""What each estimator of log p(x) finds on trained runs, and what it costs: from q(z|x), around the modes, and with annealing.

`python -m benchmarks.likelihoods results/digits/runs/cvae/seed-0 --name "digits, z 8"` measures a run next to its store.
`--keep` writes benchmarks/measured/likelihoods.json, which `python -m benchmarks.page` shows.
"""

import json
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import TypedDict

import click
import torch
from torch import Tensor
from torch.distributions import Normal

from benchmarks.race import MEASURED
from vaeline.data.batches import Batches
from vaeline.data.paths import DATA, DataFiles
from vaeline.data.store import read_split
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.raw_likelihood import Estimated, Estimation
from vaeline.metrics._trust import MOST_PARETO_K
from vaeline.metrics.nll import Annealed, summarize
from vaeline.models.estimators import laplace
from vaeline.models.estimators.around_modes import annealed, around_modes
from vaeline.models.estimators.from_posterior import from_posterior
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.log_likelihood import LogLikelihood
from vaeline.models.estimators.sandwich import gap
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.runs.folder import project_of
from vaeline.study.reading import PARAMS, load
from vaeline.study.schema import Evaluation
from vaeline.system.devices import prepare_process
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.hardware import hardware

RESULTS = MEASURED / "likelihoods.json"
FROM_POSTERIOR, AROUND_MODES, LONG = 500, 200, 5000  # samples of an image
DRAWN = 64  # images of the sandwich
Stages = dict[str, Callable[[], LogLikelihood | Estimated]]


class Found(TypedDict):
    """What an estimator found on the images of a run."""

    effective_share: float  # median over images
    heavy: float  # share of the images with a Pareto k above 0.7
    short: float  # nats below the best long run, mean over images
    gap: float | None  # upper minus lower bound on images that the model draws, nats; None if it is unknown
    cost: float  # times the CPU seconds of sampling from q(z|x)


class Measured(TypedDict):
    """A run: one row of the table."""

    images: int
    nll: float  # of the best long run, given the labels: nats
    posterior: Found
    modes: Found
    all_stages: Found
    date: str
    machine: str


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", "names", multiple=True, help="Of each run on the page, in the same order.")
@click.option("--images", default=500, show_default=True, help="Test images, spread over the split.")
@click.option("--turns", default=3, show_default=True, help="Timed turns of each estimator, one after the other.")
@click.option("--keep", is_flag=True, help="Write benchmarks/measured/likelihoods.json.")
def main(runs: tuple[Path, ...], names: tuple[str, ...], images: int, turns: int, keep: bool) -> None:
    """Measure the estimators on trained RUNS."""
    if names and len(names) != len(runs):
        raise click.UsageError(f"{len(names)} names are given for {len(runs)} runs; give one --name for each.")
    prepare_process(1)
    warnings.simplefilter("ignore")  # that an estimate is only a bound, which the table shows
    results: dict[str, Measured] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for run, name in zip(runs, names or map(str, runs), strict=True):
        results[name] = measured(run, images, turns)
        click.echo(f"{name}: {json.dumps(results[name])}")
        if keep:
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


@torch.no_grad()
def measured(run: Path, images: int, turns: int) -> Measured:
    """Measure the three estimators on one run."""
    model, facts = model_files.load(run)
    project = project_of(run)
    store = DataFiles(facts.dataset_id, project / DATA).store
    train, test = (Batches(read_split(store, split), facts, 100, torch.device("cpu")) for split in ("train", "test"))
    estimation = Estimation(model, train, test, _settings(project, images), 0, Kept())
    estimation.log_prior = None  # all are compared given the labels, since a sum over classes costs each the same
    x, labels = estimation.take(torch.arange(len(estimation.chosen)))
    stages: Stages = {
        "posterior": lambda: from_posterior(model, model.likelihood, x, labels, FROM_POSTERIOR),
        "modes": lambda: around_modes(model, model.likelihood, x, labels, AROUND_MODES),
        "all_stages": lambda: estimation.estimated(model.likelihood, "own"),
    }
    # What torch loads for its first derivative does not count.
    around_modes(model, model.likelihood, x[:2], labels[:2], 20)
    return _compared(model, x, labels, *_timed(stages, turns))


def _settings(project: Path, images: int) -> Evaluation:
    """The settings of a project's study, for so many images and our number of samples around the modes."""
    settings = load(project / PARAMS).evaluation
    likelihood = settings.likelihood.model_copy(update={"method": "laplace", "samples": AROUND_MODES})
    return settings.model_copy(update={"images": images, "likelihood": likelihood})


def _timed(stages: Stages, turns: int) -> tuple[dict[str, LogLikelihood | Estimated], dict[str, float]]:
    """What each stage returns, and the median over turns of its CPU seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in stages}
    found: dict[str, LogLikelihood | Estimated] = {}
    for _ in range(turns):
        for name, stage in stages.items():
            torch.manual_seed(0)
            started = time.process_time()
            found[name] = stage()
            seconds[name].append(time.process_time() - started)
    return found, {name: median(each) for name, each in seconds.items()}


def _compared(
    model: Model,
    x: Tensor,
    labels: Tensor,
    found: dict[str, LogLikelihood | Estimated],
    seconds: dict[str, float],
) -> Measured:
    estimated, modes, posterior = found["all_stages"], found["modes"], found["posterior"]
    assert (
        isinstance(estimated, Estimated) and isinstance(modes, LogLikelihood) and isinstance(posterior, LogLikelihood)
    )
    best = _best(model, x, labels)
    second = Annealed(estimated.bridged, estimated.annealed.at(0), estimated.gaps)
    final = estimated.given.at(0)._replace(log_prob=summarize(estimated.given.at(0), "nll", second).values)
    gaps = {"posterior": _gap_of_posterior(model, labels), "modes": _gap_of_modes(model, labels)}
    gaps["all_stages"] = float(estimated.gaps.mean()) if len(estimated.gaps) else None
    each = {"posterior": posterior, "modes": modes.at(0), "all_stages": final}
    rows = {
        name: Found(
            effective_share=float(of.effective_share.median()),
            heavy=float((of.pareto_k > MOST_PARETO_K).double().mean()),
            short=float(best - of.log_prob.mean()),
            gap=gaps[name],
            cost=seconds[name] / seconds["posterior"],
        )
        for name, of in each.items()
    }
    return Measured(
        images=len(x), nll=float(-best), posterior=rows["posterior"], modes=rows["modes"], all_stages=rows["all_stages"],
        date=date.today().isoformat(), machine=hardware(),
    )  # fmt: skip


def _best(model: Model, x: Tensor, labels: Tensor) -> Tensor:
    """The mean log-likelihood of the best long run, nats."""
    torch.manual_seed(1)
    long = around_modes(model, model.likelihood, x, labels, LONG)
    return max(annealed(model, model.likelihood, x, labels, long).likelihood.log_prob.mean(), long.log_prob.mean())


def _drawn(model: Model, labels: Tensor) -> tuple[JointDensity, Tensor]:
    """Images that the model draws, and the z that each was decoded from."""
    labels = labels[torch.from_numpy(evenly_spaced(len(labels), DRAWN))]
    z = model.draw(labels)
    x = model.likelihood.sample(model.decoder_output(z, model.condition(labels)))
    return JointDensity(model, model.likelihood, x, labels), z


def _gap_of_modes(model: Model, labels: Tensor) -> float:
    torch.manual_seed(2)
    density, z = _drawn(model, labels)
    gaps, parts = [], density.parts()
    for part, exact in zip(parts, z.split([len(part) for part in parts]), strict=True):
        proposal = laplace.proposal_of(part)
        of_exact = part.log_prob(exact.unsqueeze(0)) - proposal.log_prob(exact.unsqueeze(0))
        gaps.append(gap(laplace.log_weights(part, proposal, AROUND_MODES, stratified=False), of_exact))
    return float(torch.cat(gaps).mean())


def _gap_of_posterior(model: Model, labels: Tensor) -> float | None:
    """The same for samples of q(z|x), whose density at the exact z is known for a Gaussian."""
    if model.posterior.kind != "gaussian":
        return None
    torch.manual_seed(2)
    density, z = _drawn(model, labels)
    mean, log_var = model.posterior.parameters_of(model.features(density.x, density.condition))
    q = Normal(mean, (0.5 * log_var).exp())
    drawn = q.sample((FROM_POSTERIOR,))
    weights = density.log_prob(drawn) - q.log_prob(drawn).double().sum(-1)
    exact = z.unsqueeze(0)
    return float(gap(weights, density.log_prob(exact) - q.log_prob(exact).double().sum(-1)).mean())


if __name__ == "__main__":
    main()
