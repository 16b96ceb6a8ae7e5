"""Images of samples.h5 that are kept as codes, and are decoded again when they are asked for.

Sampling and evaluation both decode them here, so that an evaluation does not depend on everything else that sampling draws.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.models.sampling import decode
from vaeline.runs.samples_file import DrawnImages, Redrawn
from vaeline.system.seeds import derive_seed

BATCH = 256  # images that are decoded at a time


def seed_of_latents(seed: int, run_seed: int) -> int:
    """The seed of what a run draws of its latent space.

    Args:
        seed: of the draws that are the same for every run.
        run_seed: of the run.
    """
    return derive_seed("latents", seed, run_seed)


def decoded(model: Model, z: Tensor, labels: Tensor, facts: Facts, seed: int, noise: bool) -> Iterator[Tensor]:
    """Decode low-posterior samples batch by batch, as uint8 levels (b, channel, height, width), or points.

    Args:
        model: in evaluation mode.
        z: their codes.
        labels: under which they are decoded.
        facts: of the images.
        seed: of what the run draws of its latent space.
        noise: whether they are draws of p(x|z), or else its means.
    """
    return decode(model, z, labels, facts, BATCH, derive_seed("low posterior", seed) if noise else None)


def with_low_posterior(drawn: DrawnImages, model: Model, facts: Facts, run_seed: int) -> DrawnImages:
    """The images that a run drew with its low-posterior samples, which are decoded when they are asked for.

    Of these samples a samples.h5 has the codes; as images they would take a third of it.

    Args:
        drawn: by `model`.
        model: in evaluation mode.
        facts: of the images.
        run_seed: of the run.
    """
    if (of := drawn.low_posterior_of) is None:
        return drawn
    seed = seed_of_latents(drawn.seed, run_seed)

    def again() -> Iterator[np.ndarray]:
        z, labels = (torch.from_numpy(each).to(next(model.parameters()).device) for each in of)
        return (batch.numpy() for batch in decoded(model, z, labels, facts, seed, drawn.noise != "mean"))

    return replace(drawn, low_posterior=Redrawn(len(of.codes), again))
