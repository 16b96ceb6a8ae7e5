"""The order of dimensions in autoregressive flows."""

import pytest
import torch

from tests.conftest import scramble
from vaeline.models.contracts import Context, Flow
from vaeline.study import parts

FORMS = pytest.mark.parametrize("flow_context", [0, 3], ids=["shared", "amortised"])
NAMES = pytest.mark.parametrize("name", ["inverse_autoregressive", "masked_autoregressive"])
HIDDEN = pytest.mark.parametrize("hidden", [5, 7, 64])  # fewer units than dimensions could not tell all of them apart


def build(name: str, layers: int, hidden: int, flow_context: int) -> torch.nn.Module:
    options = parts.validate("flows", {"name": name, "layers": layers, "hidden": hidden})
    context = Context((1, 8, 8), (5,), 0, 0, 0, 100, flow_context=flow_context)
    return scramble(parts.build(Flow, options, context), std=0.3).double()


def jacobian(name: str, layers: int, hidden: int, flow_context: int) -> torch.Tensor:
    flow = build(name, layers, hidden, flow_context)
    z, given = torch.randn(5, dtype=torch.float64), torch.randn(1, 3, dtype=torch.float64)
    return torch.autograd.functional.jacobian(lambda value: flow(value[None], given)[0][0], z)


@NAMES
@FORMS
@HIDDEN
def test_in_one_step_a_dimension_depends_on_earlier_ones(name: str, hidden: int, flow_context: int) -> None:
    found = jacobian(name, 1, hidden, flow_context)
    assert not found.triu(1).any()
    assert found[torch.ones(5, 5).tril().bool()].all()


@NAMES
@FORMS
@HIDDEN
def test_after_two_steps_every_dimension_depends_on_every_other(name: str, hidden: int, flow_context: int) -> None:
    assert jacobian(name, 2, hidden, flow_context).all()


@NAMES
@HIDDEN
def test_the_first_dimension_depends_on_the_context(name: str, hidden: int) -> None:
    flow, z = build(name, 1, hidden, 3), torch.randn(6, 5, dtype=torch.float64)
    u, other = (flow(z, torch.randn(6, 3, dtype=torch.float64))[0] for _ in range(2))
    assert (u - other).abs().min() > 1e-9
