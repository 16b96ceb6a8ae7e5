"""Annealed estimates of single images, for those around whose modes importance sampling fails, and to check it where it seems to hold."""

from typing import NamedTuple

import torch

from vaeline.models.estimators import annealing
from vaeline.models.estimators.annealing import Pilot
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.laplace import proposal_of
from vaeline.models.estimators.log_likelihood import LogLikelihood

# Evaluations of the decoder that tell how many temperatures an image needs.
OF_PILOT = annealing.OF_GRADIENT * annealing.LEAPFROGS * annealing.PILOT_TEMPERATURES * annealing.PILOT_CHAINS
# Chains are kept because they look effective. Such chains lie further below log p(x) than their variance says, by about a factor of 2
# where half of them are effective.
OF_SELECTED = 2.0


class Bridged(NamedTuple):
    """Annealed estimates of some images."""

    likelihood: LogLikelihood  # (..., images)
    evaluations: int  # of the decoder, of all images together


@torch.no_grad()
def bridge(density: JointDensity) -> Bridged:
    """Estimate log p(x|y) of each image by annealing from a proposal around its modes, with as many temperatures as it needs."""
    pilot = Pilot.run(density, proposal_of(density))
    found, passed = LogLikelihood.known(torch.zeros(len(density), dtype=torch.float64)), 0
    for chains in pilot.effective():
        passed += chains.temperatures
        if len(chains.rows):
            estimate = LogLikelihood.of_weights(chains.log_weights)
            found.put((chains.rows.cpu(),), estimate._replace(variance=OF_SELECTED * estimate.variance))
    of_chains = annealing.OF_GRADIENT * annealing.LEAPFROGS * annealing.CHAINS * passed
    return Bridged(found, len(density) * OF_PILOT + of_chains)
