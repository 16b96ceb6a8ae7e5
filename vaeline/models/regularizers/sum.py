"""The terms of several regularizers together, as in the autoencoder of latent diffusion: a rate, and terms of images."""

from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Regularizer, Terms, TrainingBatch, TrainsPrior
from vaeline.study import parts
from vaeline.study.parts import PartOf, PartOptions
from vaeline.system.errors import UserError

STRENGTH: tuple[TrainsPrior, ...] = ("nothing", "samples", "density")  # of what trains a prior


class Options(PartOptions):
    parts: list[Annotated[PartOptions, PartOf("regularizers")]] = Field(
        [{"name": "kl"}],
        min_length=1,
        validate_default=True,
        description="at most one that limits the posterior, such as kl, and terms of images: perceptual, patch_adversary; in order",
    )


def build(options: Options, context: Context) -> "Sum":
    """Build the parts; the adaptive weight of an adversary takes in the terms before it.

    Raises:
        UserError: a part is there twice, or is a sum; or more than one limits the posterior, has an adversary, or is pretrained.
    """
    names, this = [part.name for part in options.parts], f"regularizer {options.name}"
    if options.name in names:
        raise UserError(f"{this} has itself among its parts; list all parts in one {options.name}.")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(
            f"{this} has {repeated[0]} more than once; name each part once, with the weight it should have."
        )
    built = [parts.build(Regularizer, part, context) for part in options.parts]
    limiting = [name for name, part in zip(names, built, strict=True) if part.limits_posterior]
    if len(limiting) > 1:
        raise UserError(
            f"{this} has {' and '.join(limiting)}, each of which limits the posterior, so that the rate would enter twice; keep one "
            "of them, beside perceptual and patch_adversary."
        )
    if len([part for part in built if part.adversary is not None]) > 1:
        raise UserError(f"{this} has two parts with an adversary, and a training has one; keep one of them.")
    pretrained = [name for name, part in zip(names, built, strict=True) if part.pretrained is not None]
    if len(pretrained) > 1:
        raise UserError(
            f"{this} has {' and '.join(pretrained)}, each of which has a network that is fitted first, and a training fits one; "
            "keep one of them."
        )
    return Sum(options.name, built)


class Sum(Regularizer):
    def __init__(self, name: str, of: list[Regularizer]) -> None:
        self.name, self.parts = name, of
        self.needs_whole_batch = next((part.needs_whole_batch for part in of if part.needs_whole_batch), "")
        self.trains_prior: TrainsPrior = max((part.trains_prior for part in of), key=STRENGTH.index)
        self.limits_posterior = any(part.limits_posterior for part in of)
        self.compares_images = any(part.compares_images for part in of)
        self.compares_samples = any(part.compares_samples for part in of)
        self.adversary = next((part.adversary for part in of if part.adversary is not None), None)
        self.pretrained = next((part.pretrained for part in of if part.pretrained is not None), None)

    def __call__(self, batch: TrainingBatch) -> Terms:
        """The terms of all parts: nats, (b,) each.

        Raises:
            UserError: two parts have a term of one name.
        """
        minimised: dict[str, Tensor] = {}
        adversary: Tensor | None = None
        for part in self.parts:
            terms = part(batch)
            if shared := sorted(minimised.keys() & terms.minimised.keys()):
                raise UserError(
                    f"two parts of regularizer {self.name} have a term {shared[0]}, one of which would be lost; rename the term in one of them."
                )
            minimised |= terms.minimised
            adversary = adversary if terms.adversary is None else terms.adversary
            batch = replace(batch, so_far=torch.stack([batch.so_far, *terms.minimised.values()]).sum(0))
        return Terms(minimised, adversary)
