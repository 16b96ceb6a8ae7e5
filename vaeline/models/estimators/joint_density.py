"""log p(x, z|y) of a batch of images as a function of z, with the derivatives that a search for its modes needs."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from vaeline.models.contracts import Likelihood, Prior, output_shape
from vaeline.models.model import Model

# Decoded pixels in memory at a time: on the CPU as many as fit its cache, on others enough to keep the device busy.
HELD_PIXELS = {"cpu": 2**19, "cuda": 2**23, "mps": 2**23}
HELD_DERIVATIVES = 2**23  # elements of Jacobians in memory at a time
FEWEST_COLUMNS = 32  # of a Jacobian at a time: each such group evaluates the decoder itself once more


@dataclass(frozen=True)
class JointDensity:
    """p(x, z|y) for fixed images, one z or several of each.

    Args:
        model: in evaluation mode.
        likelihood: p(x|z) to take, which may be another than the model's.
        x: images in the range of the networks, (images, ...).
        labels: of the images, (images, columns).
    """

    model: Model
    likelihood: Likelihood
    x: Tensor
    labels: Tensor

    @cached_property
    def condition(self) -> Tensor | None:
        """What the networks see of the labels, (images, condition)."""
        return self.model.condition(self.labels)

    @cached_property
    def prior(self) -> Prior:
        """p(z|y), whose weights do not change from here on."""
        return self.model.latent_density.frozen()

    @torch.no_grad()
    def centre(self) -> Tensor:
        """z of each image without the posterior's noise, (images, latent)."""
        return self.model.posterior.centre(self.model.features(self.x, self.condition))

    def __len__(self) -> int:
        return len(self.x)

    def given(self, labels: Tensor) -> "JointDensity":
        """The same images under other labels."""
        return JointDensity(self.model, self.likelihood, self.x, labels)

    def of(self, rows: Tensor) -> "JointDensity":
        """The same for some of the images: indices or a mask."""
        return JointDensity(self.model, self.likelihood, self.x[rows], self.labels[rows])

    def parts(self) -> list["JointDensity"]:
        """The images in parts that fit the memory with their Jacobians."""
        outputs, latent = self.outputs, self.model.latent_size
        most = min(HELD_PIXELS[self.x.device.type] // outputs, HELD_DERIVATIVES // (outputs * latent))
        rows = torch.arange(len(self), device=self.x.device)
        return [self.of(some) for some in rows.split(max(1, most))]

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(x, z|y) of several z of each image, (count, images, latent): nats, (count, images), float64.

        log p(x|z) and log p(z) are added, and averaged later, in float64: at 20,000 nats, float32 has steps of 0.002.
        """
        return torch.cat([self._log_prob(some) for some in z.split(self.block)])

    def log_prob_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and its gradient in z, the shape of z."""
        values, gradients = [], []
        for some in z.split(self.block):
            with torch.enable_grad():
                at = some.detach().requires_grad_()
                value = self._log_prob(at)
                gradients.append(torch.autograd.grad(value.sum(), at)[0])
            values.append(value.detach())
        return torch.cat(values), torch.cat(gradients)

    @property
    def block(self) -> int:
        """How many z of each image are decoded at a time."""
        return max(1, HELD_PIXELS[self.x.device.type] // (len(self) * self.outputs))

    @property
    def outputs(self) -> int:
        """Numbers that the decoder puts out for each image."""
        return prod(output_shape(tuple(self.x.shape[1:]), self.likelihood.output_channels))

    def _log_prob(self, z: Tensor) -> Tensor:
        count = len(z)
        flat, x = z.flatten(0, 1), self.repeated(self.x, count)
        condition = None if self.condition is None else self.repeated(self.condition, count)
        given = self.likelihood.log_prob(x, self.model.decoder_output(flat, condition))
        prior = self.prior.log_prob(flat, self.condition)
        both = (given.double() + prior.double()).unflatten(0, (count, -1))
        return torch.where(both.isnan(), -torch.inf, both)  # a z that cannot be decoded

    def curvature(self, z: Tensor) -> Tensor:
        """Minus the Hessian at one z of each image, (images, latent): (images, latent, latent), symmetric.

        That of log p(x|z) is Gauss's and Newton's: the decoder is taken as linear around z. It costs two or three evaluations of the decoder
        for each dimension of z.
        """
        decoded, jacobian = self._linear(z)
        weighted = jacobian * self.likelihood.curvature(self.x, decoded).flatten(1).sqrt().unsqueeze(1)
        return weighted @ weighted.transpose(1, 2) + self._prior_curvature(z)

    def _linear(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's output and its Jacobian, (images, latent, outputs), column by column of z."""
        condition = self.condition  # outside the transformations below, which would wrap it

        def decode(latents: Tensor) -> Tensor:
            return self.model.decoder_output(latents, condition)

        def along(direction: Tensor) -> Tensor:
            change: Tensor = torch.func.jvp(decode, (z,), (direction.expand_as(z),))[1]
            return change

        basis = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        with warnings.catch_warnings():
            # Torch uses it itself.
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
            columns = torch.func.vmap(along, chunk_size=max(self.block, FEWEST_COLUMNS))(basis)
        return decode(z).detach(), columns.detach().flatten(2).transpose(0, 1)

    def _prior_curvature(self, z: Tensor) -> Tensor:
        """Minus the Hessian of log p(z|y), (images, latent, latent)."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            flat = 0 * z  # so that a density that is constant or linear in z has derivatives too
            log_prob = self.prior.log_prob(z, self.condition).sum() + flat.sum()
            gradient = torch.autograd.grad(log_prob, z, create_graph=True)[0] + flat
            basis = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
            hessian = torch.autograd.grad(gradient.sum(0), z, basis, is_grads_batched=True)[0].transpose(0, 1)
        return -(hessian + hessian.transpose(1, 2)) / 2

    @staticmethod
    def repeated(each: Tensor, count: int) -> Tensor:
        """The rows of a tensor, again and again."""
        return each.repeat(count, *[1] * (each.dim() - 1))
