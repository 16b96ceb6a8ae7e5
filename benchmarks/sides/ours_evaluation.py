"""Our Fréchet distance, Inception features and importance sampling, as the evaluate step uses them."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks.side import Work
from benchmarks.work import ESTIMATES, FRECHET, IMPORTANCE, INCEPTION, SAMPLES, digits, faces, gaussians, inception_file
from vaeline.data.facts import Facts
from vaeline.evaluation.feature_space import Features
from vaeline.metrics._moments import Moments
from vaeline.metrics.frechet_distance import distance as frechet_distance
from vaeline.study import parts
from vaeline.system.devices import prepare_process


def distance() -> Work:
    """Compute the Fréchet distance of two Gaussians."""
    prepare_process(torch.get_num_threads())
    first, second = (Moments(FRECHET["images"], mean, covariance) for mean, covariance in gaussians(np))

    def work() -> float:
        for _ in range(FRECHET["distances"]):
            frechet_distance(first, second)
        return FRECHET["distances"]

    return work


def activations() -> Work:
    """Extract Inception features of faces."""
    prepare_process(torch.get_num_threads())
    warnings.simplefilter("ignore")  # the weights are random, which warns
    images = faces(torch, **INCEPTION)
    weights = {"name": "inception", "weights": str(inception_file(torch, Path(tempfile.mkdtemp())))}
    facts = Facts("faces", tuple(images.shape[1:]), 256, (-1.0, 1.0), [], [])
    features = parts.build(Features, parts.validate("features", weights), facts, Path("data"))

    def work() -> float:
        features(images)
        return len(images)

    return work


def likelihood(network: str) -> Work:
    """Estimate the likelihood of digits by importance sampling."""
    from benchmarks.sides.ours_training import GREYS, digit_model
    from vaeline.data.batches import Batches
    from vaeline.data.store import Split
    from vaeline.evaluation.likelihood import measure_likelihood
    from vaeline.study.schema import Evaluation, LikelihoodEstimate

    prepare_process(torch.get_num_threads())
    warnings.simplefilter("ignore")  # an untrained model warns that its estimate is only a bound
    torch.manual_seed(0)
    model = digit_model(network).eval().to(memory_format=torch.channels_last)
    images, count = digits(torch, IMPORTANCE[network]["images"]).numpy(), IMPORTANCE[network]["images"]
    test = Batches(Split(images, np.zeros((count, 1), np.int64), [""] * count), GREYS, 100)
    features = parts.validate("features", {"name": "classifier"})  # required by the schema, not used here
    settings = Evaluation(
        likelihood=LikelihoodEstimate(method="posterior", samples=IMPORTANCE[network]["samples"]),
        bound_samples=1,
        images=None,
        features=features,
    )

    def work() -> float:
        measure_likelihood(model, test, test, settings)
        return count * IMPORTANCE[network]["samples"]

    return work


def estimates(kind: str, method: str) -> Work:
    """Estimate log p(x|y) of images, from q(z|x) or around the modes of p(z|x), under a model that was trained for a moment."""
    from benchmarks.sides import ours_training
    from vaeline.models.estimators.around_modes import around_modes
    from vaeline.models.estimators.from_posterior import from_posterior

    step, batches = ours_training.moment_of(kind)
    for number in range(ESTIMATES[kind]["steps"]):
        for x, labels in batches.shuffled(number):
            step(x, labels, number)
    model = step.model.eval()
    x, labels = next(iter(batches.ordered(0)))
    x, labels = x[: ESTIMATES[kind]["images"]], labels[: ESTIMATES[kind]["images"]]
    estimate = {"posterior": from_posterior, "laplace": around_modes}[method]

    def work() -> float:
        torch.manual_seed(0)
        estimate(model, model.likelihood, x, labels, SAMPLES[method])
        return len(x)

    return work
