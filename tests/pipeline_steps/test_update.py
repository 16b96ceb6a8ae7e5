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
