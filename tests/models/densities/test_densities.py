"""Every density found on disk: its fit raises the likelihood, resumes to the same bytes, and its samples follow it."""

import copy
import itertools
from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from tests.conftest import every, scramble
from vaeline.models.contracts import Context, Density
from vaeline.models.densities.gaussian_mixture import NotConverged
from vaeline.study import parts
from vaeline.system.errors import UserError

VECTORS, ROWS, COLUMNS = 3, 2, 3
SMALL: dict[str, dict[str, Any]] = {
    "pixelcnn": {"width": 8, "layers": 2, "epochs": 3, "batch_size": 32},
    "gaussian_mixture": {"components": 3},
    "flow_matching": {"width": 16, "depth": 1, "epochs": 3, "learning_rate": 0.01},
}


def build(name: str, context: Context, /, **options: Any) -> Any:
    if name == "pixelcnn":
        context = replace(context, posterior="discrete", latent_shape=(4, ROWS, COLUMNS), codebook_size=VECTORS)
    return parts.build(Density, parts.validate("densities", {"name": name, **SMALL[name], **options}), context)


def latents_for(name: str, count: int = 200) -> tuple[Tensor, Tensor]:
    """Latents that follow a rule of their label, and the labels one-hot, (n, 3)."""
    kind = torch.arange(count) % 3
    condition = torch.nn.functional.one_hot(kind, 3).float()
    if name == "pixelcnn":
        return (kind.view(-1, 1, 1) + torch.arange(COLUMNS)).expand(-1, ROWS, -1) % VECTORS, condition
    return 4 * kind.unsqueeze(1) + torch.randn(count, 2), condition


@every("densities")
def test_the_fit_raises_the_likelihood_of_the_latents(name: str, context: Context) -> None:
    density = build(name, context).eval()
    latents, condition = latents_for(name)
    before = density.log_prob(latents, condition).mean()
    states = list(density.fit(latents, condition, 0, None))
    assert density.log_prob(latents, condition).mean() > before
    assert states[-1]["epoch"] == (1 if name == "gaussian_mixture" else 3)


@every("densities")
def test_a_killed_fit_ends_in_the_same_bytes(name: str, context: Context) -> None:
    latents, condition = latents_for(name)

    def start() -> Any:
        torch.manual_seed(5)
        return build(name, context)

    whole, killed, again = start(), start(), start()
    list(whole.fit(latents, condition, 7, None))
    fit = killed.fit(latents, condition, 7, None)
    state = {key: copy.deepcopy(value) for key, value in next(fit).items()}
    list(again.fit(latents, condition, 7, state))
    for one, other in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@every("densities")
@torch.no_grad()
def test_samples_have_the_entropy_of_the_density(name: str, context: Context) -> None:
    density = build(name, context).eval()
    if list(density.parameters()):
        scramble(density, std=0.3)
    else:
        list(density.fit(latents_for(name)[0], None, 0, None))
    condition = torch.zeros(1, 3)
    drawn = -density.log_prob(sample := density.sample(4000, condition.expand(4000, -1)), condition.expand(4000, -1))
    assert float(drawn.mean()) == pytest.approx(
        _entropy(density, sample, condition), abs=4 * float(drawn.std()) / 4000**0.5
    )


def _entropy(density: Any, sample: Tensor, condition: Tensor) -> float:
    """-sum p log p over all maps of indices; for vectors, by importance sampling from a wide Gaussian."""
    if not sample.is_floating_point():
        maps = torch.tensor(list(itertools.product(range(VECTORS), repeat=ROWS * COLUMNS))).view(-1, ROWS, COLUMNS)
        log_p = density.log_prob(maps, condition.expand(len(maps), -1))
        assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-4)
        return float(-(log_p.exp() * log_p).sum())
    wide = MultivariateNormal(sample.mean(0), 2 * torch.cov(sample.T))
    proposal = wide.sample((200_000,))
    log_p = density.log_prob(proposal, condition)
    weight = (log_p - wide.log_prob(proposal)).exp()
    assert float(weight.mean()) == pytest.approx(1, abs=0.02)
    return float(-(weight * log_p).mean())


def test_a_mixture_equals_torchs_mixture(context: Context) -> None:
    density = build("gaussian_mixture", context)
    latents = latents_for("gaussian_mixture")[0]
    list(density.fit(latents, None, 0, None))
    components = MultivariateNormal(density.mean, scale_tril=density.factor)
    expected = MixtureSameFamily(Categorical(probs=density.weight), components).log_prob(latents)
    torch.testing.assert_close(density.log_prob(latents, None), expected, atol=1e-4, rtol=1e-4)
    assert sorted(density.mean[:, 0].round().tolist()) == [0, 4, 8]


def test_each_position_sees_earlier_positions_only(context: Context) -> None:
    """Every earlier position must affect a later one, so a blind spot shows as a hole."""
    density = scramble(build("pixelcnn", context, layers=4, width=8), std=0.3).eval()
    sees = torch.zeros(ROWS * COLUMNS, ROWS * COLUMNS, dtype=torch.bool)
    base = torch.zeros(1, ROWS, COLUMNS, dtype=torch.long)
    logits = density(base, torch.zeros(1, 3)).flatten(2)
    for place in range(ROWS * COLUMNS):
        other = base.clone()
        other.view(-1)[place] = 1
        sees[:, place] = (density(other, torch.zeros(1, 3)).flatten(2) - logits).abs().amax((0, 1)) > 1e-7
    assert torch.equal(sees, torch.ones_like(sees).tril(-1))


@torch.no_grad()
def test_indices_are_drawn_for_their_label(context: Context) -> None:
    density = build("pixelcnn", context, epochs=30, learning_rate=0.01, dropout=0.0)
    latents, condition = latents_for("pixelcnn")
    with torch.enable_grad():
        losses = [state["loss"] for state in density.fit(latents, condition, 0, None)]
    assert losses[-1] < 0.3 * ROWS * COLUMNS * log(VECTORS)
    drawn = density.sample(60, condition[:60])
    assert (drawn == latents[:60]).float().mean() > 0.9


def test_a_diverging_fit_is_reported(context: Context) -> None:
    density = build("pixelcnn", context)
    torch.nn.init.constant_(density.logits.bias, float("nan"))
    with pytest.raises(UserError, match=r"diverged in epoch 1 of its fit .*lower density.learning_rate"):
        list(density.fit(*latents_for("pixelcnn"), 0, None))


def test_an_even_kernel_is_refused(context: Context) -> None:
    with pytest.raises(UserError, match="density.kernel is 4, but must be odd"):
        build("pixelcnn", context, kernel=4)


def test_an_unconverged_mixture_is_reported(context: Context) -> None:
    density = build("gaussian_mixture", context, iterations=1)
    with pytest.warns(NotConverged, match="not converged after 1 iterations; raise density.iterations"):
        list(density.fit(torch.randn(200, 2), None, 0, None))
