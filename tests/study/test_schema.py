"""The schema of a study: what it accepts, and its errors."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from vaeline.study import parts, ready_studies
from vaeline.study.reading import check, check_resolved, load, read_yaml
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]
MISSING = object()


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    return load(ROOT / "params.yaml").model_dump(mode="json")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "dataset.options.class_name is missing"),
        ({"class_name": 3}, "dataset.options.class_name is 3, but should be a valid string"),
        (
            {"class": "MNIST"},
            "dataset.options has no key 'class'; did you mean class_name? Allowed are: class_name, arg",
        ),
        (
            {"name": "MNIST", "class_name": "MNIST"},
            "dataset.options has no key 'name'; allowed are: class_name, arguments",
        ),
    ],
)
def test_a_mistake_in_the_keys_of_a_data_set_is_named(
    digits: dict[str, Any], options: dict[str, Any], sentence: str
) -> None:
    content = with_change(with_change(digits, "dataset.name", "torchvision"), "dataset.options", options)
    with pytest.raises(UserError) as error:
        check(content, Path("params.yaml"))
    assert f"params.yaml: {sentence}" in str(error.value)


def test_the_keys_of_a_data_set_get_their_defaults(digits: dict[str, Any]) -> None:
    content = with_change(
        with_change(digits, "dataset.name", "torchvision"), "dataset.options", {"class_name": "MNIST"}
    )
    assert check(content, Path("params.yaml")).dataset.options == {"class_name": "MNIST", "arguments": {}}
    with pytest.raises(UserError, match="lacks `dataset.options.arguments: {}`; add it"):
        check_resolved(content, Path("params.yaml"))


def with_change(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(content)
    *above, last = path.split(".")
    node = changed
    for step in above:
        node = node[step]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("training.epoch", 3, "training.epoch is not a known key; did you mean epochs? Allowed are: epochs, patience"),
        (
            "training.learning_rte",
            0.1,
            "training.learning_rte is not a known key; did you mean learning_rate? Allowed are: epochs",
        ),
        ("x", 1, "x is not a known key; allowed are: study, dataset, training"),
        (
            "variants.cvae.latents",
            3,
            "variants.cvae.latents is not a known key; did you mean latent? Allowed are: network, latent",
        ),
        (
            "variants.cvae.condition.embeding",
            3,
            "variants.cvae.condition.embeding is not a known key; did you mean embedding? Allowed are: embedding",
        ),
        (
            "variants.cvae_nf.prior.flow.layer",
            4,
            "variants.cvae_nf.prior.flow has no key 'layer'; did you mean layers? Allowed are: name, layers",
        ),
        ("training.epochs", 0, "training.epochs is 0, but should be greater than or equal to 1"),
        ("study.seeds", [], "study.seeds holds 0, but should hold at least 1."),
        ("training.epochs", "many", "training.epochs is 'many', but should be a valid integer"),
        ("training.precision", "fp16", "training.precision is 'fp16', but should be '32-true' or 'bf16-mixed'"),
        ("variants.cvae_nf.prior.flow.layers", 0, "variants.cvae_nf.prior.flow.layers is 0, but should be greater"),
        (
            "variants.cvae.prior",
            {"name": "flowy"},
            "variants.cvae.prior has name 'flowy', which is no file of vaeline/models/priors",
        ),
        (
            "variants.cvae.prior",
            {"name": "standrad"},
            "'standrad', which is no file of vaeline/models/priors or parts/priors; did you mean standard? There are: ",
        ),
        ("variants.cvae.prior", "standard", "variants.cvae.prior is 'standard', but must be an entry with a name"),
        ("variants.cvae.latent", MISSING, "variants.cvae.latent is missing"),
        (
            "study.variants",
            ["cvae", "vae"],
            "study.variants names 'vae', which is not an entry of `variants`; the entries are: gaussian_cvae",
        ),
        ("study.seeds", [1, 1], "study.seeds is [1, 1], but must name each once"),
        ("study.primary", ["nll", "nll"], "study.primary is ['nll', 'nll'], but must name each once"),
        ("study.primary", ["a", "b", "c", "d"], "study.primary holds 4, but should hold at most 3."),
        ("study.baseline", "vae", "baseline is 'vae'; take one of study.variants: gaussian_cvae, cvae, cvae_nf"),
        ("study.looks", [3, 4], "seeds lists 5, and looks are declared at 3, 4 seeds; list as many as at one look"),
        ("study.looks", [5, 3], "study.looks is [5, 3], but must ascend, as in [3, 5, 10]"),
        ("study.looks", [1, 5], "study.looks.0 is 1, but should be greater than or equal to 2"),
        ("classifier.seeds", [], "classifier.seeds holds 0, but should hold at least 1."),
        ("classifier.seeds", [4, 1, 4], "classifier.seeds is [4, 1, 4], but must name each once"),
        ("classifier.seeds", [-1], "classifier.seeds.0 is -1, but should be greater than or equal to 0"),
        ("classifier.seeds", [0, True], "classifier.seeds.1 is True, but should be a valid integer"),
        ("classifier.seeds", 3, "classifier.seeds is 3, but should be a valid list"),
        ("classifier.seeds", list(range(5000)), "classifier.seeds holds 5,000, but should hold at most 20."),
        ("study.name", "My study", "study.name is 'My study', but"),
        (
            "dataset.split.test",
            0.95,
            "dataset.split validation 0.1 and test 0.95 add up to 1.05, which leaves no image to train on; take shares",
        ),
        (
            "dataset.name",
            "digit",
            "dataset.name is 'digit', but must be a file of vaeline/data/sets or parts/sets; did you mean digits? There are: ",
        ),
        ("dataset.options", {"side": 8}, "dataset.options digits has no keys of its own; set it to {}"),
        ("dataset.range", [1, 0], "dataset.range is [1, 0], but must ascend"),
        (
            "dataset.size",
            3,
            "dataset.size is 3, but must be a whole number from 4 to 512, [height, width] of two such numbers",
        ),
        ("dataset.size", [8, 8, 8], "dataset.size is [8, 8, 8], but must be a whole number from 4 to 512"),
        ("dataset.size", [8, 1000], "dataset.size is [8, 1000], but must be a whole number from 4 to 512"),
        ("dataset.size", True, "dataset.size is True, but must be a whole number from 4 to 512"),
        ("dataset.labels", "none", "dataset.labels none leaves no label to train evaluation.features classifier on"),
        (
            "training.validate_every",
            7,
            "epochs 120 must be a multiple of validate_every 7, because the last epoch is validated; set validate_every to 6 or 8, or epochs "
            "to 119 or 126.",
        ),
        ("training.validate_every", 77, "; set validate_every to 60 or 120, or epochs to 77 or 154."),
        ("training.validate_every", 10**15, "; set validate_every to 120, or epochs to 1000000000000000."),
        ("training.validate_every", 200, "; set validate_every to 120, or epochs to 200."),
        ("training.betas", [0.9, 1.0], "training.betas.1 is 1.0, but should be less than 1"),
        (
            "training",
            {"epochs": 4, "learning_rate": 0.1, "schedule": "cosine", "milestones": [2]},
            "schedule cosine has no milestones",
        ),
        (
            "variants.cvae.training",
            {"rate": 1},
            "variants.cvae.training has rate, which is no key of training; allowed are: epochs",
        ),
        (
            "variants.cvae.training",
            {"device": "cpu"},
            "variants.cvae.training has device, which is the study's, the same for all",
        ),
        ("training.processes", 0, "training.processes is 0, but should be greater than or equal to 1"),
        (
            "training",
            {"epochs": 4, "learning_rate": 0.1, "batch_size": 3, "processes": 4},
            "batch_size 3 is too small for 4 processes, which share each batch; set batch_size to 4 or more, or processes to 3 or less",
        ),
        (
            "variants.cvae.training",
            {"processes": 2},
            "variants.cvae.training has processes, which is the study's, the same for all",
        ),
        ("variants.cvae.training", {"eps": 0}, "variants.cvae.training: eps is 0, but should be greater than 0"),
        ("variants.cvae.training", {"validate_every": 7}, "variants.cvae.training: epochs 120 must be a multiple of"),
    ],
)
def test_a_mistake_is_named_with_place_and_allowed_values(
    digits: dict[str, Any], path: str, value: Any, sentence: str
) -> None:
    digits = with_change(digits, "training.epochs", 120)
    with pytest.raises(UserError) as error:
        check(with_change(digits, path, value), Path("params.yaml"))
    assert sentence in str(error.value)
    assert str(error.value).startswith("params.yaml: ") and "\n" not in str(error.value)


def test_a_variant_that_runs_needs_the_labels_that_its_model_has(digits: dict[str, Any]) -> None:
    unlabelled = with_change(digits, "dataset.labels", "none")
    unlabelled = with_change(unlabelled, "evaluation.features", {"name": "principal_components"})
    with pytest.raises(
        UserError,
        match="^params.yaml: variants.gaussian_cvae takes labels, but dataset.labels is none; set its condition to "
        "null, or remove gaussian_cvae from study.variants.$",
    ):
        check(unlabelled, Path("params.yaml"))
    alone = with_change(with_change(unlabelled, "study.variants", ["cvae"]), "variants.cvae.condition", None)
    check(alone, Path("params.yaml"))  # the other variants do not run


@pytest.mark.parametrize("size", [8, [28, 12]])
def test_a_network_for_another_size_of_images_is_refused(digits: dict[str, Any], size: int | list[int]) -> None:
    content = with_change(digits, "variants.cvae.network", {"name": "dpvae_mnist"})
    check(with_change(content, "dataset.size", [28, 28]), Path("params.yaml"))
    content = with_change(content, "dataset.size", size)
    sentence = f"variants.cvae: network dpvae_mnist takes images of 28x28, but dataset.size is {size}; take network conv or mlp, or set "
    with pytest.raises(UserError) as refused:
        check(content, Path("params.yaml"))
    assert str(refused.value) == f"params.yaml: {sentence}dataset.size to 28."
    check(with_change(content, "study.variants", ["gaussian_cvae"]), Path("params.yaml"))  # cvae does not run


@pytest.mark.parametrize(
    ("path", "value", "remedy"),
    [
        ("training.flip", True, "set flip to false and rotation to 0 in training"),
        ("classifier.rotation", 5.0, "set flip to false and rotation to 0 in classifier"),
        ("evaluation.features", {"name": "inception"}, "set evaluation.features to classifier"),
    ],
)
@pytest.mark.parametrize("labels", ["all", "none"])
def test_points_have_no_augmentation_or_inception_features(
    digits: dict[str, Any], path: str, value: Any, remedy: str, labels: str
) -> None:
    points = with_change(digits, "dataset.size", None)
    if labels == "none":
        points = with_change(with_change(points, "dataset.labels", "none"), "study.variants", ["gaussian_cvae"])
        points = with_change(points, "variants.gaussian_cvae.condition", None)
    check(points, Path("params.yaml"))
    with pytest.raises(UserError, match=f"size null means points, which .*; {remedy}"):
        check(with_change(points, path, value), Path("params.yaml"))


def test_points_have_no_pixels(digits: dict[str, Any]) -> None:
    points = with_change(digits, "dataset.size", None)
    for key, value in (("range", [0, 1]), ("pixels", "greys")):
        with pytest.raises(UserError, match="points, which have no pixels; leave pixels at dequantized, range at"):
            check(with_change(points, f"dataset.{key}", value), Path("params.yaml"))


def test_binary_pixels_are_not_rotated(digits: dict[str, Any]) -> None:
    content = with_change(with_change(digits, "dataset.pixels", "static_binary"), "training.rotation", 5.0)
    with pytest.raises(UserError, match="take dynamic_binary"):
        check(content, Path("params.yaml"))


def test_every_mistake_is_named(digits: dict[str, Any]) -> None:
    two = with_change(with_change(digits, "training.epochs", 0), "dataset.size", -1)
    with pytest.raises(UserError, match=r"dataset.size is -1.*\n.*training.epochs is 0"):
        check(two, Path("params.yaml"))


def test_entries_of_a_list_must_be_complete(tmp_path: Path, digits: dict[str, Any]) -> None:
    posterior = {
        "name": "flow",
        "flows": [{"name": "radial"}, {"name": "planar", "layers": 2}],
        "context": 0,
        "squash": "none",
    }
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(with_change(digits, "variants.cvae.posterior", posterior)))
    with pytest.raises(UserError, match=r"lacks `variants.cvae.posterior.flows.0.layers: \d+`; add it"):
        check_resolved(read_yaml(path), path)


BROKEN = {
    "no such class": ("class Opts:\n    pass\n", "has 0 classes called Options"),
    "an import of its own": (
        "import math\nclass Options(PartOptions):\n    scale: float = Field(math.pi)\n",
        "may use Annotated, Entry, Field, Literal, PartOf, PartOptions and Python's own names",
    ),
    "a zero byte": ("x = 1\0\n", "is not valid Python: "),
    "absurdly deep": ("x = " + "-" * 100_000 + "1\n", "is not valid Python: "),
    "no Python": ("class Options(:\n", "is not valid Python: .*, line 1"),
}


@pytest.mark.parametrize(("source", "sentence"), BROKEN.values(), ids=BROKEN)
def test_unreadable_options_are_reported(
    source: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vaeline/models/priors").mkdir(parents=True)
    (tmp_path / "vaeline/models/priors/mine.py").write_text(source)
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    with pytest.raises(UserError, match=f"vaeline/models/priors/mine.py.*{sentence}"):
        parts.options_class("priors", "mine")


def test_a_resolved_study_has_every_key(tmp_path: Path, digits: dict[str, Any]) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(digits))
    assert check_resolved(read_yaml(path), path) == Study.model_validate(digits)
    shorter = with_change(with_change(digits, "dataset.source", MISSING), "variants.cvae_nf.prior.flow.layers", MISSING)
    path.write_text(yaml.safe_dump(shorter))
    with pytest.raises(UserError, match=r'lacks `dataset.source: "download"`, `variants.cvae_nf.prior.flow.layers: 4`'):
        check_resolved(read_yaml(path), path)


def test_validating_a_study_twice_changes_nothing(digits: dict[str, Any]) -> None:
    assert Study.model_validate(digits).model_dump(mode="json") == digits


def test_a_data_set_without_a_loader_is_refused(
    digits: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text("read = None\n")
    folder = parts.folder
    monkeypatch.setattr(parts, "folder", lambda family: tmp_path if family == "sets" else folder(family))
    with pytest.raises(
        UserError, match=r"dataset.name is 'mine', but must be a file that offers LOADER; end .*sets/mine.py"
    ):
        check(with_change(digits, "dataset.name", "mine"), Path("params.yaml"))


FAMILIES = [family for family in parts.PACKAGES if family not in ("sets", "metrics", "plots")]


@pytest.mark.parametrize(("family", "name"), [(family, name) for family in FAMILIES for name in parts.names(family)])
def test_options_read_from_source_match_the_module(family: str, name: str) -> None:
    assert parts.options_class(family, name) is parts.module(family, name).Options


@pytest.mark.parametrize(("family", "name"), [(family, name) for family in FAMILIES for name in parts.names(family)])
def test_every_option_has_a_description_and_a_default(family: str, name: str) -> None:
    fields = parts.options_class(family, name).model_fields
    assert all(field.description and not field.is_required() for key, field in fields.items() if key != "name")


def test_params_yaml_is_the_default_study() -> None:
    if load(ROOT / "params.yaml").study.name != "digits":
        pytest.skip("another study is active; `make use STUDY=digits` makes the default one active again")
    assert (ROOT / "params.yaml").read_text() == ready_studies.as_yaml(ready_studies.resolve("digits"))


def test_a_variant_has_some_keys_of_training_otherwise(digits: dict[str, Any]) -> None:
    """As in IWAE's published recipe, whose epochs with one learning rate are each three times as many as before."""
    milestones = [sum(3**i for i in range(n + 1)) for n in range(7)]
    recipe = {
        "epochs": 3280,
        "learning_rate": 0.001,
        "eps": 0.0001,
        "batch_size": 20,
        "milestones": milestones,
        "decay": 0.71968567,
    }
    study = check(with_change(digits, "variants.cvae.training", recipe), Path("params.yaml"))
    assert study.training_of("cvae") == study.training.model_copy(update=recipe)
    assert study.training_of("gaussian_cvae") == study.training
