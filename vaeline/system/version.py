"""The version of vaeline: that of the pyproject.toml beside the package, or of what is installed.

No step of the pipeline imports this module, so that a new version alone makes no result stale.
"""

import tomllib
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def _version() -> str:
    if PROJECT.exists():
        with PROJECT.open("rb") as file:
            found = tomllib.load(file)["project"]
        if found["name"] == "vaeline":
            return str(found["version"])
    return version("vaeline")


__version__ = _version()
