"""A params.yaml of before gets the keys that are new."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from pipeline_steps import update
from vaeline.study.reading import PARAMS, check_resolved, read_yaml
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content of a params.yaml of before, which lacks keys at three depths and has a value of its own."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["training"]["epochs"] = 8
    del content["dataset"]["bins"], content["dataset"]["split"]["group"], content["variants"]["cvae"]["density"]
    monkeypatch.chdir(tmp_path)
    PARAMS.write_text(yaml.safe_dump(content))
    return content


def test_missing_keys_are_added_and_the_others_stay(old: dict[str, Any], run: Callable[..., Result]) -> None:
    ended = run(update.main)
    assert ended.exit_code == 0
    assert ended.output == (
        "Added to params.yaml: `dataset.bins: {}`, `dataset.split.group: null`, `variants.cvae.density: null`.\n"
    )
    now = read_yaml(PARAMS)
    assert check_resolved(now, PARAMS).training.epochs == 8
    old["dataset"] |= {"bins": {}}
    old["dataset"]["split"] |= {"group": None}
    old["variants"]["cvae"] |= {"density": None}
    assert now == old


def test_a_whole_file_is_left_as_it_is(old: dict[str, Any], run: Callable[..., Result]) -> None:
    run(update.main)
    PARAMS.write_text("# my note\n" + PARAMS.read_text())
    before = PARAMS.read_bytes()
    ended = run(update.main)
    assert ended.output == "params.yaml contains every key; nothing is added.\n" and PARAMS.read_bytes() == before


def test_an_unknown_key_is_still_refused(old: dict[str, Any], run: Callable[..., Result]) -> None:
    PARAMS.write_text(yaml.safe_dump(old | {"sise": 3}))
    before = PARAMS.read_bytes()
    ended = run(update.main)
    assert ended.exit_code == 1 and "sise is not a known key" in ended.output and PARAMS.read_bytes() == before


def test_the_error_about_missing_keys_names_the_command(old: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="lacks `dataset.bins: {}`.*; add them, or run `make update`, which does"):
        check_resolved(old, PARAMS)


def test_former_keys_are_renamed_and_mean_the_same(old: dict[str, Any], run: Callable[..., Result]) -> None:
    old["classifier"]["seed"] = old["classifier"].pop("seeds")[0] + 7
    del old["evaluation"]["likelihood"]
    old["evaluation"]["importance_samples"] = 300
    PARAMS.write_text(yaml.safe_dump(old))
    with pytest.raises(UserError) as error:
        check_resolved(old, PARAMS)
    assert set(str(error.value).splitlines()) == {
        "params.yaml: classifier.seed is a key of before; write `classifier.seeds: [7]`, or run `make update`, which does.",
        "params.yaml: evaluation.importance_samples is a key of before; write "
        '`evaluation.likelihood: {"method": "posterior", "samples": 300}`, or run `make update`, which does.',
    }
    ended = run(update.main)
    assert ended.exit_code == 0 and ended.output.startswith(
        "Renamed in params.yaml: classifier.seed is now classifier.seeds: [7], evaluation.importance_samples is now "
    )
    study = check_resolved(read_yaml(PARAMS), PARAMS)
    likelihood = study.evaluation.likelihood
    assert (study.classifier.seeds, likelihood.method, likelihood.samples) == ([7], "posterior", 300)


def test_a_former_key_beside_the_new_one_is_refused(old: dict[str, Any], run: Callable[..., Result]) -> None:
    PARAMS.write_text(yaml.safe_dump({**old, "classifier": {**old["classifier"], "seed": 3}}))
    ended = run(update.main)
    assert ended.exit_code == 1 and "classifier.seed is a key of before" in ended.output


@pytest.mark.parametrize("seed", [True, "three", None, [4], -1])
def test_a_former_key_of_a_bad_value_is_refused(old: dict[str, Any], run: Callable[..., Result], seed: object) -> None:
    old["classifier"]["seed"] = seed
    del old["classifier"]["seeds"]
    PARAMS.write_text(yaml.safe_dump(old))
    ended = run(update.main)
    assert ended.exit_code == 1 and "classifier.seeds.0 is" in ended.output
