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
from vaeline.data.store import read_facts_of
from vaeline.models.low_posterior import MOST_PICKED
from vaeline.models.model import Model
from vaeline.runs import drawing, samples_file
from vaeline.runs.folder import DRAWN, TIMING, WEIGHTS, RunKey, StudyFolder
from vaeline.runs.timing import OF_DATA, SECONDS_PER_VALUE, entry_of, read_times
from vaeline.study.schema import Study
from vaeline.study.step_settings import OF_RUN
from vaeline.system.state_files import state_folder

INSTANT = ("code", "design", "choose")  # steps of seconds, which note no time
STATES = 4  # a checkpoint has the weights, two moments of Adam, and the best weights


@dataclass(frozen=True)
class Forecast:
    """What a study will cost."""

    jobs: dict[str, int]  # step -> its jobs
    measured: dict[str, float]  # step -> hours of all its jobs one after the other, by the times of those that have run
    guessed: dict[str, float]  # step -> hours by the rule of thumb
    disk: dict[str, int]  # what -> bytes; what nothing is known of is left out

    @property
    def unknown(self) -> list[str]:
        """The steps whose hours nothing is known of."""
        known = {*self.measured, *self.guessed, *INSTANT}
        return [step for step, count in self.jobs.items() if count and step not in known]


def forecast(study: Study) -> Forecast:
    """Forecast a study from the times and sizes of its runs that exist, and for the rest from its settings.

    Raises:
        UserError: a file that is there is damaged, or the store is of other settings.
    """
    facts = read_facts_of(study) if DataFiles(study.dataset.id).store.exists() else None
    measured = _measured(study)
    guessed = {step: hours for step, hours in _guessed(study, facts).items() if step not in measured}
    return Forecast(jobs(study), measured, guessed, _disk(study, facts))


def jobs(study: Study) -> dict[str, int]:
    """The jobs of each step of a study, in order."""
    variants, runs = len(study.study.variants), len(list(_runs(study)))
    trials = variants * len(study.tuning.trials)
    shared, tuned = dict.fromkeys(OF_DATA, 1), {"design": variants, "trial": trials, "choose": variants}
    return {"code": 1, **shared, **tuned, **dict.fromkeys(OF_RUN, runs), "report": 1}


def _runs(study: Study) -> Iterator[RunKey]:
    return (RunKey(*run) for run in product(study.study.variants, study.study.seeds))


def _folder(study: Study, run: RunKey) -> Path:
    return StudyFolder(study.study.name).run(*run)


def _measured(study: Study) -> dict[str, float]:
    """The hours of each step of which a job has run: step -> hours of all its jobs."""
    notes = read_times(DataFiles(study.dataset.id).timing) | read_times(StudyFolder(study.study.name).timing)
    entries = {step: entry_of(step, study.evaluation.features.name) for step in (*OF_DATA, "report")}
    found = {step: notes[entry].seconds for step, entry in entries.items() if entry in notes}
    for step, of_variants in _notes(study).items():
        seconds = [
            (variant, times[step].seconds) for variant, path in of_variants if step in (times := read_times(path))
        ]
        if seconds:
            found[step] = sum(_of_variant(seconds, variant) for variant, _ in of_variants)
    return {step: each / 3600 for step, each in found.items()}


def _notes(study: Study) -> dict[str, list[tuple[str, Path]]]:
    """Where the jobs of a variant note their times: step -> the variant and the timing.json of each job."""
    folder, asked = StudyFolder(study.study.name), study.study
    runs = [(run.variant, _folder(study, run) / TIMING) for run in _runs(study)]
    trials = product(asked.variants, study.tuning.trials)
    of_trials = [(variant, folder.trial(variant, number) / TIMING) for variant, number in trials]
    return {"trial": of_trials, **dict.fromkeys(OF_RUN, runs)}


def _of_variant(seconds: list[tuple[str, float]], variant: str) -> float:
    """The mean over the jobs of a variant, or over all jobs if it has none."""
    return fmean([each for of, each in seconds if of == variant] or [each for _, each in seconds])


def _guessed(study: Study, facts: Facts | None) -> dict[str, float]:
    """The hours of trainings by the rule of thumb, if the images are there."""
    if facts is None:
        return {}
    hours = facts.counts["train"] * prod(facts.image_shape) * SECONDS_PER_VALUE / 3600  # of an epoch
    asked, tuning = study.study, study.tuning
    epochs = {
        "trial": len(asked.variants) * len(tuning.trials) * tuning.epochs,
        "train": len(asked.seeds) * sum(study.training_of(variant).epochs for variant in asked.variants),
    }
    return {step: hours * count for step, count in epochs.items() if count}


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
        sizes["samples"] += _size(folder / DRAWN) or drawn[run.variant]
        sizes["models"] += _size(folder / WEIGHTS) or weights[run.variant]
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
