"""How far an estimate of log p(x) can be off, from images that the model draws: their exact z gives an upper bound too.

One of the samples of a lower bound is replaced by the z that the image was decoded from, which is an exact draw of p(z|x). The
logarithm of the mean of the weights is then on average above log p(x) (Grosse et al., 2015; Brekelmans et al., 2022).
"""

import torch
from torch import Tensor

from vaeline.metrics._trust import is_trusted
from vaeline.models.contracts import Likelihood
from vaeline.models.estimators.annealing import Pilot
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.laplace import MORE, log_weights, proposal_of
from vaeline.models.estimators.log_likelihood import LogLikelihood
from vaeline.models.model import Model

BACKWARD_CHAINS = 4  # from each exact draw


def why_no_sandwich(model: Model) -> str:
    """Why the model draws no images of its own density; empty if it does."""
    return model.latent_density.samples_differ


@torch.no_grad()
def gaps(model: Model, likelihood: Likelihood, labels: Tensor, samples: int) -> Tensor:
    """Upper minus lower bound of log p(x|y) for an image drawn under each row of labels: nats, (images,), float64, on the CPU.

    Each image is estimated as a test image is: around its modes, and by annealing if that fails.
    """
    z = model.draw(labels)
    x = likelihood.sample(model.decoder_output(z, model.condition(labels)))
    density = JointDensity(model, likelihood, x, labels)
    parts = density.parts()
    each = zip(parts, z.split([len(part) for part in parts]), strict=True)
    return torch.cat([_gaps(part, exact, samples) for part, exact in each])


def _gaps(density: JointDensity, z: Tensor, samples: int) -> Tensor:
    proposal = proposal_of(density)
    exact = density.log_prob(z.unsqueeze(0)) - proposal.log_prob(z.unsqueeze(0))
    found, left = torch.empty(len(z), dtype=torch.float64), torch.arange(len(z), device=z.device)
    for count in (samples, MORE * samples):
        if len(left):
            weights = log_weights(density.of(left), proposal.of(left), count, stratified=False)
            found[left.cpu()] = gap(weights, exact[:, left])
            left = left[~is_trusted(LogLikelihood.of_weights(weights)).to(z.device)]
    if len(left):
        for chains in Pilot.run(density.of(left), proposal.of(left)).effective():
            if len(rows := left[chains.rows]):
                back = chains.annealing.log_weights_back(z[rows].expand(BACKWARD_CHAINS, -1, -1))
                found[rows.cpu()] = gap(chains.log_weights, back)
    return found


def gap(log_weights: Tensor, exact: Tensor) -> Tensor:
    """Log of the mean of weights one of which is that of an exact draw, less log of the mean without it.

    The mean over all choices of the one, and over several weights of the exact draw, has the same expectation as one choice and varies
    less.

    Args:
        log_weights: (count, images), in exchangeable order.
        exact: log-weights of an exact draw, (any, images).

    Returns:
        Nats, (images,), on the CPU; inf where no weight is finite.
    """
    total = log_weights.logsumexp(0)
    without = total + torch.log1p(-(log_weights - total).exp().clamp_max(1))
    return (torch.logaddexp(without.unsqueeze(1), exact) - total).mean((0, 1)).nan_to_num(torch.inf, torch.inf).cpu()
