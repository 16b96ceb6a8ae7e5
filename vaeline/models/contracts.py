"""What the parts of a model agree on.

Shapes: a batch of b images is (b, channel, height, width), one of points (b, dimensions); a latent vector is
(b, latent), a map of them (b, latent, rows, columns), and the codes of a map are integers, (b, rows, columns). Labels
are integers, (b, label columns); a condition stands for them in the networks, (b, condition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from torch import Tensor, nn

# What a posterior is: a point without a density; a Gaussian with its mean and variance at hand; another density that can
# be sampled and judged; or codes of a codebook, one for certain.
Kind = Literal["point", "gaussian", "density", "codes"]


@dataclass(frozen=True)
class Context:
    """What a part may know of the model it is built into."""

    image_shape: tuple[int, ...]  # channel, height, width; or the dimensions of a point
    latent_shape: tuple[int, ...]  # (latent,); (latent, rows, columns) for a map
    encoder_condition: int  # size of the condition where the encoder sees it, else 0
    decoder_condition: int
    prior_condition: int
    training_images: int
    range: tuple[float, float] = (0.0, 1.0)  # black and white inside the networks
    pixels: str = "dequantized"  # what stands in a pixel: a choice of dataset.pixels, or `points`
    posterior: Kind = "gaussian"  # not yet known to the posterior itself
    flow_context: int = 0  # numbers for each image that a flow depends on; 0: the same map for all of them
    codes: int = 0  # values of a code; 0 where latents are continuous
    encode: Callable[[Tensor], Latent] | None = None  # x -> a sample of q(z|x); None where that depends on labels


@dataclass(frozen=True)
class Latent:
    """A sample of the posterior and what is known of it; None where that does not exist."""

    z: Tensor  # as the decoder takes it, (b, latent) or (b, latent, rows, columns)
    log_q: Tensor | None = None  # log q(z|x), (b,)
    mean: Tensor | None = None  # of z, where q(z|x) is Gaussian, (b, latent)
    log_var: Tensor | None = None  # likewise
    log_det: Tensor | None = None  # of the flow that z went through, (b,)
    codes: Tensor | None = None  # indices in a codebook, (b, rows, columns)
    encoded: Tensor | None = None  # what was rounded to those codes, the shape of z
    quantized: Tensor | None = None  # the codebook's vectors, with their gradient, the shape of z

    @property
    def density_input(self) -> Tensor:
        """What priors and densities are about: codes where there are any, else z."""
        return self.z if self.codes is None else self.codes


class Network(Protocol):
    """An encoder and a decoder; `build(options, context, posterior)` makes the pair."""

    encoder: Callable[[Tensor, Tensor | None], Tensor]  # x, condition -> features, a vector or a map
    decoder: Callable[[Tensor, Tensor | None], Tensor]  # z, condition -> unbounded output, shape of x
    map_size: tuple[int, int]  # rows and columns of its map of features; left out where it makes vectors only


class Flow(Protocol):
    """An invertible map z -> u; context, (b, context.flow_context), where the map depends on one."""

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]: ...  # u, log|det du/dz| (b,)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor: ...  # differentiable


class Posterior(Protocol):
    """q(z|x), out of the encoder's features."""

    kind: Kind
    features: int  # numbers it needs for each image, or channels of a map
    takes_map: bool
    codes: int  # values of a code, where kind is `codes`

    def __call__(self, features: Tensor) -> Latent: ...

    # Where kind is `density`: from z0 to z, the same for all images; None where each image has its own.
    shared_flow: Flow | None

    # Mean and log-variance of z, or of a flow's z0, (b, latent) each; left out where it has none.
    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]: ...

    def centre(self, features: Tensor) -> Tensor: ...  # z without noise, the shape of z: what reconstructions show

    def embed(self, codes: Tensor) -> Tensor: ...  # the vectors that codes stand for, where kind is `codes`


class Prior(Protocol):
    """p(z) or p(z|y), of vectors or of codes."""

    conditional: bool  # whether it depends on labels
    reparameterised: bool  # whether a sample has a gradient in all its weights; left out where it has

    # (b,); fewer rows of a condition than of z are taken in turn, again and again.
    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor: ...

    def sample(self, count: int, condition: Tensor | None) -> Tensor: ...  # (count, ...), reparameterised for vectors

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None: ...  # (b,), None without a closed form

    # The same in each dimension, (b, latent); left out where it does not factorise.
    def kl_each(self, latent: Latent, condition: Tensor | None) -> Tensor | None: ...


class Density(Prior, Protocol):
    """A prior that is fitted to the codes of a trained model, and sampled from in place of its prior."""

    epochs: int  # of its fit

    def fit(
        self, codes: Tensor, condition: Tensor | None, seed: int, state: dict[str, Any] | None
    ) -> Iterator[dict[str, Any]]: ...  # a state after each epoch, of which `epoch`, `loss`; goes on from `state`


# Where a likelihood's sigma comes from: it has none; it is chosen; it is a weight; it is fitted to the training split at each
# validation.
Sigma = Literal["none", "constant", "trained", "calibrated"]


class Likelihood(Protocol):
    """p(x|z), given the decoder's unbounded output h, the shape of x."""

    kind: Sigma
    sigma: Tensor | None  # standard deviation of a pixel; None where it has none

    def mean(self, h: Tensor) -> Tensor: ...  # of p(x|z), inside the data's range

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor: ...  # nats per image, (b,)

    def calibrate(self, mean_squared_error: float) -> None: ...  # set sigma to the best for such an error


# Through what a regularizer's terms have a gradient in the prior's weights: its density, its samples alone, or nothing.
TrainsPrior = Literal["density", "samples", "nothing"]


class Regularizer(Protocol):
    """The terms that training adds to the distortion, for each image; step None means schedules at their end."""

    trains_prior: TrainsPrior

    def __call__(
        self, latent: Latent, rate: Tensor | None, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]: ...  # nats, (b,) each


class AgainstAdversary(Regularizer, Protocol):
    """A regularizer that plays against an adversary, and returns its objective too, as the term `adversary`.

    No other term has a gradient in the adversary's weights, nor that one in the model's.
    """

    adversary: nn.Module  # outside the model's parameters
    learning_rate: float  # of the adversary's Adam
    betas: tuple[float, float]


class TrainingBound(Protocol):
    """What training makes of log p(x): terms whose sum is minimised, and what is shown beside them.

    Terms are nats, (b,) each; so is what stands beside, `rate`, `adversary` and the like, in one row or several an image.
    """

    includes_rate: bool  # whether it holds the rate itself, and so has no room for a regularizer

    def __call__(
        self, model: Any, x: Tensor, labels: Tensor, step: int | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]: ...
