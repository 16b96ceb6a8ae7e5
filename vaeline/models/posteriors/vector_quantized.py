"""Vectors of a codebook, with a straight-through gradient (VQ-VAE: van den Oord et al., 2017).

Each place of the encoder's map becomes the nearest vector of the codebook, or a sum of several, each of which rounds what those before it
leave (RQ-VAE: Lee et al., 2022). The decoder's gradient passes to the encoder as if the place had not been rounded. Regularizer `commitment`
trains the codebook, unless its vectors are moving averages.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import DiscreteLatent, Kind
from vaeline.models.part_checks import require_images
from vaeline.models.posteriors._codebook import Codebook
from vaeline.study.parts import PartOptions
from vaeline.system import ranks


class Options(PartOptions):
    codes: int = Field(512, ge=2, le=65_536, description="vectors in the codebook")
    stages: int = Field(
        1,
        ge=1,
        le=64,
        description="vectors that are added for each place, all of one codebook; above 1 it is residual quantization",
    )
    update: Literal["gradient", "average"] = Field(
        "gradient",
        description="how the codebook learns: by regularizer commitment, or as moving averages of the encoder's vectors",
    )
    decay: float = Field(0.99, ge=0, lt=1, description="of moving averages, in each training step")
    restart: float = Field(
        0.0, ge=0, lt=1,
        description="share of an even use below which a vector moves onto a random one of the encoder's; 0 for never",
    )  # fmt: skip


def build(options: Options, context: Context) -> "VectorQuantized":
    """Build a codebook of vectors of the latent's size.

    Raises:
        UserError: the data are points, which have no map.
    """
    require_images(context, f"posterior {options.name}", "take posterior gaussian")
    size, averages = context.latent_shape[0], options.update == "average"
    return VectorQuantized(
        Codebook(options.codes, size, averages, options.decay, options.restart), size, options.stages
    )


class VectorQuantized(Posterior):
    kind: Kind = "discrete"
    takes_map = True

    def __init__(self, codebook: Codebook, size: int, stages: int) -> None:
        super().__init__()
        self.codebook, self.stages = codebook, stages
        self.codebook_size = len(codebook)
        self.learns = "average" if codebook.averages else "gradient"
        self.features = size

    def forward(self, features: Tensor) -> DiscreteLatent:
        """Round each vector of a map, (b, latent, rows, columns); the indices are certain, so log q = 0."""
        encoded = features.float()
        vectors = encoded.detach().movedim(1, 3)  # (b, rows, columns, latent)
        if self.training and not self.codebook.has_started:
            self.codebook.start(self._of_all_sizes(ranks.whole(vectors).flatten(0, 2)))
        indices, rests = self._rounded(vectors)
        quantized = self.codebook(indices).cumsum(3).movedim((3, 4), (0, 2))  # (stages, b, latent, rows, columns)
        if self.training and self.codebook.follows:
            self.codebook.learn(ranks.whole(rests).flatten(0, 3), ranks.whole(indices).flatten())
        z = encoded + (quantized[-1] - encoded).detach()
        return DiscreteLatent(z, indices.flatten(2), encoded, quantized)

    def centre(self, features: Tensor) -> Tensor:
        """The sums of vectors nearest to the features, (b, latent, rows, columns)."""
        return self.embed(self._rounded(features.float().movedim(1, 3))[0].flatten(2))

    def embed(self, indices: Tensor) -> Tensor:
        """The sums of vectors at indices, (b, rows, stages * columns): (b, latent, rows, columns)."""
        return self.codebook(indices.unflatten(2, (-1, self.stages))).sum(3).movedim(3, 1)

    @torch.no_grad()
    def _rounded(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Indices of each place, (b, rows, columns, stages), and the vectors that each stage rounds, (..., stages, latent)."""
        indices, rests, rest = [], [], vectors
        for _ in range(self.stages):
            chosen = self.codebook.nearest(rest.flatten(0, 2)).view(rest.shape[:3])
            indices.append(chosen)
            rests.append(rest)
            rest = rest - self.codebook(chosen)
        return torch.stack(indices, 3), torch.stack(rests, 3)

    def _of_all_sizes(self, vectors: Tensor) -> Tensor:
        """Vectors, (n, latent), and as many of half the size for each stage after the first: the codebook starts among them."""
        return torch.cat([vectors / 2**stage for stage in range(self.stages)])
