"""What `--config` and `--configfile` set is used or refused, never ignored."""

from pathlib import Path
from typing import Any

import pytest

from vaeline.system.errors import UserError
from workflow.given_config import check_config

PARAMS = {"training": {"epochs": 60}, "study": {"name": "digits"}}


@pytest.mark.parametrize("config", [{}, {"gpu_model": "a100"}, PARAMS, {"study": {"name": "digits"}}])
def test_the_gpu_and_the_values_of_the_study_are_accepted(config: dict[str, Any]) -> None:
    check_config(config, PARAMS, Path("params.yaml"))


@pytest.mark.parametrize(
    ("config", "key"),
    [({"training": {"epochs": 5}}, "training"), ({"gpu": "a100"}, "gpu"), ({"variants": {}}, "variants")],
)
def test_other_keys_and_values_are_refused_with_what_to_do(config: dict[str, Any], key: str) -> None:
    with pytest.raises(
        UserError, match=rf"do not set '{key}': .* from params\.yaml\. .*dvc exp run -S .*gpu_model alone"
    ):
        check_config(config, PARAMS, Path("params.yaml"))


def test_a_gpu_without_a_name_is_refused() -> None:
    with pytest.raises(UserError, match="--config gpu_model is 1; give the type of GPU"):
        check_config({"gpu_model": 1}, PARAMS, Path("params.yaml"))
