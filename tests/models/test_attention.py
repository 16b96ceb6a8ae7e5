"""Attention agrees with torch's, and has the forward derivative that torch's lacks."""

import pytest
import torch
from torch import nn

from vaeline.models.attention import Attention, CrossAttention


@pytest.mark.parametrize("heads", [1, 3])
@torch.no_grad()
def test_it_is_torchs_attention_of_the_same_weights(heads: int) -> None:
    ours, theirs = Attention(6, 4, heads), nn.MultiheadAttention(6, heads, kdim=4, vdim=4, batch_first=True)
    for layer, weight in (
        (ours.query, theirs.q_proj_weight),
        (ours.key, theirs.k_proj_weight),
        (ours.value, theirs.v_proj_weight),
    ):
        weight.copy_(layer.weight)
    theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    h, others = torch.randn(2, 5, 6), torch.randn(2, 7, 4)
    torch.testing.assert_close(ours(h, others), theirs(h, others, others)[0])


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
def test_places_of_a_map_attend_to_the_attributes() -> None:
    attention, h = CrossAttention(6, 8, columns=4, heads=2), torch.randn(3, 6, 2, 5)
    one = torch.randn(3, 8)
    changed = one.clone()
    changed[0, 6:] += 1  # the last attribute of the first image
    difference = attention(h, one) - attention(h, changed)
    assert difference.shape == h.shape
    assert difference[0].abs().amax(0).all() and not difference[1:].any()
    # Each place asks by itself.
    alone = attention(h[:, :, :1, :1], one)
    torch.testing.assert_close(alone, attention(h, one)[:, :, :1, :1])
    torch.func.jvp(lambda h: attention(h, one), (h,), (torch.ones_like(h),))
