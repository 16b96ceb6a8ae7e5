"""The encoder and the decoder of a model as modules of tensors alone, which other libraries can take over.

The encoder maps images, and labels if it sees them, to z and, if q(z|x) is Gaussian, its standard deviation. The decoder maps z, and labels if
it sees them, to the mean of p(x|z) and, if p(x|z) has one, the standard deviation of a pixel. So z of the encoder is what the decoder takes, and
both together make the reconstruction.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vaeline.models.model import Model
from vaeline.runs.trained_run import TrainedRun
from vaeline.system.errors import UserError

Part = Literal["encoder", "decoder"]
PARTS: tuple[Part, ...] = ("encoder", "decoder")
WITH_DEVIATION = ("gaussian",)  # kinds of posteriors whose z is Gaussian; z0 of a flow is, but z is not


@dataclass(frozen=True)
class ExportedPart:
    """A part with what it takes and gives.

    Args:
        name: of the part.
        module: takes and returns tensors whose first dimension is the batch.
        inputs: name -> what it is, in words.
        outputs: the same.
        draw: count -> random inputs of so many images.
    """

    name: Part
    module: nn.Module
    inputs: dict[str, str]
    outputs: dict[str, str]
    draw: Callable[[int], tuple[Tensor, ...]]


class Encoder(nn.Module):
    """The part of a model that maps images to latents."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Images in their range, (b, channel, height, width), and labels, (b, columns), to z and perhaps its deviation, (b, latent)."""
        posterior = self.model.posterior
        features = self.model.features(x, None if labels is None else self.model.condition(labels))
        if posterior.kind not in WITH_DEVIATION:
            return (posterior.centre(features),)
        mean, log_var = posterior.parameters_of(features)
        return mean, (0.5 * log_var).exp()


class Decoder(nn.Module):
    """The part of a model that maps latents to images."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """z, (b, latent), and labels, (b, columns), to the mean of p(x|z), (b, channel, height, width), and perhaps sigma, (b, 1, 1, 1)."""
        mean = self.model.decode(z, None if labels is None else self.model.condition(labels))
        sigma = self.model.likelihood.sigma
        return (mean,) if sigma is None else (mean, sigma.expand(mean.shape[0], *(1,) * (mean.dim() - 1)))


def exported_part(run: TrainedRun, name: Part) -> ExportedPart:
    """A part of a run, on the CPU.

    Raises:
        UserError: the part is no function of its inputs.
    """
    model, facts = run.model, run.facts
    if name == "decoder" and not model.likelihood.has_mean:
        raise UserError(
            f"The decoder of this run cannot be exported: likelihood {model.variant.likelihood.name} draws an image pixel by pixel and has no mean; "
            "export the encoder alone by --part encoder."
        )
    condition = model.variant.condition
    sees = condition is not None and (condition.encoder if name == "encoder" else condition.decoder)
    labels = {"labels": f"int64, (batch, {len(facts.label_names)}): {_labels(run)}"} if sees else {}

    def draw(count: int) -> tuple[Tensor, ...]:
        x, of_x = _images(run, count), _random_labels(run, count)
        if name == "decoder":
            x = torch.randn_like(model.posterior.centre(model.features(x, model.condition(of_x))))
        return (x, of_x) if sees else (x,)

    if name == "encoder":
        return ExportedPart(
            name, Encoder(_only(model, "encoder")), {"x": _range(run), **labels}, _of_encoder(model), draw
        )
    return ExportedPart(
        name,
        Decoder(_only(model, "decoder")),
        {"z": "float32, as the encoder gives it", **labels},
        _of_decoder(run),
        draw,
    )


def _only(model: Model, half: Part) -> Model:
    """The model, sharing its weights, without its densities and the other half of its network, which would make files larger."""
    slim, network = copy(model), copy(model.network)
    network._modules = {half: model.network.get_submodule(half)}
    kept = {name: part for name, part in model._modules.items() if name not in ("prior", "density")}
    slim._modules = {**kept, "network": network}
    return slim


def _images(run: TrainedRun, count: int) -> Tensor:
    low, high = run.facts.range
    return low + (high - low) * torch.rand(count, *run.facts.image_shape)


def _random_labels(run: TrainedRun, count: int) -> Tensor:
    columns = [torch.randint(values, (count,)) for values in run.facts.label_cardinalities]
    return torch.stack(columns, 1) if columns else torch.zeros(count, 0, dtype=torch.int64)


def _range(run: TrainedRun) -> str:
    facts, shape = run.facts, ", ".join(map(str, run.facts.image_shape))
    if facts.points:
        return f"float32, (batch, {shape}): points as they are"
    low, high = facts.range
    level = f"level k of 0 to {facts.levels - 1}"
    if facts.pixels == "dequantized":
        return f"float32, (batch, {shape}): {level} is {low} + {high - low} (k + 0.5) / {facts.levels}"
    return f"float32, (batch, {shape}): {level} is {low} + {high - low} k / {facts.levels - 1}"


def _labels(run: TrainedRun) -> str:
    named = zip(run.facts.label_names, run.facts.label_values, strict=True)
    return "; ".join(f"{name} by its place among {', '.join(values)}" for name, values in named)


def _of_encoder(model: Model) -> dict[str, str]:
    if model.posterior.kind in WITH_DEVIATION:
        return {"z": "float32: the mean of q(z|x)", "scale": "float32: the standard deviation of q(z|x)"}
    return {"z": f"float32: z without noise; q(z|x) of posterior {model.variant.posterior.name} is no Gaussian"}


def _of_decoder(run: TrainedRun) -> dict[str, str]:
    mean = {"mean": f"the mean of p(x|z), as x: {_range(run)}"}
    return (
        mean if run.model.likelihood.sigma is None else {**mean, "sigma": "float32: the standard deviation of a pixel"}
    )
