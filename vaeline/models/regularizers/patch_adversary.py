"""An adversary that tells patches of images from patches of reconstructions (VQGAN: Esser et al., 2021, eq. 6 and 7).

The network is that of Isola et al. (2017), without batch normalisation. It minimises the hinge loss, from step `start` on. The
model minimises -weight * lambda * logit. lambda is the norm of the gradient of the terms before, the distortion among them, over the
norm of the gradient of the logits. Esser et al. take both gradients at the weights of the decoder's last layer; here they are
taken at the decoder's output, from which those weights get their gradient, so that the rule is the same for every network.
"""

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Adversary, Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.models.output_range import centred
from vaeline.models.part_checks import require_halvings, require_images
from vaeline.models.regularizers._adversary import judged
from vaeline.study.parts import PartOptions
from vaeline.system import ranks

BETAS = (0.5, 0.9)  # of the adversary's Adam (Esser et al., 2021)
LEAST_NORM, MOST_WEIGHT = 1e-4, 1e4  # delta, and the bound of lambda, of Esser et al.


class Options(PartOptions):
    weight: float = Field(0.5, gt=0, le=1e6, description="factor of the adaptive weight")
    start: int = Field(0, ge=0, description="training steps before the adversary plays; until then it learns nothing")
    width: int = Field(
        32, ge=1, le=4096, description="channels of the adversary's first layer; each further layer doubles them"
    )
    depth: int = Field(2, ge=1, le=6, description="its layers that halve height and width; more make patches larger")
    learning_rate: float = Field(0.0002, gt=0, le=1, description="of the adversary's Adam")


def build(options: Options, context: Context) -> "PatchAdversary":
    """Build the adversary.

    Raises:
        UserError: the data are points, or the images are too small for so many layers.
    """
    require_images(context, f"regularizer {options.name}", "leave it out, or take a data set of images")
    require_halvings(context, options.depth, f"depth of regularizer {options.name}")
    network = _network([context.image_shape[0], *(options.width * 2**layer for layer in range(options.depth + 1))])
    return PatchAdversary(Adversary(network, options.learning_rate, BETAS), options, context.range)


def _network(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index, (before, after) in enumerate(pairwise(widths)):
        last = index == len(widths) - 2
        layers += [nn.Conv2d(before, after, 3, padding=1) if last else nn.Conv2d(before, after, 4, stride=2, padding=1)]
        layers += [nn.GroupNorm(1, after)] if index else []  # the first layer sees brightness
        layers += [nn.LeakyReLU(0.2)]
    # A bias would get no gradient from the hinge loss while no patch is told apart by more than 1.
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False))


class PatchAdversary(Regularizer):
    trains_prior: TrainsPrior = "nothing"
    limits_posterior = False
    compares_images = True
    adversary: Adversary

    def __init__(self, adversary: Adversary, options: Options, of_range: tuple[float, float]) -> None:
        self.adversary, self.options, self.range = adversary, options, of_range

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The weighted logit of each reconstruction, and what the adversary minimises, (b,) each.

        Without gradients, as in validation, the adaptive weight is unknown, and the first term is left out.
        """
        if batch.step is not None and batch.step <= self.options.start:
            nothing = torch.zeros_like(batch.so_far.detach())
            return Terms({"adversarial": nothing}, nothing)
        real, false = centred(batch.x, self.range), centred(batch.reconstruction, self.range)
        hinge = self._hinge(real, false.detach())
        if not torch.is_grad_enabled():
            return Terms({}, hinge)
        logits = -judged(self.adversary.network, false).flatten(1).mean(1)
        return Terms({"adversarial": self.options.weight * adaptive_weight(batch, logits) * logits}, hinge)

    def _hinge(self, real: Tensor, false: Tensor) -> Tensor:
        """(max(0, 1 - logit of a real patch) + max(0, 1 + logit of a false one)) / 2, the mean over patches: (b,)."""
        of_real, of_false = self.adversary.network(torch.cat([real, false])).float().flatten(1).chunk(2)
        return 0.5 * (functional.relu(1 - of_real) + functional.relu(1 + of_false)).mean(1)


def adaptive_weight(batch: TrainingBatch, term: Tensor) -> Tensor:
    """lambda, by which a term, (b,), pulls at the decoder's output as strongly as the terms so far; a number without a gradient."""
    norms = [
        ranks.norm(torch.autograd.grad(ranks.share_of_mean(each), batch.decoder_output, retain_graph=True)[0])
        for each in (batch.so_far, term)
    ]
    return (norms[0] / (norms[1] + LEAST_NORM)).clamp(0, MOST_WEIGHT).detach()
