"""Imports everything that the cases use, so that no fork has to."""

import gc
import importlib

from tests.workflow.conftest import ROOT

# Imported late by steps, or by the libraries themselves when a function is first called.
LIBRARIES = (
    "dvclive", "dulwich.porcelain", "h5py", "jinja2", "lightning_fabric", "matplotlib.figure", "PIL.ImageFile", "ruamel.yaml", "safetensors.torch", "scipy.io",
    "scipy.linalg", "scipy.stats", "scmrepo.git", "simplejpeg", "sklearn.datasets", "sklearn.linear_model", "sklearn.neighbors", "torch",
    "dvc.utils.serialize", "dvc.repo", "dvc.stage", "pygit2", "torch.utils.data", "torch.testing",
)  # fmt: skip
UNIMPORTED = ("explorer.page", "explorer.serving")  # they start a web server's libraries


def warm_up() -> None:
    """Import the libraries and this project, with one thread for torch, and keep forks from copying the memory."""
    for name in (*LIBRARIES, *_modules("vaeline"), *_modules("pipeline_steps")):
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
