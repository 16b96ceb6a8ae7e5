"""Keep a command of the user's from changing files while an engine runs."""

from pathlib import Path

from pipeline_steps.running import refuse_beside_snakemake


def refuse_beside_engines() -> None:
    """Check that no engine runs in the project.

    Raises:
        UserError: one does.
    """
    refuse_beside_snakemake()
    if Path(".dvc").is_dir():
        from pipeline_steps.dvc_locks import refuse_beside_dvc  # which imports DVC

        refuse_beside_dvc()
