"""Embeddings of labels that see one another."""

from torch import Tensor, nn

from vaeline.models.contracts import Context, LabelEncoder
from vaeline.models.label_encoders.table import LabelEmbedding
from vaeline.system.errors import UserError


def require_embedding(context: Context, part: str) -> int:
    """The dimensions of a label's vector.

    Raises:
        UserError: labels are one-hot, and their vectors have different lengths.
    """
    if context.label_embedding is None:
        raise UserError(
            f"label encoder {part} needs a vector of the same length for each label, but condition.embedding is null, which makes them "
            "one-hot; set condition.embedding to a number, or take label encoder table."
        )
    return context.label_embedding


class Mixed(LabelEncoder):
    """The table's vectors, sent through layers that keep their number and length.

    Args:
        context: of the labels.
        size: of a label's vector.
        layers: maps of (b, columns, size), each of which is added to its input.
    """

    def __init__(self, context: Context, size: int, layers: list[nn.Module]) -> None:
        super().__init__()
        self.vectors = LabelEmbedding(context.label_cardinalities, size)
        self.columns, self.size = self.vectors.columns, self.vectors.size
        self.layers = nn.ModuleList(layers)

    def forward(self, labels: Tensor) -> Tensor:
        """The vectors of the labels, (b, columns), one after another: (b, columns * embedding)."""
        h = self.vectors(labels).unflatten(1, (self.columns, -1))
        for layer in self.layers:
            h = h + layer(h)
        return h.flatten(1)
