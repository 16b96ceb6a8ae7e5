"""The one model: q(z|x, y), p(z|y) and p(x|z, y), composed of the parts that a variant names."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vaeline.data.facts import Facts
from vaeline.models.contracts import Context, Latent, Prior
from vaeline.models.label_embedding import embedding_of
from vaeline.study import parts
from vaeline.study.schema import Study, Variant
from vaeline.system.errors import UserError


@dataclass(frozen=True)
class Bound:
    """The evidence lower bound of each image in its two halves: nats, (b,) each, without any weight."""

    distortion: Tensor  # -log p(x|z)
    rate: Tensor | None  # KL(q(z|x) || p(z)), in closed form or of one sample; None where q has no density

    @property
    def negative_elbo(self) -> Tensor | None:
        return None if self.rate is None else self.distortion + self.rate


class Objective(NamedTuple):
    """What a training step minimises, and what it shows beside: nats, means over the batch."""

    terms: dict[str, Tensor]  # their sum is minimised
    beside: dict[str, Tensor]  # the plain rate; `adversary`: what the regularizer's adversary minimises

    @property
    def total(self) -> Tensor:
        return torch.stack(list(self.terms.values())).sum()


class Model(nn.Module):
    """An autoencoder with a latent density, conditional on labels where its variant has a condition.

    Images x are (b, channel, height, width) in the range of the data, labels are integers, (b, label columns).

    Args:
        variant: the parts it is made of.
        facts: of the images.

    Raises:
        UserError: the parts do not go together; the sentence says which would.
    """

    def __init__(self, variant: Variant, facts: Facts) -> None:
        super().__init__()
        self.variant = variant
        self.embedding = embedding_of(variant, facts)
        context = self._context(variant, facts)
        self.posterior = parts.build("posteriors", variant.posterior, context)
        context = replace(context, posterior=self.posterior.kind)
        self.network = parts.build("networks", variant.network, context, self.posterior)
        if self.posterior.takes_map:
            shape = (variant.latent, *self.network.map_size)
            context = replace(context, latent_shape=shape, codes=self.posterior.codes)
        self.prior = parts.build("priors", variant.prior, context)
        self.likelihood = parts.build("likelihoods", variant.likelihood, context)
        self.regularizer = parts.build("regularizers", variant.regularizer, context)
        self.training_bound = parts.build("bounds", variant.bound, context)
        self.density = None if variant.density is None else parts.build("densities", variant.density, context)
        _refuse_senseless(self)

    def _context(self, variant: Variant, facts: Facts) -> Context:
        condition = variant.condition
        size = 0 if self.embedding is None else self.embedding.size
        encoder_condition = size if condition and condition.encoder else 0
        return Context(
            image_shape=facts.image_shape,
            latent_shape=(variant.latent,),
            encoder_condition=encoder_condition,
            decoder_condition=size if condition and condition.decoder else 0,
            prior_condition=size,
            training_images=facts.counts["train"],
            range=facts.range,
            pixels=facts.pixels,
            encode=None if encoder_condition else self._encode_without_labels,
        )

    @property
    def conditional(self) -> bool:
        return self.embedding is not None

    @property
    def latent_density(self) -> Any:
        """p(z) as it is sampled and judged once training is over: the density fitted to the codes, else the prior."""
        return self.prior if self.density is None else self.density

    def trained_jointly(self) -> list[nn.Parameter]:
        """All parameters but those of a density, which is fitted afterwards."""
        return [each for name, each in self.named_parameters() if not name.startswith("density.")]

    def forward(self, x: Tensor, labels: Tensor, step: int | None = None) -> Objective:
        """The training objective; step None puts schedules at their final value."""
        terms, beside = self.training_bound(self, x, labels, step)
        return Objective(*({name: each.mean() for name, each in of.items()} for of in (terms, beside)))

    def bound(self, x: Tensor, labels: Tensor) -> Bound:
        """The unweighted bound of each image, from one sample of its posterior."""
        return self.bound_of(self.encode(x, labels), x, labels, self.latent_density)

    def bound_of(self, latent: Latent, x: Tensor, labels: Tensor, density: Prior, closed_form: bool = True) -> Bound:
        """The unweighted bound of each image at a sample of its posterior.

        Args:
            latent: the sample.
            x: the images.
            labels: of the images.
            density: p(z) or p(z|y).
            closed_form: take the rate in closed form where there is one, rather than of the sample.
        """
        distortion = -self.likelihood.log_prob(x, self.decoder_output(latent.z, labels))
        if latent.log_q is None:
            return Bound(distortion, None)
        condition = self.condition(labels)
        rate = density.kl(latent, condition) if closed_form else None
        return Bound(
            distortion, latent.log_q - density.log_prob(latent.density_input, condition) if rate is None else rate
        )

    def encode(self, x: Tensor, labels: Tensor) -> Latent:
        """One sample of each image's posterior; z is (b, latent) or a map of such."""
        return self.posterior(self.features(x, labels))

    def features(self, x: Tensor, labels: Tensor) -> Tensor:
        """What the encoder makes of each image, (b, any): all that its posterior depends on."""
        sees = self.variant.condition is not None and self.variant.condition.encoder
        return self.network.encoder(x, self.condition(labels) if sees else None)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """The mean of p(x|z, y), (b, channel, height, width), inside the data's range; z may be codes."""
        return self.likelihood.mean(self.decoder_output(z, labels))

    def decoder_output(self, z: Tensor, labels: Tensor) -> Tensor:
        """What the likelihood makes p(x|z, y) of, unbounded, (b, channel, height, width); z may be codes."""
        sees = self.variant.condition is not None and self.variant.condition.decoder
        z = z if z.is_floating_point() else self.posterior.embed(z)
        return self.network.decoder(z, self.condition(labels) if sees else None).float()

    def reconstruct(self, x: Tensor, labels: Tensor) -> Tensor:
        """Decode each image's z without the posterior's noise."""
        return self.decode(self.posterior.centre(self.features(x, labels)), labels)

    def sample(self, labels: Tensor) -> Tensor:
        """Decode one draw of p(z) for each row of labels."""
        return self.decode(self.latent_density.sample(len(labels), self.condition(labels)), labels)

    def condition(self, labels: Tensor) -> Tensor | None:
        """What stands for the labels in the networks, (b, condition); None for a model without labels."""
        return None if self.embedding is None else self.embedding(labels)

    def _encode_without_labels(self, x: Tensor) -> Latent:
        return self.posterior(self.network.encoder(x, None))


def check_variants(study: Study, facts: Facts) -> None:
    """Build every variant of a study, so that a senseless one stops it before anything is trained.

    Raises:
        UserError: the parts of a variant do not go together.
    """
    for name in study.study.variants:
        try:
            Model(study.variants[name], facts)
        except UserError as error:
            raise UserError(f"variants.{name}: {error}") from error


def _refuse_senseless(model: Model) -> None:
    """Refuse parts that are sound each by itself, of which one would go untrained beside the others.

    Raises:
        UserError: names the part and what would go.
    """
    _refuse_unseen_labels(model)
    variant = model.variant
    if model.training_bound.includes_rate and variant.regularizer.name != "none":
        raise UserError(
            f"bound {variant.bound.name} holds the rate already, beside which regularizer {variant.regularizer.name} has no place; "
            "take regularizer none, or bound evidence_lower_bound."
        )
    if not model.training_bound.includes_rate:
        _refuse_untrained(model)
    normed = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.network.encoder.modules())
    if normed and getattr(model.prior, "encodes", False):
        raise UserError(
            f"prior {variant.prior.name} sends images of its own through the encoder, whose batch normalisation would take them for "
            "data; set network.norm to none, or take network mlp."
        )


def _refuse_untrained(model: Model) -> None:
    regularizer, prior, posterior = (
        model.variant.regularizer.name,
        model.variant.prior.name,
        model.variant.posterior.name,
    )
    rated = model.posterior.kind in ("gaussian", "density")
    trained_by = model.regularizer.trains_prior
    if trained_by == "nothing" and list(model.prior.parameters()):
        rate = "give the rate a weight, as regularizer kl does, or " if rated else ""
        raise UserError(f"nothing trains prior {prior} beside regularizer {regularizer}; {rate}take prior standard.")
    if trained_by == "samples" and not getattr(model.prior, "reparameterised", True):
        below = "set regularizer.alpha below 1, or " if rated else ""
        raise UserError(
            f"regularizer {regularizer} with alpha 1 trains a prior by its samples alone, which say nothing of the component weights "
            f"of prior {prior}; {below}take another prior."
        )
    if rated and regularizer == "none":
        raise UserError(
            f"nothing keeps posterior {posterior} from shrinking to a point beside regularizer none; take regularizer kl, or "
            "posterior deterministic."
        )


def _refuse_unseen_labels(model: Model) -> None:
    variant = model.variant
    sees = variant.condition and (variant.condition.encoder or variant.condition.decoder or model.prior.conditional)
    if variant.condition and not sees and not model.latent_density.conditional:
        raise UserError(
            "condition makes labels a part of the model, but neither encoder, decoder, prior nor density sees them; set condition "
            "to null, or condition.decoder to true."
        )
    if variant.condition and variant.condition.embedding and not sees:
        raise UserError(
            "condition.embedding is a number, but only the density sees the labels, so that nothing would train it; set "
            "condition.embedding to null, which makes the labels one-hot."
        )
