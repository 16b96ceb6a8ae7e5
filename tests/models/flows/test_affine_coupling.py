"""Couplings with a bounded shift; `test_flows.py` tests all other properties."""

import pytest
import torch

from tests.conftest import assert_log_det, scramble
from vaeline.models.contracts import Context, Flow
from vaeline.study import parts


def bounded(size: int, flow_context: int = 0) -> torch.nn.Module:
    context = Context((1, 8, 8), (size,), 0, 0, 0, 100, flow_context=flow_context)
    return parts.build(Flow, parts.validate("flows", {"name": "affine_coupling", "shift": "bounded"}), context)


@pytest.mark.parametrize("flow_context", [0, 3], ids=["shared", "amortised"])
def test_log_det_and_inverse_match_the_map(flow_context: int) -> None:
    flow = scramble(bounded(3, flow_context), 0.3).double()
    z, context = 3 * torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(z, context)[0], context), z, atol=1e-6, rtol=0)
    assert_log_det(flow, z, context)


def test_scale_and_reach_limit_how_far_points_move() -> None:
    flow = scramble(bounded(2), 3.0)  # weights far larger than training leaves them
    with torch.no_grad():
        flow.couplings[0].reach.fill_(2.0)
        flow.couplings[0].bound.fill_(0.5)
    z = 1000 * torch.randn(500, 2)
    u, _ = flow.couplings[0](z, None)
    moved, scale = flow.couplings[0].moved, torch.tensor(0.5).exp()
    assert (u[:, moved].abs() <= scale * z[:, moved].abs() + 2.0 + 1e-3).all()


def test_reach_and_bound_are_learned() -> None:
    flow = scramble(bounded(2), 0.3)
    u, log_det = flow(torch.randn(8, 2))
    (u.square().sum() + log_det.sum()).backward()
    for coupling in flow.couplings:
        assert coupling.reach.grad.any() and coupling.bound.grad.any()
