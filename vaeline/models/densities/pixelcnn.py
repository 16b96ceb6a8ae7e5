"""A gated PixelCNN over maps of a codebook's indices, given the labels if there are any (van den Oord et al., 2016).

Indices are drawn row by row, left to right, each given those before it.
"""

from collections.abc import Iterator

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from vaeline.models.causal_layers import GatedLayer
from vaeline.models.contracts import Context, Density
from vaeline.models.fitting import fit
from vaeline.models.part_checks import codebook_and_map_size, require_odd_kernel
from vaeline.study.parts import PartOptions
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State


class Options(PartOptions):
    width: int = Field(64, ge=1, le=4096, description="channels of each stack")
    layers: int = Field(6, ge=1, le=64, description="gated layers; the first sees only the places before")
    kernel: int = Field(3, ge=3, le=15, description="places that a layer sees from side to side, an odd number")
    dropout: float = Field(0.1, ge=0, lt=1, description="of the channels before the last layer")
    epochs: int = Field(30, ge=1, le=100_000, description="of the fit")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="maps of indices in a step of the fit")
    learning_rate: float = Field(0.001, gt=0, le=1, description="of Adam; it falls to 0 as a cosine")


def build(options: Options, context: Context) -> "PixelCNN":
    """Build the network, not yet fitted.

    Raises:
        UserError: the latents are vectors, or the kernel is even.
    """
    require_odd_kernel(options.kernel, "density.kernel", "place")
    codebook_size, size = codebook_and_map_size(context, f"density {options.name}")
    return PixelCNN(options, codebook_size, size, context.prior_condition)


class PixelCNN(Density):
    def __init__(self, options: Options, codebook_size: int, size: tuple[int, int], condition: int) -> None:
        super().__init__()
        self.options, self.size = options, size
        self.epochs, self.conditional = options.epochs, condition > 0
        self.embedding = nn.Embedding(codebook_size, options.width)
        self.layers = nn.ModuleList(
            GatedLayer(options.width, options.kernel, condition, first=index == 0) for index in range(options.layers)
        )
        self.dropout = nn.Dropout2d(options.dropout)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(options.width, options.width, 1), nn.ReLU())
        self.logits = nn.Conv2d(options.width, codebook_size, 1)

    def forward(self, indices: Tensor, condition: Tensor | None) -> Tensor:
        """The logits of the index at each place given those before it: (b, codebook size, rows, columns)."""
        vertical = horizontal = self.embedding(indices).movedim(3, 1)  # (b, width, rows, columns)
        if condition is not None:  # (b, condition, 1, 1)
            condition = condition.repeat(len(indices) // len(condition), 1)[..., None, None]
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal, condition)
        return self.logits(self.dropout(self.head(horizontal)))

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-probability of indices, (b, rows, columns), given their conditions; fewer are taken in turn: nats, (b,)."""
        return -functional.cross_entropy(self(z, condition), z, reduction="none").flatten(1).sum(1)

    @torch.no_grad()
    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw indices, (count, rows, columns), place by place."""
        rows, columns = self.size
        indices = torch.zeros(count, rows, columns, dtype=torch.long, device=self.logits.weight.device)
        for row in range(rows):
            for column in range(columns):
                # The rows below do not affect the index.
                logits = self(indices[:, : row + 1], condition)[:, :, row, column]
                indices[:, row, column] = torch.multinomial(logits.softmax(1), 1).squeeze(1)
        return indices

    def fit(self, latents: Tensor, condition: Tensor | None, seed: int, state: State | None) -> Iterator[State]:
        """Raise the log-probability of indices, (n, rows, columns), given their conditions, (n, condition).

        Yields:
            After each epoch: `epoch`, `loss` as the epoch's mean negative log-probability in nats, `weights`, `optimizer`.

        Raises:
            UserError: the loss is no longer finite.
        """

        def run_epoch(adam: Adam, epoch: int) -> float:
            return self._fit_epoch(adam, latents, condition, derive_seed("density", seed, epoch))

        yield from fit(self, self.options, run_epoch, state, f"density {self.options.name}")

    def _fit_epoch(self, adam: Adam, indices: Tensor, condition: Tensor | None, seed: int) -> float:
        """One pass over the training split; the mean loss."""
        self.train()
        torch.manual_seed(seed)
        total = torch.zeros((), device=indices.device)
        for chosen in torch.randperm(len(indices), device=indices.device).split(self.options.batch_size):
            given = None if condition is None else condition[chosen]
            loss = -self.log_prob(indices[chosen], given).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            total += loss.detach() * len(chosen)
        self.eval()
        return float(total) / len(indices)
