"""Training of one variant from one seed, epoch by epoch; each epoch depends on the state before it and its seed alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.models.contracts import ADVERSARY
from vaeline.models.model import Model
from vaeline.study.schema import Training
from vaeline.system import random_state, ranks
from vaeline.system.errors import UserError
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job
from vaeline.training.learning_rate import learning_rate
from vaeline.training.step import Step, stepper
from vaeline.training.tally import Row, Tally, named_terms
from vaeline.training.validation import validate

CHECK_EVERY = 50  # steps between two checks of the terms: reading them makes the host wait for the device
MOST_LOSS = 100.0  # of an adversary, which by chance has 0.69 nats, or a hinge loss of 1


@dataclass
class Progress:
    """What a training remembers between epochs, in addition to weights and moments."""

    epoch: int
    rows: list[Row]
    best: dict[str, Tensor]
    best_objective: float
    waited: int  # validations since the best

    def finished(self, settings: Training) -> bool:
        return self.epoch >= settings.epochs or self.waited >= settings.patience

    def note(self, row: Row, model: Model) -> None:
        """Take in the row of an epoch, and copy the weights if they are the best so far.

        Against an adversary the latest weights are the best: the objective is lowest when the adversary errs most.
        """
        self.epoch = int(row["epoch"])
        self.rows.append(row)
        if "validation_objective" not in row:
            return
        self.waited += 1
        if row["validation_objective"] < self.best_objective or model.regularizer.adversary is not None:
            self.best_objective, self.waited = row["validation_objective"], 0
            self.best = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def state(self, step: Step, just_best: bool) -> State:
        """The content of a checkpoint; weights that are `just_best` are not written twice."""
        weights = step.model.state_dict()
        progress = {**vars(self), "best": weights if just_best and step.average is None else self.best}
        state = {"model": weights, "optimizer": step.optimizer.state_dict(), "progress": progress}
        state |= {} if step.adversary is None else {"adversary": step.adversary.state()}
        return state if step.average is None else {**state, "average": step.average.weights}


def train(job: Job, checkpoints: Checkpoints, fabric: Fabric, on_epoch: Callable[[Row], None]) -> list[Row]:
    """Train until the last epoch, or until the validation objective stops falling; leave the best weights in the model.

    A training that is killed and started again ends in the same bytes (on the CPU, with as many threads): an epoch draws its
    random numbers from a seed of its own, and everything else is in the checkpoint of an epoch before.

    Args:
        job: what is trained.
        checkpoints: of the state after an epoch.
        fabric: device and precision.
        on_epoch: is called with the row of each epoch, including those before a resume.

    Returns:
        A row for each epoch: `epoch`, the means over the training images of `objective` and its terms and, if the epoch was
        validated, `sigma` and `validation_...`; nats per image.

    Raises:
        UserError: a term of the objective, or a weight, is no longer finite, or the adversary has diverged.
    """
    step = stepper(job.model, job.settings, fabric)
    progress = _resume(step, checkpoints.latest(job.settings.epochs))
    for row in progress.rows:
        on_epoch(row)
    of_epoch = len(job.train.images)
    with Bar("train", job.settings.epochs * of_epoch, progress.epoch * of_epoch) as bar:
        while not progress.finished(job.settings):
            tally = Tally(progress.epoch + 1, checkpoints, step.adversary is not None)
            row = _train_epoch(job, step, tally, bar)
            with step.averaged():
                if validated := tally.epoch % job.settings.validate_every == 0:
                    row |= validate(job, tally)
                progress.note(row, job.model)
            finished = progress.finished(job.settings)
            if ranks.number() == 0 and (finished or checkpoints.due()):
                state = progress.state(step, just_best=validated and not progress.waited)
                checkpoints.write(progress.epoch, state, finished)
            on_epoch(row)
    job.model.load_state_dict(progress.best)
    return progress.rows


def best_row(rows: list[Row], model: Model) -> Row:
    """The row of the epoch whose weights a training keeps: the first with the best objective, or the last one against an adversary."""
    validated = [row for row in rows if "validation_objective" in row]
    if model.regularizer.adversary is not None:
        return validated[-1]
    return min(validated, key=lambda row: row["validation_objective"])


def _resume(step: Step, state: State | None) -> Progress:
    """Load a checkpoint, if there is one."""
    if state is None:
        return Progress(0, [], {}, math.inf, 0)
    step.model.load_state_dict(state["model"])
    step.optimizer.load_state_dict(state["optimizer"])
    if step.adversary:
        step.adversary.load(state["adversary"])
    if step.average:
        step.average.load(state["average"])
    return Progress(**state["progress"])


def _train_epoch(job: Job, step: Step, tally: Tally, bar: Bar) -> Row:
    """Train on every image once: `epoch` and the means of what each step returned."""
    settings, seed, epoch = job.settings, job.seed, tally.epoch
    torch.manual_seed(derive_seed("training posterior", seed, epoch))
    job.model.train()
    means: Row = {}
    before = (epoch - 1) * len(job.train)
    shuffled = job.train.shuffled(derive_seed("training batches", seed, epoch), settings.flip, settings.rotation)
    for index, (x, labels) in enumerate(shuffled, 1):
        _set_learning_rate(step.optimizer, learning_rate(settings, before + index, len(job.train)))
        tally.add(len(x), step(x, labels, before + index))
        if index % CHECK_EVERY == 0 or index == len(job.train):
            seen, means = tally.images, tally.read()
            words = " ".join(f"{name} {value:.1f}" for name, value in means.items())
            bar.advance(tally.images - seen, f"epoch {epoch} {words}")
    _check_epoch(step, tally, means)
    return {"epoch": epoch, **means}


def _set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = value


def _check_epoch(step: Step, tally: Tally, means: Row) -> None:
    """Refuse weights that are not finite, and an adversary far worse than chance.

    Raises:
        UserError: the training has diverged.
    """
    _check_ranks(step, tally)
    if broken := _not_finite(step):
        raise tally.diverged("after its last step", f"weights of {' and of '.join(broken)} are not finite")
    if means.get(ADVERSARY, 0.0) > MOST_LOSS:
        raise tally.diverged("in the mean", f"{named_terms(means)}, an adversary far worse than chance")


def _check_ranks(step: Step, tally: Tally) -> None:
    """Refuse processes whose weights or random numbers have come apart.

    Raises:
        UserError: a part treats the images of a process as if they were the whole batch.
    """
    if not ranks.agree([*step.model.state_dict().values(), *random_state.capture(step.fabric.device).values()]):
        raise UserError(
            f"The {ranks.count()} processes of the training have other weights or random numbers than each other after epoch {tally.epoch}: a "
            "part of the variant draws or averages over the images of one process; set training.processes to 1, or change the part as "
            "vaeline/models/contracts.py says."
        )


def _not_finite(step: Step) -> list[str]:
    """The parts of the model whose weights contain an infinity or a NaN."""
    parts = {f"the {name}": part for name, part in step.model.named_children()}
    if step.adversary:
        parts["the regularizer's adversary"] = step.adversary.network
    found = {name: [each.isfinite().all() for each in part.state_dict().values()] for name, part in parts.items()}
    return [name for name, finite in found.items() if finite and not torch.stack(finite).all()]
