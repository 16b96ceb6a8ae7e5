"""Checks of the parts of a model together: parts that are valid each by itself may leave one of them untrained."""

from typing import Protocol

from torch.nn.modules.batchnorm import _BatchNorm

from vaeline.models.contracts import Bound, LabelEncoder, Likelihood, Network, Posterior, Prior, Regularizer
from vaeline.models.latent import SAMPLED
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError


class Combination(Protocol):
    """What the checks read of a model."""

    variant: Variant
    embedding: LabelEncoder | None
    network: Network
    posterior: Posterior
    prior: Prior
    likelihood: Likelihood
    regularizer: Regularizer
    bound: Bound

    @property
    def latent_density(self) -> Prior: ...


def check_combination(model: Combination) -> None:
    """Refuse parts that do not go together.

    Raises:
        UserError: names the parts, and which would go together.
    """
    check_labels_are_seen(model)
    check_bound(model)
    check_images_have_a_mean(model)
    check_samples_follow_prior(model)
    if not model.bound.includes_rate:
        check_prior_is_trained(model)
        check_posterior_is_regularized(model)
    check_encoder_without_batch_norm(model)


def map_shape(variant: Variant, network: Network) -> tuple[int, int, int]:
    """The shape of a latent that is a map.

    Raises:
        UserError: the network makes no map.
    """
    if network.map_size is None:
        raise UserError(
            f"network {variant.network.name} ends in a vector, but posterior {variant.posterior.name} needs a map; take network conv."
        )
    return (variant.latent, *network.map_size)


def check_labels_are_seen(model: Combination) -> None:
    condition = model.variant.condition
    if condition is None:
        return
    seen = condition.encoder or condition.decoder or model.prior.conditional
    if not seen and not model.latent_density.conditional:
        raise UserError(
            "condition makes labels a part of the model, but neither encoder, decoder, prior nor density sees them; set condition "
            "to null, or condition.decoder to true."
        )
    if not seen and model.embedding is not None and list(model.embedding.parameters()):
        raise UserError(
            f"label encoder {condition.labels.name} has weights, but only the density sees the labels, so that they would stay untrained; "
            "set condition.embedding to null with label encoder table, which makes the labels one-hot."
        )


def check_bound(model: Combination) -> None:
    variant = model.variant
    if model.bound.includes_rate and model.regularizer.adds_terms:
        raise UserError(
            f"bound {variant.bound.name} includes the rate already, so that regularizer {variant.regularizer.name} cannot be added; "
            "take regularizer none, or bound evidence_lower_bound."
        )


def check_images_have_a_mean(model: Combination) -> None:
    if model.regularizer.compares_images and not model.likelihood.has_mean:
        regularizer, likelihood = model.variant.regularizer.name, model.variant.likelihood.name
        raise UserError(
            f"regularizer {regularizer} compares images with the mean of p(x|z), which likelihood {likelihood} can only draw from; take a "
            "likelihood with a mean, such as logistic_mixture, or a regularizer that compares no images."
        )


def check_samples_follow_prior(model: Combination) -> None:
    if model.regularizer.compares_samples and model.prior.samples_differ:
        regularizer, prior = model.variant.regularizer.name, model.variant.prior.name
        raise UserError(
            f"regularizer {regularizer} compares latents with samples of prior {prior}, but {model.prior.samples_differ}; let samples "
            "follow the prior, as with prior.samples_skip_flow false, or take regularizer kl."
        )


def check_prior_is_trained(model: Combination) -> None:
    prior, regularizer = model.variant.prior.name, model.variant.regularizer.name
    trained_by, has_rate = model.regularizer.trains_prior, _has_rate(model)
    if trained_by == "nothing" and list(model.prior.parameters()):
        rate = "give the rate a weight, as regularizer kl does, or " if has_rate else ""
        raise UserError(f"regularizer {regularizer} does not train prior {prior}; {rate}take prior standard.")
    if trained_by == "samples" and not model.prior.reparameterised:
        below = "set regularizer.alpha below 1, or " if has_rate else ""
        raise UserError(
            f"regularizer {regularizer} with alpha 1 trains a prior by its samples alone, which have no gradient in all weights of "
            f"prior {prior}; {below}take another prior."
        )


def check_posterior_is_regularized(model: Combination) -> None:
    posterior, regularizer = model.variant.posterior.name, model.variant.regularizer.name
    if model.regularizer.limits_posterior:
        return
    if _has_rate(model):
        raise UserError(
            f"posterior {posterior} would shrink to a point under regularizer {regularizer}; take regularizer kl, alone or as a part of "
            "regularizer sum, or posterior deterministic."
        )
    if model.posterior.learns != "never":
        raise UserError(
            f"regularizer {regularizer} leaves the codebook of posterior {posterior} untrained; take regularizer commitment, alone or as a "
            "part of regularizer sum."
        )


def check_encoder_without_batch_norm(model: Combination) -> None:
    normed = any(isinstance(module, _BatchNorm) for module in model.network.encoder.modules())
    if normed and model.prior.encodes_images:
        raise UserError(
            f"prior {model.variant.prior.name} sends images of its own through the encoder, whose batch normalisation would treat them "
            "as data; set network.norm to none, or take network mlp."
        )


def _has_rate(model: Combination) -> bool:
    return model.posterior.kind in SAMPLED
