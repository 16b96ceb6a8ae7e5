"""The address at which the explorer shows the first run of each variant, while it runs on the reader's machine."""

from collections.abc import Iterable

PORT = 8765  # that the explorer takes unless it is told another one
MOST_RUNS = 6  # that it shows side by side


def explorer_link(runs: Iterable[tuple[str, int]]) -> str:
    """The address of runs, (variant, seed) each, of which the first six are named in it; `vaeline.explorer.address` reads it."""
    named = [f"run={variant}/seed-{seed}" for variant, seed in runs]
    return f"http://localhost:{PORT}/?{'&'.join(named[:MOST_RUNS])}"
