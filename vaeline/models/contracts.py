"""The contracts of the parts of a model: one base class for each family.

A contract declares all that callers use. An abstract method, or an attribute without a default, must be defined by the
part; everything else has a default. `parts.build` checks each part against its contract.

Shapes: a batch of b images is (b, channel, height, width), a batch of points (b, dimensions). A continuous latent is a
vector, (b, latent), also if its posterior is one over a map. The vectors of a discrete latent are a map,
(b, latent, rows, columns), and its indices are integers, (b, rows, stages * columns), where a place of the map has one
index, or several side by side. Labels are integers, (b, label columns). A condition is what the networks see of the labels,
(b, condition).

Several processes may share a batch (`vaeline/system/ranks.py`); each then has some of its images. A part draws the noise of images with
`ranks.randn_like`, and computes what depends on several images with `ranks.mean` or from `ranks.whole`. It encloses in `ranks.undealt()` what
it computes from other rows than the images of the batch. A part that needs the whole batch in one process says why in `needs_whole_batch`.

Networks, posteriors and likelihoods can be exported (`vaeline/sharing/exporting.py`) if they take the size of a batch from `x.shape[0]`: `len(x)`
is a number of Python, which would fix it.
"""

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from vaeline.models.latent import Kind, Latent
from vaeline.study.contract import Part
from vaeline.system import ranks
from vaeline.system.errors import UserError
from vaeline.system.state_files import State

# How a codebook learns: by the gradient of a regularizer, as an average of the encoder's vectors, or not at all.
CodebookLearns = Literal["gradient", "average", "never"]

ADVERSARY = "adversary"  # the column of training.csv with what an adversary minimises


@dataclass(frozen=True)
class Context:
    """What a part may know of the model it is built into."""

    image_shape: tuple[int, ...]  # channel, height, width; or the dimensions of a point
    latent_shape: tuple[int, ...]  # (numbers of z,), also if z is a map; (latent, rows, columns) for a discrete latent
    encoder_condition: int  # size of the condition if the encoder sees it, else 0
    decoder_condition: int  # size of the condition if the decoder sees it, else 0
    prior_condition: int  # size of the condition, 0 for a model without labels
    training_images: int
    label_cardinalities: tuple[int, ...] = ()  # values of each label column
    label_embedding: int | None = None  # dimensions of each label's vector; None for one-hot labels
    condition_columns: int = 1  # vectors of the same length that the condition consists of, one after another
    range: tuple[float, float] = (0.0, 1.0)  # black and white inside the networks
    pixels: str = "dequantized"  # what a pixel is: a choice of dataset.pixels, or `points`
    levels: int = 256  # values that a pixel may have, if pixels are not dequantized
    posterior: Kind = "gaussian"  # the posterior itself is built before this is known
    flow_context: int = 0  # numbers for each image that a flow depends on; 0: the same map for all images
    codebook_size: int = 0  # 0 for a continuous latent
    codebook_learns: CodebookLearns = "never"
    stages: int = 1  # indices of each place of the latent's map, which lie side by side in its row
    # Channels, rows, columns of a latent that is a map, or the vector of one.
    map_shape: tuple[int, int, int] | None = None
    encode: Callable[[Tensor], Latent] | None = None  # x -> a sample of q(z|x); None if the encoder sees labels
    output_channels: int | None = None  # of the decoder's output, for the likelihood; None: those of an image

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the decoder's output for an image."""
        return output_shape(self.image_shape, self.output_channels)


def output_shape(image_shape: tuple[int, ...], channels: int | None) -> tuple[int, ...]:
    """The shape of a decoder's output for an image: that of the image, or its height and width with other channels."""
    return image_shape if channels is None else (channels, *image_shape[1:])


class PartModule(nn.Module, Part):
    """The base of the contracts whose parts are modules."""

    if TYPE_CHECKING:
        # torch types any attribute of a module as a tensor or a module; an object is of no use to a caller.
        def __getattr__(self, name: str) -> object: ...  # type: ignore[override]


class Flow(PartModule):
    """An invertible map z -> u, which may depend on a context of each image, (b, context.flow_context)."""

    family = "flows"

    @abstractmethod
    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z, (b, latent), to u of the same shape and log|det du/dz|, (b,)."""

    @abstractmethod
    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map u, (b, latent), back to z; differentiable."""

    if TYPE_CHECKING:

        def __call__(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]: ...


class Posterior(PartModule):
    """q(z|x), given the encoder's features of each image."""

    family = "posteriors"
    kind: Kind
    features: int  # numbers, or channels of a map, that it needs of the encoder for each image
    takes_map: bool = False  # whether its features are a map, (b, features, rows, columns), rather than (b, features)
    codebook_size: int = 0  # above 0 if and only if the kind is discrete
    learns: CodebookLearns = "never"  # how the codebook does
    stages: int = 1  # indices of each place of the map

    @abstractmethod
    def forward(self, features: Tensor) -> Latent:
        """Draw one sample of each image's posterior, of the class of latent that goes with the kind."""

    @abstractmethod
    def centre(self, features: Tensor) -> Tensor:
        """z without noise, which a reconstruction is decoded from: the shape of z."""

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, or of z0 of a flow, (b, latent) each; for the kinds gaussian and flow."""
        raise NotImplementedError(f"a posterior of kind {self.kind} has no mean and variance")

    @property
    def shared_flow(self) -> Flow | None:
        """The flow z0 -> z of kind flow if it is the same for all images, else None."""
        return None

    def decoder_input(self, z: Tensor) -> Tensor:
        """What the decoder takes of z or of indices: the shape of z."""
        return z if z.is_floating_point() else self.embed(z)

    def embed(self, indices: Tensor) -> Tensor:
        """The codebook's vectors at indices, (b, rows, stages * columns): (b, latent, rows, columns); for the kind discrete."""
        raise NotImplementedError(f"a posterior of kind {self.kind} has no codebook")

    def broken_rule(self) -> str:
        needed = {"gaussian": "parameters_of", "flow": "parameters_of", "discrete": "embed"}.get(self.kind)
        if needed and inspect.getattr_static(self, needed) is vars(Posterior)[needed]:
            return f"its kind is {self.kind!r}, but it does not define {needed}; define it, or set another kind"
        if (self.kind == "discrete") != (self.codebook_size > 0):
            return (
                f"its kind is {self.kind!r}, but codebook_size is {self.codebook_size}; the size is above 0 if and only if the kind is "
                "'discrete'"
            )
        return ""

    if TYPE_CHECKING:

        def __call__(self, features: Tensor) -> Latent: ...


class LabelEncoder(PartModule):
    """What the networks see of the labels."""

    family = "label_encoders"
    size: int  # of the condition
    columns: int  # vectors of the same length that the condition consists of, one for each label; or 1

    @abstractmethod
    def forward(self, labels: Tensor) -> Tensor:
        """Labels, (b, label columns), to the condition, (b, size)."""

    def broken_rule(self) -> str:
        if self.columns < 1 or self.size % self.columns:
            return (
                f"its size is {self.size}, which {self.columns} columns of the same length do not make up; make the vectors equally long, or "
                "set columns to 1"
            )
        return ""


class Network(PartModule):
    """An encoder and a decoder; `build(options, context, posterior)` makes the pair.

    Args:
        encoder: x, condition or None -> the features that the posterior needs.
        decoder: z, condition or None -> unbounded output, (b, *context.output_shape).
        map_size: rows and columns of the features, if the network can end in a map.
    """

    family = "networks"
    encoder: nn.Module
    decoder: nn.Module
    map_size: tuple[int, int] | None

    def __init__(self, encoder: nn.Module, decoder: nn.Module, map_size: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.map_size = map_size


class Acceptance(NamedTuple):
    """The share of proposals that a prior accepts; it normalises the density.

    A relative error of the share shifts every log-density by as many nats.
    """

    share: float
    standard_error: float


class Prior(PartModule):
    """p(z) or p(z|y), of vectors or of indices.

    If `log_prob` is given fewer conditions than rows of z, the conditions are repeated cyclically.
    """

    family = "priors"
    conditional: bool = False  # whether it depends on the labels
    reparameterised: bool = True  # whether a sample has a gradient in all its weights
    encodes_images: bool = False  # whether it sends images of its own through the encoder, in training too
    samples_differ: str = ""  # why samples follow another density than log_prob; empty if they follow it
    log_prob_error: float | None = None  # root mean squared error of a value of log_prob, nats; None if it is exact
    flow: Flow | None  # z -> the space in which samples start

    def __init__(self) -> None:
        super().__init__()
        self.flow = None

    @abstractmethod
    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, or log-probability of indices: nats, (b,)."""

    @abstractmethod
    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z or indices, (count, ...), one for each condition if there are any; vectors are reparameterised.

        A prior without weights may draw on any device; callers move what it draws.
        """

    def calibrate(self) -> None:
        """Measure what evaluation takes as known and training estimates in each step; called before each validation."""

    @property
    def acceptance(self) -> Acceptance | None:
        """What a prior that rejects proposals knows of its normalising constant; None for others."""
        return None

    def frozen(self) -> "Prior":
        """The same density, with all that does not depend on z or the condition computed once; it does not follow the weights."""
        return self

    def centres(self) -> Tensor | None:
        """The middles of the parts that a density is a mixture of, (components, latent); None if it is no mixture."""
        return None

    def kl_each(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z_j|x) || p(z_j)) of each dimension in closed form, (b, latent); None if there is none."""
        return None

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z|x) || p(z)) in closed form: nats, (b,); None if there is none."""
        each = self.kl_each(latent, condition)
        return None if each is None else each.sum(1)

    def rate(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z|x) || p(z)) in closed form, or else at the sample: nats, (b,); None if q(z|x) has no density."""
        closed = self.kl(latent, condition)
        if closed is not None or latent.log_q is None:
            return closed
        return latent.log_q - self.log_prob(latent.density_input, condition)


class Density(Prior):
    """A prior that is fitted to the latents of a trained model, and sampled from in place of its prior."""

    family = "densities"
    epochs: int  # of the fit

    @abstractmethod
    def fit(self, latents: Tensor, condition: Tensor | None, seed: int, state: State | None) -> Iterator[State]:
        """Fit to the latents of the training split, vectors or indices.

        Args:
            latents: (n, latent) or (n, rows, columns).
            condition: of each, (n, condition), or None.
            seed: of the fit.
            state: one that an earlier fit yielded, to go on from; None to start.

        Yields:
            A state after each epoch, whose `epoch` and `loss` are numbers.
        """


# How sigma of a likelihood is determined: it has none; it is set in the study; it is a weight; or it is fitted to the training
# split at each validation.
Sigma = Literal["none", "constant", "trained", "calibrated"]


class Likelihood(PartModule):
    """p(x|z), given the decoder's unbounded output h: the shape of x, but with `output_channels` channels.

    It may depend on x pixel by pixel, each given those before it (PixelVAE: Gulrajani et al., 2017). Such a likelihood is a network of
    its own, which is trained with the model.
    """

    family = "likelihoods"
    kind: Sigma
    sigma: Tensor | None  # standard deviation of a pixel; None if and only if the kind is none
    output_channels: int | None = None  # of h; None: those of an image
    has_mean: bool = True  # whether `mean` is that of p(x|z), with a gradient in h; otherwise it is a draw
    of_levels: bool = False  # whether log_prob is the log-probability of whole levels, greys or black and white

    @abstractmethod
    def mean(self, h: Tensor) -> Tensor:
        """The mean of p(x|z), inside the range of the data, the shape of x; or a draw, if the mean has no closed form.

        The mean of a channel that depends on other channels may be an approximation: that given their means, as in logistic_mixture.
        """

    @abstractmethod
    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """log p(x|z): nats per image, summed over pixels, (b,)."""

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        """Expected curvature of -log p(x|z) in each element of h (its Fisher information), above or equal 0: the shape of h.

        It guides the search for modes of p(z|x), and estimates stay right under any value. Where it has no closed form, the squared
        gradient at the image itself stands for it, whose mean over draws of p(x|z) it is.
        """
        with torch.enable_grad():
            h = h.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.log_prob(x, h).sum(), h)
        return slope.square()

    @abstractmethod
    def sample(self, h: Tensor) -> Tensor:
        """Draw x: the mean with its noise."""

    def error(self, difference: Tensor) -> Tensor:
        """What the best sigma is a function of, averaged over pixels, for x - mean: the same shape."""
        return difference.square()

    def calibrate(self, mean_error: float) -> None:
        """Set sigma to the best for a mean `error` of a pixel; a likelihood without sigma has nothing to set."""

    def broken_rule(self) -> str:
        if (self.kind == "none") != (self.sigma is None):
            return (
                f"its kind is {self.kind!r}, but sigma is {self.sigma}; sigma is None if and only if the kind is 'none'"
            )
        return ""


class Adversary(NamedTuple):
    """A network that a regularizer plays against, outside the parameters of the model, and its Adam."""

    network: nn.Module
    learning_rate: float
    betas: tuple[float, float]


class Pretrained(nn.Module):
    """A network of a regularizer, outside the parameters of the model: it is fitted to images first, and fixed from then on."""

    epochs: int  # of the fit

    @abstractmethod
    def fit(self, images: Callable[[int], Iterator[Tensor]], seed: int, state: State | None) -> Iterator[State]:
        """Fit to the images of the training split, without their labels.

        Args:
            images: seed -> shuffled batches of x, (b, channel, height, width), each image once.
            seed: of the fit, which decides its initial weights too.
            state: one that an earlier fit yielded, to go on from; None to start.

        Yields:
            A state after each epoch, whose `epoch` and `loss` are numbers.
        """


@dataclass(frozen=True)
class TrainingBatch:
    """A batch in training, one sample of each image's posterior, and what the model makes of it."""

    x: Tensor  # images
    latent: Latent
    decoder_output: Tensor  # unbounded, (b, *output_shape)
    rate: Tensor | None  # KL(q(z|x) || p(z)), nats, (b,); None if q(z|x) has no density
    condition: Tensor | None  # (b, condition)
    prior: Prior
    likelihood: Likelihood
    step: int | None  # of the training, from 1; None puts schedules at their end
    so_far: Tensor  # the distortion, and the terms of regularizers that come before in a sum, nats, (b,)

    @cached_property
    def reconstruction(self) -> Tensor:
        """The mean of p(x|z) at the sample, inside the range of the data, the shape of x.

        Raises:
            UserError: the likelihood has no mean.
        """
        if not self.likelihood.has_mean:
            raise UserError(
                "the regularizer compares images with the mean of p(x|z), which this likelihood can only draw from; take a likelihood with a "
                "mean, such as logistic_mixture, or a regularizer that compares no images."
            )
        return self.likelihood.mean(self.decoder_output)


class Terms(NamedTuple):
    """What a regularizer makes of a batch: nats, (b,) each."""

    minimised: dict[str, Tensor]  # added to the distortion; no gradient in the weights of an adversary
    adversary: Tensor | None = None  # what the adversary minimises; no gradient in the weights of the model


# How a regularizer trains the prior's weights: through its density, only through its samples, or not at all.
TrainsPrior = Literal["density", "samples", "nothing"]


class Regularizer(Part):
    """The terms that training adds to the distortion."""

    family = "regularizers"
    trains_prior: TrainsPrior
    adds_terms: bool = True  # whether it adds any
    limits_posterior: bool = True  # whether its terms keep q(z|x) from shrinking to a point, or train its codebook
    compares_images: bool = False  # whether it takes `batch.reconstruction`, so that p(x|z) must have a mean
    compares_samples: bool = False  # whether it takes samples of the prior for its density, so that they must follow it
    adversary: Adversary | None = None
    pretrained: Pretrained | None = None

    @abstractmethod
    def __call__(self, batch: TrainingBatch) -> Terms:
        """The terms of each image of a batch."""


@dataclass(frozen=True)
class Elbo:
    """The evidence lower bound of each image in its two halves: nats, (b,) each, without any weight."""

    distortion: Tensor  # -log p(x|z)
    rate: Tensor | None  # KL(q(z|x) || p(z)), in closed form or at one sample; None if q(z|x) has no density


class Objective(NamedTuple):
    """What training minimises, and what it logs: nats, of each image or as means over the batch."""

    terms: dict[str, Tensor]  # their sum is minimised
    logged: dict[str, Tensor]  # shown next to the terms, such as the unweighted rate
    adversary: Tensor | None = None  # what the adversary of the regularizer minimises

    @property
    def total(self) -> Tensor:
        first, *others = self.terms.values()
        return sum(others, first)

    @property
    def shown(self) -> dict[str, Tensor]:
        """All that is logged, by the columns of training.csv."""
        return {**self.terms, **self.logged, **({} if self.adversary is None else {ADVERSARY: self.adversary})}

    def mean(self) -> "Objective":
        """Means over the batch; of a batch that is dealt among several processes, the share of this one."""
        terms, logged = (
            {name: ranks.share_of_mean(each) for name, each in of.items()} for of in (self.terms, self.logged)
        )
        return Objective(terms, logged, None if self.adversary is None else ranks.share_of_mean(self.adversary))


class BoundModel(Protocol):
    """What a bound may ask of the model."""

    posterior: Posterior
    prior: Prior
    likelihood: Likelihood
    regularizer: Regularizer

    def condition(self, labels: Tensor) -> Tensor | None:
        """What the networks see of the labels, (b, condition); a bound asks once, because some label encoders are costly."""

    def features(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """The encoder's features of each image."""

    def encode(self, x: Tensor, condition: Tensor | None) -> Latent:
        """One sample of each image's posterior."""

    def decoder_output(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The decoder's unbounded output, (b, *output_shape)."""


class Bound(Part):
    """What training makes of log p(x): terms whose sum is minimised, and what is logged in addition."""

    family = "bounds"
    includes_rate: bool = False  # whether it includes the rate, so that no regularizer may add it

    @abstractmethod
    def __call__(self, model: BoundModel, x: Tensor, labels: Tensor, step: int | None) -> Objective:
        """The objective: terms (b,), logged numbers in one row or several for each image."""
