"""The one model: q(z|x, y), p(z|y) and p(x|z, y), composed of the parts that a variant names."""

from dataclasses import replace
from math import prod

from torch import Tensor, nn

from vaeline.data.facts import Facts
from vaeline.models.combination_checks import check_combination, map_shape
from vaeline.models.contracts import (
    Bound,
    Context,
    Density,
    Elbo,
    LabelEncoder,
    Likelihood,
    Network,
    Objective,
    Posterior,
    Prior,
    Regularizer,
)
from vaeline.models.latent import Latent
from vaeline.study import parts
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError


class Model(nn.Module):
    """An autoencoder with a latent density, conditional on labels if its variant has a condition.

    Images x are (b, channel, height, width) in the range of the data, labels are integers, (b, label columns). The label encoder is most of
    the work of some models: what takes a condition leaves it to the caller to compute it once. A half that sees no labels ignores it.

    Args:
        variant: the parts it is made of.
        facts: of the images.

    Raises:
        UserError: the parts do not go together; the sentence says which would.
    """

    def __init__(self, variant: Variant, facts: Facts) -> None:
        super().__init__()
        self.variant = variant
        self.embedding: LabelEncoder | None
        context = self._with_labels(self._context(variant, facts), variant, facts)
        self.posterior = parts.build(Posterior, variant.posterior, context)
        context = replace(
            context,
            posterior=self.posterior.kind,
            codebook_size=self.posterior.codebook_size,
            codebook_learns=self.posterior.learns,
            stages=self.posterior.stages,
        )
        self.likelihood = parts.build(Likelihood, variant.likelihood, context)
        context = replace(context, output_channels=self.likelihood.output_channels)
        self.network = parts.build(Network, variant.network, context, self.posterior)
        if self.posterior.takes_map:
            shape = map_shape(variant, self.network)
            discrete = self.posterior.kind == "discrete"
            context = replace(context, map_shape=shape, latent_shape=shape if discrete else (prod(shape),))
        self.latent_size = prod(context.latent_shape)
        self.prior = parts.build(Prior, variant.prior, context)
        self.regularizer = parts.build(Regularizer, variant.regularizer, context)
        self.bound = parts.build(Bound, variant.bound, context)
        self.density = None if variant.density is None else parts.build(Density, variant.density, context)
        check_combination(self)

    def _context(self, variant: Variant, facts: Facts) -> Context:
        return Context(
            image_shape=facts.image_shape,
            latent_shape=(variant.latent,),
            encoder_condition=0,
            decoder_condition=0,
            prior_condition=0,
            training_images=facts.counts["train"],
            range=facts.range,
            pixels=facts.pixels,
            levels=2 if facts.pixels.endswith("binary") else facts.levels,
            encode=self._encode_without_labels,
        )

    def _with_labels(self, context: Context, variant: Variant, facts: Facts) -> Context:
        """Build the label encoder, if the model has one, and return the context with what the parts see of labels."""
        condition, cardinalities = variant.condition, tuple(facts.label_cardinalities)
        if condition is None:
            self.embedding = None
            return context
        if not facts.label_names:
            raise UserError(
                f"condition makes labels a part of the model, but the images of {facts.dataset_id} have none; set condition to null, or "
                "remove the variant from study.variants."
            )
        context = replace(context, label_cardinalities=cardinalities, label_embedding=condition.embedding)
        self.embedding = parts.build(LabelEncoder, condition.labels, context)
        size = self.embedding.size
        return replace(
            context,
            encoder_condition=size if condition.encoder else 0,
            decoder_condition=size if condition.decoder else 0,
            prior_condition=size,
            condition_columns=self.embedding.columns,
            encode=None if condition.encoder else self._encode_without_labels,
        )

    @property
    def conditional(self) -> bool:
        return self.embedding is not None

    @property
    def latent_density(self) -> Prior:
        """p(z) after training, for samples and likelihoods: the density fitted to the latents, or else the prior."""
        return self.prior if self.density is None else self.density

    def trained_jointly(self) -> list[nn.Parameter]:
        """All parameters but those of a density, which is fitted afterwards."""
        return [each for name, each in self.named_parameters() if not name.startswith("density.")]

    def forward(self, x: Tensor, labels: Tensor, step: int | None = None) -> Objective:
        """The training objective, means over the batch; step None puts schedules at their end."""
        return self.bound(self, x, labels, step).mean()

    def elbo(self, x: Tensor, labels: Tensor) -> Elbo:
        """The unweighted evidence lower bound of each image, at one sample of its posterior."""
        condition = self.condition(labels)
        latent = self.encode(x, condition)
        distortion = -self.likelihood.log_prob(x, self.decoder_output(latent.z, condition))
        return Elbo(distortion, self.latent_density.rate(latent, condition))

    def encode(self, x: Tensor, condition: Tensor | None) -> Latent:
        """One sample of each image's posterior; z is (b, latent), or (b, latent, rows, columns) if it is discrete."""
        return self.posterior(self.features(x, condition))

    def features(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """The encoder's features of each image, on which its posterior depends: (b, features), or (b, features, rows, columns)."""
        sees = self.variant.condition is not None and self.variant.condition.encoder
        return self.network.encoder(x, condition if sees else None)

    def decode(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The mean of p(x|z, y), or a draw if it has none, (b, channel, height, width), inside the data's range; z may be indices."""
        return self.likelihood.mean(self.decoder_output(z, condition))

    def decode_with_noise(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """A draw of p(x|z, y), the shape of `decode`; a Gaussian's may leave the data's range."""
        return self.likelihood.sample(self.decoder_output(z, condition))

    def decoder_output(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The decoder's unbounded output, (b, output channels, height, width); z may be indices."""
        sees = self.variant.condition is not None and self.variant.condition.decoder
        return self.network.decoder(self.posterior.decoder_input(z), condition if sees else None).float()

    def reconstruct(self, x: Tensor, labels: Tensor) -> Tensor:
        """Decode z of each image without the posterior's noise."""
        condition = self.condition(labels)
        return self.decode(self.posterior.centre(self.features(x, condition)), condition)

    def draw(self, labels: Tensor) -> Tensor:
        """Draw p(z) once for each row of labels: (n, latent), or indices, (n, rows, columns), on the labels' device."""
        return self.latent_density.sample(len(labels), self.condition(labels)).to(labels.device)

    def condition(self, labels: Tensor) -> Tensor | None:
        """What the networks see of the labels, (b, condition); None for a model without labels."""
        return None if self.embedding is None else self.embedding(labels)

    def _encode_without_labels(self, x: Tensor) -> Latent:
        return self.posterior(self.network.encoder(x, None))
