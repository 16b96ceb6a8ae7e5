"""Imports everything that the cases use, so that no fork has to."""

import gc
import importlib

from tests.workflow.conftest import ROOT
from tests.workflow.launcher import ENGINES, LIBRARIES

UNIMPORTED = ("explorer.page", "explorer.serving")  # they start a web server's libraries


def warm_up() -> None:
    """Import the libraries and this project, with one thread for torch, and keep forks from copying the memory."""
    for name in (*ENGINES, *LIBRARIES, *_modules("vaeline"), *_modules("pipeline_steps")):
        importlib.import_module(name)
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    Image.init()
    gc.collect()
    gc.freeze()


def _modules(package: str) -> list[str]:
    """The dotted names of all modules of a package."""
    paths = sorted(path.relative_to(ROOT).with_suffix("") for path in (ROOT / package).rglob("*.py"))
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__.py"]
    return [name for name in names if not name.endswith(UNIMPORTED)]
