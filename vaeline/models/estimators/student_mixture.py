"""Mixtures of multivariate Student t distributions, one mixture for each image."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import lgamma, log, pi

import torch
from torch import Tensor

DEGREES = 20.0  # of freedom: tails heavy enough that no weight explodes, and a middle close to a Gaussian's
LEAST_CURVATURE = 0.01  # eigenvalues of the curvature are raised to it: no direction is wider than 10


@dataclass(frozen=True)
class StudentMixture:
    """A mixture of Student t's of 20 degrees of freedom.

    Args:
        centre: (components, images, latent).
        factor: lower triangular, of the inverse scale matrices H = factor factor', (components, images, latent, latent).
        log_weight: log of the weights, (components, images), -inf for a component that an image does not have.
    """

    centre: Tensor
    factor: Tensor
    log_weight: Tensor

    @classmethod
    def around(cls, centre: Tensor, log_prob: Tensor, curvature: Tensor) -> "StudentMixture":
        """Put a component at each mode, weighted by the mass that Laplace's method gives it.

        Args:
            centre: modes, (components, images, latent).
            log_prob: log p(x, mode), (components, images), float64; -inf where a mode is to be left out.
            curvature: minus the Hessian at the modes, (components, images, latent, latent).
        """
        values, vectors = torch.linalg.eigh(curvature.double())
        values = values.clamp_min(LEAST_CURVATURE)
        # A QR decomposition of the root of H gives its triangular factor.
        root = values.sqrt().unsqueeze(-1) * vectors.mT
        factor = torch.linalg.qr(root).R.mT
        factor = factor * factor.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
        mass = log_prob - 0.5 * values.log().sum(-1)
        weighed = torch.where(log_prob.amax(0) > -torch.inf, mass, 0.0)  # alike where there is no mode
        log_weight = weighed.log_softmax(0)
        return cls(centre, factor.to(centre.dtype), log_weight)

    def of(self, rows: Tensor) -> "StudentMixture":
        """The same for some of the images."""
        return StudentMixture(self.centre[:, rows], self.factor[:, rows], self.log_weight[:, rows])

    def sample(self, count: int, stratified: bool = True) -> Tensor:
        """Draw `count` z of each image, (count, images, latent).

        Args:
            count: of draws.
            stratified: whether each component gets its share of the draws, rather than a random number of them.
        """
        images, latent = self.centre.shape[1:]
        edges = self.log_weight.exp().cumsum(0).t().contiguous()  # (images, components)
        places = torch.rand(images, count, dtype=edges.dtype, device=edges.device)
        if stratified:
            places = (torch.arange(count, device=edges.device) + places) / count
        chosen = torch.searchsorted(edges, places, right=True).t().clamp_max(len(self.centre) - 1)  # (count, images)
        noise = torch.randn(images, latent, count, dtype=self.centre.dtype, device=self.centre.device)
        spread = torch.distributions.Chi2(noise.new_tensor(DEGREES)).sample((count, images, 1))
        z = torch.empty(count, images, latent, dtype=noise.dtype, device=noise.device)
        for component, (centre, factor) in enumerate(zip(self.centre, self.factor, strict=True)):
            step = torch.linalg.solve_triangular(factor.mT, noise, upper=True).permute(2, 0, 1)
            z = torch.where((chosen == component).unsqueeze(-1), centre + step * (DEGREES / spread).sqrt(), z)
        return z

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of z, (count, images, latent): nats, (count, images), float64."""
        return torch.stack([each for each, _ in self._components(z)]).logsumexp(0)

    def log_prob_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and its gradient in z, the shape of z."""
        log_probs, slopes = zip(*self._components(z), strict=True)
        each = torch.stack(log_probs)
        shares = each.softmax(0).to(z.dtype).unsqueeze(-1)  # of the components at z
        return each.logsumexp(0), (shares * torch.stack([slope() for slope in slopes])).sum(0)

    def _components(self, z: Tensor) -> Iterator[tuple[Tensor, Callable[[], Tensor]]]:
        """The weighted log-density of each component at z, (count, images), and a function that gives its gradient, the shape of z."""
        latent = z.shape[-1]
        constant = lgamma((DEGREES + latent) / 2) - lgamma(DEGREES / 2) - latent / 2 * log(DEGREES * pi)
        for centre, factor, log_weight in zip(self.centre, self.factor, self.log_weight, strict=True):
            # (images, count, latent) @ (images, latent, latent): |factor' (z - centre)|^2
            whitened = (z - centre).transpose(0, 1) @ factor
            squares = whitened.double().square().sum(-1).t()
            volume = factor.diagonal(dim1=-2, dim2=-1).double().log().sum(-1)
            log_prob = log_weight + constant + volume - (DEGREES + latent) / 2 * torch.log1p(squares / DEGREES)

            def slope(whitened: Tensor = whitened, factor: Tensor = factor, squares: Tensor = squares) -> Tensor:
                pull = ((DEGREES + latent) / (DEGREES + squares)).to(z.dtype).unsqueeze(-1)
                return -pull * (whitened @ factor.mT).transpose(0, 1)

            yield log_prob, slope
