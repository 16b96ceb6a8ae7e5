"""Parts found by name: one class of options, and the check of a part against its contract."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from vaeline.models.contracts import Context, Likelihood, Posterior, Prior
from vaeline.study import parts
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError

Write = Callable[[str, str], PartOptions]
OF_FAMILIES = [(family, name) for family in parts.OWN_FAMILIES for name in parts.names(family)]


@pytest.mark.parametrize(("family", "name"), OF_FAMILIES)
def test_every_part_can_be_imported(family: str, name: str) -> None:
    assert parts.module(family, name).__name__ == parts.module_name(family, name)


OPTIONS = """
import torch
from torch import Tensor, nn
from vaeline.models.contracts import Likelihood, Posterior, Prior
from vaeline.models.latent import PointLatent
from vaeline.study.parts import PartOptions

class Options(PartOptions):
    pass
"""
PRIOR = """
def build(options, context):
    return Mine()

class Mine(Prior):
    def log_prob(self, z, condition):
        return -z.square().sum(1)

    def sample(self, count, condition):
        return torch.randn(count, 2)
"""
POSTERIOR = """
def build(options, context):
    return Mine()

class Mine(Posterior):
    kind = "point"
    features = 2

    def forward(self, features):
        return PointLatent(features)

    def centre(self, features):
        return features
"""
LIKELIHOOD = """
def build(options, context):
    return Mine()

class Mine(Likelihood):
    kind = "none"
    sigma = None

    def mean(self, h):
        return h

    def log_prob(self, x, h):
        return -(x - h).square().flatten(1).sum(1)

    def curvature(self, x, h):
        return 2 + 0 * h

    def sample(self, h):
        return h
"""


@pytest.mark.parametrize("first", ["read", "imported"])
def test_options_are_one_class_read_or_imported_first(first: str, write_part: Write) -> None:
    options = write_part("priors", OPTIONS + PRIOR) if first == "read" else None
    if options is None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "validate", lambda family, value: None)
            write_part("priors", OPTIONS + PRIOR)
        import_module(parts.module_name("priors", "mine"))
        options = parts.validate("priors", {"name": "mine"})
    imported = import_module(parts.module_name("priors", "mine"))
    assert type(options) is imported.Options is parts.options_class("priors", "mine")


def test_a_source_read_anew_gives_new_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for folder, key in (("a", "width"), ("b", "depth")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"class Options(PartOptions):\n    {key}: int = 1\n\nbuild = None\n")
        monkeypatch.setattr(parts, "folder", lambda family, folder=folder: tmp_path / folder)
        found.append(parts.validate("priors", {"name": "mine"}).model_dump())
    assert found == [{"name": "mine", "width": 1}, {"name": "mine", "depth": 1}]


def test_options_of_another_base_are_refused(write_part: Write) -> None:
    with pytest.raises(
        UserError, match=r"mine.py is not derived from PartOptions; write `class Options\(PartOptions\):`"
    ):
        write_part("priors", "class Options:\n    pass\n")


@pytest.mark.parametrize(
    ("contract", "source"),
    [(Prior, PRIOR), (Posterior, POSTERIOR), (Likelihood, LIKELIHOOD)],
    ids=lambda each: str(each),
)
def test_a_part_that_keeps_its_contract_is_built(
    contract: type[Prior], source: str, write_part: Write, context: Context
) -> None:
    assert isinstance(parts.build(contract, write_part(contract.family, OPTIONS + source), context), contract)


BROKEN = {
    "a build of fewer arguments": (
        Prior,
        "def build(options):\n    pass\n",
        "build in .*mine.py does not take the 2 arguments",
    ),
    "a sampler of fewer arguments": (
        Prior,
        PRIOR.replace("def sample(self, count, condition)", "def sample(self, count)"),
        r"sample does not take \(count, condition\); define it as the contract describes it",
    ),
    "no call of the constructor": (
        Prior,
        PRIOR.replace(
            "class Mine(Prior):\n", "class Mine(Prior):\n    def __init__(self):\n        nn.Module.__init__(self)\n"
        ),
        r"it has no attribute flow; .*or call super\(\).__init__\(\), which sets the defaults",
    ),
    "a build that is no function": (Prior, "build = 3\n", "has a build that is 3; define build"),
    "another class": (
        Prior,
        "def build(options, context):\n    return nn.Linear(1, 1)\n",
        "returned an object of class Linear; it must return a Prior: derive the class from that",
    ),
    "a class of another family": (
        Posterior,
        PRIOR,
        "returned an object of class Mine; it must return a Posterior",
    ),
    "no sampler": (
        Prior,
        PRIOR.replace("def sample", "def draw"),
        "Mine in .*mine.py breaks the contract of Prior: it does not define sample, which callers use",
    ),
    "a word for a truth value": (
        Prior,
        PRIOR.replace("class Mine(Prior):\n", 'class Mine(Prior):\n    conditional = "yes"\n'),
        "conditional is 'yes', which is not of type bool; set it to a value of that type",
    ),
    "no number of features": (
        Posterior,
        POSTERIOR.replace("    features = 2\n", ""),
        "it has no attribute features; set it to a value of type int",
    ),
    "an unknown kind": (
        Posterior,
        POSTERIOR.replace('"point"', '"code"'),
        "kind is 'code', which is not of type 'point' or 'gaussian' or 'flow' or 'ladder' or 'discrete'",
    ),
    "a Gaussian without its mean": (
        Posterior,
        POSTERIOR.replace('"point"', '"gaussian"'),
        "its kind is 'gaussian', but it does not define parameters_of; define it, or set another kind",
    ),
    "a point with a codebook": (
        Posterior,
        POSTERIOR.replace("features = 2\n", "features = 2\n    codebook_size = 4\n"),
        "its kind is 'point', but codebook_size is 4; the size is above 0 if and only if the kind is 'discrete'",
    ),
    "a sigma without a value": (
        Likelihood,
        LIKELIHOOD.replace('"none"', '"constant"'),
        "its kind is 'constant', but sigma is None",
    ),
}


@pytest.mark.parametrize(("contract", "source", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_part_that_breaks_its_contract_is_reported(
    contract: type[Prior], source: str, sentence: str, write_part: Write, context: Context
) -> None:
    options = write_part(contract.family, OPTIONS + source)
    with pytest.raises(UserError, match=sentence) as error:
        parts.build(contract, options, context)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_part_without_build_is_refused_before_it_is_imported(write_part: Write) -> None:
    sentence = r"mine.py has no build; define build\(options, context\), a function that returns the part"
    with pytest.raises(UserError, match=sentence):
        write_part("priors", OPTIONS)
    assert parts.module_name("priors", "mine") not in sys.modules


NO_BUILD = "build = None\n"
FETCHING = """
def fetch(options, data):
    (data / "weights").write_text("fetched")

def require(options, data):
    assert (data / "weights").exists()
"""


def test_a_part_fetches_what_it_needs(write_part: Write, tmp_path: Path) -> None:
    options = write_part("features", OPTIONS + FETCHING + NO_BUILD)
    parts.fetch("features", options, tmp_path)
    parts.require("features", options, tmp_path)
    assert (tmp_path / "weights").read_text() == "fetched"


def test_a_part_that_fetches_nothing_is_not_imported(write_part: Write, tmp_path: Path) -> None:
    options = write_part("features", OPTIONS + NO_BUILD)
    parts.fetch("features", options, tmp_path)
    parts.require("features", options, tmp_path)
    assert parts.module_name("features", "mine") not in sys.modules


def test_backups_of_a_part_are_no_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine.py", "mine.py~", "mine.py.orig", ".#mine.py", "._mine.py", ".mine.py.swp", "_shared.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(parts, "folder", lambda family: tmp_path)
    assert parts.names("priors") == ["mine"]
