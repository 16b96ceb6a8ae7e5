"""Every network, as found on disk, at the sizes of the papers."""

import pytest
import torch

from tests.conftest import every
from vaeline import parts
from vaeline.contracts import Context
from vaeline.errors import UserError


def build(name: str, context: Context, **options: int) -> torch.nn.Module:
    return parts.build("networks", parts.validate("networks", {"name": name, **options}), context, 10)


@every("networks")
@pytest.mark.parametrize("image_shape", [(1, 28, 28), (3, 64, 64), (3, 86, 86), (1, 17, 17)])
@pytest.mark.parametrize("size", [0, 3])
def test_shapes_go_in_and_come_out(name: str, image_shape: tuple[int, int, int], size: int) -> None:
    context = Context(image_shape, (5,), size, size, size, 100)
    network = build(name, context)
    x, z = torch.rand(2, *image_shape), torch.randn(2, 5)
    condition = torch.randn(2, size) if size else None
    assert network.encoder(x, condition).shape == (2, 10)
    assert network.decoder(z, condition).shape == x.shape


@every("networks")
def test_the_condition_matters_to_both_halves(name: str) -> None:
    network = build(name, Context((1, 28, 28), (5,), 3, 3, 3, 100)).eval()
    x, z, one, other = torch.rand(2, 1, 28, 28), torch.randn(2, 5), torch.zeros(2, 3), torch.ones(2, 3)
    assert not torch.allclose(network.encoder(x, one), network.encoder(x, other))
    assert not torch.allclose(network.decoder(z, one), network.decoder(z, other))


def test_conv_refuses_more_layers_than_the_image_can_halve() -> None:
    with pytest.raises(UserError, match="halve only 3 times; lower the depth"):
        build("conv", Context((1, 8, 8), (5,), 0, 0, 0, 100), depth=4)
