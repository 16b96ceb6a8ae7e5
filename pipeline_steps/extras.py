"""The extras of the package: which one brings a library that is missing."""

from vaeline.system.errors import UserError

# The name under which Python imports a library -> the extra of pyproject.toml that installs it.
BRINGS = {
    "dvc": "pipeline", "dvclive": "pipeline", "rich": "pipeline", "scmrepo": "pipeline", "snakemake": "pipeline",
    "snakemake_interface_logger_plugins": "pipeline", "nicegui": "explorer", "huggingface_hub": "hub", "datasets": "datasets",
}  # fmt: skip


def lacking(error: ModuleNotFoundError, command: str) -> UserError | None:
    """The sentence for a library that is missing because its extra is not installed; None for any other library."""
    library = (error.name or "").partition(".")[0]
    if library not in BRINGS:
        return None
    extra = BRINGS[library]
    return UserError(
        f"`{command}` needs {library}, which is not installed; run `pip install 'vaeline[{extra}]'`, or `make setup` in a clone."
    )
