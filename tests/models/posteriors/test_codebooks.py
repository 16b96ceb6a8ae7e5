"""Codebooks: which vectors are chosen, how they learn, residual stages, and grids of finite scalars, in cases with a known answer."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from vaeline.models.contracts import Context, Posterior
from vaeline.study import parts
from vaeline.system.errors import UserError


def build(name: str, of: Context, /, **options: Any) -> Any:
    return parts.build(Posterior, parts.validate("posteriors", {"name": name, **options}), of)


def as_map(vectors: list[list[float]]) -> Tensor:
    """Vectors as the places of one map of a single row, (1, latent, 1, columns)."""
    return torch.tensor(vectors).t()[None, :, None]


def placed(posterior: Any, vectors: list[list[float]]) -> Any:
    """A posterior with a codebook of these vectors, as if it had started there."""
    posterior.codebook.vectors.data.copy_(torch.tensor(vectors))
    if posterior.codebook.averages:
        posterior.codebook.sums.copy_(posterior.codebook.vectors)
    posterior.codebook.started.fill_(True)
    return posterior.train()


def test_indices_are_of_the_nearest_vectors_of_the_codebook(context: Context) -> None:
    posterior = build("vector_quantized", context, codes=6).eval()
    encoded = torch.randn(4, 2, 3, 5)
    latent = posterior(encoded)
    distances = (encoded.movedim(1, 3).unsqueeze(3) - posterior.codebook.vectors).norm(dim=4)
    assert torch.equal(latent.indices, distances.argmin(3))
    torch.testing.assert_close(latent.z, posterior.embed(latent.indices))
    torch.testing.assert_close(
        posterior.embed(latent.indices)[1, :, 2, 4], posterior.codebook.vectors[latent.indices[1, 2, 4]]
    )


def test_the_straight_through_gradient_is_that_of_the_rounded_vector(context: Context) -> None:
    posterior = build("vector_quantized", context, codes=6).eval()
    encoded = torch.randn(4, 2, 3, 5, requires_grad=True)
    latent = posterior(encoded)
    (latent.z**3).sum().backward()
    torch.testing.assert_close(encoded.grad, 3 * latent.z.detach() ** 2)
    assert posterior.codebook.vectors.grad is None


def test_a_codebook_starts_from_its_first_batch(context: Context) -> None:
    posterior = build("vector_quantized", context, codes=16).train()
    posterior(100 + torch.randn(8, 2, 3, 3))
    assert (posterior.codebook.vectors > 90).all()
    before = posterior.codebook.vectors.clone()
    posterior(torch.randn(8, 2, 3, 3))
    assert torch.equal(posterior.codebook.vectors, before)
    again = build("vector_quantized", context, codes=16)
    again.load_state_dict(posterior.state_dict())
    again.train()(torch.randn(8, 2, 3, 3))
    assert torch.equal(again.codebook.vectors, before)


def test_a_moving_average_follows_the_vectors_it_is_chosen_for(context: Context) -> None:
    """Usage 1 becomes 0.75 + 0.25 n, sums become 0.75 sum + 0.25 new; the vector is their quotient (appendix A.1)."""
    posterior = placed(
        build("vector_quantized", context, codes=2, update="average", decay=0.75), [[0.0, 0.0], [10.0, 10.0]]
    )
    latent = posterior(as_map([[1.0, 1.0], [3.0, -1.0], [9.0, 9.0], [9.0, 13.0]]))
    assert latent.indices.tolist() == [[[0, 0, 1, 1]]]
    torch.testing.assert_close(latent.quantized[-1][0, :, 0, 2], torch.tensor([10.0, 10.0]))  # as it was
    usage = 0.75 + 0.25 * 2
    torch.testing.assert_close(posterior.codebook.usage, torch.tensor([usage, usage]))
    expected = torch.tensor([[0.25 * 4.0, 0.0], [0.75 * 10 + 0.25 * 18, 0.75 * 10 + 0.25 * 22]]) / usage
    torch.testing.assert_close(posterior.codebook.vectors, expected, atol=1e-4, rtol=0)
    assert not list(posterior.parameters())


def test_a_moving_average_ends_in_the_means_of_its_clusters(context: Context) -> None:
    posterior = placed(
        build("vector_quantized", context, codes=2, update="average", decay=0.9), [[-1.0, 0.0], [1.0, 0.0]]
    )
    for _ in range(200):
        posterior(as_map([[-5.0, 1.0], [-3.0, 1.0], [4.0, -2.0]]))
    torch.testing.assert_close(posterior.codebook.vectors, torch.tensor([[-4.0, 1.0], [4.0, -2.0]]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("update", ["gradient", "average"])
def test_a_vector_that_is_never_chosen_restarts_among_the_others(update: str, context: Context) -> None:
    posterior = placed(
        build("vector_quantized", context, codes=3, update=update, decay=0.5, restart=0.1),
        [[0.0, 0.0], [1.0, 1.0], [500.0, 500.0]],
    )
    some = as_map([[0.0, 0.0], [1.0, 1.0], [0.2, 0.2], [0.8, 0.8]])
    steps = 0
    while posterior.codebook.vectors[2].max() > 100:
        posterior(some)
        steps += 1
    # Usage is 2 - 0.5^n for two vectors and 0.5^n for the third, which is below a tenth of the mean, (4 - 0.5^n) / 3, at n = 3.
    assert steps == 3
    assert any(torch.equal(posterior.codebook.vectors[2], each) for each in some[0, :, 0].t())
    again = posterior(some).indices
    assert (again == 2).any() or update == "average"


def test_without_a_restart_a_dead_vector_stays(context: Context) -> None:
    posterior = placed(build("vector_quantized", context, codes=2, update="average"), [[0.0, 0.0], [500.0, 500.0]])
    for _ in range(50):
        posterior(as_map([[0.0, 0.0], [1.0, 1.0]]))
    torch.testing.assert_close(posterior.codebook.vectors[1], torch.tensor([500.0, 500.0]), atol=1.0, rtol=0)


def test_a_codebook_learns_in_training_only_and_goes_on_after_loading(context: Context) -> None:
    options = {"codes": 4, "update": "average", "restart": 0.2}
    first, second = (build("vector_quantized", context, **options) for _ in range(2))
    batches = torch.randn(6, 8, 2, 3, 3)
    for batch in batches[:3]:
        first(batch)
    second.load_state_dict(first.state_dict())
    before = {name: each.clone() for name, each in first.state_dict().items()}
    first.eval()(batches[3])
    assert all(torch.equal(each, before[name]) for name, each in first.state_dict().items())
    for posterior in (first.train(), second.train()):
        torch.manual_seed(5)
        for batch in batches[3:]:
            posterior(batch)
    assert all(torch.equal(each, second.state_dict()[name]) for name, each in first.state_dict().items())
    assert not torch.equal(first.codebook.vectors, before["codebook.vectors"])


def test_each_stage_rounds_what_those_before_it_leave(context: Context) -> None:
    posterior = placed(
        build("vector_quantized", context, codes=4, stages=3), [[8.0, 0.0], [0.0, 4.0], [1.0, 1.0], [0.0, 0.0]]
    ).eval()
    latent = posterior(as_map([[9.1, 0.9], [0.2, 0.1]]))
    assert latent.indices.tolist() == [[[0, 2, 3, 3, 3, 3]]]
    assert latent.quantized[:, 0, :, 0, 0].tolist() == [[8, 0], [9, 1], [9, 1]]
    torch.testing.assert_close(latent.z, posterior.embed(latent.indices))
    torch.testing.assert_close(posterior.centre(as_map([[9.1, 0.9], [0.2, 0.1]])), latent.z)


def test_more_stages_leave_a_smaller_error(context: Context) -> None:
    torch.manual_seed(1)
    x, errors = torch.randn(64, 2, 4, 4), []
    for stages in (1, 2, 4):
        posterior = build(
            "vector_quantized", context, codes=16, stages=stages, update="average", decay=0.8, restart=0.05
        )
        for _ in range(60):
            posterior.train()(x)
        errors.append(float((posterior.eval().centre(x) - x).square().mean()))
    assert errors[0] > 2 * errors[1] and errors[1] > 2 * errors[2]


def test_finite_scalars_are_those_of_the_paper_by_hand(context: Context) -> None:
    """Three levels round tanh(z) to -1, 0, 1; four round 1.5 tanh(z + atanh(1/3)) - 1/2 to -2 to 1, and halve it."""
    posterior = build("finite_scalar", context, levels=[3, 4])
    latent = posterior(as_map([[0.0, 0.0], [9.0, 9.0], [-9.0, -9.0], [0.54, -0.4], [0.56, 0.6]]))
    # tanh(0.54) = 0.493, tanh(0.56) = 0.508; 1.5 tanh(-0.4 + 0.347) - 0.5 = -0.58, 1.5 tanh(0.6 + 0.347) - 0.5 = 0.607.
    assert latent.z[0, :, 0].t().tolist() == [[0, 0], [1, 0.5], [-1, -1], [0, -0.5], [1, 0.5]]
    assert latent.indices.tolist() == [[[1 + 2 * 3, 2 + 3 * 3, 0, 1 + 1 * 3, 2 + 3 * 3]]]
    assert posterior.codebook_size == 12


@pytest.mark.parametrize("levels", [[3, 4], [8, 5], [6, 6]])
def test_every_index_of_finite_scalars_is_a_point_that_rounds_to_itself(levels: list[int], context: Context) -> None:
    posterior = build("finite_scalar", context, levels=levels)
    indices = torch.arange(posterior.codebook_size).view(1, 1, -1)
    points = posterior.embed(indices)
    assert len(points[0, :, 0].t().unique(dim=0)) == len(indices.flatten()) and points.abs().max() <= 1
    half = torch.tensor([each // 2 for each in levels]).view(1, 2, 1, 1)
    features = ((points * half - posterior.middle.view(1, 2, 1, 1)) / posterior.reach.view(1, 2, 1, 1) * 0.999).atanh()
    features = features - posterior.shift.view(1, 2, 1, 1)
    assert torch.equal(posterior(features).indices, indices)
    torch.testing.assert_close(posterior.centre(features), points)


def test_the_gradient_of_finite_scalars_passes_the_rounding(context: Context) -> None:
    posterior, features = (
        build("finite_scalar", context, levels=[5, 5]),
        (0.3 * torch.randn(2, 2, 3, 3)).requires_grad_(),
    )
    posterior(features).z.sum().backward()
    expected = (1 - features.detach().tanh().square()) * posterior.reach[0] / 2
    torch.testing.assert_close(features.grad, expected)
    assert not list(posterior.parameters()) and not posterior.state_dict()


REFUSED = {
    "another latent": ({"levels": [5, 5, 5]}, {}, "posterior.levels has 3 numbers, but latent is 2; set latent to 3"),
    "too many": ({"levels": [256, 256]}, {}, None),
    "far too many": ({"levels": [256, 256, 3]}, {"latent_shape": (3,)}, "make 196,608 codes; take at most 65,536"),
    "points": ({"levels": [5, 5]}, {"pixels": "points"}, "needs images, but the data are points"),
}


@pytest.mark.parametrize(("options", "changes", "sentence"), REFUSED.values(), ids=REFUSED)
def test_grids_that_cannot_be_built_are_refused(
    options: Any, changes: Any, sentence: str | None, context: Context
) -> None:
    if sentence is None:
        assert build("finite_scalar", context, **options).codebook_size == 65_536
        return
    with pytest.raises(UserError, match=sentence):
        build("finite_scalar", replace(context, **changes), **options)
