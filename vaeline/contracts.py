"""What the parts of a model agree on.

Shapes: a batch of b images is (b, channel, height, width); a latent vector is (b, latent); labels are integers,
(b, label columns); a condition is their embedding, (b, condition).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Context:
    """What a part may know of the model it is built into."""

    image_shape: tuple[int, int, int]  # channel, height, width
    latent_shape: tuple[int, ...]  # (latent,)
    encoder_condition: int  # size of the condition where the encoder sees it, else 0
    decoder_condition: int
    prior_condition: int
    training_images: int


@dataclass(frozen=True)
class Latent:
    """A sample of the posterior and what is known of its density; None where a density does not exist."""

    z: Tensor  # (b, latent)
    log_q: Tensor | None = None  # log q(z|x), (b,)
    mean: Tensor | None = None  # (b, latent)
    log_var: Tensor | None = None  # (b, latent)


class Network(Protocol):
    """An encoder and a decoder; `build(options, context, features)` makes the pair."""

    encoder: Callable[[Tensor, Tensor | None], Tensor]  # x, condition -> features, (b, features)
    decoder: Callable[[Tensor, Tensor | None], Tensor]  # z, condition -> unbounded output, shape of x


class Flow(Protocol):
    """An invertible map z -> u; context, (b, any), where the map depends on one."""

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]: ...  # u, log|det du/dz| (b,)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor: ...


class Posterior(Protocol):
    """q(z|x), out of the encoder's features."""

    features: int  # numbers it needs for each image

    def __call__(self, features: Tensor) -> Latent: ...


class Prior(Protocol):
    """p(z) or p(z|y)."""

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor: ...  # (b,)

    def sample(self, count: int, condition: Tensor | None) -> Tensor: ...  # (count, latent), reparameterised

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None: ...  # (b,), None without a closed form


class Likelihood(Protocol):
    """p(x|z), given the decoder's mean."""

    fixed: bool  # sigma is a constant of the model, rather than fitted in its training
    sigma: Tensor  # standard deviation of a pixel, a saved buffer

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor: ...  # nats per image, (b,)

    def calibrate(self, mean_squared_error: float) -> None: ...  # set sigma to the best for the training split


class Regularizer(Protocol):
    """The terms that training adds to the distortion, for each image; step None means schedules at their end."""

    def __call__(
        self, latent: Latent, rate: Tensor, prior: Prior, condition: Tensor | None, step: int | None
    ) -> dict[str, Tensor]: ...  # nats, (b,) each
