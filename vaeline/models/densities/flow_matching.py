"""Flow matching: an ordinary differential equation from noise to latents (Lipman et al., 2023, eq. 23; Rombach et al., 2022).

The velocity is fitted to z1 - z0 at z_t = (1 - t) z0 + t z1, for noise z0 and latents z1, each of mean 0 and variance 1. Samples
follow the equation from t = 0 to t = 1. Followed back, it gives log p(z1) = log N(z0) - int_0^1 div v dt (Chen et al., 2018b).
With labels, some are hidden in the fit, so that the velocity is known with and without them. Guidance w draws along
v(z) + w (v(z|y) - v(z)) (Ho and Salimans, 2021), which is another density than log p(z|y) unless w is 1.
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from itertools import repeat

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Density
from vaeline.models.densities._velocity import MapVelocity, VectorVelocity
from vaeline.models.fitting import fit
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State

LEAST_DEVIATION = 1e-5  # of a dimension of the latents
MOST_EXACT = 8  # dimensions of latents whose divergence is computed exactly
BLOCK = 512  # rows at a time
CHECKED, PROBE_SETS = 32, 8  # latents, and sets of probes, whose log-densities tell the error; all latents share a set


class Options(PartOptions):
    width: int = Field(
        64, ge=1, le=4096, description="units of each layer for vectors; channels at the full size for maps"
    )
    depth: int = Field(3, ge=1, le=64, description="residual layers for vectors; blocks at each size for maps")
    epochs: int = Field(100, ge=1, le=100_000, description="of the fit")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="latents in a step of the fit")
    learning_rate: float = Field(0.001, gt=0, le=1, description="of Adam; it falls to 0 as a cosine")
    unlabelled: float = Field(0.1, ge=0, lt=1, description="share of the latents whose labels are hidden in the fit")
    guidance: float = Field(
        1.0,
        ge=0,
        le=100,
        description="w, the weight of the labels in sampling; 1 draws from the density, 0 without labels",
    )
    steps: int = Field(
        16, ge=1, le=10_000, description="of Heun's method between noise and latents, two evaluations each"
    )
    probes: int = Field(
        1,
        ge=1,
        le=65_536,
        description="Jacobian products of each of Hutchinson's estimates of a divergence, for latents of more than 8 dimensions; exact for others",
    )


def build(options: Options, context: Context) -> "FlowMatching":
    """Build the velocity, not yet fitted.

    Raises:
        UserError: the latents are discrete, or labels are to guide a model without labels, or one that always sees them.
    """
    size = vector_size(context, f"density {options.name}")
    if options.guidance != 1 and not context.prior_condition:
        raise UserError(
            f"density.guidance is {options.guidance:g}, but the model has no labels to be guided by; set it to 1, or give the variant a "
            "condition."
        )
    if options.guidance != 1 and not options.unlabelled:
        raise UserError(
            f"density.guidance is {options.guidance:g}, but density.unlabelled is 0, so that the velocity without labels is not fitted; set "
            "unlabelled to 0.1, or guidance to 1."
        )
    return FlowMatching(options, size, context.map_shape, context.prior_condition)


class FlowMatching(Density):
    centre: Tensor
    deviation: Tensor  # of the latents, by which they are scaled
    error: Tensor

    def __init__(self, options: Options, size: int, map_shape: tuple[int, int, int] | None, condition: int) -> None:
        super().__init__()
        self.options, self.size, self.map_shape = options, size, map_shape
        self.epochs, self.conditional = options.epochs, condition > 0
        if options.guidance != 1:
            self.samples_differ = f"samples are guided by w = {options.guidance:g}, so they do not follow log p(z)"
        self.velocity = (
            VectorVelocity(size, condition, options.width, options.depth)
            if map_shape is None
            else MapVelocity(map_shape, condition, options.width, options.depth)
        )
        self.no_label = nn.Parameter(torch.zeros(condition)) if condition and options.unlabelled else None
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.register_buffer("error", torch.zeros(()))

    @property
    def log_prob_error(self) -> float:  # type: ignore[override]  # read-only
        """Root mean squared error of log_prob over training latents and probes, that of the steps by comparison with twice as many: nats."""
        return float(self.error)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent), given its condition; fewer conditions are taken in turn: nats, (b,)."""
        blocks = self._blocks(z, self._given(condition, len(z)))
        return torch.cat([self._log_prob(some, given, self.options.steps, seed=0) for some, given in blocks])

    @torch.no_grad()
    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), one for each of `count` conditions if there are any."""
        noise = torch.randn(count, self.size, device=self.centre.device)
        blocks = self._blocks(noise, self._given(condition, count))
        return self.centre + self.deviation * torch.cat([self._drawn(*block) for block in blocks])

    def fit(self, latents: Tensor, condition: Tensor | None, seed: int, state: State | None) -> Iterator[State]:
        """Fit the velocity to latents, (n, latent), given their conditions, (n, condition).

        Yields:
            After each epoch: `epoch`, `loss` as the epoch's mean squared error of a dimension, at most about 2, `weights`, `optimizer`.

        Raises:
            UserError: the loss is no longer finite.
        """
        if state is None:
            self._scale_to(latents)

        def run_epoch(adam: Adam, epoch: int) -> float:
            return self._fit_epoch(adam, latents, condition, derive_seed("density", seed, epoch))

        for fitted in fit(self, self.options, run_epoch, state, f"density {self.options.name}"):
            if fitted["epoch"] == self.epochs:  # the state has the buffer of the error itself
                self._measure_error(latents[:CHECKED], None if condition is None else condition[:CHECKED])
            yield fitted

    def _fit_epoch(self, adam: Adam, latents: Tensor, condition: Tensor | None, seed: int) -> float:
        """One pass over the training split; the mean loss."""
        torch.manual_seed(seed)
        total = torch.zeros((), device=latents.device)
        for chosen in torch.randperm(len(latents), device=latents.device).split(self.options.batch_size):
            z1 = (latents[chosen] - self.centre) / self.deviation
            z0, time = torch.randn_like(z1), torch.rand(len(z1), device=z1.device)
            given = None if condition is None or not self.conditional else self._partly_hidden(condition[chosen])
            predicted = self.velocity(torch.lerp(z0, z1, time.unsqueeze(1)), time, given)
            loss = functional.mse_loss(predicted, z1 - z0)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            total += loss.detach() * len(chosen)
        return float(total) / len(latents)

    def _partly_hidden(self, condition: Tensor) -> Tensor:
        if self.no_label is None:
            return condition
        hidden = torch.rand(len(condition), 1, device=condition.device) < self.options.unlabelled
        return torch.where(hidden, self.no_label, condition)

    def _given(self, condition: Tensor | None, count: int) -> Tensor | None:
        """A condition for each of `count` rows, (count, condition); None if the velocity takes none."""
        return condition.repeat(count // len(condition), 1) if self.conditional and condition is not None else None

    def _blocks(self, z: Tensor, condition: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Rows of z with their conditions, so many at a time that a map of them fits the memory."""
        conditions: Iterable[Tensor | None] = repeat(None) if condition is None else condition.split(BLOCK)
        return zip(z.split(BLOCK), conditions, strict=False)

    def _drawn(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Follow the equation from noise z to latents by Heun's method."""
        step = 1 / self.options.steps
        for index in range(self.options.steps):
            before = self._guided(z, index * step, condition)
            after = self._guided(z + step * before, (index + 1) * step, condition)
            z = z + step / 2 * (before + after)
        return z

    def _guided(self, z: Tensor, time: float, condition: Tensor | None) -> Tensor:
        given, w = self._at(z, time, condition), self.options.guidance
        if w == 1 or condition is None or self.no_label is None:
            return given
        return torch.lerp(self._at(z, time, self.no_label.expand(len(z), -1)), given, w)

    def _at(self, z: Tensor, time: float, condition: Tensor | None) -> Tensor:
        return self.velocity(z, z.new_full((len(z),), time), condition)

    def _log_prob(self, z: Tensor, condition: Tensor | None, steps: int, seed: int) -> Tensor:
        """Follow the equation back from z to noise by Heun's method, and sum the divergence on the way."""
        z = (z - self.centre) / self.deviation
        step, divergence = 1 / steps, z.new_zeros(len(z))
        for index in range(steps, 0, -1):
            probes = [self._probes(derive_seed("probes", seed, index, end)).to(z.device) for end in range(2)]
            before, of_before = self._with_divergence(z, index * step, condition, probes[0])
            after, of_after = self._with_divergence(z - step * before, (index - 1) * step, condition, probes[1])
            z = z - step / 2 * (before + after)
            divergence = divergence + step / 2 * (of_before + of_after)
        return gaussian.log_prob(z, z.new_zeros(()), z.new_zeros(())) - divergence - self.deviation.log().sum()

    @property
    def _exact(self) -> bool:
        return self.size <= MOST_EXACT

    def _probes(self, seed: int) -> Tensor:
        """Vectors of mean 0 and covariance 1, (probes, latent), whose products with a Jacobian sum to its trace times their number."""
        if self._exact:
            return math.sqrt(self.size) * torch.eye(self.size)  # one for each dimension: the exact trace
        generator = torch.Generator().manual_seed(seed)
        return 2.0 * torch.randint(2, (self.options.probes, self.size), generator=generator) - 1

    def _with_divergence(
        self, z: Tensor, time: float, condition: Tensor | None, probes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The velocity at z, and the trace of its Jacobian by Hutchinson's estimate (Grathwohl et al., 2019): (b, latent), (b,)."""

        def velocity(at: Tensor) -> Tensor:
            return self._at(at, time, condition)

        def along(probe: Tensor) -> tuple[Tensor, Tensor]:
            here, change = torch.func.jvp(velocity, (z,), (probe.expand_as(z),))[:2]
            return here, change @ probe

        with warnings.catch_warnings():
            # Torch uses it itself.
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
            # The velocity is the same for all probes, which torch's annotation of out_dims forgets.
            here, products = torch.func.vmap(along, out_dims=(None, 0))(probes)  # type: ignore[arg-type]
        return here, products.mean(0)

    @torch.no_grad()
    def _scale_to(self, latents: Tensor) -> None:
        """Take mean and deviation of each dimension, of a map of each channel."""
        of_channel = (
            latents if self.map_shape is None else latents.unflatten(1, self.map_shape).movedim(1, 3).flatten(0, 2)
        )
        copies = self.size // of_channel.shape[1]
        self.centre.copy_(of_channel.mean(0).repeat_interleave(copies))
        self.deviation.copy_(of_channel.std(0).clamp_min(LEAST_DEVIATION).repeat_interleave(copies))

    @torch.no_grad()
    def _measure_error(self, z: Tensor, condition: Tensor | None) -> None:
        given, steps, sets = self._given(condition, len(z)), self.options.steps, 1 if self._exact else PROBE_SETS
        found = torch.stack([self._log_prob(z, given, steps, seed) for seed in range(sets)])
        finer = torch.stack([self._log_prob(z, given, 2 * steps, seed) for seed in range(sets)])
        # Twice the steps leave a quarter of the error of Heun's method.
        of_steps, of_probes = 4 / 3 * (found.mean(0) - finer.mean(0)), found.var(0, correction=int(sets > 1))
        self.error.copy_((of_steps.square() + of_probes).mean().sqrt())
