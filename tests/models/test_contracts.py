"""Every part of every family, as found on disk, works in every step: training, drawing, measuring, saving, a device."""

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from tests.made_up import OF_RUN
from tests.models.own_part import own_part
from tests.models.test_accelerator import assert_step_stays_on_device
from tests.test_every_entry import smaller
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation.latents import measure_latents
from vaeline.models.estimators.around_modes import around_modes
from vaeline.models.estimators.availability import why_no_likelihood
from vaeline.models.estimators.from_posterior import from_posterior
from vaeline.models.model import Model
from vaeline.models.shape_checks import check_shapes
from vaeline.runs import model_files
from vaeline.study import parts
from vaeline.study.parts import PartOptions
from vaeline.study.schema import Training, Variant
from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.density_fit import fit_density
from vaeline.training.job import Job
from vaeline.training.loop import train
from vaeline.training.pretraining import pretrain

BATCH, BATCHES = 8, 3
FACTS = Facts(
    "tiny", (1, 8, 8), 17, (0.0, 1.0), ["kind"], [["dark", "bright"]],
    counts={"train": BATCH * BATCHES, "validation": BATCH, "test": BATCH},
)  # fmt: skip
# What a part may need of the images: pixels without noise, or a size.
KINDS = [
    FACTS, replace(FACTS, pixels="greys"),
    *(replace(FACTS, image_shape=shape) for shape in ((1, 28, 28), (3, 32, 32), (3, 64, 64))),
]  # fmt: skip
VECTORS: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [16]}, "latent": 3, "condition": {"embedding": 2}, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip
# Systems in which one part is replaced by that of a test.
PARTNERS: list[dict[str, Any]] = [
    VECTORS,
    {**VECTORS, "condition": {"embedding": 2, "encoder": False}},
    {**VECTORS, "condition": None},
    {**VECTORS, "regularizer": {"name": "none"}},
    {**VECTORS, "posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}},
    {
        **VECTORS, "network": {"name": "conv", "depth": 2}, "posterior": {"name": "vector_quantized"}, "prior": {"name": "uniform"},
        "regularizer": {"name": "commitment"},
    },
    {
        **VECTORS, "network": {"name": "conv", "depth": 2}, "latent": 4, "posterior": {"name": "finite_scalar"},
        "prior": {"name": "uniform"}, "regularizer": {"name": "none"},
    },
    {**VECTORS, "network": {"name": "conv", "depth": 2}, "posterior": {"name": "gaussian_map"}},
]  # fmt: skip
KEYS = {
    "networks": "network", "posteriors": "posterior", "priors": "prior", "likelihoods": "likelihood",
    "regularizers": "regularizer", "bounds": "bound", "densities": "density",
}  # fmt: skip
PLACES: dict[str, list[Callable[[Any], dict[str, Any]]]] = {
    **{family: [lambda part, key=key: {key: part}] for family, key in KEYS.items()},  # type: ignore[misc]
    "label_encoders": [lambda part: {"condition": {"embedding": 2, "labels": part}}],
    "flows": [
        lambda flow: {"prior": {"name": "decoupled", "flow": flow}},
        lambda flow: {"posterior": {"name": "flow", "flows": [flow]}},
        lambda flow: {"posterior": {"name": "flow", "flows": [flow], "context": 2}},
    ],
}
CASES = [
    (family, name, place)
    for family, places in PLACES.items()
    for name in parts.names(family)
    for place in range(len(places))
]


class Trained(NamedTuple):
    model: Model
    facts: Facts
    split: Split
    batches: Batches


def systems(family: str, name: str, place: int) -> Iterator[tuple[Variant, Facts]]:
    """Tiny systems with a part among partners, on images of each kind."""
    for partners, facts in itertools.product(PARTNERS, KINDS):
        entry = Variant.model_validate({**partners, **PLACES[family][place]({"name": name})})
        yield Variant.model_validate(smaller(entry.model_dump(mode="json"))), facts


def model_of(family: str, name: str, place: int) -> tuple[Model, Facts]:
    """The first system that the checks of its parts accept."""
    refused = []
    for variant, facts in systems(family, name, place):
        try:
            torch.manual_seed(0)
            return Model(variant, facts), facts
        except UserError as error:
            refused.append(str(error))
    pytest.fail(f"no partners go with {name} of {family}: {set(refused)}; add some to PARTNERS")


def split(facts: Facts) -> Split:
    generator = np.random.default_rng(0)
    count = facts.counts["train"]
    labels = np.arange(count)[:, None] % 2
    images = generator.integers(0, facts.levels, (count, *facts.image_shape)).astype(np.uint8)
    return Split(images, labels, [str(row) for row in range(count)])


def trained_for_an_epoch(model: Model, facts: Facts, folder: Path) -> Trained:
    images = split(facts)
    batches = Batches(images, facts, BATCH)
    settings = Training(epochs=1, batch_size=BATCH, learning_rate=0.001, device="cpu")
    job = Job(model, batches, batches, settings, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pretrain(model, batches, 0, Checkpoints("c", {}))
        train(job, Checkpoints("a", {}), Fabric(accelerator="cpu", devices=1), lambda row: None)
        if model.density is not None:
            fit_density(model, batches, 0, Checkpoints("b", {}))
    return Trained(model.eval(), facts, images, batches)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    torch.set_num_threads(1)
    return trained_for_an_epoch(*model_of(*request.param), tmp_path_factory.mktemp("run"))


def assert_draws(trained: Trained) -> None:
    model, facts, _, batches = trained
    x, labels = next(batches.ordered(0))
    with torch.no_grad():
        for images in (model.reconstruct(x, labels), model.decode(model.draw(labels), model.condition(labels))):
            assert images.shape == (len(labels), *facts.image_shape) and images.isfinite().all()


def assert_measured(trained: Trained) -> None:
    model, _, _, batches = trained
    x, labels = next(batches.ordered(0))
    record = measure_latents(model, batches, batches, 0)
    assert record.metrics.keys() | record.evaluation.keys() and all(map(isfinite, record.metrics.values()))
    with torch.no_grad():
        assert model.elbo(x, labels).distortion.isfinite().all()
    if why_no_likelihood(model):
        assert model.posterior.kind in ("point", "discrete") or model.latent_density.log_prob_error is not None
        return
    torch.manual_seed(0)
    x, labels = x[:3], labels[:3]
    of_posterior = from_posterior(model, model.likelihood, x, labels, samples=500)
    of_modes = around_modes(model, model.likelihood, x, labels, samples=100).at(0)
    assert of_posterior.log_prob.shape == of_modes.log_prob.shape == (3,)
    difference, error = of_modes.log_prob - of_posterior.log_prob, (of_modes.variance + of_posterior.variance).sqrt()
    assert (difference > -5 * error - 0.02).all()  # samples of q(z|x) may lie below


def assert_survives_saving(trained: Trained, folder: Path) -> None:
    model, facts, _, batches = trained
    model_files.save(folder, model, facts, OF_RUN)
    again, _ = model_files.load(folder)
    x, labels = next(batches.ordered(0))
    drawn = []
    for each in (model, again):
        torch.manual_seed(3)
        with torch.no_grad():
            drawn.append(
                torch.stack([each.reconstruct(x, labels), each.decode(each.draw(labels), each.condition(labels))])
            )
    torch.testing.assert_close(*drawn)


@pytest.mark.parametrize("family", PLACES)
def test_an_error_takes_the_name_of_a_part_from_its_options(family: str) -> None:
    """Otherwise a copy of the part, under another name, would name the part that it was copied from."""
    kind = {"label_encoders": "label encoder", "flows": "flow", **KEYS}[family]
    for name in parts.names(family):
        nodes = list(ast.walk(ast.parse(parts.file(family, name).read_text())))
        documented = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        written = [str(node.value) for node in nodes if isinstance(node, ast.Constant) and id(node) not in documented]
        assert not [text for text in written if re.search(rf"\b{kind} {name}\b", text)], name


def test_a_part_draws_and_reconstructs(trained: Trained) -> None:
    assert_draws(trained)


def test_a_part_is_measured(trained: Trained) -> None:
    assert_measured(trained)


def test_a_part_survives_saving(trained: Trained, tmp_path: Path) -> None:
    assert_survives_saving(trained, tmp_path)


@pytest.mark.parametrize(("family", "name", "place"), CASES)
def test_a_step_with_a_part_stays_on_its_device(
    family: str, name: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, facts = model_of(family, name, place)
    assert_step_stays_on_device(model, facts, split(facts), monkeypatch)


# A prior that follows the contract to the letter: it has no parameter and no buffer, and draws on the CPU.
STUDENT_T = '''
"""Independent Student-t distributions."""

from math import lgamma, log, pi

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Prior
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    degrees: float = Field(5.0, gt=2, description="degrees of freedom")


def build(options: Options, context: Context) -> "StudentT":
    return StudentT(options.degrees, vector_size(context, f"prior {options.name}"))


class StudentT(Prior):
    def __init__(self, degrees: float, size: int) -> None:
        super().__init__()
        self.degrees, self.size = degrees, size

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        n = self.degrees
        constant = lgamma((n + 1) / 2) - lgamma(n / 2) - 0.5 * log(pi * n)
        return (constant - (n + 1) / 2 * (z.square() / n).log1p()).sum(1)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        chi_squared = torch.randn(count, self.size, int(self.degrees)).square().sum(2)
        return torch.randn(count, self.size) * (self.degrees / chi_squared).sqrt()
'''


PAGE = (Path(__file__).parents[2] / "docs/own_parts.md").read_text(encoding="utf-8")
EXAMPLE_OF_PAGE = PAGE.split("```python\n")[1].split("```")[0]


@pytest.mark.parametrize(
    ("source", "regularizer"),
    [(STUDENT_T, "kl"), (STUDENT_T, "mmd"), (STUDENT_T, "total_correlation"), (EXAMPLE_OF_PAGE, "kl")],
    ids=["kl", "mmd", "total_correlation", "example_of_own_parts"],
)
def test_a_prior_without_parameter_or_buffer_works_in_every_step(
    source: str,
    regularizer: str,
    write_part: Callable[[str, str], PartOptions],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_part("priors", source)
    variant = Variant.model_validate({**VECTORS, "prior": {"name": "mine"}, "regularizer": {"name": regularizer}})
    model = Model(variant, FACTS)
    assert not model.prior.state_dict() and not [*model.prior.parameters(), *model.prior.buffers()]
    trained = trained_for_an_epoch(model, FACTS, tmp_path)
    assert_draws(trained)
    assert_measured(trained)
    assert "skl" in measure_latents(model, trained.batches, trained.batches, 0).metrics
    assert_survives_saving(trained, tmp_path)
    assert_step_stays_on_device(Model(variant, FACTS), FACTS, trained.split, monkeypatch)


SHARPNESS = own_part(
    "Regularizer",
    """
    trains_prior = "density"

    def __call__(self, batch):
        edges, edges_of_x = (images.diff(dim=3).abs().flatten(1).sum(1) for images in (batch.reconstruction, batch.x))
        return Terms({"kl": batch.rate, "edges": (edges - edges_of_x).square()})
""",
)


def test_a_regularizer_may_compare_images_with_their_reconstructions(
    write_part: Callable[[str, str], PartOptions], tmp_path: Path
) -> None:
    write_part("regularizers", SHARPNESS)
    model = Model(Variant.model_validate({**VECTORS, "regularizer": {"name": "mine"}}), FACTS)
    x, labels = next(Batches(split(FACTS), FACTS, BATCH).ordered(0))
    model(x, labels).terms["edges"].backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.network.parameters())
    trained_for_an_epoch(model, FACTS, tmp_path)


NO_MAP = """
from torch import nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    return Network(nn.Identity(), nn.Identity())
"""


def test_a_posterior_of_maps_refuses_a_network_of_vectors(
    write_part: Callable[[str, str], PartOptions],
) -> None:
    write_part("networks", NO_MAP)
    with pytest.raises(UserError, match="network mine ends in a vector, but posterior vector_quantized needs a map"):
        Model(
            Variant.model_validate({**VECTORS, "network": {"name": "mine"}, "posterior": {"name": "vector_quantized"}}),
            FACTS,
        )


FLAWS = {
    "log_prob": (
        ".log1p()).sum(1)",
        ".log1p()).sum()",
        r"log_prob of prior mine returned shape \(\) for 2 images; it must return \(2,\)",
    ),
    "sample": (
        "torch.randn(count, self.size) * (self.degrees / chi_squared).sqrt()",
        "torch.randn(count)",
        r"sample of prior mine returned shape \(2,\) for 2 images",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "sentence"), FLAWS.values(), ids=FLAWS)
def test_a_prior_of_wrong_shapes_is_refused_before_training(
    right: str, wrong: str, sentence: str, write_part: Callable[[str, str], PartOptions]
) -> None:
    assert STUDENT_T.count(right) == 1
    write_part("priors", STUDENT_T.replace(right, wrong))
    model = Model(Variant.model_validate({**VECTORS, "prior": {"name": "mine"}}), FACTS)
    with pytest.raises(UserError, match=sentence):
        check_shapes(model, FACTS)


NETWORK = """
from torch import nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import Half
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, posterior.features))
    decoder = nn.Sequential(nn.Linear(context.latent_shape[0], 64), nn.Unflatten(1, context.image_shape))
    return Network(Half(encoder), Half(decoder))
"""
FLAWED_NETWORKS = {
    "features": (
        "posterior.features)",
        "10)",
        r"encoder of network mine returned shape \(2, 10\) for 2 images; it must return \(2, 6\), the numbers that posterior gaussian "
        "needs of each image; end it in a layer of 6 numbers",
    ),
    "image": (
        "context.image_shape)",
        "(1, 16, 4))",
        r"decoder of network mine returned shape \(2, 1, 16, 4\) .* end it in a layer that gives 1 channels of 8x8 pixels",
    ),
    "input": (
        "nn.Linear(64, posterior",
        "nn.Linear(63, posterior",
        r"encoder of network mine fails on \(2, 1, 8, 8\) \(",
    ),
    "call": ("Half(encoder)", "encoder", "encoder of network mine fails on .* a condition, .* must take both"),
    "decoder's call": ("Half(decoder)", "decoder", r"decoder of network mine fails on \(2, 3\) .* must take both"),
    "tuple": ("Half(encoder)", "Half(nn.LSTM(8, 1))", "encoder of network mine fails on"),
}


def own_network() -> Model:
    return Model(Variant.model_validate({**VECTORS, "condition": None, "network": {"name": "mine"}}), FACTS)


def test_any_module_can_be_a_network(write_part: Callable[[str, str], PartOptions], tmp_path: Path) -> None:
    write_part("networks", NETWORK)
    check_shapes(own_network(), FACTS)
    assert_draws(trained_for_an_epoch(own_network(), FACTS, tmp_path))


@pytest.mark.parametrize(("right", "wrong", "sentence"), FLAWED_NETWORKS.values(), ids=FLAWED_NETWORKS)
def test_a_network_of_wrong_shapes_is_refused_with_what_would_work(
    right: str, wrong: str, sentence: str, write_part: Callable[[str, str], PartOptions]
) -> None:
    assert NETWORK.count(right) == 1
    write_part("networks", NETWORK.replace(right, wrong))
    with pytest.raises(UserError, match=sentence):
        check_shapes(own_network(), FACTS)


HALVED = own_part(
    "vaeline.models.posteriors.gaussian.Gaussian",
    """
    def decoder_input(self, z):
        return z[:, :1]
""",
    "context.latent_shape[0], False",
)


def test_a_posterior_that_gives_the_decoder_another_shape_is_refused(
    write_part: Callable[[str, str], PartOptions],
) -> None:
    write_part("posteriors", HALVED)
    model = Model(Variant.model_validate({**VECTORS, "posterior": {"name": "mine"}}), FACTS)
    sentence = r"decoder_input of posterior mine returned shape \(2, 1\) for 2 images; it must return \(2, 3\)"
    with pytest.raises(UserError, match=sentence):
        check_shapes(model, FACTS)


def test_a_regularizer_of_wrong_shapes_is_refused_before_training(
    write_part: Callable[[str, str], PartOptions],
) -> None:
    write_part(
        "regularizers", SHARPNESS.replace("(edges - edges_of_x).square()", "(edges - edges_of_x).square().mean()")
    )
    model = Model(Variant.model_validate({**VECTORS, "regularizer": {"name": "mine"}}), FACTS)
    with pytest.raises(UserError, match=r"term edges of regularizer mine returned shape \(\) for 2 images"):
        check_shapes(model, FACTS)


def test_an_own_regularizer_of_images_needs_a_likelihood_with_a_mean(
    write_part: Callable[[str, str], PartOptions],
) -> None:
    write_part("regularizers", SHARPNESS)
    greys = replace(FACTS, pixels="greys")
    model = Model(
        Variant.model_validate({**VECTORS, "regularizer": {"name": "mine"}, "likelihood": {"name": "pixelcnn"}}), greys
    )
    with pytest.raises(
        UserError, match="the regularizer compares images with the mean of .* this likelihood can only draw"
    ):
        check_shapes(model, greys)


ONE_ROW = own_part(
    "LabelEncoder",
    """
    size, columns = 4, 1

    def forward(self, labels):
        return torch.zeros(1, 4)
""",
)


def test_a_condition_of_another_shape_is_refused(write_part: Callable[[str, str], PartOptions]) -> None:
    write_part("label_encoders", ONE_ROW)
    condition = {"embedding": 2, "labels": {"name": "mine"}}
    model = Model(Variant.model_validate({**VECTORS, "condition": condition}), FACTS)
    with pytest.raises(
        UserError, match=r"label encoder mine returned shape \(1, 4\) for 2 images; it must return \(2, 4\)"
    ):
        check_shapes(model, FACTS)


SCALAR_DENSITY = own_part(
    "Density",
    """
    epochs = 1

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def log_prob(self, z, condition):
        return z.square().sum()

    def sample(self, count, condition):
        return torch.zeros(count, *self.shape)

    def fit(self, latents, condition, seed, state):
        yield {"epoch": 1, "loss": 0.0}
""",
    "context.latent_shape",
)


def test_a_density_of_wrong_shapes_is_refused_before_training(write_part: Callable[[str, str], PartOptions]) -> None:
    write_part("densities", SCALAR_DENSITY)
    model = Model(Variant.model_validate({**VECTORS, "density": {"name": "mine"}}), FACTS)
    with pytest.raises(
        UserError, match=r"log_prob of density mine returned shape \(\) for 2 images; it must return \(2,\)"
    ):
        check_shapes(model, FACTS)


NO_TERMS = own_part(
    "Regularizer",
    """
    trains_prior, adds_terms, limits_posterior = "nothing", False, False

    def __call__(self, batch):
        return Terms({})
""",
)


def test_a_bound_with_the_rate_takes_any_regularizer_without_terms(
    write_part: Callable[[str, str], PartOptions],
) -> None:
    write_part("regularizers", NO_TERMS)
    bound = {"name": "importance_weighted"}
    Model(Variant.model_validate({**VECTORS, "regularizer": {"name": "mine"}, "bound": bound}), FACTS)


@pytest.mark.parametrize(("family", "name", "place"), CASES)
def test_every_part_returns_the_shapes_of_its_contract(family: str, name: str, place: int) -> None:
    model, facts = model_of(family, name, place)
    check_shapes(model, facts)
