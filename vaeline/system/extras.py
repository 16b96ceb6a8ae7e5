"""The extras of the package: which one brings a library that is missing."""

from importlib import import_module
from types import ModuleType

from vaeline.system.errors import UserError

# The name under which Python imports a library -> the extra of pyproject.toml that installs it.
BRINGS = {
    "dvc": "pipeline", "dvclive": "pipeline", "rich": "pipeline", "scmrepo": "pipeline", "snakemake": "pipeline",
    "snakemake_interface_logger_plugins": "pipeline", "nicegui": "explorer", "huggingface_hub": "hub", "datasets": "datasets",
    "onnx": "export", "onnxruntime": "export", "onnxscript": "export",
}  # fmt: skip
IN_A_CLONE = ("pipeline", "explorer", "hub", "datasets", "export")  # what `make setup` installs unasked


def lacking(error: ModuleNotFoundError, command: str) -> UserError | None:
    """The sentence for a library that is missing because its extra is not installed; None for any other library."""
    library = (error.name or "").partition(".")[0]
    if library not in BRINGS:
        return None
    extra = BRINGS[library]
    setup = "make setup" if extra in IN_A_CLONE else f"make setup EXTRAS={extra}"
    return UserError(
        f"`{command}` needs {library}, which is not installed; run `pip install 'vaeline[{extra}]'`, or `{setup}` in a clone."
    )


def imported(library: str, command: str) -> ModuleType:
    """Import a library of an extra.

    Args:
        library: its dotted name.
        command: what needs it.

    Raises:
        UserError: it is not installed.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        raise lacking(error, command) or error from error
