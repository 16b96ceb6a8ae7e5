"""Vectors of a codebook, with a straight-through gradient (VQ-VAE: van den Oord et al., 2017).

Each place of the encoder's map becomes the nearest vector of the codebook. The decoder's gradient passes to the encoder
as if the vector had not been rounded; regularizer `commitment` trains the codebook.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import DiscreteLatent, Kind
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    codes: int = Field(512, ge=2, le=65_536, description="vectors in the codebook")


def build(options: Options, context: Context) -> "VectorQuantized":
    """Build a codebook of vectors of the latent's size.

    Raises:
        UserError: the data are points, which have no map.
    """
    if context.pixels == "points":
        raise UserError(
            "posterior vector_quantized makes maps of images, but the data are points; take posterior gaussian."
        )
    return VectorQuantized(options.codes, context.latent_shape[0])


class VectorQuantized(Posterior):
    kind: Kind = "discrete"
    takes_map = True
    started: Tensor  # whether the codebook has been placed among the encoder's vectors

    def __init__(self, codebook_size: int, size: int) -> None:
        super().__init__()
        self.codebook_size = codebook_size
        self.features = size
        self.codebook = nn.Parameter(torch.randn(codebook_size, size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.has_started = False  # a copy on the host, so that a step does not wait for the device

    def forward(self, features: Tensor) -> DiscreteLatent:
        """Round each vector of a map, (b, latent, rows, columns), to the codebook; the index is certain, so log q = 0."""
        encoded = features.float()
        if self.training and not self.has_started:
            self._start(encoded.detach())
        indices = self._nearest(encoded.detach())
        quantized = self.embed(indices)
        z = encoded + (quantized - encoded).detach()
        return DiscreteLatent(z, z.new_zeros(len(z)), indices, encoded, quantized)

    def centre(self, features: Tensor) -> Tensor:
        """The vectors of the codebook nearest to the features, (b, latent, rows, columns)."""
        return self.embed(self._nearest(features.float()))

    def embed(self, indices: Tensor) -> Tensor:
        """The vectors of the codebook at indices, (b, rows, columns): (b, latent, rows, columns)."""
        return functional.embedding(indices, self.codebook).movedim(3, 1)

    def _nearest(self, encoded: Tensor) -> Tensor:
        vectors = encoded.movedim(1, 3).flatten(0, 2)  # (b * rows * columns, latent)
        with torch.autocast(vectors.device.type, enabled=False):  # in 16 bits another vector may come out nearest
            # |v - c|^2 without |v|^2, which is the same for every c.
            distances = torch.addmm(self.codebook.square().sum(1), vectors, self.codebook.t(), alpha=-2)
        return distances.argmin(1).view(len(encoded), *encoded.shape[2:])

    @torch.no_grad()
    def _start(self, encoded: Tensor) -> None:
        """Place the codebook among the vectors of the first batch: a vector that starts far from them is never chosen."""
        self.has_started = True
        if self.started:  # as loaded
            return
        vectors = encoded.movedim(1, 3).flatten(0, 2)
        chosen = torch.randint(len(vectors), (self.codebook_size,), device=vectors.device)
        spread = vectors.std(0, correction=0)
        self.codebook.copy_(vectors[chosen] + 0.1 * spread * torch.randn_like(self.codebook))
        self.started.fill_(True)
