"""What a study will cost before it starts: its jobs, the hours of these jobs, and the disk that its files take."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from statistics import fmean

import numpy as np
import torch

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts
from vaeline.models.low_posterior import MOST_PICKED
from vaeline.models.model import Model
from vaeline.runs import drawing, samples_file
from vaeline.runs.folder import TIMING, RunKey, StudyFolder
from vaeline.runs.timing import read_times
from vaeline.study.schema import Study
from vaeline.system.state_files import state_folder

OF_DATA, OF_RUNS = ("download", "preprocess", "classifier", "reference"), ("train", "sample", "evaluate")
# docs/performance.md: 290 colour images of 64x64 a second, forward and back through convolutions on two cores, are 0.6 microseconds.
SECONDS_PER_VALUE = 1e-6  # of one core, for each pixel value of each training image in each epoch
STATES = 4  # a checkpoint has the weights, two moments of Adam, and the best weights


@dataclass(frozen=True)
class Forecast:
    """What a study will cost."""

    jobs: dict[str, int]  # step -> its jobs
    hours: dict[
        str, float
    ]  # step -> hours of all its jobs, one after the other; steps that nothing is known of are left out
    timed: int  # runs whose times the hours follow; 0: they follow the rule of thumb
    disk: dict[str, int]  # what -> bytes; what nothing is known of is left out


def forecast(study: Study) -> Forecast:
    """Forecast a study from the times and sizes of its runs that exist, and for the rest from its settings.

    Raises:
        UserError: a file that is there is damaged.
    """
    store = DataFiles(study.dataset.id).store
    facts = read_facts(store) if store.exists() else None
    timed = {run: times for run in _runs(study) if (times := read_times(_folder(study, run) / TIMING))}
    seconds = {run: {step: time.seconds for step, time in times.items()} for run, times in timed.items()}
    return Forecast(jobs(study), _hours(study, facts, seconds), len(timed), _disk(study, facts))


def jobs(study: Study) -> dict[str, int]:
    """The jobs of each step of a study, in order."""
    variants, runs = len(study.study.variants), len(list(_runs(study)))
    trials = variants * len(study.tuning.trials)
    shared, tuned = dict.fromkeys(OF_DATA, 1), {"design": variants, "trial": trials, "choose": variants}
    return {"code": 1, **shared, **tuned, **dict.fromkeys(OF_RUNS, runs), "report": 1}


def _runs(study: Study) -> Iterator[RunKey]:
    return (RunKey(*run) for run in product(study.study.variants, study.study.seeds))


def _folder(study: Study, run: RunKey) -> Path:
    return StudyFolder(study.study.name).run(*run)


def _hours(study: Study, facts: Facts | None, seconds: dict[RunKey, dict[str, float]]) -> dict[str, float]:
    features = study.evaluation.features.name
    notes = read_times(DataFiles(study.dataset.id).timing) | read_times(StudyFolder(study.study.name).timing)
    names = {step: f"reference.{features}" if step == "reference" else step for step in (*OF_DATA, "report")}
    found = {step: notes[name].seconds / 3600 for step, name in names.items() if name in notes}
    for step in OF_RUNS:
        known = {run: times[step] for run, times in seconds.items() if step in times}
        if known:
            found[step] = sum(_of_variant(known, run.variant) for run in _runs(study)) / 3600
    if not seconds and facts is not None:
        values = facts.counts["train"] * prod(facts.image_shape) * study.training.epochs
        found["train"] = values * SECONDS_PER_VALUE * len(list(_runs(study))) / 3600
    return found


def _of_variant(known: dict[RunKey, float], variant: str) -> float:
    """The mean over the runs of a variant, or over all runs if it has none."""
    return fmean([of for run, of in known.items() if run.variant == variant] or known.values())


def _disk(study: Study, facts: Facts | None) -> dict[str, int]:
    runs, store = list(_runs(study)), DataFiles(study.dataset.id).store
    if facts is None:
        return {}
    models = {variant: Model(study.variants[variant], facts) for variant in study.study.variants}
    weights = {name: _bytes(model) for name, model in models.items()}
    drawn = {name: samples_bytes(study, facts, model.latent_size) for name, model in models.items()}
    sizes = {"store": store.stat().st_size, "samples": 0, "models": 0, "checkpoints": 0}
    for run in runs:
        folder = _folder(study, run)
        kept = sum(_size(path) for path in state_folder().glob(f"{study.study.name}-{run}-*/*"))
        sizes["samples"] += _size(folder / samples_file.NAME) or drawn[run.variant]
        sizes["models"] += _size(folder / "model.safetensors") or weights[run.variant]
        sizes["checkpoints"] += kept or STATES * weights[run.variant]
    return sizes


def _bytes(model: torch.nn.Module) -> int:
    return sum(tensor.nbytes for tensor in model.state_dict().values())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def samples_bytes(study: Study, facts: Facts, latent: int) -> int:
    """The most bytes that the samples.h5 of a run takes.

    Args:
        study: says how many images are drawn.
        facts: of the images.
        latent: dimensions of z.
    """
    test = facts.counts["test"]
    count = min(test, study.sampling.count or test)
    paths = drawing.MOST_TRAVERSED * drawing.TRAVERSAL_STEPS + 2 * drawing.PAIRS * drawing.INTERPOLATION_STEPS
    images = 2 * count + 2 * samples_file.FAILURES + paths + drawing.SWITCHED_DRAWS * drawing.MOST_SWITCHES
    latents = min(count, MOST_PICKED) + 3 * drawing.MOST_CODES
    labels = (count + min(count, MOST_PICKED)) * len(facts.label_names) * 8
    return images * prod(facts.image_shape) * np.dtype(facts.dtype).itemsize + latents * latent * 4 + labels
