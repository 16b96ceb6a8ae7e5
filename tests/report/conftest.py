"""Made-up studies whose findings several tests of the report need."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.made_up import findings_of, study, write_run
from vaeline.report import results
from vaeline.report.findings import Findings
from vaeline.system.files import write_json

# Small and quick; large, slow and good; as large as small, but worse in both qualities.
TRADED = {
    "small": {"nll": 5.0, "fd_sample": 3.0, "parameters": 100},
    "good": {"nll": 1.0, "fd_sample": 1.0, "parameters": 5000},
    "beaten": {"nll": 6.0, "fd_sample": 4.0, "parameters": 100},
}
SECONDS = {"small": 10.0, "good": 100.0, "beaten": 20.0}


@pytest.fixture
def findings(tmp_path: Path) -> Findings:
    """Two variants with one run each."""
    for variant in ("one", "two"):
        write_run(tmp_path / variant / "seed-0", {"nll": 1.0})
    return findings_of(results.read(tmp_path, study(("one", "two"), (0,))))


@pytest.fixture
def traded(tmp_path: Path) -> Callable[..., Findings]:
    """Writes two runs of each variant, 0.5 apart in every metric except parameters, and returns their findings."""

    def write(
        values: dict[str, dict[str, float]] = TRADED,
        seconds: dict[str, float] = SECONDS,
        how: dict[str, dict[str, Any]] | None = None,
    ) -> Findings:
        for variant, of_variant in values.items():
            for seed in range(2):
                moved = {name: value + 0.5 * seed * (name != "parameters") for name, value in of_variant.items()}
                folder = tmp_path / variant / f"seed-{seed}"
                write_run(folder, moved, {"nll": how[variant]} if how and variant in how else None)
                if variant in seconds:
                    noted = {"train": {"seconds": seconds[variant] + 0.5 * seed, "host": "a"}}
                    write_json(folder / "timing.json", noted)
        return findings_of(results.read(tmp_path, study(tuple(values), (0, 1))))

    return write
