"""Importance sampling of linear-Gaussian models with a known log-likelihood, and what becomes of many estimates."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaeline.metrics._trust import effective_samples
from vaeline.metrics.nll import Annealed, NotFinite, Summary, Unconverged, summarize
from vaeline.models.estimators.log_likelihood import LogLikelihood, concatenate, marginal

Draw = Callable[[int], tuple[Tensor, Tensor]]
NOISE = 0.5


@dataclass
class LinearGaussian:
    """z ~ N(0, I), x ~ N(W z, 0.25 I): all densities are known."""

    weight: Tensor  # (pixels, latent)
    x: Tensor  # (images, pixels)

    @property
    def log_prob(self) -> Tensor:
        pixels = len(self.weight)
        covariance = self.weight @ self.weight.T + NOISE**2 * torch.eye(pixels)
        return MultivariateNormal(torch.zeros(pixels), covariance).log_prob(self.x).double()

    def log_joint(self, z: Tensor) -> Tensor:
        squared = (self.x - (z @ self.weight.T).unflatten(0, (-1, len(self.x)))).square().sum(-1).flatten()
        pixels, latent = self.weight.shape
        constant = pixels * log(NOISE) + 0.5 * (pixels + latent) * log(2 * torch.pi)
        return -0.5 * (squared / NOISE**2 + z.square().sum(-1)) - constant

    def proposal(self, shift: float, inflation: float) -> Draw:
        """The posterior, moved by `shift` of its standard deviations, its covariance `inflation` times as large."""
        latent = self.weight.shape[1]
        precision = torch.eye(latent) + self.weight.T @ self.weight / NOISE**2
        root = torch.linalg.cholesky(torch.linalg.inv(precision))
        direction = torch.full((latent,), shift / sqrt(latent))
        mean = self.x @ self.weight @ torch.linalg.inv(precision) / NOISE**2 + root @ direction
        wide = sqrt(inflation) * root
        constant = wide.diagonal().log().sum() + 0.5 * latent * log(2 * torch.pi)

        def draw(count: int) -> tuple[Tensor, Tensor]:
            noise = torch.randn(count, len(self.x), latent)
            z = mean + noise @ wide.T
            return z.flatten(0, 1), (-0.5 * noise.square().sum(-1) - constant).flatten()

        return draw


def linear_gaussian(latent: int, images: int) -> LinearGaussian:
    torch.manual_seed(latent)
    weight = torch.randn(latent + 2, latent) / sqrt(latent)
    x = torch.randn(images, latent) @ weight.T + NOISE * torch.randn(images, latent + 2)
    return LinearGaussian(weight, x)


def log_likelihood(draw: Draw, log_joint: Callable[[Tensor], Tensor], samples: int) -> LogLikelihood:
    z, log_q = draw(samples)
    return LogLikelihood.of_weights((log_joint(z).double() - log_q.double()).unflatten(0, (samples, -1)))


def quiet(estimate: LogLikelihood, annealed: Annealed | None = None, rows: Tensor | None = None) -> Summary:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Unconverged)
        return summarize(estimate, "nll", annealed, rows)


@pytest.mark.parametrize("latent", [2, 8, 16])
def test_a_shifted_inflated_proposal_gives_the_known_likelihood(latent: int) -> None:
    model = linear_gaussian(latent, images=50)
    summary = quiet(log_likelihood(model.proposal(1.0, 2.0), model.log_joint, samples=20_000))
    error = abs(summary.nll + model.log_prob.mean().item())
    assert error < 3 * summary.monte_carlo_error
    assert error < 0.01
    assert summary.monte_carlo_error < 0.005


def test_the_posterior_itself_needs_no_second_sample() -> None:
    model = linear_gaussian(4, images=8)
    estimate = log_likelihood(model.proposal(0.0, 1.0), model.log_joint, samples=10)
    torch.testing.assert_close(estimate.log_prob, model.log_prob, atol=1e-4, rtol=0)
    torch.testing.assert_close(estimate.tenth, model.log_prob, atol=1e-4, rtol=0)
    torch.testing.assert_close(estimate.effective_share, torch.ones(8).double(), atol=1e-4, rtol=0)
    assert (estimate.variance < 1e-6).all()


def test_the_reported_variance_is_that_of_repeated_estimates() -> None:
    """600 copies of one image give 600 estimates of one number."""
    one = linear_gaussian(2, images=1)
    model = LinearGaussian(one.weight, one.x.expand(600, -1))
    estimate = log_likelihood(model.proposal(1.0, 2.0), model.log_joint, samples=500)
    assert estimate.variance.mean().item() == pytest.approx(estimate.log_prob.var().item(), rel=0.15)
    # E w^2 / (E w)^2 for a proposal of twice the variance, one standard deviation away, in two dimensions.
    second_moment = (2 / sqrt(3)) ** 2 * exp(1 / 3)
    assert (1 / estimate.effective_share).mean().item() == pytest.approx(second_moment, rel=0.05)


def test_share_and_variance_tell_how_many_samples_count() -> None:
    model = linear_gaussian(2, images=20)
    estimate = log_likelihood(model.proposal(1.0, 2.0), model.log_joint, samples=300)
    torch.testing.assert_close(effective_samples(estimate), 300 * estimate.effective_share)
    assert effective_samples(LogLikelihood.known(torch.zeros(1).double())).item() == torch.inf


def test_fewer_samples_overestimate_the_nll_more() -> None:
    model = linear_gaussian(8, images=200)
    summary = quiet(log_likelihood(model.proposal(1.5, 1.5), model.log_joint, samples=100))
    assert summary.tenth > summary.nll


def test_weights_of_twenty_thousand_nats_stay_precise() -> None:
    weights = torch.full((1_000, 1), 20_000.0, dtype=torch.float64)
    assert LogLikelihood.of_weights(weights).log_prob.item() == pytest.approx(20_000.0, abs=1e-9)


def test_a_far_proposal_is_an_upper_bound() -> None:
    model = linear_gaussian(16, images=8)
    estimate = log_likelihood(model.proposal(6.0, 1.0), model.log_joint, samples=200)
    with pytest.warns(Unconverged, match="upper bound: the importance weights of 100% of the images"):
        summary = summarize(estimate, "nll")
    assert summary.effective_sample_size < 10
    assert summary.nll > -model.log_prob.mean().item()


def test_a_proposal_that_is_many_nats_short_is_an_upper_bound() -> None:
    """In 64 dimensions, the estimate is nats from the truth, although no image has fewer than two effective samples."""
    model = linear_gaussian(64, images=8)
    summary = quiet(log_likelihood(model.proposal(0.0, 2.0), model.log_joint, samples=1_000))
    assert summary.nll > -model.log_prob.mean().item() + 0.5
    assert summary.why_upper_bound


def test_a_close_proposal_does_not_warn() -> None:
    model = linear_gaussian(2, images=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = log_likelihood(model.proposal(0.5, 1.5), model.log_joint, samples=400)
        summarize(estimate, "nll", annealed([0], estimate.log_prob[:1].tolist()))


def test_a_mixture_over_labels_gives_the_known_marginal() -> None:
    """The label y adds y to every pixel, so that p(x) = sum_y p(y) N(x - y; ...)."""
    model = linear_gaussian(2, images=50)
    moved = [LinearGaussian(model.weight, model.x - y) for y in (0.0, 1.0, 2.0)]
    log_prior = torch.tensor([0.2, 0.5, 0.3]).double().log()
    known = torch.logsumexp(torch.stack([each.log_prob for each in moved], -1) + log_prior, -1)
    each = [log_likelihood(one.proposal(1.0, 1.5), one.log_joint, samples=10_000) for one in moved]
    estimate = marginal(stacked(each), log_prior)
    z_scores = (estimate.log_prob - known) / estimate.variance.sqrt()
    assert 0.7 < z_scores.square().mean().sqrt().item() < 1.3
    summary = quiet(estimate)
    assert summary.nll == pytest.approx(-known.mean().item(), abs=3 * summary.monte_carlo_error)


def stacked(each: list[LogLikelihood]) -> LogLikelihood:
    return LogLikelihood(*map(torch.stack, zip(*each, strict=True)))


def test_a_mixture_of_one_label_is_that_label() -> None:
    model = linear_gaussian(2, images=3)
    given = [log_likelihood(model.proposal(s, 1.5), model.log_joint, samples=50) for s in (0.0, 1.0)]
    mixed = marginal(stacked(given), torch.tensor([0.0, -torch.inf]).double())
    for field, alone in zip(mixed, given[0], strict=True):
        torch.testing.assert_close(field, alone)


SURE = LogLikelihood(
    torch.tensor([-1.0, -2.0, -3.0, -6.0]).double(), torch.tensor([-1.25, -2.25, -3.25, -6.25]).double(),
    torch.full((4,), 0.0001).double(), torch.tensor([0.5, 0.6, 0.7, 0.8]).double(), torch.zeros(4).double(),
)  # fmt: skip


def test_a_summary_separates_image_and_sample_variance() -> None:
    summary = quiet(SURE)
    assert (summary.nll, summary.tenth) == (3.0, 3.25)
    assert summary.standard_error == pytest.approx(sqrt((4 + 1 + 0 + 9) / 3) / 2)
    assert summary.monte_carlo_error == pytest.approx(0.005)
    assert summary.effective_sample_size == pytest.approx(3000.7)  # 0.7 + 0.3 / 0.0001, the lower median
    assert summary.values.tolist() == [-1, -2, -3, -6] and summary.untrusted == 0 and summary.gap is None


def changed(of: LogLikelihood, **fields: list[float]) -> LogLikelihood:
    return of._replace(**{name: torch.tensor(values).double() for name, values in fields.items()})


HEAVY = changed(SURE, pareto_k=[0.9, 0.9, 0.9, 0.1], effective_share=[0.3, 0.3, 0.3, 0.8])


def annealed(
    images: list[int], log_prob: list[float], share: float = 0.9, gaps: tuple[float, ...] = (0.01,)
) -> Annealed:
    count = len(images)
    estimates = LogLikelihood(
        torch.tensor(log_prob).double(), torch.zeros(count).double(), torch.full((count,), 0.0001).double(),
        torch.full((count,), share).double(), torch.zeros(count).double(),
    )  # fmt: skip
    return Annealed(torch.tensor(images, dtype=torch.long), estimates, torch.tensor(gaps).double())


def test_annealed_values_replace_those_that_cannot_be_trusted() -> None:
    summary = summarize(HEAVY, "nll", annealed([0, 1, 2, 3], [-0.5, -1.0, -2.0, -6.0]))
    assert summary.values.tolist() == [-0.5, -1.0, -2.0, -6.0]
    assert summary.untrusted == 0 and summary.why_upper_bound == "" and summary.gap == pytest.approx(0.01)


def test_too_few_annealed_images_move_no_other_so_that_a_bound_stays_one() -> None:
    summary = quiet(HEAVY, annealed([0, 1, 3], [-0.5, -1.0, -6.0]))
    assert summary.values.tolist() == [-0.5, -1.0, HEAVY.log_prob[2].item(), -6.0]
    assert (
        summary.nll >= 0.25 * (0.5 + 1.0 - HEAVY.log_prob[2].item() + 6.0) and "only 2 of 3" in summary.why_upper_bound
    )


def test_a_part_of_the_annealed_images_stands_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three differ by 0.5 and 1.0: the third is moved by their mean; both that mean and the third's own difference vary."""
    monkeypatch.setattr("vaeline.metrics.nll.FEWEST_TO_CORRECT", 2)
    summary = quiet(HEAVY, annealed([0, 1, 3], [-0.5, -1.0, -6.0]))
    assert summary.values.tolist() == [-0.5, -1.0, -2.25, -6.0]
    spread = 1 / 4 * sqrt(0.125 / 2 + 0.125)
    assert summary.monte_carlo_error == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize(
    ("estimates", "second", "why"),
    [
        (HEAVY, None, "75% of the images"),
        (HEAVY, annealed([0, 1, 2, 3], [-0.5, -1.0, -2.0, -6.0], share=0.2), "75% of the images"),
        (changed(SURE, log_prob=[-1.0, -1.1, -1.2, -1.3], variance=[0.019] * 4), None, "bias and Monte Carlo error"),
        (SURE, annealed([0, 1], [-0.8, -1.8]), "annealing contradicts it, on 2 images, fewer than 30"),
        (HEAVY, annealed([0, 1, 3], [-0.5, -1.0, -6.0]), "only 2 of 3 images that need it were annealed"),
        (SURE, annealed([0, 1], [-1.2, -2.2]), "annealing finds 0.2 nats less"),
        (SURE, None, "nothing checks"),
        (SURE, annealed([], []), "nothing checks"),
        (HEAVY, annealed([0, 1, 2], [-0.5, -1.0, -2.0]), "nothing checks"),
        (SURE, annealed([0], [-1.0], gaps=(0.5, 0.1)), "its bounds are 0.3 nats apart"),
        (SURE, annealed([0], [-1.0], gaps=()), "nothing bounds log p(x) from above"),
    ],
    ids=["heavy tails", "chains that fail", "bias", "more", "few", "less", "no second", "no image", "no check", "gap", "no gap"],
)  # fmt: skip
def test_what_makes_an_upper_bound(estimates: LogLikelihood, second: Annealed | None, why: str) -> None:
    with pytest.warns(Unconverged, match="nll is an upper bound"):
        assert why in summarize(estimates, "nll", second).why_upper_bound


def test_images_that_fail_are_named_by_their_row_in_the_split() -> None:
    rows = torch.tensor([3, 30, 300, 3000])
    with pytest.warns(Unconverged, match="of the images have no stable mean, such as image 3"):
        summary = summarize(HEAVY, "nll", rows=rows)
    assert summary.failed == [3, 30, 300]
    helped = annealed([1], [-2.0])
    left = annealed([0, 1], [-1.0, -2.0], share=0.2)
    assert [quiet(HEAVY, each, rows).failed for each in (helped, left)] == [[], [3, 30]]


def test_samples_without_a_finite_weight_move_no_other_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaeline.metrics.nll.FEWEST_TO_CORRECT", 2)
    lost = changed(HEAVY, log_prob=[-torch.inf, -2.0, -3.0, -6.0])
    summary = quiet(lost, annealed([0, 1, 3], [-1.0, -1.0, -6.0]))
    assert summary.values.tolist() == [-1.0, -1.0, -2.0, -6.0]
    assert summary.monte_carlo_error == torch.inf  # one difference has no variance


@pytest.mark.parametrize("value", [-float("inf"), float("nan")])
def test_an_image_that_the_model_cannot_explain_is_named(value: float) -> None:
    estimates = changed(SURE, log_prob=[-1.0, value, -3.0, value])
    with pytest.raises(NotFinite, match=rf"log p\(x\) of image 30 is {value}, and that of 1 more is not finite"):
        summarize(estimates, "nll", rows=torch.tensor([3, 30, 300, 3000]))


def test_where_annealing_contradicts_the_samples_all_images_are_moved() -> None:
    """64 images that need no second estimate; annealing finds half a nat more on the forty that it is tried on."""
    sure = LogLikelihood(*(field.repeat(16) for field in SURE))
    tried = list(range(40))
    summary = summarize(sure, "nll", annealed(tried, [value + 0.5 for value in sure.log_prob[:40].tolist()]))
    torch.testing.assert_close(summary.values, sure.log_prob + 0.5)
    assert summary.why_upper_bound == ""
    less = quiet(sure, annealed(tried, [value - 0.5 for value in sure.log_prob[:40].tolist()]))
    torch.testing.assert_close(less.values, sure.log_prob)  # the chains fail
    agrees = summarize(sure, "nll", annealed(tried, [value + 0.001 for value in sure.log_prob[:40].tolist()]))
    torch.testing.assert_close(agrees.values, sure.log_prob)  # the samples are more precise


def test_batches_of_images_are_joined_in_order() -> None:
    parts = [
        LogLikelihood(*(torch.full((2, images), value) for _ in range(5))) for images, value in ((3, 1.0), (2, 5.0))
    ]
    assert concatenate(parts).log_prob.tolist() == [[1.0, 1.0, 1.0, 5.0, 5.0]] * 2


def test_known_values_can_be_replaced_field_by_field() -> None:
    known = LogLikelihood.known(torch.zeros(2).double())
    known.put((torch.tensor([1]),), SURE.at(slice(0, 1)))
    assert known.log_prob.tolist() == [0, -1] and known.tenth.tolist() == [0, -1.25]
