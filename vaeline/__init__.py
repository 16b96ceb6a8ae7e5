"""Train, sample and judge VAE-family image models side by side."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaeline.runs.trained_run import TrainedRun, load

__all__ = ["TrainedRun", "load"]


def __getattr__(name: str) -> Any:
    """What Python users take, loaded once it is asked for: torch takes seconds, which most commands need not wait for.

    By `import_module`, since no part of the pipeline depends on it, and `closure` would take every module to.
    """
    if name in __all__:
        return getattr(import_module("vaeline.runs.trained_run"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
