"""A normal resampled by a learned acceptance probability (LARS: Bauer and Mnih, 2019), its rejections truncated.

A proposal z ~ N(0, I) is accepted with the probability a(z); the last of `proposals` is taken in any case. The draws have the
density p(z) = N(z; 0, I) [(1 - r) a(z) / Z + r], where Z = E[a] is the share that is accepted and r = (1 - Z)^(proposals - 1)
the share of draws that are the last proposal (section 3.2). A relative error of Z is an error of every log p(z), in nats.
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from vaeline.models.contracts import Acceptance, Context, Prior
from vaeline.models.part_checks import vector_size
from vaeline.models.priors.standard import Standard
from vaeline.study.parts import PartOptions

BLOCK, BLOCKS = 2**14, 16  # draws that Z is measured by: with a share of 0.1 it is known to 0.6 %


class Options(PartOptions):
    hidden: int = Field(
        100, ge=1, le=65_536, description="units of the two hidden layers of the acceptance probability"
    )
    proposals: int = Field(100, ge=2, le=10_000, description="at most for each draw; the last one is always accepted")
    draws: int = Field(
        1024, ge=2, le=1_000_000, description="of the proposal for the share that is accepted, in each training step"
    )


def build(options: Options, context: Context) -> "Resampled":
    """Build the prior; untrained, it accepts half of the proposals, wherever they are.

    Raises:
        UserError: the latents are discrete.
    """
    size = vector_size(context, f"prior {options.name}")
    last = nn.Linear(options.hidden, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    log_odds = nn.Sequential(
        nn.Linear(size, options.hidden), nn.Tanh(), nn.Linear(options.hidden, options.hidden), nn.Tanh(), last
    )
    return Resampled(Standard(size), log_odds, options.proposals, options.draws)


class Resampled(Prior):
    """Acceptance of another prior's draws.

    Args:
        proposal: the other prior.
        log_odds: of acceptance, z to (b, 1).
        proposals: at most for each draw.
        draws: that estimate the share accepted in a training step, whose logarithm is then biased by 1 / (2 draws) times the
            relative variance of a.
    """

    reparameterised = False  # neither a nor the choice that it makes has a gradient in a draw
    share: Tensor  # of proposals that are accepted, Z, as `calibrate` measured it
    share_error: Tensor  # its standard error

    def __init__(self, proposal: Prior, log_odds: nn.Module, proposals: int, draws: int) -> None:
        super().__init__()
        self.proposal, self.log_odds = proposal, log_odds
        self.proposals, self.draws = proposals, draws
        self.register_buffer("share", torch.tensor(0.5))
        self.register_buffer("share_error", torch.tensor(0.0))

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,); in training Z is estimated anew, with a gradient."""
        share = self._accepted(self.proposal.sample(self.draws, None)).mean() if self.training else self.share
        log_last = (self.proposals - 1) * torch.log1p(-share.clamp(1e-12, 1 - 1e-6))
        log_accepted = logsigmoid(self._log_odds(z)) + (-log_last.expm1()).log() - share.log()
        return self.proposal.log_prob(z, condition) + torch.logaddexp(log_accepted, log_last)

    @torch.no_grad()
    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent), in as many rounds as there are proposals, so that the device never waits for the host."""
        z = self.proposal.sample(count, None)
        taken = torch.zeros(count, dtype=torch.bool, device=z.device)
        for _ in range(self.proposals - 1):
            taken = taken | (torch.rand(count, device=z.device) < self._accepted(z))
            z = torch.where(taken.unsqueeze(1), z, self.proposal.sample(count, None))
        return z

    @torch.no_grad()
    def calibrate(self) -> None:
        """Measure Z by many draws, for evaluation."""
        each = [self._accepted(self.proposal.sample(BLOCK, None)) for _ in range(BLOCKS)]
        mean = sum(float(some.mean()) for some in each) / BLOCKS
        square = sum(float(some.square().mean()) for some in each) / BLOCKS
        self.share.fill_(mean)
        self.share_error.fill_(math.sqrt(max(square - mean**2, 0.0) / (BLOCK * BLOCKS)))

    @property
    def acceptance(self) -> Acceptance:
        """Z and its standard error."""
        return Acceptance(float(self.share), float(self.share_error))

    def _log_odds(self, z: Tensor) -> Tensor:
        return self.log_odds(z).float().squeeze(1)

    def _accepted(self, z: Tensor) -> Tensor:
        return self._log_odds(z).sigmoid()
