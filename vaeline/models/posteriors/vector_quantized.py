"""Codes of a codebook in place of vectors, with a straight-through gradient (VQ-VAE: van den Oord et al., 2017).

Each place of the encoder's map becomes the nearest vector of the codebook. The decoder's gradient passes to the encoder
as if nothing had been rounded; the codebook learns by the `commitment` regularizer.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vaeline.models.contracts import Context, Kind, Latent
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    codes: int = Field(512, ge=2, le=65_536, description="vectors in the codebook")


def build(options: Options, context: Context) -> nn.Module:
    """Build a codebook of vectors of the latent's size.

    Raises:
        UserError: the data are points, which have no map of codes.
    """
    if context.pixels == "points":
        raise UserError(
            "posterior vector_quantized makes maps of codes of images, but the data are points; take posterior gaussian."
        )
    return VectorQuantized(options.codes, context.latent_shape[0])


class VectorQuantized(nn.Module):
    kind: Kind = "codes"
    takes_map = True
    started: Tensor  # whether the codebook has been laid among the encoder's vectors

    def __init__(self, codes: int, size: int) -> None:
        super().__init__()
        self.codes = codes
        self.features = size
        self.codebook = nn.Parameter(torch.randn(codes, size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.has_started = False  # the same, read once: the device need not be waited for in every step

    def forward(self, features: Tensor) -> Latent:
        """Round each vector of a map, (b, latent, rows, columns), to the codebook; q(codes|x) is certain, so log q = 0."""
        encoded = features.float()
        if self.training and not self.has_started:
            self._start(encoded.detach())
        codes = self._nearest(encoded.detach())
        quantized = self.embed(codes)
        z = encoded + (quantized - encoded).detach()
        return Latent(z, z.new_zeros(len(z)), codes=codes, encoded=encoded, quantized=quantized)

    def centre(self, features: Tensor) -> Tensor:
        """The codebook's vectors that the features, (b, latent, rows, columns), are rounded to."""
        return self.embed(self._nearest(features.float()))

    def embed(self, codes: Tensor) -> Tensor:
        """The vectors that codes, (b, rows, columns), stand for: (b, latent, rows, columns)."""
        return functional.embedding(codes, self.codebook).movedim(3, 1)

    def _nearest(self, encoded: Tensor) -> Tensor:
        vectors = encoded.movedim(1, 3).flatten(0, 2)  # (b * rows * columns, latent)
        with torch.autocast(vectors.device.type, enabled=False):  # in 16 bits another code may come out nearest
            # |v - c|^2 without |v|^2, which is the same for every code.
            distances = torch.addmm(self.codebook.square().sum(1), vectors, self.codebook.t(), alpha=-2)
        return distances.argmin(1).view(len(encoded), *encoded.shape[2:])

    @torch.no_grad()
    def _start(self, encoded: Tensor) -> None:
        """Lay the codebook among the first batch's vectors: one that starts far from them is never chosen."""
        self.has_started = True
        if self.started:  # as loaded
            return
        vectors = encoded.movedim(1, 3).flatten(0, 2)
        chosen = torch.randint(len(vectors), (self.codes,), device=vectors.device)
        spread = vectors.std(0, correction=0)
        self.codebook.copy_(vectors[chosen] + 0.1 * spread * torch.randn_like(self.codebook))
        self.started.fill_(True)
