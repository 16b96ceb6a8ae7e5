"""A learned vector for each value of each label column, or one-hot vectors."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Context, LabelEncoder
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> LabelEncoder:
    """Build a table of vectors of `condition.embedding` dimensions, or one-hot vectors where that is null."""
    if context.label_embedding is None:
        return OneHotLabels(context.label_cardinalities)
    return LabelEmbedding(context.label_cardinalities, context.label_embedding)


class LabelEmbedding(LabelEncoder):
    offsets: Tensor

    def __init__(self, cardinalities: tuple[int, ...], size: int) -> None:
        super().__init__()
        self.columns, self.size = len(cardinalities), len(cardinalities) * size
        self.table = nn.Embedding(sum(cardinalities), size)
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, labels: Tensor) -> Tensor:
        """The vectors of the labels, (b, columns), one after another: (b, columns * embedding)."""
        return self.table(labels + self.offsets).flatten(1)


class OneHotLabels(LabelEncoder):
    """A 1 at the value of each label column, 0 elsewhere; a single vector, because columns have different numbers of values."""

    def __init__(self, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        self.cardinalities = cardinalities
        self.columns, self.size = 1, sum(cardinalities)

    def forward(self, labels: Tensor) -> Tensor:
        """(b, values of all columns)."""
        columns = zip(labels.unbind(1), self.cardinalities, strict=True)
        return torch.cat([functional.one_hot(column, values) for column, values in columns], 1).float()
