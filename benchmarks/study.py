"""The whole default study: in a clone without results, again with nothing to do by either engine, and after one key of one variant."""

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.race import MEASURED, OURS, ROOT

FOUND = MEASURED / "study.json"
BIN = OURS.parent


def main() -> None:
    """Run it, print seconds as they come, and write benchmarks/measured/study.json."""
    folder = Path(tempfile.mkdtemp()) / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    found = {
        "cold": _seconds(folder, "snakemake", "--cores", "4", "all"),
        "nothing to do": _seconds(folder, "snakemake", "--cores", "4", "all"),
        "nothing to do, DVC": _seconds(folder, "dvc", "repro", "--quiet"),
    }
    _touch_one_variant(folder / "params.yaml")
    found["one variant changed"] = _seconds(folder, "snakemake", "--cores", "4", "all")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of the largest process
    FOUND.write_text(json.dumps({"seconds": found, "largest_process_bytes": peak}, indent=1) + "\n")


def _seconds(folder: Path, *command: str) -> float:
    environment = os.environ | {"PYTHONPATH": str(folder), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    took = time.perf_counter() - started
    print(f"{' '.join(command)}: {took:.1f} s", flush=True)
    return took


def _touch_one_variant(params: Path) -> None:
    """Another weight of the rate, for the first variant: five runs and what follows from them."""
    content = yaml.safe_load(params.read_text())
    first = content["study"]["variants"][0]
    content["variants"][first]["regularizer"]["weight"] = 1.1
    params.write_text(yaml.safe_dump(content, sort_keys=False))


if __name__ == "__main__":
    main()
