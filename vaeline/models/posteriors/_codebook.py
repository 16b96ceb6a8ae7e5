"""A codebook of vectors: the nearest ones to others, and the ways in which it is placed and learns."""

import torch
from torch import Tensor, nn
from torch.nn import functional

SMOOTHING = 1e-5  # of how often a vector is chosen, so that one that never is keeps a finite mean


class Codebook(nn.Module):
    """Vectors that are weights, or moving averages of the encoder's vectors (van den Oord et al., 2017, appendix A.1).

    Args:
        size: number of vectors.
        dimensions: of a vector.
        averages: whether they are moving averages, which have no gradient.
        decay: of the averages, in each training step.
        restart: share of an even use below which a vector moves onto a random one of the encoder's (Dhariwal et al., 2020); 0 for never.
    """

    started: Tensor  # whether the vectors have been placed among the encoder's
    usage: Tensor  # how many vectors of a batch each is chosen for, on a moving average, (size,)
    sums: Tensor  # of the vectors that each is chosen for, on a moving average, (size, dimensions)

    def __init__(self, size: int, dimensions: int, averages: bool, decay: float, restart: float) -> None:
        super().__init__()
        self.averages, self.decay, self.restart = averages, decay, restart
        self.follows = averages or restart > 0  # whether it takes in the vectors of each batch
        vectors = torch.randn(size, dimensions)
        if averages:
            self.register_buffer("vectors", vectors)
            self.register_buffer("sums", vectors.clone())
        else:
            self.vectors = nn.Parameter(vectors)
        if self.follows:
            self.register_buffer("usage", torch.ones(size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.has_started = False  # a copy on the host, so that a step does not wait for the device

    def __len__(self) -> int:
        return len(self.vectors)

    def forward(self, indices: Tensor) -> Tensor:
        """The vectors at indices, (..., dimensions)."""
        return functional.embedding(indices, self.vectors)

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """The index of the codebook vector nearest to each row of vectors, (n, dimensions): (n,)."""
        with torch.autocast(vectors.device.type, enabled=False):  # in 16 bits another vector may come out nearest
            # |v - c|^2 without |v|^2, which is the same for every c.
            distances = torch.addmm(self.vectors.square().sum(1), vectors, self.vectors.t(), alpha=-2)
        return distances.argmin(1)

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """Place the codebook among the vectors of the first batch: a vector that starts far from them is never chosen."""
        self.has_started = True
        if self.started:  # as loaded
            return
        chosen = torch.randint(len(vectors), (len(self),), device=vectors.device)
        spread = vectors.std(0, correction=0)
        self.vectors.copy_(vectors[chosen] + 0.1 * spread * torch.randn_like(self.vectors))
        if self.averages:
            self.sums.copy_(self.vectors)
        self.started.fill_(True)

    @torch.no_grad()
    def learn(self, vectors: Tensor, indices: Tensor) -> None:
        """Take in the vectors of a batch, (n, dimensions), and the indices that were chosen for them, (n,)."""
        counts = torch.zeros_like(self.usage).index_add_(0, indices, torch.ones_like(vectors[:, 0]))
        self.usage.lerp_(counts, 1 - self.decay)
        if self.averages:
            self.sums.lerp_(torch.zeros_like(self.sums).index_add_(0, indices, vectors), 1 - self.decay)
            total = self.usage.sum()
            smoothed = (self.usage + SMOOTHING) * total / (total + len(self) * SMOOTHING)
            self.vectors.copy_(self.sums / smoothed.unsqueeze(1))
        if self.restart:
            self._restart(vectors)

    def _restart(self, vectors: Tensor) -> None:
        even = self.usage.mean()
        dead = self.usage < self.restart * even
        fresh = vectors[torch.randint(len(vectors), (len(self),), device=vectors.device)]
        self.usage.copy_(torch.where(dead, even, self.usage))
        self.vectors.copy_(torch.where(dead.unsqueeze(1), fresh, self.vectors))
        if self.averages:
            self.sums.copy_(torch.where(dead.unsqueeze(1), fresh * even, self.sums))
