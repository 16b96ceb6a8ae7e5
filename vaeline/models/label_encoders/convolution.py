"""Convolutions over the attributes, in their order: the label encoder of "Improving Conditional VAE with approximation using Normalizing Flows"."""

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context
from vaeline.models.label_encoders._mixed import Mixed, require_embedding
from vaeline.models.part_checks import require_odd_kernel
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    layers: int = Field(2, ge=1, le=16, description="pairs of convolutions, whose result is added to what they see")
    width: int = Field(32, ge=1, le=4096, description="channels between the two convolutions of a layer")
    kernel: int = Field(3, ge=1, le=63, description="attributes that a convolution sees, an odd number")


def build(options: Options, context: Context) -> Mixed:
    """Build the convolutions on a table of vectors.

    Raises:
        UserError: labels are one-hot, or the kernel is even.
    """
    require_odd_kernel(options.kernel, "condition.labels.kernel", "attribute")
    size = require_embedding(context, options.name)
    return Mixed(context, size, [Layer(size, options.width, options.kernel) for _ in range(options.layers)])


class Layer(nn.Module):
    def __init__(self, size: int, width: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(size, width, kernel, padding=kernel // 2)
        self.last = nn.Conv1d(width, size, kernel, padding=kernel // 2)
        self.activation = nn.SiLU()

    def forward(self, h: Tensor) -> Tensor:
        return self.last(self.activation(self.first(h.transpose(1, 2)))).transpose(1, 2)  # (b, columns, size)
