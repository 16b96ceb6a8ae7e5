"""What tells whether a model uses its latents: how z varies with the image, and what z of another image costs.

All of this is kept (see `kept`), so this file imports no metric: an edit of a metric leaves it as it is.
"""

import torch
from torch import Generator, Tensor

from vaeline.data.batches import Batches
from vaeline.evaluation.raw_latents import draws_of_means
from vaeline.models.latent import SAMPLED, DiscreteLatent
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State

MOST_IMAGES = 2000
TURNS = 4  # other images whose z each image is decoded from


@torch.inference_mode()
def use_of_latents(model: Model, test: Batches, noise: int, seed: int) -> State:
    """Compare z of each image with z of another image, which has the same labels if the model is given any.

    Args:
        model: in evaluation mode.
        test: test split, at least 2 images.
        noise: seed of the noise that dequantizes the test images.
        seed: of all other draws.

    Returns:
        `losses`: log p(x|z) - log p(x|z') of each image, nats, (images,), float64. `given`: the same of the images that got its z, their
        sum over those of a turn and mean over turns, (images,). `unlike`: images that were compared with one of other
        labels. `between` and `within`, of a posterior with a density: variance of the posterior means over images with the same labels,
        and mean variance of the posteriors, (latent,), float64. `indices`: of a codebook, (images, rows, columns).
    """
    images = [*test.ordered(noise)]
    known = test.labels.cpu() if model.conditional else torch.zeros(len(test.labels), 1)
    turns = others(known, TURNS, Generator().manual_seed(derive_seed("other images", seed)))
    found: State = {"unlike": int((known[turns] != known).any(2).any(0).sum())}
    torch.manual_seed(derive_seed("use of latents", seed))
    found |= _losses(model, images, turns)
    if model.posterior.kind in SAMPLED:
        found |= _variances(model, images, turns)
    return found


def others(labels: Tensor, turns: int, generator: Generator) -> Tensor:
    """Another image for each image, drawn at random among those with the same labels, or else with the most labels in common.

    Args:
        labels: (images, columns), on the CPU, 2 images or more.
        turns: how many times to draw.
        generator: of the CPU.

    Returns:
        Rows, (turns, images). In each turn every image is drawn once by those with its labels.
    """
    groups = labels.unique(dim=0, return_inverse=True)[1]
    counts = groups.bincount()
    starts = counts.cumsum(0) - counts
    alone = (counts[groups] == 1).nonzero().squeeze(1)
    found = []
    for _ in range(turns):
        order = torch.randperm(len(labels), generator=generator)
        order = order[groups[order].argsort(stable=True)]
        of = groups[order]
        place = (torch.arange(len(order)) - starts[of] + 1) % counts[of] + starts[of]  # the next one of the group
        other = torch.empty_like(order)
        other[order] = order[place]
        other[alone] = _nearest(labels, alone, generator)
        found.append(other)
    return torch.stack(found)


def _nearest(labels: Tensor, rows: Tensor, generator: Generator) -> Tensor:
    """Another row that differs in the fewest columns, at random if there are several, (rows,)."""
    differing = torch.rand(len(rows), len(labels), generator=generator)  # below 1, so that it decides ties alone
    for column in labels.unbind(1):
        differing += column[rows].unsqueeze(1) != column
    differing[torch.arange(len(rows)), rows] = torch.inf
    return differing.argmin(1)


def _losses(model: Model, images: list[tuple[Tensor, Tensor]], turns: Tensor) -> State:
    sums, indices = torch.zeros(2, turns.shape[1], dtype=torch.float64), []
    for turn in turns:
        latents = [model.encode(x, model.condition(labels)) for x, labels in images]
        z = torch.cat([latent.z for latent in latents])
        losses = _distortion(model, images, z[turn.to(z.device)]) - _distortion(model, images, z)
        sums[0] += losses
        sums[1].index_add_(0, turn, losses)
        indices = [latent.indices.cpu() for latent in latents if isinstance(latent, DiscreteLatent)]
    found: State = dict(zip(("losses", "given"), sums / len(turns), strict=True))
    return found | ({"indices": torch.cat(indices)} if indices else {})


def _distortion(model: Model, images: list[tuple[Tensor, Tensor]], z: Tensor) -> Tensor:
    """-log p(x|z) of each image at a z of its own, (images, ...): nats, (images,), float64, on the CPU."""
    of_images = zip(images, z.split([len(x) for x, _ in images]), strict=True)
    each = [
        -model.likelihood.log_prob(x, model.decoder_output(some, model.condition(labels)))
        for (x, labels), some in of_images
    ]
    return torch.cat(each).cpu().double()


def _variances(model: Model, images: list[tuple[Tensor, Tensor]], turns: Tensor) -> State:
    """Half the mean square of the difference of two images' means is the variance of one."""
    if model.posterior.kind == "gaussian":
        found = [model.posterior.parameters_of(model.features(x, model.condition(labels))) for x, labels in images]
        mean, log_var = (torch.cat(each).cpu().double() for each in zip(*found, strict=True))
        halves, within = (mean, mean), log_var.exp().mean(0)
    else:
        # Two means of draws share no noise, so that their product has none in the mean.
        *means, variances = draws_of_means(model, images, len(turns[0]))
        halves, within = (means[0].cpu().double(), means[1].cpu().double()), variances.cpu().double().mean(0)
    first, second = ((half - half[turns]).flatten(0, 1) for half in halves)
    return {"between": (first * second).mean(0) / 2, "within": within}
