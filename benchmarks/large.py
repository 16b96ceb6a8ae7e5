"""A study of many images from end to end, and the memory that each stage takes at its peak.

`python -m benchmarks.large /tmp/large` makes 200,000 colour images of 32x32 and runs every step once, each as a process of its own with the
budget of a job of 2 GB. It prints a table of stages with the peaks that `timing.json` records. An unfinished run continues where it
stopped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import yaml

from vaeline.data.paths import DataFiles
from vaeline.runs.folder import TIMING, StudyFolder
from vaeline.runs.timing import Time, read_times

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("vaeline", "pipeline_steps", "parts")
MOST_GB = 2.0  # of memory that a stage may take
SETS = '''"""Made-up images: a disc of a colour for each of ten classes, at a random place, under noise."""

import numpy as np

from vaeline.data.labels import of_classes
from vaeline.data.raw_images import Loader, RawImages

COUNT = {count}


def read(dataset, folder):
    generator = np.random.default_rng(0)
    images, classes = np.empty((COUNT, 3, 32, 32), np.uint8), generator.integers(0, 10, COUNT)
    colours, rows = generator.integers(60, 200, (10, 3)), np.arange(32)
    for start in range(0, COUNT, 1000):
        of = classes[start : start + 1000]
        x, y = generator.integers(8, 24, (2, len(of), 1, 1))
        disc = (rows - x) ** 2 + (rows[:, None] - y) ** 2 < 36
        noise = generator.integers(0, 56, (len(of), 3, 32, 32), dtype=np.uint8)
        images[start : start + 1000] = noise + disc[:, None] * colours[of][:, :, None, None].astype(np.uint8)
    labels = of_classes("class", [str(each) for each in range(10)], classes)
    return RawImages(images, labels, [str(row) for row in range(COUNT)], {{"made": {{"bytes": 0, "sha256": str(COUNT)}}}})


LOADER = Loader(read=read)
'''


OF_RUN, OF_VARIANT = ["--variant", "vae", "--seed", "0"], ["--variant", "vae"]
STEPS: dict[str, list[str]] = {
    "download": [], "preprocess": [], "classifier": [], "reference": [], "design": OF_VARIANT, "choose": OF_VARIANT,
    "train": OF_RUN, "sample": OF_RUN, "evaluate": OF_RUN, "report": [],
}  # fmt: skip


def study(count: int, drawn: int) -> dict[str, object]:
    """A study of one small variant and one seed."""
    return {
        "study": {"name": "large", "variants": ["vae"], "seeds": [0]},
        "dataset": {"id": f"discs{count}", "name": "discs", "size": 32, "split": {"validation": 0.1, "test": 0.1}},
        "training": {"epochs": 1, "batch_size": 512, "learning_rate": 0.002},
        "classifier": {"epochs": 1, "width": 4, "features": 8, "batch_size": 512},
        "sampling": {"count": drawn, "grid": 16},
        "evaluation": {"likelihood": {"samples": 10, "budget": 20}, "bound_samples": 1, "images": 100, "features": {"name": "classifier"}},
        "variants": {
            "vae": {
                "network": {"name": "mlp", "widths": [16]}, "latent": 4, "condition": {"embedding": 2},
                "posterior": {"name": "gaussian"}, "prior": {"name": "standard"}, "likelihood": {"name": "optimal_sigma"},
                "regularizer": {"name": "kl"},
            },
        },
    }  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", default=200_000, show_default=True, help="Images.")
@click.option("--drawn", default=10_000, show_default=True, help="Images that are drawn of each kind.")
@click.option("--memory", default=0.25, show_default=True, help="VAELINE_MEMORY, in gigabytes.")
def main(folder: Path, count: int, drawn: int, memory: float) -> None:
    """Run every step of a large study in FOLDER, and print the peak of each."""
    _write_project(folder, count, drawn)
    done = folder / "done"
    finished = done.read_text(encoding="utf-8").split() if done.exists() else []
    for step, options in STEPS.items():
        if step not in finished:
            _run(folder, step, options, memory)
            finished.append(step)
            done.write_text("\n".join(finished), encoding="utf-8")
    _print(_times(folder, count))


def _write_project(folder: Path, count: int, drawn: int) -> None:
    """Copy vaeline into a project of its own, which has the data set as a part."""
    for package in PACKAGES:
        shutil.copytree(
            PROJECT / package, folder / package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "parts" / "sets").mkdir(exist_ok=True)
    (folder / "parts" / "sets" / "discs.py").write_text(SETS.format(count=count), encoding="utf-8")
    (folder / "params.yaml").write_text(yaml.safe_dump(study(count, drawn)), encoding="utf-8")


def _run(folder: Path, step: str, options: list[str], memory: float) -> None:
    environment = os.environ | {"PYTHONPATH": str(folder.resolve()), "VAELINE_MEMORY": str(memory)}
    subprocess.run([sys.executable, "-m", f"pipeline_steps.{step}", *options], cwd=folder, env=environment, check=True)


def _times(folder: Path, count: int) -> dict[str, Time]:
    where = StudyFolder("large", folder)
    notes = [DataFiles(f"discs{count}", folder / "data").timing, where.run("vae", 0) / TIMING, where.timing]
    return {step: time for path in notes for step, time in read_times(path).items()}


def _print(times: dict[str, Time]) -> None:
    click.echo("| stage | seconds | peak, GB |\n|---|---|---|")
    for step, time in times.items():
        click.echo(f"| {step} | {time.seconds:,.0f} | {(time.peak_bytes or 0) / 1e9:.2f} |")
    over = [step for step, time in times.items() if (time.peak_bytes or 0) > MOST_GB * 1e9]
    click.echo(f"Over {MOST_GB} GB: {', '.join(over) or 'none'}.")


if __name__ == "__main__":
    main()
