"""Weights of a flow's layers: parameters shared by all images, or linear in an image's context (amortisation)."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.nn.functional import linear

from vaeline.models.contracts import Flow

Layer = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # z, weights -> u, log|det du/dz| (b,)
Inverse = Callable[[Tensor, Tensor], Tensor]  # u, weights -> z


class Layers(Flow):
    """u = f(z), layer by layer; every layer is the same function of its input and its weights.

    Args:
        layer: the function.
        undo: its inverse.
        starts: each layer's weights before training, (weights,) each.
        context: numbers for each image that the weights depend on; 0 for weights shared by all images.
    """

    def __init__(self, layer: Layer, undo: Inverse, starts: Iterable[Tensor], context: int) -> None:
        super().__init__()
        self.layer, self.undo = layer, undo
        self.weights = nn.ModuleList(Weights(start, context) for start in starts)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z, (b, latent), to u of the same shape and log|det du/dz|, (b,)."""
        log_det = z.new_zeros(z.shape[0])
        for weights in self.weights:
            z, term = self.layer(z, weights(context).to(z.dtype))
            log_det = log_det + term
        return z, log_det

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map u back to z."""
        for weights in reversed(self.weights):
            u = self.undo(u, weights(context).to(u.dtype))
        return u


class Weights(nn.Module):
    """The weights of one layer; before training they do not depend on the context."""

    slope: Tensor | None

    def __init__(self, start: Tensor, context: int) -> None:
        super().__init__()
        self.start = nn.Parameter(start)
        self.register_parameter("slope", nn.Parameter(start.new_zeros(len(start), context)) if context else None)

    def forward(self, context: Tensor | None) -> Tensor:
        """The weights of each image, (b, weights), or of all of them, (1, weights)."""
        if self.slope is None:
            return self.start[None]
        assert context is not None
        return linear(context.to(self.start.dtype), self.slope, self.start)
