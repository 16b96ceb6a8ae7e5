"""The verdict on collapse: right on both sides of the linear VAE's threshold, and for every kind of posterior."""

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation import raw_collapse
from vaeline.evaluation.latents import measure_latents
from vaeline.evaluation.raw_collapse import others
from vaeline.evaluation.record import Record
from vaeline.metrics.collapse import shuffle_loss
from vaeline.models.model import Model
from vaeline.study.schema import Variant

SIZE, IMAGES = 5, 2000
FACTS = Facts("line", (SIZE,), 0, (-1.0, 1.0), ["half"], [["left", "right"]], pixels="points", counts={"train": 64})
ENTRY: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [4]}, "latent": SIZE, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip
ROTATION = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(5)))[0]


class LinearEncoder(nn.Module):
    """The optimal posterior of a linear VAE with variance 1 of a pixel and weight 1 of the rate (Lucas et al., 2019)."""

    def __init__(self, eigenvalues: Tensor) -> None:
        super().__init__()
        above = eigenvalues.clamp(min=1)
        self.weight, self.log_var = ROTATION * (above - 1).sqrt() / above, -above.log()

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        return torch.cat([x @ self.weight, self.log_var.expand_as(x)], 1)


class LinearDecoder(nn.Module):
    """Its decoder: principal components of length sqrt(l - 1), none for eigenvalues l below 1."""

    def __init__(self, eigenvalues: Tensor) -> None:
        super().__init__()
        self.weight = ROTATION * (eigenvalues - 1).clamp(min=0).sqrt()

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return z @ self.weight.T


def points(eigenvalues: Tensor, count: int = IMAGES, seed: int = 0) -> Batches:
    drawn = torch.randn(count, len(eigenvalues), generator=torch.Generator().manual_seed(seed))
    x = drawn * eigenvalues.sqrt() @ ROTATION[: len(eigenvalues), : len(eigenvalues)].T
    return batches(x.numpy())


def batches(x: np.ndarray, facts: Facts = FACTS, labels: np.ndarray | None = None) -> Batches:
    labels = (x[:, :1] > 0).astype(np.int64) if labels is None else labels
    return Batches(Split(x, labels, [""] * len(x)), facts, 256)


def built(facts: Facts = FACTS, **changes: Any) -> Model:
    torch.manual_seed(0)
    return Model(Variant.model_validate({**ENTRY, **changes}), facts).eval()


def measured(model: Model, test: Batches) -> Record:
    return measure_latents(model, test.spread(64), test, 0)


@pytest.mark.parametrize(
    ("eigenvalues", "verdict", "in_use"),
    [
        ([4.0, 2.0, 1.05, 0.95, 0.5], "partly", 3),
        ([0.95, 0.95, 0.9, 0.5, 0.1], "collapsed", 0),
        ([9.0, 4.0, 2.0, 1.2, 1.05], "in use", 5),
        ([1.05, 0.95, 0.9, 0.5, 0.1], "partly", 1),
    ],
)
def test_the_verdict_is_right_on_both_sides_of_the_linear_threshold(
    eigenvalues: list[float], verdict: str, in_use: int
) -> None:
    known = torch.tensor(eigenvalues)
    model = built()
    model.network.encoder, model.network.decoder = LinearEncoder(known), LinearDecoder(known)
    record = measured(model, points(known))
    found = record.evaluation["posterior"]
    assert (found["verdict"], found["in_use"], found["of_units"]) == (verdict, in_use, SIZE)
    assert record.metrics["posterior"] == in_use / SIZE
    above = known.clamp(min=1)
    assert found["decided"] == pytest.approx((1 - 1 / above).tolist(), rel=0.15)
    error = record.metrics["shuffle_loss_standard_error"]
    assert record.metrics["shuffle_loss"] == pytest.approx(float((above - 1).sum()), abs=4 * error + 1e-6)


def test_a_trained_linear_vae_uses_the_dimensions_above_the_threshold() -> None:
    eigenvalues = torch.tensor([5.0, 2.5, 0.6, 0.5, 0.4])
    test, model = points(eigenvalues), built(latent=3)
    model.network.encoder, model.network.decoder = _Unconditional(SIZE, 6), _Unconditional(3, SIZE)
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 600)
    x, labels = points(eigenvalues, seed=1).images, test.labels
    for _ in range(600):
        adam.zero_grad()
        model(x, labels).total.backward()
        adam.step()
        schedule.step()
    found = measured(model, test).evaluation["posterior"]
    assert (found["verdict"], found["in_use"]) == ("partly", 2)
    assert sorted(found["decided"])[1:] == pytest.approx([1 - 1 / 2.5, 1 - 1 / 5], rel=0.15)


class _Unconditional(nn.Linear):
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(x)


class Known(nn.Module):
    """An encoder with means a multiple of the point, or of its label, and one variance."""

    def __init__(self, slope: float = 0.0, of_label: float = 0.0, more: int = 0) -> None:
        super().__init__()
        self.slope, self.of_label, self.more = slope, of_label, more

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        side = 0 if condition is None else self.of_label * condition[:, :1]
        return torch.cat([self.slope * x + side, torch.full_like(x, log(0.5)), x.new_zeros(len(x), self.more)], 1)


class Identity(nn.Module):
    """A decoder to z."""

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return z


@pytest.mark.parametrize("context", [0, 3])
@pytest.mark.parametrize(("slope", "verdict"), [(0.0, "collapsed"), (0.02, "collapsed"), (0.5, "in use")])
def test_a_flow_posterior_is_judged_by_its_draws(slope: float, verdict: str, context: int) -> None:
    flows = [{"name": "affine_coupling", "layers": 2}]
    model = built(posterior={"name": "flow", "flows": flows, "context": context})
    model.network.encoder, model.network.decoder = Known(slope, more=context), Identity()
    found = measured(model, points(torch.ones(SIZE), 400)).evaluation["posterior"]
    assert found["verdict"] == verdict and len(found["decided"]) == SIZE


def test_a_posterior_that_tells_the_labels_alone_has_collapsed() -> None:
    """q(z|x, y) = p(z|y): its means vary over all images, and not over those of one label."""
    model = built(condition={"embedding": None}, prior={"name": "conditional_gaussian"})
    model.network.encoder, model.network.decoder = Known(of_label=3.0), Identity()
    record = measured(model, points(torch.ones(SIZE), 400))
    assert record.metrics["active_units"] == SIZE
    found = record.evaluation["posterior"]
    assert found["verdict"] == "collapsed" and found["cause"].startswith("the posterior hardly depends on the image")
    assert found["decided"] == [0] * SIZE
    assert record.metrics["shuffle_loss"] == pytest.approx(0, abs=4 * record.metrics["shuffle_loss_standard_error"])
    model.network.encoder = Known(slope=0.5, of_label=3.0)
    assert measured(model, points(torch.ones(SIZE), 400)).evaluation["posterior"]["verdict"] == "in use"


def test_a_posterior_that_no_decoder_uses_has_collapsed() -> None:
    model = built()
    model.network.encoder, model.network.decoder = Known(0.5), LinearDecoder(torch.zeros(SIZE))
    found = measured(model, points(torch.ones(SIZE), 400)).evaluation["posterior"]
    assert (found["verdict"], found["value"], found["cause"]) == ("collapsed", 0, "the decoder makes no use of z")
    assert found["shuffle_loss"] == 0 and min(found["decided"]) > 0.2


def test_a_point_has_a_loss_but_no_verdict() -> None:
    model = built(posterior={"name": "deterministic"}, regularizer={"name": "none"})
    record = measured(model, points(torch.ones(SIZE), 100))
    assert record.evaluation["posterior"] == {"dash": "a point cannot collapse to a prior"}
    assert "shuffle_loss" in record.metrics


class Blocks(nn.Module):
    """An encoder to the mean of each block of 2 x 2 pixels, and zeros."""

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        mean = nn.functional.avg_pool2d(x, 2)
        return torch.cat([mean, torch.zeros_like(mean)], 1)


class Tiles(nn.Module):
    """A decoder that fills each block with what is above or below the middle grey."""

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return 4 * z[:, :1].repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_a_codebook_is_judged_by_its_vectors_in_use() -> None:
    facts = Facts("tiles", (1, 8, 8), 4, (-1.0, 1.0), ["half"], [["left", "right"]], counts={"train": 64})
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 4, (40, 1, 4, 4), dtype=np.uint8).repeat(2, 2).repeat(2, 3)
    test = batches(levels, facts, generator.integers(0, 2, (40, 1)))
    model = built(
        facts, network={"name": "conv", "width": 4, "depth": 1}, latent=2, prior={"name": "uniform"},
        posterior={"name": "vector_quantized", "codes": 8}, regularizer={"name": "commitment"},
    )  # fmt: skip
    model.network.encoder, model.network.decoder = Blocks(), Tiles()
    with torch.no_grad():
        model.posterior.codebook.vectors.fill_(1e6)
        model.posterior.codebook.vectors[:4] = torch.tensor([[-0.75, 0.0], [-0.25, 0.0], [0.25, 0.0], [0.75, 0.0]])
    found = measured(model, test).evaluation["posterior"]
    assert (found["verdict"], found["in_use"], found["of_units"], found["unit"]) == ("partly", 4, 8, "codes")
    with torch.no_grad():
        model.posterior.codebook.vectors[1:] = 1e6
    found = measured(model, test).evaluation["posterior"]
    assert (found["verdict"], found["cause"]) == ("collapsed", "all images are encoded as one vector")


def test_nonfinite_codes_have_no_verdict() -> None:
    model = built()
    model.network.encoder = Known(slope=float("nan"))
    record = measure_latents(model, points(torch.ones(SIZE), 50), points(torch.ones(SIZE), 50), 0)
    assert "posterior" not in record.metrics and "shuffle_loss" not in record.metrics


def test_a_single_image_has_no_verdict() -> None:
    record = measure_latents(built(), points(torch.ones(SIZE), 50), points(torch.ones(SIZE), 1), 0)
    assert record.evaluation["posterior"] == {"dash": "one image cannot be compared with others"}


def test_another_image_has_the_same_labels_or_the_nearest_ones() -> None:
    labels = torch.tensor([[0, 0, 0]] * 5 + [[1, 1, 0]] * 4 + [[1, 1, 1]])  # the last one is alone
    turns = others(labels, 50, torch.Generator().manual_seed(0))
    assert (turns != torch.arange(10)).all()
    assert (labels[turns[:, :9]] == labels[:9]).all()
    assert all(sorted(turn[:5].tolist()) == [0, 1, 2, 3, 4] for turn in turns)
    assert set(turns[:, 9].tolist()) == {5, 6, 7, 8}  # all that differ in one column, each of them at times
    assert set(turns[:, 0].tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize(("dimensions", "count"), [(1, 200), (5, 300)])
def test_the_error_of_the_shuffle_loss_is_its_deviation_over_test_images(dimensions: int, count: int) -> None:
    """Each image counts twice: as the one that is decoded, and as the one whose z is given away."""
    values, errors = [], []
    for seed in range(400):
        generator = torch.Generator().manual_seed(seed)
        x = 2 * torch.randn(count, dimensions, generator=generator)
        turns = raw_collapse.others(torch.zeros(count, 1), raw_collapse.TURNS, generator)
        each = torch.stack([(x - x[turn]).square().sum(1) / 2 for turn in turns])
        given = torch.zeros(count).index_add(0, turns.flatten(), each.flatten()) / len(turns)
        found = shuffle_loss(each.mean(0), given)
        values.append(found.value)
        errors.append(found.standard_error)
    assert 0.95 < np.mean(errors) / np.std(values) < 1.2
