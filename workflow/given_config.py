"""What `--config` and `--configfile` may say. The settings of a study stand in params.yaml, which both engines read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeline.system.errors import UserError, shown

OF_CLUSTER = {"gpu_model": "the type of GPU, for jobs on a cluster"}


def check_config(config: Mapping[str, Any], params: Mapping[str, Any], path: Path) -> None:
    """Check what the command line and a profile give Snakemake as its config.

    Args:
        config: by key; all but the keys of a cluster must have the value that the study has, as with `--configfile params.yaml`.
        params: the active study.
        path: of the active study, for errors.

    Raises:
        UserError: a key is unknown, or has another value than in the study. DVC would not know of it.
    """
    for key, value in config.items():
        if key in OF_CLUSTER:
            if not isinstance(value, str):
                raise UserError(f"--config {key} is {shown(value)}; give {OF_CLUSTER[key]}, as in {key}=a100.")
        elif key not in params or value != params[key]:
            raise UserError(
                f"--config and --configfile do not set {shown(key)}: both engines read the settings of a study from {path}. Edit that file, "
                "run `make use STUDY=<name>` for another study, or try one value by `dvc exp run -S <key>=<value>`; --config takes "
                f"{', '.join(OF_CLUSTER)} alone."
            )
