"""Flows agree with Pyro's transforms of the same weights, in values and log-determinants."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pyro.distributions import transforms
from pyro.nn import AutoRegressiveNN, ConditionalAutoRegressiveNN
from torch import Tensor, nn

from tests.conftest import scramble
from vaeline.models.contracts import Context, Flow
from vaeline.study import parts

SIZE, CONTEXT = 5, 3
FORMS = pytest.mark.parametrize("flow_context", [0, CONTEXT], ids=["shared", "amortised"])


def build(name: str, flow_context: int, **options: int) -> Any:
    context = Context((1, 8, 8), (SIZE,), 0, 0, 0, 100, flow_context=flow_context)
    return scramble(parts.build(Flow, parts.validate("flows", {"name": name, **options}), context), std=0.3).double()


def assert_agree(flow: nn.Module, theirs: Callable[[Tensor], list[Any]]) -> None:
    """Send points through a flow, and through the transforms that `theirs` makes of their contexts, one after another."""
    z, context = torch.randn(20, SIZE, dtype=torch.float64), torch.randn(20, CONTEXT, dtype=torch.float64)
    u, log_det = flow(z, context)
    expected = torch.zeros_like(log_det)
    for transform in theirs(context):
        image = transform(z)
        expected = expected + transform.log_abs_det_jacobian(z, image)
        z = image
    torch.testing.assert_close(u, z, atol=1e-5, rtol=0)
    torch.testing.assert_close(log_det, expected, atol=1e-5, rtol=0)


@FORMS
def test_planar_maps_agree(flow_context: int) -> None:
    flow = build("planar", flow_context)

    def theirs(context: Tensor) -> list[Any]:
        split = (weights(context).split([SIZE, SIZE, 1], 1) for weights in flow.weights)
        return [transforms.ConditionalPlanar(constant(b, u, w)).condition(context) for w, u, b in split]

    assert_agree(flow, theirs)


@FORMS
def test_radial_maps_agree(flow_context: int) -> None:
    flow = build("radial", flow_context)

    def theirs(context: Tensor) -> list[Any]:
        split = (weights(context).split([SIZE, 1, 1], 1) for weights in flow.weights)
        return [transforms.ConditionalRadial(constant(*each)).condition(context) for each in split]

    assert_agree(flow, theirs)


def constant(*values: Tensor) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """Stands for the network that makes a map's weights in Pyro."""
    return lambda context: values


@FORMS
def test_couplings_agree(flow_context: int) -> None:
    flow = build("affine_coupling", flow_context)

    def theirs(context: Tensor) -> list[Any]:
        return [part for coupling in flow.couplings for part in theirs_of(coupling, context[:, :flow_context])]

    assert_agree(flow, theirs)


def theirs_of(coupling: Any, context: Tensor) -> list[Any]:
    """Pyro's coupling holds the first dimensions: put ours first, couple, and put them back."""
    order = torch.cat([coupling.held, coupling.moved])

    def mean_and_log_scale(held: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, mean = coupling.network(torch.cat([held, context], 1)).chunk(2, 1)
        return mean, coupling.bound * log_scale.tanh()

    return [
        transforms.Permute(order),
        transforms.AffineCoupling(len(coupling.held), mean_and_log_scale),
        transforms.Permute(order.argsort()),
    ]


def test_inverse_autoregressive_steps_of_shared_weights_agree() -> None:
    flow = build("inverse_autoregressive", 0, hidden=8)  # of 4 degrees, which Pyro then gives out as we do

    def theirs(context: Tensor) -> list[Any]:
        networks = (
            AutoRegressiveNN(SIZE, [8, 8], permutation=step.order, nonlinearity=nn.ELU()) for step in flow.steps
        )
        return [
            transforms.AffineAutoregressive(copied(network, step, 0), stable=True)
            for network, step in zip(networks, flow.steps, strict=True)
        ]

    assert_agree(flow, theirs)


def test_amortised_inverse_autoregressive_steps_agree() -> None:
    flow = build("inverse_autoregressive", CONTEXT, hidden=10)  # of 5 degrees

    def theirs(context: Tensor) -> list[Any]:
        networks = (
            ConditionalAutoRegressiveNN(SIZE, CONTEXT, [10, 10], permutation=step.order, nonlinearity=nn.ELU())
            for step in flow.steps
        )
        return [
            transforms.ConditionalAffineAutoregressive(copied(network, step, CONTEXT), stable=True).condition(context)
            for network, step in zip(networks, flow.steps, strict=True)
        ]

    assert_agree(flow, theirs)


def test_masked_autoregressive_steps_agree() -> None:
    flow = build("masked_autoregressive", 0, hidden=8)

    def theirs(context: Tensor) -> list[Any]:
        networks = (
            AutoRegressiveNN(SIZE, [8, 8], permutation=step.order, nonlinearity=nn.ELU()) for step in flow.steps
        )
        return [
            transforms.AffineAutoregressive(_Whitened(copied(network, step, 0)))
            for network, step in zip(networks, flow.steps, strict=True)
        ]

    assert_agree(flow, theirs)


class _Whitened(nn.Module):
    """Pyro's step is u = mean + scale z, ours u = (z - m) exp(-s): the mean is -m exp(-s)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        m, s = self.network(z)
        log_scale = -2 * (s / 2).tanh()
        return -m * log_scale.exp(), log_scale


def copied(network: nn.Module, step: Any, context: int) -> nn.Module:
    """Pyro's MADE with our weights but its own masks; its inputs begin with the context, where ours end with it."""
    network.double()
    first, second, last = network.layers
    for theirs, ours in zip((first, second, last), step.network[::2], strict=True):
        theirs.load_state_dict({"weight": ours.weight, "bias": ours.bias, "mask": theirs.mask})
    first.weight.data = first.weight.data.roll(context, 1)
    return network
