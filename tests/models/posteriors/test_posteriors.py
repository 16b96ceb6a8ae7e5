"""Every posterior found on disk: its density matches its samples, and gradients reach its inputs."""

from typing import Any

import pytest
import torch
from torch.distributions import Normal

from tests.conftest import every, scramble
from vaeline.models import gaussian
from vaeline.models.contracts import Context, Posterior
from vaeline.models.flows._compose import compose
from vaeline.models.latent import DiscreteLatent, FlowLatent, GaussianLatent, LadderLatent, Latent, PointLatent
from vaeline.study import parts

FLOWS = [
    [{"name": "planar", "layers": 2}],
    [{"name": "radial", "layers": 2}],
    [{"name": "inverse_autoregressive", "layers": 2, "hidden": 8}],
    [{"name": "affine_coupling", "layers": 2, "hidden": 8}],
    [
        {"name": "planar", "layers": 1},
        {"name": "affine_coupling", "layers": 2, "hidden": 8},
        {"name": "radial", "layers": 1},
    ],
]


def build(name: str, of: Context, /, **options: Any) -> Any:
    options = {**({"levels": [5, 4]} if name == "finite_scalar" else {}), **options}
    return parts.build(Posterior, parts.validate("posteriors", {"name": name, **options}), of)


def features_of(posterior: Any, count: int) -> torch.Tensor:
    shape = (count, posterior.features, 3, 3) if posterior.takes_map else (count, posterior.features)
    return torch.randn(shape, requires_grad=True)


@every("posteriors")
def test_the_encoder_gets_a_gradient_through_z(name: str, context: Context) -> None:
    posterior = build(name, context)
    features = features_of(posterior, 7)
    latent: Latent = posterior(features)
    assert len(latent.z) == 7 and latent.z.shape[1] == (2 * 3 * 3 if name == "gaussian_map" else 2)
    latent.z.square().sum().backward()
    assert features.grad is not None and (features.grad.flatten(1).abs().sum(1) > 0).all()


OF_KIND = {
    "point": PointLatent,
    "gaussian": GaussianLatent,
    "flow": FlowLatent,
    "ladder": LadderLatent,
    "discrete": DiscreteLatent,
}


@every("posteriors")
def test_the_class_of_a_latent_is_that_of_its_kind(name: str, context: Context) -> None:
    posterior = build(name, context)
    latent = posterior(features_of(posterior, 7))
    assert type(latent) is OF_KIND[posterior.kind]
    assert (latent.log_q is None) == (posterior.kind == "point")
    assert latent.density_input is (latent.indices if posterior.kind == "discrete" else latent.z)


@every("posteriors")
def test_the_centre_is_the_sample_without_its_noise(
    name: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    posterior = build(name, context).eval()
    scramble(posterior)
    features = features_of(posterior, 7)
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    torch.testing.assert_close(posterior.centre(features), posterior(features).z)


def test_log_q_is_the_density_of_the_sample(context: Context) -> None:
    posterior = build("gaussian", context)
    latent = posterior(torch.randn(7, posterior.features))
    expected = Normal(latent.mean, (0.5 * latent.log_var).exp()).log_prob(latent.z).sum(1)
    torch.testing.assert_close(latent.log_q, expected)


def test_samples_have_the_given_mean_and_variance(context: Context) -> None:
    posterior = build("gaussian", context)
    z = posterior(torch.tensor([[1.0, -2.0, 0.0, 1.386294]]).expand(100_000, -1)).z
    torch.testing.assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(0), torch.tensor([1.0, 4.0]), atol=0.08, rtol=0)


@pytest.mark.parametrize("name", ["gaussian", "flow"])
def test_a_squashed_mean_and_log_deviation_stay_within_one(name: str, context: Context) -> None:
    posterior = build(name, context, squash="tanh")
    base = posterior if name == "gaussian" else posterior.base
    mean, log_var = base.parameters_of(100 * torch.randn(50, base.features))
    assert mean.abs().max() <= 1 and 1.9 < log_var.abs().max() <= 2


def test_the_deterministic_latent_is_the_feature_itself(context: Context) -> None:
    features = torch.randn(4, 2)
    assert torch.equal(build("deterministic", context)(features).z, features)


@pytest.mark.parametrize("flows", FLOWS, ids=lambda flows: "-".join(flow["name"] for flow in flows))
@pytest.mark.parametrize("context_size", [0, 3])
def test_a_flow_posteriors_density_integrates_to_one(flows: Any, context_size: int, context: Context) -> None:
    """The mass of q by importance sampling from q: E[r(z) / q(z)] = 1 for any density r."""
    posterior = scramble(build("flow", context, flows=flows, context=context_size), std=0.2)
    features = torch.randn(1, posterior.features).expand(200_000, -1)
    with torch.no_grad():
        latent = posterior(features)
        inside, spread = latent.z.mean(0), latent.z.std(0)
        narrow = gaussian.log_prob(latent.z, inside, 2 * (0.5 * spread).log())
        ratio = (narrow - latent.log_q).exp()
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * float(ratio.std()) / len(ratio) ** 0.5 + 1e-3)


def test_only_an_amortised_flow_differs_between_images(context: Context) -> None:
    for size, differs in ((3, True), (0, False)):
        posterior = scramble(build("flow", context, flows=[{"name": "planar"}], context=size))
        features = torch.zeros(2, posterior.features)
        features[1, 4:] = 1
        z = torch.ones(2, 2)
        through, _ = compose(posterior.flows, z, features[:, 4:])
        assert bool((through[0] - through[1]).abs().max() > 1e-6) == differs
