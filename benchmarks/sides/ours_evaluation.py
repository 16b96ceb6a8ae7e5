"""Our Frechet distance, Inception features and importance sampling, as the evaluate step has them."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks.side import Work
from benchmarks.work import FRECHET, IMPORTANCE, INCEPTION, digits, faces, gaussians, inception_file
from vaeline.data.facts import Facts
from vaeline.evaluation.feature_space import Features
from vaeline.metrics.frechet import Moments
from vaeline.metrics.frechet import distance as frechet_distance
from vaeline.study import parts
from vaeline.system.devices import prepare_process


def distance() -> Work:
    prepare_process(torch.get_num_threads())
    first, second = (Moments(FRECHET["images"], mean, covariance) for mean, covariance in gaussians(np))

    def work() -> float:
        for _ in range(FRECHET["distances"]):
            frechet_distance(first, second)
        return FRECHET["distances"]

    return work


def activations() -> Work:
    prepare_process(torch.get_num_threads())
    warnings.simplefilter("ignore")  # that the weights are not the official ones
    images = faces(torch, **INCEPTION)
    weights = {"name": "inception", "weights": str(inception_file(torch, Path(tempfile.mkdtemp())))}
    facts = Facts("faces", tuple(images.shape[1:]), 256, (-1.0, 1.0), [], [])
    features = parts.build(Features, parts.validate("features", weights), facts, Path("data"))

    def work() -> float:
        features(images)
        return len(images)

    return work


def likelihood(network: str) -> Work:
    from benchmarks.sides.ours_training import GREYS, digit_model
    from vaeline.data.batches import Batches
    from vaeline.data.store import Split
    from vaeline.evaluation.likelihood import judge_likelihood
    from vaeline.study.schema import Evaluation

    prepare_process(torch.get_num_threads())
    warnings.simplefilter("ignore")  # that an untrained model's figure is a bound
    torch.manual_seed(0)
    model = digit_model(network).eval().to(memory_format=torch.channels_last)
    images, count = digits(torch, IMPORTANCE[network]["images"]).numpy(), IMPORTANCE[network]["images"]
    test = Batches(Split(images, np.zeros((count, 1), np.int64), [""] * count), GREYS, 100)
    features = parts.validate("features", {"name": "classifier"})  # which is not asked
    settings = Evaluation(
        importance_samples=IMPORTANCE[network]["samples"], bound_samples=1, images=None, features=features
    )

    def work() -> float:
        judge_likelihood(model, test, test, settings)
        return count * IMPORTANCE[network]["samples"]

    return work
