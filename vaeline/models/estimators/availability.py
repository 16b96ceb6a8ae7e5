"""Which models have a likelihood to estimate, and the frequencies of the labels that it is summed over."""

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.model import Model

NO_DENSITY = "q(z|x) is a point without a density"


def why_no_likelihood(model: Model) -> str:
    """Why an estimate of log p(x) has no meaning for the model; empty if it has one."""
    reasons = {"point": NO_DENSITY, "discrete": "indices are certain: see negative_elbo"}
    if model.posterior.kind not in reasons and model.latent_density.log_prob_error is not None:
        return "log p(z) is known with an error, which would bias importance sampling: see negative_elbo"
    return reasons.get(model.posterior.kind, "")


def log_frequencies(labels: Tensor, facts: Facts) -> Tensor:
    """log p(y) of each class, its frequency in the training split, (classes,), on the CPU."""
    counts = torch.bincount(labels.cpu().squeeze(1), minlength=facts.label_cardinalities[0])
    return (counts.double() / len(labels)).log()
