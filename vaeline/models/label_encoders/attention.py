"""Self-attention over the attributes, whatever their order (Vaswani et al., 2017)."""

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.attention import Attention, check_heads
from vaeline.models.contracts import Context
from vaeline.models.label_encoders._mixed import Mixed, require_embedding
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    layers: int = Field(2, ge=1, le=16, description="of attention, each followed by a perceptron for each attribute")
    heads: int = Field(1, ge=1, le=64, description="of attention; they divide condition.embedding")
    width: int = Field(32, ge=1, le=4096, description="units of the perceptron's hidden layer")


def build(options: Options, context: Context) -> Mixed:
    """Build the layers on a table of vectors.

    Raises:
        UserError: labels are one-hot, or the heads do not divide the embedding.
    """
    size = require_embedding(context, options.name)
    check_heads("condition.labels.heads", options.heads, "condition.embedding", size)
    each = [(SelfAttention(size, options.heads), perceptron(size, options.width)) for _ in range(options.layers)]
    return Mixed(context, size, [layer for pair in each for layer in pair])


def perceptron(size: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(size), nn.Linear(size, width), nn.SiLU(), nn.Linear(width, size))


class SelfAttention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(size), Attention(size, size, heads)

    def forward(self, h: Tensor) -> Tensor:
        h = self.norm(h)
        return self.attention(h, h)
