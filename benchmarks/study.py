"""Time of the whole default study: from nothing, again with nothing to do in each engine, and after a change of one variant.

`python -m benchmarks.study` runs in a fresh clone and writes benchmarks/measured/study.json.
"""

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.race import MEASURED, OUR_PYTHON, ROOT

RESULTS = MEASURED / "study.json"
BIN = OUR_PYTHON.parent


def main() -> None:
    """Time each run, print its seconds, and write the results."""
    folder = Path(tempfile.mkdtemp()) / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    seconds = {
        "cold": _seconds(folder, "snakemake", "--cores", "4", "all"),
        "nothing to do": _seconds(folder, "snakemake", "--cores", "4", "all"),
        "nothing to do, DVC": _seconds(folder, "dvc", "repro", "--quiet"),
    }
    _change_one_variant(folder / "params.yaml")
    seconds["one variant changed"] = _seconds(folder, "snakemake", "--cores", "4", "all")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of the largest process
    RESULTS.write_text(json.dumps({"seconds": seconds, "largest_process_bytes": peak}, indent=1) + "\n")


def _seconds(folder: Path, *command: str) -> float:
    environment = os.environ | {"PYTHONPATH": str(folder), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    print(f"{' '.join(command)}: {seconds:.1f} s", flush=True)
    return seconds


def _change_one_variant(params: Path) -> None:
    """Change the weight of the rate for the first variant, so that its five runs and all that depends on them run again."""
    content = yaml.safe_load(params.read_text())
    first = content["study"]["variants"][0]
    content["variants"][first]["regularizer"]["weight"] = 1.1
    params.write_text(yaml.safe_dump(content, sort_keys=False))


if __name__ == "__main__":
    main()
