"""Every regularizer found on disk, and each in cases with a known answer."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.conftest import every, scramble
from tests.models.own_part import own_part
from vaeline.models.contracts import Adversary, Context, Likelihood, Prior, Regularizer, Terms, TrainingBatch
from vaeline.models.latent import DiscreteLatent, GaussianLatent, Latent, PointLatent
from vaeline.models.regularizers.factor import permute_dimensions
from vaeline.models.regularizers.mmd import squared_discrepancy
from vaeline.models.regularizers.patch_adversary import adaptive_weight
from vaeline.models.regularizers.total_correlation import stratified_weights
from vaeline.study import parts
from vaeline.system.errors import UserError

RATE = torch.tensor([2.0, 6.0, 1.0])
OF_IMAGES = Context((1, 8, 8), (2,), 0, 0, 0, training_images=100)


def build(name: str, context: Context, **options: Any) -> Any:
    if name == "commitment":
        context = replace(context, posterior="discrete", codebook_learns="gradient")
    return parts.build(Regularizer, parts.validate("regularizers", {"name": name, **options}), context)


def prior_of(name: str, context: Context) -> Any:
    return scramble(parts.build(Prior, parts.validate("priors", {"name": name}), context), std=0.3)


def batch(
    latent: Latent, rate: Any = RATE, prior: Any = None, condition: Any = None, step: int | None = None
) -> TrainingBatch:
    """A batch in training, of noise whose reconstructions are other noise, under a Gaussian of variance 1."""
    generator, shape = torch.Generator().manual_seed(0), (len(latent.z), 1, 8, 8)
    x, h = torch.rand(shape, generator=generator), torch.randn(shape, generator=generator).requires_grad_()
    likelihood = parts.build(Likelihood, parts.validate("likelihoods", {"name": "unit_gaussian"}), OF_IMAGES)
    distortion = -likelihood.log_prob(x, h)
    return TrainingBatch(x, latent, h, rate, condition, prior, likelihood, step, so_far=distortion)


def gaussian_latent(count: int, size: int = 2) -> GaussianLatent:
    mean, log_var = torch.randn(count, size, requires_grad=True), torch.randn(count, size, requires_grad=True)
    z = mean + (0.5 * log_var).exp() * torch.randn(count, size)
    return GaussianLatent(z, mean, log_var)


def latent_for(name: str, count: int) -> Latent:
    if name != "commitment":
        return gaussian_latent(count)
    encoded, quantized = (
        torch.randn(count, 2, 3, 3, requires_grad=True),
        torch.randn(2, count, 2, 3, 3, requires_grad=True),  # of two stages
    )
    indices = torch.zeros(count, 3, 3, dtype=torch.long)
    return DiscreteLatent(encoded, indices, encoded, quantized)


@every("regularizers")
def test_terms_are_nats_for_each_image(name: str, context: Context) -> None:
    found = build(name, context)(batch(latent_for(name, 3), prior=prior_of("standard", context), step=1))
    terms = found.minimised
    assert (found.adversary is not None) == (name in ("factor", "patch_adversary"))
    assert all(term.shape == (3,) and term.isfinite().all() for term in terms.values())
    assert bool(terms) == (name != "none")


@every("regularizers")
@pytest.mark.parametrize("posterior", ["point", "discrete"])
def test_a_posterior_without_a_rate_is_refused_if_needed(name: str, posterior: Any, context: Context) -> None:
    if name in ("none", "perceptual", "patch_adversary") or (name, posterior) == ("commitment", "discrete"):
        return  # the checks of the whole model refuse them alone
    with pytest.raises(UserError, match=r"; (take|set) "):
        context = replace(context, posterior=posterior)
        parts.build(Regularizer, parts.validate("regularizers", {"name": name}), context)


# The rate with a weight


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (5, 0.5), (10, 1.0), (99, 1.0), (None, 1.0)])
def test_the_weight_rises_linearly_and_ends_at_its_value(step: int | None, share: float, context: Context) -> None:
    terms = build("kl", context, weight=4.0, warmup=10)(batch(gaussian_latent(3), step=step)).minimised
    torch.testing.assert_close(terms["kl"], 4 * share * RATE)


def test_without_warmup_the_first_step_has_the_whole_weight(context: Context) -> None:
    terms = build("kl", context)(batch(gaussian_latent(3), step=0)).minimised
    torch.testing.assert_close(terms["kl"], RATE)


# Capacity


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 15 * 3.0), (50, 15 * 2.0), (100, 15 * 7.0), (500, 15 * 7.0), (None, 15 * 7.0)]
)
def test_the_rate_follows_a_growing_capacity(step: int | None, expected: float, context: Context) -> None:
    """Mean rate 3; the capacity grows from 0 to 10 over 100 steps."""
    capacity = build("capacity", context, gamma=15.0, capacity=10.0, steps=100)
    terms = capacity(batch(gaussian_latent(3), step=step)).minimised
    torch.testing.assert_close(terms["capacity"], torch.full((3,), expected))


# Total correlation


@pytest.mark.parametrize("prior", ["standard", "conditional_gaussian", "conditional_flow", "decoupled", "mixture"])
@pytest.mark.parametrize("images", [6, 100])
def test_with_weights_of_one_the_terms_are_the_sampled_rate(prior: str, images: int, context: Context) -> None:
    regularizer = build("total_correlation", replace(context, training_images=images), total_correlation=1.0)
    latent, of_prior, condition = gaussian_latent(6), prior_of(prior, context), torch.randn(6, 3)
    terms = regularizer(batch(latent, RATE, of_prior, condition)).minimised
    expected = latent.log_q - of_prior.log_prob(latent.z, condition)
    torch.testing.assert_close(sum(terms.values()), expected, atol=1e-5, rtol=1e-5)


def test_each_weight_enters_its_own_term(context: Context) -> None:
    latent, prior = gaussian_latent(6), prior_of("standard", context)
    names = ["mutual_information", "total_correlation", "dimensions"]
    plain = build("total_correlation", context, **dict.fromkeys(names, 1.0))(batch(latent, prior=prior)).minimised
    for name in names:
        weights = {**dict.fromkeys(names, 1.0), name: 3.0}
        weighed = build("total_correlation", context, **weights)(batch(latent, prior=prior)).minimised
        for other in names:
            torch.testing.assert_close(weighed[other], plain[other] * (3 if other == name else 1))


def test_stratified_weights_match_a_case_worked_by_hand() -> None:
    """Of 10 images 4 are in the batch: own 1/10, others 1/3, the extra one (10 - 3) / (10 * 3)."""
    row = torch.tensor([1 / 10, 7 / 30, 1 / 3, 1 / 3])
    torch.testing.assert_close(stratified_weights(4, 10), torch.stack([row.roll(shift) for shift in range(4)]))


@pytest.mark.parametrize(("batch", "images"), [(2, 2), (4, 4), (4, 10), (7, 54_000)])
def test_stratified_weights_sum_to_one(batch: int, images: int) -> None:
    weights = stratified_weights(batch, images)
    torch.testing.assert_close(weights.sum(1), torch.ones(batch))
    assert (weights > 0).all()


def test_stratified_estimates_of_the_aggregate_are_right_on_average() -> None:
    """Averaged over all batches that can contain an image, the estimate of q(z) equals the aggregate."""
    density = torch.tensor([0.9, 0.1, 0.4, 0.25, 0.05])  # q(z|x_n) of five images at one z, drawn from the first
    weights = stratified_weights(3, 5)[0]
    batches = list(itertools.permutations(range(1, 5), 2))
    estimates = [weights @ density[[0, *others]] for others in batches]
    torch.testing.assert_close(torch.stack(estimates).mean(), density.mean())


def test_the_total_correlation_matches_a_correlated_gaussian(context: Context) -> None:
    """Latents on a line in two dimensions: TC = -log(1 - rho^2) / 2 for the Gaussian of that correlation."""
    count, noise = 2000, 0.5
    t = torch.randn(count, 1)
    mean, log_var = t.expand(-1, 2), torch.full((count, 2), 2 * torch.tensor(noise).log())
    z = mean + noise * torch.randn(count, 2)
    latent = GaussianLatent(z, mean, log_var)
    regularizer = build("total_correlation", replace(context, training_images=count), total_correlation=1.0)
    terms = regularizer(batch(latent, prior=prior_of("standard", context))).minimised
    rho = 1 / (1 + noise**2)
    expected = -0.5 * torch.log(torch.tensor(1 - rho**2))
    assert float(terms["total_correlation"].mean()) == pytest.approx(float(expected), abs=0.08)


def test_posteriors_without_separate_dimensions_are_refused(context: Context) -> None:
    with pytest.raises(UserError, match="take one of them, or regularizer factor"):
        build("total_correlation", replace(context, posterior="flow"))


# FactorVAE


def test_every_column_is_permuted_independently() -> None:
    z = torch.arange(2000.0).view(500, 4)
    dealt = permute_dimensions(z)
    torch.testing.assert_close(dealt.sort(0).values, z.sort(0).values)
    rows = (dealt - torch.arange(4.0)) / 4  # the row that each came from
    assert (rows[:, 0] != rows[:, 1]).float().mean() > 0.9 and (rows[:, 0] != torch.arange(500.0)).float().mean() > 0.9


def test_permuted_latents_are_uncorrelated() -> None:
    t = torch.randn(5000, 1)
    dealt = permute_dimensions(t.expand(-1, 2))
    assert abs(float(torch.corrcoef(dealt.T)[0, 1])) < 0.05


def test_gradients_of_model_and_adversary_do_not_mix(context: Context) -> None:
    regularizer, latent = build("factor", context, width=8, depth=2), gaussian_latent(6)
    terms, adversary = regularizer(batch(latent, torch.zeros(6)))
    weights = list(regularizer.adversary.network.parameters())
    (terms["kl"] + terms["total_correlation"]).sum().backward(retain_graph=True)
    assert latent.mean.grad.abs().sum() > 0 and all(weight.grad is None for weight in weights)
    before = latent.mean.grad.clone()
    adversary.sum().backward()
    assert torch.equal(latent.mean.grad, before) and all(weight.grad.abs().sum() > 0 for weight in weights)


def test_the_adversary_has_the_papers_shape(context: Context) -> None:
    linear = [layer for layer in build("factor", context).adversary.network if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [1000, 1000, 1000, 1000, 1000, 2]
    assert build("factor", context).adversary.network[1].negative_slope == 0.2


def test_a_trained_adversary_estimates_the_total_correlation(context: Context) -> None:
    """Latents of two dimensions with correlation 0.8: -log(1 - 0.64) / 2 = 0.51 nats."""
    regularizer = build("factor", context, gamma=1.0, width=64, depth=2)
    optimizer = torch.optim.Adam(regularizer.adversary.network.parameters(), lr=0.003)

    def terms_of(count: int) -> Terms:
        z = torch.randn(count, 2) @ torch.linalg.cholesky(torch.tensor([[1.0, 0.8], [0.8, 1.0]])).T
        return regularizer(batch(PointLatent(z), torch.zeros(count)))

    for _ in range(400):
        optimizer.zero_grad()
        terms_of(500).adversary.mean().backward()
        optimizer.step()
    assert float(terms_of(20_000).minimised["total_correlation"].mean()) == pytest.approx(0.51, abs=0.08)


# Maximum mean discrepancy


def test_the_discrepancy_of_two_points_matches_its_formula() -> None:
    """k(a, a) + k(b, b) - 2 k(a, b) with |a - b|^2 = 25 and bandwidth 2."""
    found = squared_discrepancy(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]), 2.0)
    assert float(found) == pytest.approx(2 - 2 * exp(-25 / 4))


def test_the_discrepancy_matches_its_closed_form_for_gaussians() -> None:
    """For N(0, 1) and N(m, 1): 2 sqrt(b / (b + 2)) (1 - exp(-m^2 / (2 (b + 2)))) under the kernel of bandwidth b."""
    sample = torch.randn(4000, 1)
    assert float(squared_discrepancy(sample, sample, 1.0)) == pytest.approx(0, abs=1e-6)
    expected = 2 * (1 / 3) ** 0.5 * (1 - exp(-4 / 6))
    assert float(squared_discrepancy(sample, torch.randn(4000, 1) + 2, 1.0)) == pytest.approx(expected, abs=0.02)


def test_the_weights_of_infovae_follow_alpha_and_lambda(context: Context) -> None:
    latent, prior = gaussian_latent(3), prior_of("standard", context)
    torch.manual_seed(1)
    terms = build("mmd", context, alpha=0.25, scale=10.0)(batch(latent, prior=prior)).minimised
    torch.manual_seed(1)
    discrepancy = squared_discrepancy(latent.z, prior.sample(3, None), 2.0)
    torch.testing.assert_close(terms["kl"], 0.75 * RATE)
    torch.testing.assert_close(terms["mmd"], (9.25 * discrepancy).expand(3))


def test_the_discrepancy_moves_a_prior_that_learns(context: Context) -> None:
    prior = prior_of("decoupled", context)
    terms = build("mmd", context)(batch(gaussian_latent(8), torch.zeros(8), prior)).minimised
    terms["mmd"].sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in prior.parameters())


def test_latents_without_a_density_can_still_be_regularized(context: Context) -> None:
    point = replace(context, posterior="point")
    regularizer = build("mmd", point, alpha=1.0, scale=10.0)
    terms = regularizer(batch(PointLatent(torch.randn(3, 2)), None, prior_of("standard", context)))
    assert set(terms.minimised) == {"mmd"}


# Commitment


def test_codebook_and_encoder_each_have_their_own_loss_term(context: Context) -> None:
    latent = latent_for("commitment", 3)
    terms = build("commitment", context, codebook=2.0, commitment=0.5)(batch(latent)).minimised
    squares = sum((latent.encoded - each).square().flatten(1).sum(1) for each in latent.quantized)
    torch.testing.assert_close(terms["codebook"], 2 * squares)
    torch.testing.assert_close(terms["commitment"], 0.5 * squares)
    terms["codebook"].sum().backward(retain_graph=True)
    assert latent.encoded.grad is None and latent.quantized.grad is not None
    latent.quantized.grad = None
    terms["commitment"].sum().backward()
    assert latent.encoded.grad is not None and latent.quantized.grad is None


@pytest.mark.parametrize("covariance", ["means", "aggregate"])
def test_dip_penalises_the_covariance_of_means_or_of_the_aggregate(covariance: str, context: Context) -> None:
    latent = gaussian_latent(3, size=4)
    terms = build("dip", context, covariance=covariance, off_diagonal=2.0, diagonal=0.5)(batch(latent)).minimised
    expected = torch.cov(latent.mean.detach().T, correction=0)
    if covariance == "aggregate":
        expected = expected + torch.diag(latent.log_var.detach().exp().mean(0))
    diagonal = expected.diagonal()
    assert torch.equal(terms["kl"], RATE)
    off = expected.square().sum() - diagonal.square().sum()
    torch.testing.assert_close(terms["off_diagonal"], (2.0 * off).expand(3))
    torch.testing.assert_close(terms["diagonal"], (0.5 * (diagonal - 1).square().sum()).expand(3))
    terms["off_diagonal"].sum().backward()
    assert latent.mean.grad.any()


def test_dip_is_zero_at_means_of_identity_covariance(context: Context) -> None:
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    latent = GaussianLatent(corners, corners, torch.full((4, 2), -40.0))
    for covariance in ("means", "aggregate"):
        terms = build("dip", context, covariance=covariance)(batch(latent, rate=torch.ones(4))).minimised
        assert all(float(terms[each].abs().max()) < 1e-6 for each in ("off_diagonal", "diagonal"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"posterior": "flow"}, "gaussian and gaussian_map have"), ({"latent_shape": (1,)}, "raise latent")],
)
def test_dip_refuses_what_has_no_covariance(changes: Any, sentence: str, context: Context) -> None:
    with pytest.raises(UserError, match=sentence):
        build("dip", replace(context, **changes))


CODEBOOKS = {
    "fixed": ("never", 1.0, "that of this posterior is fixed; take regularizer none"),
    "average with a gradient": (
        "average",
        1.0,
        "regularizer.codebook is 1, but the codebook learns by posterior.update average; set it to 0",
    ),
    "gradient without a weight": ("gradient", 0.0, "set posterior.update to average"),
}


@pytest.mark.parametrize(("learns", "weight", "sentence"), CODEBOOKS.values(), ids=CODEBOOKS)
def test_commitment_trains_a_codebook_in_one_way(learns: Any, weight: float, sentence: str, context: Context) -> None:
    discrete = replace(context, posterior="discrete", codebook_learns=learns)
    with pytest.raises(UserError, match=sentence):
        parts.build(Regularizer, parts.validate("regularizers", {"name": "commitment", "codebook": weight}), discrete)


def test_commitment_without_a_weight_of_the_codebook_moves_the_encoder_alone(context: Context) -> None:
    options = parts.validate("regularizers", {"name": "commitment", "codebook": 0.0})
    commitment = parts.build(Regularizer, options, replace(context, posterior="discrete", codebook_learns="average"))
    assert list(commitment(batch(latent_for("commitment", 3))).minimised) == ["commitment"]


def test_no_regularizer_leaves_a_fixed_codebook_alone(context: Context) -> None:
    options = parts.validate("regularizers", {"name": "none"})
    parts.build(Regularizer, options, replace(context, posterior="discrete", codebook_learns="never"))
    with pytest.raises(UserError, match="take regularizer commitment"):
        parts.build(Regularizer, options, replace(context, posterior="discrete", codebook_learns="gradient"))


# Sums


def test_a_sum_has_the_terms_of_its_parts_and_the_adversary_among_them(context: Context) -> None:
    named = [{"name": "kl", "weight": 0.5}, {"name": "perceptual"}, {"name": "patch_adversary", "width": 4}]
    regularizer = build("sum", context, parts=named)
    found = regularizer(batch(gaussian_latent(3), step=1))
    assert set(found.minimised) == {"kl", "perceptual", "adversarial"}
    torch.testing.assert_close(found.minimised["kl"], 0.5 * RATE)
    assert regularizer.adversary is regularizer.parts[2].adversary and found.adversary is not None
    assert regularizer.pretrained is regularizer.parts[1].pretrained
    assert regularizer.limits_posterior and regularizer.trains_prior == "density"
    alone = build("sum", context, parts=named[1:])
    assert not alone.limits_posterior and alone.trains_prior == "nothing"


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (["perceptual", "perceptual"], "has perceptual more than once; name each part once"),
        (["kl", "capacity"], "has kl and capacity, each of which limits the posterior"),
        (["factor", "patch_adversary"], "two parts with an adversary, and a training has one; keep one"),
        (["sum"], "has itself among its parts; list all parts in one sum"),
    ],
)
def test_a_sum_that_counts_twice_is_refused(named: list[str], sentence: str, context: Context) -> None:
    with pytest.raises(UserError, match=sentence):
        build("sum", context, parts=[{"name": name} for name in named])


OWN_PERCEPTUAL = """
from vaeline.models.regularizers import perceptual
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options, context):
    return perceptual.build(perceptual.Options(name="perceptual"), context)
"""
OWN_TERM = own_part(
    "Regularizer",
    """
    trains_prior, limits_posterior = "nothing", False

    def __call__(self, batch):
        return Terms({"kl": batch.rate})
""",
)


def test_a_sum_has_one_network_that_is_fitted_first(write_own: Callable[..., Path], context: Context) -> None:
    write_own("regularizers", "mine", OWN_PERCEPTUAL)
    with pytest.raises(UserError, match="has perceptual and mine, each of which has a network .*; keep one"):
        build("sum", context, parts=[{"name": "perceptual"}, {"name": "mine"}])


def test_terms_of_one_name_in_a_sum_are_refused(write_own: Callable[..., Path], context: Context) -> None:
    write_own("regularizers", "mine", OWN_TERM)
    regularizer = build("sum", context, parts=[{"name": "kl"}, {"name": "mine"}])
    with pytest.raises(UserError, match="two parts of regularizer sum have a term kl, .*; rename the term"):
        regularizer(batch(gaussian_latent(3), step=1))


@pytest.mark.parametrize("name", ["perceptual", "patch_adversary"])
def test_terms_of_images_are_refused_for_points(name: str, context: Context) -> None:
    with pytest.raises(UserError, match=f"regularizer {name} needs images, but the data are points; leave it out"):
        build(name, replace(context, image_shape=(2,), pixels="points"))


@pytest.mark.parametrize(("name", "depth"), [("perceptual", 5), ("patch_adversary", 4)])
def test_too_many_layers_for_the_images_are_refused(name: str, depth: int, context: Context) -> None:
    with pytest.raises(
        UserError, match=rf"depth of regularizer {name} is {depth}, but images of 8x8 halve only 3 times"
    ):
        build(name, context, depth=depth)


# The adversary of patches


def test_the_adaptive_weight_is_the_ratio_of_gradients_worked_by_hand() -> None:
    """d(so far)/dh = 6 and d(term)/dh = 2 in each of four places of two images: the means have norms 3 sqrt(8) and sqrt(8)."""
    h = torch.ones(2, 1, 2, 2, requires_grad=True)
    of_batch = replace(batch(gaussian_latent(2)), decoder_output=h, so_far=(3 * h.square()).flatten(1).sum(1))
    weight = adaptive_weight(of_batch, (2 * h).flatten(1).sum(1))
    assert float(weight) == pytest.approx(3, rel=1e-3) and not weight.requires_grad


def test_the_adaptive_weight_takes_in_the_terms_before_in_a_sum(context: Context) -> None:
    adversary, weights = {"name": "patch_adversary", "width": 4}, []
    for scale in (1e-3, 1e3):
        torch.manual_seed(0)
        regularizer = build("sum", context, parts=[{"name": "perceptual", "weight": scale}, adversary])
        weights.append(
            float(regularizer(batch(gaussian_latent(3), step=1)).minimised["adversarial"].detach().abs().sum())
        )
    assert weights[1] > 100 * weights[0]


def test_gradients_of_decoder_and_patch_adversary_do_not_mix(context: Context) -> None:
    regularizer, of_batch = build("patch_adversary", context, width=4), batch(gaussian_latent(3), step=1)
    terms, adversary = regularizer(of_batch)
    weights = list(regularizer.adversary.network.parameters())
    terms["adversarial"].sum().backward(retain_graph=True)
    assert of_batch.decoder_output.grad.abs().sum() > 0 and all(weight.grad is None for weight in weights)
    before = of_batch.decoder_output.grad.clone()
    adversary.sum().backward()
    assert torch.equal(of_batch.decoder_output.grad, before)
    assert all(weight.grad.abs().sum() > 0 for weight in weights)


def test_the_patch_adversary_waits_for_its_start_and_has_no_term_without_gradients(context: Context) -> None:
    regularizer = build("patch_adversary", context, width=4, start=10)
    for step, plays in ((1, False), (10, False), (11, True), (None, True)):
        terms, adversary = regularizer(batch(gaussian_latent(3), step=step))
        assert bool((terms["adversarial"] != 0).all()) == plays == adversary.requires_grad
    with torch.no_grad():
        terms, adversary = regularizer(batch(gaussian_latent(3)))
    assert not terms and adversary.shape == (3,)


def test_the_hinge_loss_is_one_by_chance_and_zero_when_all_is_told_apart(context: Context) -> None:
    regularizer, images = build("patch_adversary", context, width=4), torch.rand(3, 1, 8, 8)
    for logit, loss in ((0.0, 1.0), (5.0, 3.0)):  # everything is real by 5: wrong by 6 on each false patch
        regularizer.adversary = Adversary(lambda x, logit=logit: torch.full((len(x), 1, 2, 2), logit), 0.1, (0.5, 0.9))
        torch.testing.assert_close(regularizer._hinge(images, images), torch.full((3,), loss))
    regularizer.adversary = Adversary(lambda x: 9 * (2 * (x > 0.5).float() - 1), 0.1, (0.5, 0.9))
    torch.testing.assert_close(regularizer._hinge(images + 1, images - 1), torch.zeros(3))


# The perceptual distance


def test_the_perceptual_distance_is_that_of_scaled_features_worked_by_hand(context: Context) -> None:
    """One layer whose features at each place are (x, 1): the distance of (1, 1) and (0, 1), both scaled, is 2 - sqrt(2)."""
    network = build("perceptual", context, depth=1, width=2).pretrained
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.layers[0][0].weight[0, 0, 1, 1] = 1  # the place itself
        network.layers[0][0].bias[1] = 1
        network.layers[0][2].weight[0, 0, 1, 1] = network.layers[0][2].weight[1, 1, 1, 1] = 1
    white, middle = torch.ones(2, 1, 8, 8), torch.full((2, 1, 8, 8), 0.5)  # 1 and 0 when scaled to [-1, 1]
    torch.testing.assert_close(network.distance(white, middle), torch.full((2,), 2 - 2**0.5))
    assert float(network.distance(white, white).abs().max()) == 0


def test_the_perceptual_term_counts_pixels_and_trains_no_weight_of_its_network(context: Context) -> None:
    regularizer, of_batch = build("perceptual", context, weight=2.0), batch(gaussian_latent(3))
    term = regularizer(of_batch).minimised["perceptual"]
    distance = regularizer.pretrained.distance(of_batch.x, of_batch.reconstruction)
    torch.testing.assert_close(term, 2 * 64 * distance)
    term.sum().backward()
    assert of_batch.decoder_output.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in regularizer.pretrained.parameters())


def test_the_perceptual_network_learns_to_tell_turned_images(context: Context) -> None:
    """Images that are bright at the top, in rectangles too, whose turns have another shape."""
    network = build("perceptual", context, depth=2, width=4, epochs=8, learning_rate=0.01).pretrained
    x = torch.linspace(1, 0, 8).view(1, 1, 8, 1) * torch.ones(40, 1, 8, 6) + 0.05 * torch.randn(40, 1, 8, 6)
    losses = [state["loss"] for state in network.fit(lambda seed: iter(x.split(10)), 0, None)]
    assert losses[-1] < 0.5 * log(4) and not any(weight.requires_grad for weight in network.parameters())
