"""Every network found on disk, at the sizes of the papers."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.conftest import every
from vaeline.models.contracts import Context, Network
from vaeline.study import parts
from vaeline.system.errors import UserError

ANY = [(1, 28, 28), (3, 64, 64), (3, 86, 86), (1, 17, 17)]


def shapes_of(name: str) -> list[tuple[int, ...]]:
    """Images that a network takes."""
    size = parts.options_class("networks", name).image_size
    return ANY if size is None else [(1 if size == 28 else 3, size, size)]


OF_ONE_SIZE = [name for name in parts.names("networks") if shapes_of(name) != ANY]
OF = [(name, shape) for name in parts.names("networks") for shape in shapes_of(name)]


class Vectors:
    features, takes_map = 10, False


class Maps:
    features, takes_map = 10, True


def build(name: str, context: Context, posterior: Any = Vectors, **options: Any) -> Any:
    return parts.build(Network, parts.validate("networks", {"name": name, **options}), context, posterior)


@pytest.mark.parametrize(("name", "image_shape"), OF)
@pytest.mark.parametrize("size", [0, 3])
def test_inputs_and_outputs_have_the_declared_shapes(name: str, image_shape: tuple[int, ...], size: int) -> None:
    context = Context(image_shape, (5,), size, size, size, 100)
    network = build(name, context)
    x, z = torch.rand(2, *image_shape), torch.randn(2, 5)
    condition = torch.randn(2, size) if size else None
    assert network.encoder(x, condition).shape == (2, 10)
    assert network.decoder(z, condition).shape == x.shape


@every("networks")
def test_the_condition_affects_encoder_and_decoder(name: str) -> None:
    shape = shapes_of(name)[0]
    network = build(name, Context(shape, (5,), 3, 3, 3, 100)).eval()
    x, z, one, other = torch.rand(2, *shape), torch.randn(2, 5), torch.zeros(2, 3), torch.ones(2, 3)
    assert not torch.allclose(network.encoder(x, one), network.encoder(x, other))
    assert not torch.allclose(network.decoder(z, one), network.decoder(z, other))


@every("networks")
@pytest.mark.parametrize("size", [0, 3])
def test_a_network_makes_feature_maps_or_refuses(name: str, size: int) -> None:
    shape = shapes_of(name)[0]
    context = Context(shape, (5,), size, size, size, 100)
    refused = ""
    try:
        network = build(name, context, Maps, **({"depth": 2} if name == "conv" else {}))
    except UserError as error:
        refused = str(error)
    if refused:
        assert name != "conv" and "needs a map; take network conv" in refused
        return
    condition = torch.randn(2, size) if size else None
    assert network.map_size == (7, 7) or name != "conv"
    assert network.encoder(torch.rand(2, *shape), condition).shape == (2, 10, *network.map_size)
    assert network.decoder(torch.randn(2, 5, *network.map_size), condition).shape == (2, *shape)


@every("networks")
def test_points_are_taken_or_refused(name: str) -> None:
    context = Context((2,), (5,), 0, 0, 0, 100, pixels="points")
    if name != "mlp":
        with pytest.raises(UserError, match="the data are points; take network mlp"):
            build(name, context)
        return
    network = build(name, context)
    assert network.encoder(torch.randn(3, 2), None).shape == (3, 10)
    assert network.decoder(torch.randn(3, 5), None).shape == (3, 2)


@pytest.mark.parametrize("name", OF_ONE_SIZE)
def test_a_network_of_one_size_refuses_another(name: str) -> None:
    with pytest.raises(UserError, match="but these are 17x17; take network conv"):
        build(name, Context((1, 17, 17), (5,), 0, 0, 0, 100))


def test_conv_refuses_more_layers_than_the_image_can_halve() -> None:
    with pytest.raises(UserError, match="network.depth is .*halve only 3 times; lower it to 3"):
        build("conv", Context((1, 8, 8), (5,), 0, 0, 0, 100), depth=4)


def test_the_chosen_activation_is_used() -> None:
    context = Context((1, 8, 8), (5,), 0, 0, 0, 100)
    for name, kind in {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}.items():
        for network in (build("mlp", context, activation=name), build("conv", context, activation=name, depth=2)):
            assert any(isinstance(module, kind) for module in network.modules())


@pytest.mark.parametrize("name", OF_ONE_SIZE)
@torch.no_grad()
def test_an_untrained_network_passes_information_both_ways(name: str) -> None:
    """If each of twelve layers lost most of the signal, the rate would close the latent before it became useful."""
    shape = shapes_of(name)[0]
    network = build(name, Context(shape, (5,), 0, 0, 0, 100)).eval()
    assert network.decoder(torch.randn(50, 5), None).std(0).mean() > 0.1
    assert network.encoder(torch.rand(50, *shape).round(), None).std(0).mean() > 0.02


def test_gated_layers_are_switched_by_a_second_linear_layer() -> None:
    network = build("mlp", Context((1, 2, 2), (5,), 0, 0, 0, 100), widths=[3, 4], activation="gated")
    x = torch.rand(2, 1, 2, 2)
    *gated, last = network.encoder.layers
    h = x.flatten(1)
    for layer in gated:
        h = layer.linear(h) / (1 + (-layer.gate(h)).exp())
    assert len(gated) == 2
    torch.testing.assert_close(network.encoder(x, None), last(h))


@pytest.mark.parametrize("image_shape", ANY)
def test_pixels_may_be_repeated_instead(image_shape: tuple[int, ...]) -> None:
    network = build("conv", Context(image_shape, (5,), 0, 0, 0, 100), depth=3, upsample="nearest")
    assert network.decoder(torch.randn(2, 5), None).shape == (2, *image_shape)
    assert not [layer for layer in network.modules() if isinstance(layer, torch.nn.ConvTranspose2d)]


@pytest.mark.parametrize("seen", ["encoder", "decoder"])
def test_the_small_map_attends_to_attributes_in_the_halves_that_see_them(seen: str) -> None:
    sizes = {"encoder_condition": 6 * (seen == "encoder"), "decoder_condition": 6 * (seen == "decoder")}
    context = Context((1, 16, 16), (5,), **sizes, prior_condition=6, training_images=100, condition_columns=3)
    network = build("conv", context, depth=2, width=8, attention=2)
    assert (network.encoder.attention is None) == (seen == "decoder")
    assert (network.decoder.attention is None) == (seen == "encoder")
    condition = torch.randn(2, 6)
    assert network.encoder(torch.rand(2, 1, 16, 16), condition if seen == "encoder" else None).shape == (2, 10)
    assert network.decoder(torch.randn(2, 5), condition if seen == "decoder" else None).shape == (2, 1, 16, 16)


ATTENTION = {
    "no labels": ({}, {}, "network.attention is 2, but the network sees no labels, so that"),
    "a class": ({"encoder_condition": 6, "prior_condition": 6}, {}, "sees the labels as one vector"),
    "heads": (
        {"encoder_condition": 6, "prior_condition": 6, "condition_columns": 3},
        {"width": 5, "depth": 1},
        "network.attention is 2, which does not divide the channels of the small map, 5",
    ),
}


@pytest.mark.parametrize(("changes", "options", "sentence"), ATTENTION.values(), ids=ATTENTION)
def test_attention_without_attributes_is_refused(changes: Any, options: Any, sentence: str) -> None:
    context = replace(Context((1, 16, 16), (5,), 0, 0, 0, 100), **changes)
    with pytest.raises(UserError, match=sentence):
        build("conv", context, attention=2, **options)


@pytest.mark.parametrize("name", OF_ONE_SIZE)
def test_a_network_for_one_size_refuses_others(name: str) -> None:
    side = shapes_of(name)[0][1]
    with pytest.raises(UserError, match=f"takes images of {side}x{side}, but these are 10x8; take network conv or mlp"):
        build(name, Context((1, 10, 8), (5,), 0, 0, 0, 100))
