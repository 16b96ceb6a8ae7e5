"""Evaluation of a model with likelihoods in closed form."""

import warnings
from dataclasses import replace
from math import log
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation import likelihood
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.measures import GREY_GAP, measure_of
from vaeline.evaluation.record import Record
from vaeline.metrics.nll import Unconverged
from vaeline.models.contracts import Elbo
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.likelihoods._logistic_mixture import Pixels
from vaeline.models.likelihoods.bernoulli import Bernoulli
from vaeline.models.likelihoods.logistic_mixture import IndependentPixels
from vaeline.models.output_range import OutputRange
from vaeline.models.posteriors.gaussian import Gaussian
from vaeline.models.priors.standard import Standard
from vaeline.study.schema import Condition, Evaluation, LikelihoodEstimate
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.seeds import derive_seed

PIXELS, LATENT = 4, 2
LIKELIHOOD = {"samples": 400}
SETTINGS = Evaluation(likelihood=LIKELIHOOD, bound_samples=5, features={"name": "classifier"})
FROM_POSTERIOR = SETTINGS.model_copy(update={"likelihood": LikelihoodEstimate(method="posterior", samples=400)})
UNBOUNDED = OutputRange(SimpleNamespace(pixels="points", range=(0, 1)))


def isotropic(sigma: float, fixed: bool) -> IsotropicGaussian:
    likelihood = IsotropicGaussian(UNBOUNDED, "constant" if fixed else "calibrated")
    likelihood.calibrate(sigma**2)
    return likelihood


class LinearGaussian(torch.nn.Module):
    """z ~ N(0, I), x ~ N(Wz + offset of y, sigma^2 I); q is the posterior, its variance `inflation` times as large."""

    def __init__(
        self, sigma: float = 0.5, fixed: bool = False, conditional: bool = True, inflation: float = 1.5
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        orthonormal, _ = torch.linalg.qr(torch.randn(PIXELS, LATENT, generator=generator))
        self.weight = torch.nn.Parameter(orthonormal * torch.tensor([0.8, 0.4]))  # its posterior is diagonal
        self.offsets = 0.5 * torch.randn(3, PIXELS, generator=generator) * conditional
        self.conditional, self.inflation = conditional, inflation
        self.variant = SimpleNamespace(condition=Condition(embedding=1) if conditional else None)
        self.latent_size = LATENT
        self.likelihood, self.prior = isotropic(sigma, fixed), Standard(LATENT)
        self.latent_density, self.posterior = self.prior, Gaussian(LATENT, squashed=False)

    def condition(self, labels: Tensor) -> Tensor | None:
        return self.offsets[labels[:, 0]] if self.conditional else None

    def draw(self, labels: Tensor) -> Tensor:
        return self.prior.sample(len(labels), None)

    def encode(self, x: Tensor, condition: Tensor | None) -> Any:
        return self.posterior(self.features(x, condition))

    def decoder_output(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.decode(z, condition)

    def decode(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return (z @ self.weight.T + (0 if condition is None else condition)).reshape(-1, 1, 2, 2)

    def elbo(self, x: Tensor, labels: Tensor) -> Elbo:
        latent = self.encode(x, self.condition(labels))
        distortion = -self.likelihood.log_prob(x, self.decode(latent.z, self.condition(labels)))
        return Elbo(distortion, latent.log_q - self.prior.log_prob(latent.z, None))

    def log_prob(self, x: Tensor, labels: Tensor, sigma: float) -> Tensor:
        covariance = self.weight @ self.weight.T + sigma**2 * torch.eye(PIXELS)
        return MultivariateNormal(torch.zeros(PIXELS), covariance).log_prob(x.flatten(1) - self.offsets[labels[:, 0]])

    def features(self, x: Tensor, condition: Tensor | None) -> Tensor:
        precision = torch.eye(LATENT) + self.weight.T @ self.weight / self.likelihood.sigma**2
        rest = x.flatten(1) - (0 if condition is None else condition)
        mean = rest @ self.weight @ torch.linalg.inv(precision) / self.likelihood.sigma**2
        return torch.cat([mean, (self.inflation / precision.diagonal()).log().expand(len(x), -1)], 1)


def split(count: int, seed: int, columns: int = 1) -> Split:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 17, (count, 1, 2, 2), dtype=np.uint8)
    return Split(images, generator.choice(3, (count, columns), p=[0.5, 0.3, 0.2]).astype(np.int64), [])


FACTS = Facts("tiny", (1, 2, 2), 17, (-1.0, 1.0), ["digit"], [["0", "1", "2"]])
ATTRIBUTES = replace(FACTS, label_names=["a", "b"], label_values=[["0", "1", "2"]] * 2)
TRAIN, TEST = split(200, 1), split(70, 2)


def judge(model: Any, settings: Evaluation = SETTINGS, facts: Facts = FACTS) -> Record:
    train, test = (
        Batches(split(count, seed, len(facts.label_names)), facts, 32) for count, seed in ((200, 1), (70, 2))
    )
    return measure_likelihood(model.eval(), train, test, settings)


def dequantized(split: Split, facts: Facts = FACTS) -> tuple[Tensor, Tensor]:
    batches = Batches(split, facts, 32).ordered(derive_seed("evaluation batches", SETTINGS.seed))
    xs, labels = zip(*batches, strict=True)
    return torch.cat(xs), torch.cat(labels)


def known_nll(model: LinearGaussian, sigma: float) -> float:
    """-log sum_y p(y) p(x|y), p(y) as in the training split."""
    x, labels = dequantized(TEST)
    frequencies = np.bincount(TRAIN.labels[:, 0]) / len(TRAIN.labels)
    each = [model.log_prob(x, torch.full_like(labels, y), sigma) + log(p) for y, p in enumerate(frequencies)]
    return -torch.stack(each).logsumexp(0).mean().item()


def known_nll_given_label(model: LinearGaussian, sigma: float) -> float:
    return -model.log_prob(*dequantized(TEST), sigma).mean().item()


def assert_within_errors(record: Record, metric: str, known: float) -> None:
    error = record.metrics[f"{metric}_monte_carlo_error"]
    assert 0 < error < 0.01
    assert record.metrics[metric] == pytest.approx(known, abs=3 * error), metric


def test_class_conditional_likelihoods_match_their_closed_form() -> None:
    model = LinearGaussian()
    record = judge(model)
    assert_within_errors(record, "nll_given_label", known_nll_given_label(model, 0.5))
    assert_within_errors(record, "nll", known_nll(model, 0.5))
    assert abs(record.metrics["nll"] - record.metrics["nll_given_label"]) > 0.1  # the two are told apart


def test_a_fitted_sigma_needs_no_refitting() -> None:
    record = judge(LinearGaussian())
    assert record.metrics["nll_refit"] == record.metrics["nll"]
    assert record.metrics["nll_given_label_refit"] == record.metrics["nll_given_label"]
    assert record.metrics["sigma"] == 0.5


def test_a_fixed_sigma_is_refitted_on_the_training_split() -> None:
    model = LinearGaussian(sigma=1.0, fixed=True)
    record = judge(model)
    x, labels = dequantized(TRAIN)
    precision = 1 + model.weight.square().sum(0)  # of the posterior at sigma 1, diagonal
    mean = (x.flatten(1) - model.offsets[labels[:, 0]]) @ model.weight / precision
    squared = (x - model.decode(mean, model.condition(labels))).square().sum() / len(x) + (
        model.weight.square() * 1.5 / precision
    ).sum()
    sigma = (squared / PIXELS).sqrt().item()
    assert record.evaluation["nll_refit"]["sigma"] == pytest.approx(sigma, rel=0.03)
    assert_within_errors(record, "nll_refit", known_nll(model, record.evaluation["nll_refit"]["sigma"]))
    assert_within_errors(record, "nll", known_nll(model, 1.0))
    assert record.metrics["sigma"] == 1.0
    assert model.likelihood.sigma == 1.0


def test_with_the_exact_posterior_the_bound_is_tight() -> None:
    model = LinearGaussian(inflation=1.0)
    record = judge(model)
    known = known_nll_given_label(model, 0.5)
    assert record.metrics["negative_elbo"] == pytest.approx(known, abs=1e-5)
    x, labels = dequantized(TEST)
    error = model.log_prob(x, labels, 0.5).std().item() / 70**0.5
    assert record.metrics["negative_elbo_standard_error"] == pytest.approx(error, rel=1e-5)
    total = record.metrics["distortion"] + record.metrics["rate"]
    assert record.metrics["negative_elbo"] == pytest.approx(total, abs=1e-5)


def test_the_exact_posterior_as_proposal_has_equal_weights() -> None:
    model = LinearGaussian(inflation=1.0)
    record = judge(model, FROM_POSTERIOR)
    known = known_nll_given_label(model, 0.5)
    for metric in ("nll_given_label", "nll_given_label_tenth"):
        assert record.metrics[metric] == pytest.approx(known, abs=1e-5)
    assert "nothing checks that its samples cover" in record.evaluation["nll_given_label"]["upper_bound"]
    assert record.evaluation["nll_given_label"]["effective_sample_size"] == pytest.approx(400, rel=1e-3)
    assert record.evaluation["nll_given_label"]["method"] == "posterior"


def test_a_model_without_labels_has_one_likelihood() -> None:
    model = LinearGaussian(conditional=False)
    record = judge(model)
    assert_within_errors(record, "nll", known_nll_given_label(model, 0.5))
    assert "nll_given_label" not in record.metrics
    for metric in ("nll_given_label", "nll_given_label_refit"):
        assert record.evaluation[metric] == {"dash": "the system is given no labels"}


def test_attributes_have_no_marginal_likelihood() -> None:
    record = judge(LinearGaussian(), facts=ATTRIBUTES)
    assert "nll" not in record.metrics
    assert "p(y)" in record.evaluation["nll"]["dash"] and "p(y)" in record.evaluation["nll_refit"]["dash"]
    assert "p(y)" in record.evaluation["bits_per_dim"]["dash"]
    assert record.metrics["bits_per_dim_given_label"] == pytest.approx(
        record.metrics["nll_given_label"] / (4 * log(2)) + np.log2(17 / 2)
    )


def test_bits_of_binary_images_use_their_probability() -> None:
    """A fair coin for each of four pixels: 4 ln 2 nats, a bit a pixel."""
    record = Record()
    record.put("nll", 4 * log(2), split="test", images=3, of=3, samples=10)
    facts = replace(FACTS, range=(0.0, 1.0), pixels="static_binary")
    likelihood._put_bits(record, "nll", "bits_per_dim", facts, Bernoulli())
    assert record.metrics["bits_per_dim"] == pytest.approx(1)


def test_bits_of_greys_need_a_probability_of_whole_levels() -> None:
    """A level of 16 for each of four pixels, all as likely: 4 ln 16 nats, four bits a pixel."""
    facts = replace(FACTS, range=(0.0, 1.0), pixels="greys")
    pixels = Pixels(channels=1, levels=16, range=(0.0, 1.0))
    for of, expected in ((IndependentPixels(pixels, 1), 4), (Bernoulli(), None)):
        record = Record()
        record.put("nll", 4 * log(16), split="test", images=3, of=3, samples=10)
        likelihood._put_bits(record, "nll", "bits_per_dim", facts, of)
        assert record.metrics.get("bits_per_dim") == (expected and pytest.approx(expected))
        assert expected or "neither a probability of whole levels" in record.evaluation["bits_per_dim"]["dash"]


class Grey(LinearGaussian):
    """A Bernoulli for each pixel, whose encoder sees nothing."""

    def __init__(self) -> None:
        super().__init__(conditional=False)
        self.likelihood = Bernoulli()

    def features(self, x: Tensor, condition: Tensor | None) -> Tensor:
        return x.new_zeros(len(x), 2 * LATENT)


def test_a_bernoulli_measures_no_probability_of_greys() -> None:
    """log of the mean over z of exp(x h - softplus(h)) is estimated right, and is called a cross-entropy."""
    few = SETTINGS.model_copy(update={"images": 8, "likelihood": LikelihoodEstimate(samples=100, budget=100)})
    greys = replace(FACTS, range=(0.0, 1.0), pixels="greys")
    model, found = Grey(), judge(Grey(), few, greys)
    x, _ = dequantized(split(70, 2), greys)
    h = model.decode(torch.randn(20_000, LATENT), None)
    each = [
        model.likelihood.log_prob(x[[row]].expand_as(h), h).logsumexp(0) - log(20_000) for row in evenly_spaced(70, 8)
    ]
    assert found.metrics["nll"] == pytest.approx(-torch.stack(each).mean().item(), abs=0.01)
    measures = {found.evaluation[name]["measure"] for name in ("nll", "negative_elbo", "distortion")}
    assert measures == {"cross-entropy of grey pixels"} != {measure_of(Bernoulli(), "static_binary", given_label=False)}
    assert found.evaluation["nll_gap"]["warning"] == GREY_GAP


def test_bits_per_dim_with_and_without_labels_stay_separate() -> None:
    record = judge(LinearGaussian())
    given = record.metrics["nll_given_label"] / (4 * log(2)) + np.log2(17 / 2)
    assert record.metrics["bits_per_dim_given_label"] == pytest.approx(given)
    assert record.metrics["bits_per_dim"] == pytest.approx(record.metrics["nll"] / (4 * log(2)) + np.log2(17 / 2))
    nats, bits = (np.array(record.evaluation[name]["parts"]) for name in ("nll", "bits_per_dim"))
    np.testing.assert_allclose(bits, nats / (4 * log(2)) + np.log2(17 / 2))


def test_the_likelihood_may_use_a_subset_of_images() -> None:
    model = LinearGaussian(inflation=1.0)
    record = judge(model, FROM_POSTERIOR.model_copy(update={"images": 3}))
    x, labels = dequantized(TEST)
    known = -model.log_prob(x, labels, 0.5)[[0, 34, 69]]
    assert record.metrics["nll_given_label"] == pytest.approx(known.mean().item(), abs=1e-5)
    assert record.metrics["nll_given_label_standard_error"] == pytest.approx((known.std() / 3**0.5).item(), abs=1e-5)
    assert record.evaluation["nll_given_label"]["images"] == 3
    assert record.evaluation["negative_elbo"]["images"] == 70


def test_the_same_seed_gives_the_same_record() -> None:
    first = judge(LinearGaussian())
    torch.rand(5)
    assert judge(LinearGaussian()) == first
    assert judge(LinearGaussian(), SETTINGS.model_copy(update={"seed": 1})) != first


def test_a_distant_posterior_warns_in_the_record() -> None:
    few = FROM_POSTERIOR.model_copy(update={"likelihood": LikelihoodEstimate(method="posterior", samples=10)})
    with pytest.warns(Unconverged, match="importance weights of 100% of the images have no stable mean"):
        record = judge(LinearGaussian(inflation=20.0), few)
    assert record.metrics["effective_sample_size"] < 10
    for metric in ("nll", "nll_tenth"):
        assert (
            record.evaluation[metric]["upper_bound"]
            == "the importance weights of 100% of the images have no stable mean, such as image 0"
        )
        assert record.evaluation[metric]["measure"] == "density of pixels"
    assert "bias" in record.evaluation["nll_monte_carlo_error"]["dash"]


class Strange(IsotropicGaussian):
    """A likelihood that is strange for the images whose first pixel has the highest level."""

    def __init__(self, becomes: float) -> None:
        super().__init__(UNBOUNDED, "constant")
        self.calibrate(0.25)
        self.becomes = becomes

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Adds a value that is not finite, or 0 with a slope that is not."""
        usual = super().log_prob(x, h)
        strange = x.flatten(1)[:, 0] > 1 - 2 / 17
        without_slope = (0 * h.flatten(1)[:, 0]).clamp_min(0).sqrt()
        return usual + torch.where(strange, self.becomes + without_slope, 0.0)


def test_an_image_that_the_model_cannot_explain_is_named() -> None:
    model = LinearGaussian(conditional=False)
    model.likelihood = Strange(-float("inf"))
    record = judge(model, FROM_POSTERIOR)
    first, *others = [row for row, image in enumerate(TEST.images) if image.flat[0] == 16]
    why = f"log p(x) of image {first} is -inf, and that of {len(others)} more is not finite"
    assert record.evaluation["nll"] == record.evaluation["bits_per_dim"] == {"dash": why}


def test_a_slope_that_is_not_finite_costs_the_image_at_most() -> None:
    model = LinearGaussian(conditional=False)
    model.likelihood = Strange(0.0)
    record = judge(model)
    assert record.metrics["nll"] == pytest.approx(known_nll_given_label(model, 0.5), abs=0.05)


def test_bounds_and_likelihoods_are_drawn_independently() -> None:
    few, many = (
        judge(LinearGaussian(), SETTINGS.model_copy(update=changes))
        for changes in ({"likelihood": LikelihoodEstimate(samples=40)}, {"bound_samples": SETTINGS.bound_samples + 1})
    )
    record = judge(LinearGaussian())
    assert few.metrics["negative_elbo"] == record.metrics["negative_elbo"]
    assert many.metrics["nll"] == record.metrics["nll"]


def test_a_subset_of_test_images_is_recorded_as_one() -> None:
    record = judge(LinearGaussian(), SETTINGS.model_copy(update={"images": 3}))
    assert record.evaluation["nll"]["warning"] == "of 3 of the 70 test images"
    assert "warning" not in judge(LinearGaussian()).evaluation["nll"]


def test_every_metric_is_finite_and_records_its_settings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = judge(LinearGaussian(sigma=1.0, fixed=True))
    assert set(record.metrics) == {name for name, how in record.evaluation.items() if "definition" in how}
    assert {"parameters", "negative_elbo", "sigma", "nll_gap", "nll_refit_standard_error"} <= set(record.metrics)
    assert record.metrics["parameters"] == PIXELS * LATENT
    for name, how in record.evaluation.items():
        if "split" in how and not name.endswith("rate"):
            assert {"images", "samples"} <= how.keys(), name


def test_a_density_with_an_error_has_a_bound_that_states_it_and_no_likelihood() -> None:
    model = LinearGaussian(conditional=False)
    model.prior.log_prob_error = 0.3
    record = judge(model)
    assert record.evaluation["negative_elbo"]["log_prob_error"] == record.evaluation["rate"]["log_prob_error"] == 0.3
    assert "log_prob_error" not in record.evaluation["distortion"]
    assert "would bias importance sampling" in record.evaluation["nll"]["dash"]
