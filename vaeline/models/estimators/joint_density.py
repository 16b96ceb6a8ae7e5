"""log p(x, z|y) of a batch of images as a function of z, with the derivatives that a search for its modes needs."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vaeline.models.contracts import Likelihood, Prior
from vaeline.models.model import Model

# Decoded pixels in memory at a time: on the CPU as many as fit its cache, on others enough to keep the device busy.
HELD_PIXELS = {"cpu": 2**19, "cuda": 2**23, "mps": 2**23}
HELD_DERIVATIVES = 2**23  # elements of Jacobians in memory at a time


@dataclass(frozen=True)
class Local:
    """log p(x, z|y) around a z of each image, to second order."""

    gradient: Tensor  # (images, latent)
    curvature: Tensor  # minus the Hessian, without the decoder's own: (images, latent, latent), symmetric


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
        return self.model.posterior.centre(self.model.features(self.x, self.labels))

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
        pixels, latent = self.x[0].numel(), self.model.latent_size
        most = min(HELD_PIXELS[self.x.device.type] // pixels, HELD_DERIVATIVES // (pixels * latent))
        rows = torch.arange(len(self), device=self.x.device)
        return [self.of(some) for some in rows.split(max(1, most))]

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(x, z|y) of several z of each image, (count, images, latent): nats, (count, images), float64.

        Sums in float64: float32 has no digits after the point at 20,000 nats.
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
        return max(1, HELD_PIXELS[self.x.device.type] // self.x.numel())

    def _log_prob(self, z: Tensor) -> Tensor:
        count = len(z)
        flat, x, labels = z.flatten(0, 1), self.repeated(self.x, count), self.repeated(self.labels, count)
        given = self.likelihood.log_prob(x, self.model.decoder_output(flat, labels))
        prior = self.prior.log_prob(flat, self.condition)
        both = (given.double() + prior.double()).unflatten(0, (count, -1))
        return torch.where(both.isnan(), -torch.inf, both)  # a z that cannot be decoded

    def local(self, z: Tensor) -> Local:
        """Gradient and curvature at one z of each image, (images, latent).

        The curvature of log p(x|z) is that of Gauss and Newton: the decoder is taken as linear around z.
        """
        decoded, jacobian = self._linear(z)
        with torch.enable_grad():
            h = decoded.requires_grad_()
            (slope,) = torch.autograd.grad(self.likelihood.log_prob(self.x, h).sum(), h)
        weights = self.likelihood.curvature(h.detach()).flatten(1).sqrt()
        weighted = jacobian * weights.unsqueeze(1)
        prior_gradient, prior_curvature = self._prior_derivatives(z)
        gradient = (jacobian @ slope.flatten(1).unsqueeze(2)).squeeze(2)
        return Local(gradient + prior_gradient, weighted @ weighted.transpose(1, 2) + prior_curvature)

    def _linear(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's output, the shape of x, and its Jacobian, (images, latent, pixels), column by column of z."""

        def decode(latents: Tensor) -> Tensor:
            return self.model.decoder_output(latents, self.labels)

        def along(direction: Tensor) -> Tensor:
            change: Tensor = torch.func.jvp(decode, (z,), (direction.expand_as(z),))[1]
            return change

        basis = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "`torch.jit.script` is deprecated", FutureWarning
            )  # torch's own use of it
            columns = torch.func.vmap(along, chunk_size=self.block)(basis)
        return decode(z).detach(), columns.detach().flatten(2).transpose(0, 1)

    def _prior_derivatives(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Gradient and minus the Hessian of log p(z|y): (images, latent), (images, latent, latent)."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            log_prob = self.prior.log_prob(z, self.condition).sum()
            (gradient,) = torch.autograd.grad(log_prob, z, create_graph=True)
            rows = [torch.autograd.grad(each.sum(), z, retain_graph=True)[0] for each in gradient.unbind(1)]
        hessian = torch.stack(rows, 1)
        return gradient.detach(), -(hessian + hessian.transpose(1, 2)) / 2

    @staticmethod
    def repeated(each: Tensor, count: int) -> Tensor:
        """The rows of a tensor, again and again."""
        return each.repeat(count, *[1] * (each.dim() - 1))
