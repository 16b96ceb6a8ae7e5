"""The one model: q(z|x, y), p(z|y) and p(x|z, y), composed of the parts that a variant names."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vaeline import parts
from vaeline.contracts import Context, Latent
from vaeline.errors import UserError
from vaeline.files import write_text, written_aside
from vaeline.params import Variant
from vaeline.store import Facts


@dataclass(frozen=True)
class Bound:
    """The evidence lower bound of each image in its two halves: nats, (b,) each, without any weight."""

    distortion: Tensor  # -log p(x|z)
    rate: Tensor  # KL(q(z|x) || p(z)), in closed form or of one sample

    @property
    def negative_elbo(self) -> Tensor:
        return self.distortion + self.rate


class Model(nn.Module):
    """A variational autoencoder, conditional on labels where its variant has a condition.

    Images x are (b, channel, height, width) in the range of the data, labels are integers, (b, label columns).
    """

    def __init__(self, variant: Variant, facts: Facts) -> None:
        super().__init__()
        self.variant = variant
        self.range = facts.range
        columns = len(facts.label_names) if variant.condition else 0
        self.embedding = (
            LabelEmbedding(facts.label_cardinalities, variant.condition.embedding) if variant.condition else None
        )
        size = columns * variant.condition.embedding if variant.condition else 0
        context = Context(
            image_shape=facts.image_shape,
            latent_shape=(variant.latent,),
            encoder_condition=size if variant.condition and variant.condition.encoder else 0,
            decoder_condition=size if variant.condition and variant.condition.decoder else 0,
            prior_condition=size,
            training_images=facts.counts["train"],
        )
        self.posterior = parts.build("posteriors", variant.posterior, context)
        self.network = parts.build("networks", variant.network, context, self.posterior.features)
        self.prior = parts.build("priors", variant.prior, context)
        self.likelihood = parts.build("likelihoods", variant.likelihood, context)
        self.regularizer = parts.build("regularizers", variant.regularizer, context)

    @property
    def conditional(self) -> bool:
        return self.embedding is not None

    def forward(self, x: Tensor, labels: Tensor, step: int | None = None) -> dict[str, Tensor]:
        """The training objective's terms and the plain rate: nats, means over the batch.

        The objective is the distortion plus every term but `rate`; step None puts schedules at their final value.
        """
        latent, bound = self._latent_and_bound(x, labels)
        terms = self.regularizer(latent, bound.rate, self.prior, self.condition(labels), step)
        return {
            name: term.mean() for name, term in {"distortion": bound.distortion, "rate": bound.rate, **terms}.items()
        }

    def bound(self, x: Tensor, labels: Tensor) -> Bound:
        """The unweighted bound of each image, from one sample of its posterior."""
        return self._latent_and_bound(x, labels)[1]

    def encode(self, x: Tensor, labels: Tensor) -> Latent:
        """One sample of each image's posterior; z is (b, latent)."""
        return self.posterior(self.features(x, labels))

    def features(self, x: Tensor, labels: Tensor) -> Tensor:
        """What the encoder makes of each image, (b, any): all that its posterior depends on."""
        sees = self.variant.condition is not None and self.variant.condition.encoder
        return self.network.encoder(x, self.condition(labels) if sees else None)

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """The mean of p(x|z, y), (b, channel, height, width), inside the data's range."""
        sees = self.variant.condition is not None and self.variant.condition.decoder
        h = self.network.decoder(z, self.condition(labels) if sees else None)
        low, high = self.range
        return low + (high - low) * h.float().sigmoid()

    def reconstruct(self, x: Tensor, labels: Tensor) -> Tensor:
        """Decode each image's posterior mean."""
        latent = self.encode(x, labels)
        return self.decode(latent.z if latent.mean is None else latent.mean, labels)

    def sample(self, labels: Tensor) -> Tensor:
        """Decode one draw of the prior for each row of labels."""
        return self.decode(self.prior.sample(len(labels), self.condition(labels)), labels)

    def condition(self, labels: Tensor) -> Tensor | None:
        """The labels' embeddings side by side, (b, condition); None for a model without labels."""
        return None if self.embedding is None else self.embedding(labels)

    def _latent_and_bound(self, x: Tensor, labels: Tensor) -> tuple[Latent, Bound]:
        latent = self.encode(x, labels)
        distortion = -self.likelihood.log_prob(x, self.decode(latent.z, labels))
        return latent, Bound(distortion, self._rate(latent, self.condition(labels)))

    def _rate(self, latent: Latent, condition: Tensor | None) -> Tensor:
        rate = self.prior.kl(latent, condition)
        return latent.log_q - self.prior.log_prob(latent.z, condition) if rate is None else rate


class LabelEmbedding(nn.Module):
    """A learned vector for each value of each label column."""

    offsets: Tensor

    def __init__(self, cardinalities: list[int], size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(cardinalities), size)
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, labels: Tensor) -> Tensor:
        return self.table(labels + self.offsets).flatten(1)  # (b, columns * size)


def save(folder: Path, model: Model, facts: Facts, provenance: dict[str, Any]) -> None:
    """Write a run's `model.safetensors` and the `variant.yaml` that says how to build it again."""
    with written_aside(folder / "model.safetensors") as aside:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, aside)
    content = {"variant": model.variant.model_dump(mode="json"), "facts": asdict(facts), **provenance}
    write_text(folder / "variant.yaml", yaml.safe_dump(_plain(content), sort_keys=False, allow_unicode=True))


def load(folder: Path) -> tuple[Model, Facts]:
    """Build the model of a run out of its folder, on the CPU, ready for evaluation.

    Raises:
        UserError: a file is missing, damaged, or belongs to another model.
    """
    again = "train it again, or restore it with `dvc checkout`"
    for path in (folder / "variant.yaml", folder / "model.safetensors"):
        if not path.is_file():
            raise UserError(f"{path} is missing; {again}.")
    try:
        content = yaml.safe_load((folder / "variant.yaml").read_text(encoding="utf-8"))
        facts = Facts.from_dict(content["facts"])
        model = Model(Variant.model_validate(content["variant"]), facts)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (SafetensorError, RuntimeError) as error:
        raise UserError(f"{folder / 'model.safetensors'} is damaged or of another model; {again}.") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'variant.yaml'} is damaged or of another version; {again}.") from error
    return model.eval(), facts


def _plain(content: Any) -> Any:
    """Tuples as lists, which safe YAML can hold."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list | tuple) else content
