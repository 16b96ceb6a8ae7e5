"""Train, sample and evaluate VAE-family image models side by side."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaeline.report.rows import differences, metrics_of, study_table
    from vaeline.runs.trained_run import TrainedRun, load

__all__ = ["TrainedRun", "differences", "load", "metrics_of", "study_table"]
OF_REPORT = ("differences", "metrics_of", "study_table")


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, because torch takes seconds to load and most commands do not need it.

    A name that is put together hides the import from the hashes of code: no step of the pipeline depends on these names.
    """
    if name in __all__:
        module = "report.rows" if name in OF_REPORT else "runs.trained_run"
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
