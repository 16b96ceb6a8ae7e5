"""A mixture of Gaussians with full covariances, fitted to latents by expectation maximisation (Ghosh et al., 2020)."""

import warnings
from collections.abc import Iterator

import torch
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as ExpectationMaximisation
from torch import Tensor

from vaeline.models.contracts import Context, Density
from vaeline.models.gaussian import LOG_TWO_PI
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError
from vaeline.system.state_files import State

NUMPY_SEEDS = 2**32  # how many there are


class Options(PartOptions):
    components: int = Field(10, ge=1, le=1000, description="Gaussians in the mixture")
    iterations: int = Field(100, ge=1, le=100_000, description="at most so many steps of expectation maximisation")


def build(options: Options, context: Context) -> "GaussianMixture":
    """Build the mixture, not yet fitted.

    Raises:
        UserError: the latents are discrete, or there are fewer images than components.
    """
    if options.components > context.training_images:
        raise UserError(
            f"density.components is {options.components}, but there are {context.training_images} training images; lower it."
        )
    return GaussianMixture(options, vector_size(context, f"density {options.name}"))


class NotConverged(UserWarning):
    """Expectation maximisation stopped before it converged."""


class GaussianMixture(Density):
    epochs = 1
    weight: Tensor
    mean: Tensor
    factor: Tensor  # lower triangular, factor factor' = covariance

    def __init__(self, options: Options, size: int) -> None:
        super().__init__()
        self.options, components = options, options.components
        self.register_buffer("weight", torch.full((components,), 1 / components))
        self.register_buffer("mean", torch.zeros(components, size))
        self.register_buffer("factor", torch.eye(size).repeat(components, 1, 1))

    def fit(self, latents: Tensor, condition: Tensor | None, seed: int, state: State | None) -> Iterator[State]:
        """Fit the mixture to latents, (n, latent), in one epoch; it does not depend on labels.

        Yields:
            `epoch` 1, `loss` as mean negative log-density in nats, and the `weights`.

        Raises:
            UserError: the latents have too few distinct values for so many Gaussians.
        """
        if state is not None:
            self.load_state_dict(state["weights"])
            return
        fitted = ExpectationMaximisation(
            len(self.weight), max_iter=self.options.iterations, random_state=seed % NUMPY_SEEDS
        )
        try:
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                fitted.fit(latents.cpu().double().numpy())
        except ValueError as error:
            raise UserError(
                f"density {self.options.name} cannot be fitted to these latents ({error}); lower density.components."
            ) from error
        if not fitted.converged_:
            sentence = f"density {self.options.name} has not converged after {self.options.iterations} iterations; raise density.iterations."
            warnings.warn(sentence, NotConverged, stacklevel=2)
        self.weight.copy_(torch.from_numpy(fitted.weights_))
        self.mean.copy_(torch.from_numpy(fitted.means_))
        self.factor.copy_(torch.linalg.cholesky(torch.from_numpy(fitted.covariances_)))
        yield {"epoch": 1, "loss": -float(self.log_prob(latents, None).mean()), "weights": self.state_dict()}

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        centred = (z.unsqueeze(1) - self.mean).movedim(0, 2)  # (components, latent, b)
        white = torch.linalg.solve_triangular(self.factor, centred, upper=False)
        log_volume = self.factor.diagonal(dim1=1, dim2=2).log().sum(1) + 0.5 * z.shape[1] * LOG_TWO_PI
        each = -0.5 * white.square().sum(1) - log_volume.unsqueeze(1)  # (components, b)
        return (self.weight.log().unsqueeze(1) + each).logsumexp(0)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent)."""
        chosen = torch.multinomial(self.weight, count, replacement=True)
        noise = torch.randn(count, self.mean.shape[1], 1, device=self.mean.device)
        return self.mean[chosen] + (self.factor[chosen] @ noise).squeeze(2)

    def centres(self) -> Tensor:
        """The means, (components, latent)."""
        return self.mean
