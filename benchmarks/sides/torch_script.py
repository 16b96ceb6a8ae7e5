"""A conditional VAE with a flow prior on faces of 86x86, as a training script in plain PyTorch.

The network is that of cvae_nf in `studies/celeba_cvae_nf.yaml`, written out. The step is the usual one: contiguous images, Adam with its
defaults, and the loss read after each step.
"""

import math

import torch
from torch import nn

from benchmarks.side import Work
from benchmarks.work import FACES, attributes, faces


def step() -> Work:
    """Take the training steps of one epoch."""
    torch.manual_seed(0)
    images, labels = faces(torch, FACES["images"], FACES["size"]), attributes(torch, FACES["images"])
    model = ConditionalVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=7e-4)

    def work() -> float:
        for rows in torch.arange(len(images)).split(FACES["batch"]):
            x = images[rows].float() / 127.5 - 1
            loss = model(x, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        return len(images)

    return work


def down(before: int, after: int) -> nn.Module:
    """Halve the height and width of feature maps."""
    return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2))


def up(before: int, after: int, odd: int) -> nn.Module:
    """Double the height and width of feature maps, and add 1 if they become odd."""
    convolution = nn.ConvTranspose2d(before, after, 4, 2, 1, odd, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2))


def perceptron(inputs: int, hidden: int, outputs: int, slope: float) -> nn.Module:
    """A network with two hidden layers."""
    layers = [nn.Linear(inputs, hidden), nn.LeakyReLU(slope), nn.Linear(hidden, hidden), nn.LeakyReLU(slope)]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


class ConditionalVAE(nn.Module):
    """Gaussian posterior, conditional flow prior of four affine couplings, and a likelihood with the optimal variance."""

    offsets: torch.Tensor

    def __init__(self, width: int = 32, latent: int = 64, embedding: int = 8, hidden: int = 64) -> None:
        super().__init__()
        columns, size, inner = FACES["columns"], FACES["size"], 5
        widths, condition = [width * 2**layer for layer in range(4)], columns * embedding
        self.size = size
        self.table = nn.Embedding(2 * columns, embedding)
        self.register_buffer("offsets", 2 * torch.arange(columns))
        self.plane = nn.Linear(condition, size * size)
        self.encoder = nn.Sequential(
            *[down(before, after) for before, after in zip([4, *widths[:-1]], widths, strict=True)]
        )
        self.head = nn.Linear(widths[-1] * inner**2, 2 * latent)
        self.stem = nn.Linear(latent + condition, widths[-1] * inner**2)
        self.first = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.LeakyReLU(0.2))
        # heights of the feature maps: 5, 10, 21, 43, 86
        self.decoder = nn.Sequential(
            *[up(before, after, odd) for before, after, odd in ((256, 128, 0), (128, 64, 1), (64, 32, 1))],
            nn.ConvTranspose2d(width, 3, 4, 2, 1),
        )
        self.base = perceptron(condition, hidden, 2 * latent, slope=0.2)
        self.couplings = nn.ModuleList(perceptron(latent // 2, hidden, latent, slope=0.01) for _ in range(4))

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the negative ELBO of images in [-1, 1], (batch, 3, height, width): nats per image, a scalar."""
        condition = self.table(labels + self.offsets).flatten(1)
        plane = self.plane(condition).view(-1, 1, self.size, self.size)
        h = self.encoder(torch.cat([x, plane], 1)).flatten(1)
        mean, log_var = self.head(h).chunk(2, 1)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        h = self.first(self.stem(torch.cat([z, condition], 1)).view(-1, 256, 5, 5))
        reconstruction = self.decoder(h).sigmoid() * 2 - 1
        error = (x - reconstruction) ** 2
        variance = error.mean()
        distortion = 0.5 * (error / variance + variance.log() + math.log(2 * math.pi)).sum((1, 2, 3))
        log_q = -0.5 * ((z - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)
        u, log_det = z, 0.0
        for number, network in enumerate(self.couplings):
            held, moved = (u[:, ::2], u[:, 1::2]) if number % 2 == 0 else (u[:, 1::2], u[:, ::2])
            log_scale, shift = network(held).chunk(2, 1)
            log_scale = log_scale.tanh()
            moved, log_det = moved * log_scale.exp() + shift, log_det + log_scale.sum(1)
            pair = (held, moved) if number % 2 == 0 else (moved, held)
            u = torch.stack(pair, 2).flatten(1)
        base_mean, base_log_var = self.base(condition).chunk(2, 1)
        log_p = (
            -0.5 * ((u - base_mean) ** 2 / base_log_var.exp() + base_log_var + math.log(2 * math.pi)).sum(1) + log_det
        )
        return (distortion + log_q - log_p).mean()
