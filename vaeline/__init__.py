"""Train, sample and evaluate VAE-family image models side by side."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaeline.report.rows import differences, metrics_of, study_table
    from vaeline.runs.trained_run import TrainedRun, load
    from vaeline.sharing.pretrained import from_pretrained

    __version__: str

__all__ = ["TrainedRun", "__version__", "differences", "from_pretrained", "load", "metrics_of", "study_table"]
HOMES = {  # a public name -> the end of the name of its module
    "TrainedRun": "runs.trained_run", "load": "runs.trained_run",
    "differences": "report.rows", "metrics_of": "report.rows", "study_table": "report.rows",
    "from_pretrained": "sharing.pretrained",
    "__version__": "system.version",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, because torch takes seconds to load and most commands do not need it.

    A name that is put together hides the import from the hashes of code: no step of the pipeline depends on these names.
    """
    if name in HOMES:
        return vars(import_module(f"{__name__}.{HOMES[name]}"))[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
