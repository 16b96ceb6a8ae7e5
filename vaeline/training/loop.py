"""Training of one variant from one seed, epoch by epoch, each epoch a function of the state before it and its seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.models.calibration import mean_squared_error
from vaeline.models.finite import count_nonfinite
from vaeline.models.model import Model, Objective
from vaeline.study.schema import Training
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed
from vaeline.training.adversary import Adversary
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.step import Step, stepper
from vaeline.training.tally import Row, Tally, named_terms

CHECK_EVERY = 50  # steps between two looks at the terms: reading them makes the device wait
SAMPLES_CHECKED = 1000  # of the prior, at each validation
ADVERSARY_LOST = 100.0  # nats of an adversary's cross-entropy, where a tossed coin has 0.69


@dataclass
class Progress:
    """What a training remembers between epochs, beside weights and moments."""

    epoch: int
    rows: list[Row]
    best: dict[str, Tensor]
    best_objective: float
    waited: int  # validations since the best

    def finished(self, training: Training) -> bool:
        return self.epoch >= training.epochs or self.waited >= training.patience

    def note(self, row: Row, model: Model) -> None:
        """Take in an epoch's row, and a copy of the weights where they are the best so far.

        Against an adversary the latest are the best: the objective is lowest where the adversary errs most.
        """
        self.epoch = int(row["epoch"])
        self.rows.append(row)
        if "validation_objective" not in row:
            return
        self.waited += 1
        if row["validation_objective"] < self.best_objective or "adversary" in row:
            self.best_objective, self.waited = row["validation_objective"], 0
            self.best = {name: tensor.clone() for name, tensor in model.state_dict().items()}


def train(
    model: Model,
    batches: Batches,
    validation: Batches,
    training: Training,
    seed: int,
    checkpoints: Checkpoints,
    fabric: Fabric,
    on_epoch: Callable[[Row], None],
) -> list[Row]:
    """Train until the last epoch, or until the validation objective no longer falls; leave the best weights in `model`.

    Killed and started again, it ends in the bytes it would have had (on the CPU, with as many threads): an epoch
    draws its random numbers from a seed of its own, and all else is in the checkpoint after the epoch before.

    Args:
        model: freshly built from `seed`.
        batches: training split, on the device.
        validation: validation split, on the device.
        training: how to train.
        seed: of the run.
        checkpoints: where the state after each epoch goes.
        fabric: device and precision.
        on_epoch: is given each epoch's row, those before a resume too.

    Returns:
        A row for each epoch: `epoch`, the means over the training images of `objective` and its terms and, where the
        epoch was validated, `sigma` and `validation_...`; nats per image.

    Raises:
        UserError: a term of the objective, or a weight, is no longer finite, or an adversary is lost.
    """
    step = stepper(model, training, fabric)
    adam, adversary = step.optimizer, step.adversary
    progress = _resume(model, adam, adversary, checkpoints.latest(training.epochs))
    for row in progress.rows:
        on_epoch(row)
    of_epoch = len(batches.images)
    with Bar("train", training.epochs * of_epoch, progress.epoch * of_epoch) as bar:
        while not progress.finished(training):
            tally = Tally(progress.epoch + 1, checkpoints, adversary is not None)
            _set_learning_rate(adam, training, tally.epoch)
            row = _train_epoch(step, batches, seed, tally, bar)
            if tally.epoch % training.validate_every == 0:
                row |= _validate(model, batches, validation, seed, tally)
            progress.note(row, model)
            weights = model.state_dict()
            # The same weights are not written twice.
            best = weights if "validation_objective" in row and not progress.waited else progress.best
            state = {"model": weights, "optimizer": adam.state_dict(), "progress": {**vars(progress), "best": best}}
            if adversary:
                state["adversary"] = adversary.state()
            checkpoints.write(progress.epoch, state, progress.finished(training))
            on_epoch(row)
    model.load_state_dict(progress.best)
    return progress.rows


def _resume(
    model: Model, adam: torch.optim.Adam, adversary: "Adversary | None", state: dict[str, Any] | None
) -> Progress:
    if state is None:
        return Progress(0, [], {}, math.inf, 0)
    model.load_state_dict(state["model"])
    adam.load_state_dict(state["optimizer"])
    if adversary:
        adversary.load(state["adversary"])
    return Progress(**state["progress"])


def _set_learning_rate(adam: torch.optim.Adam, training: Training, epoch: int) -> None:
    """A function of the epoch alone, so that a resumed training needs no memory of it."""
    passed = sum(milestone < epoch for milestone in training.milestones)
    for group in adam.param_groups:
        group["lr"] = training.learning_rate * training.decay**passed


def _train_epoch(step: Step, batches: Batches, seed: int, tally: Tally, bar: Bar) -> Row:
    torch.manual_seed(derive_seed("training posterior", seed, tally.epoch))
    step.model.train()
    means: Row = {}
    before = (tally.epoch - 1) * len(batches)
    shuffled = batches.shuffled(
        derive_seed("training batches", seed, tally.epoch), step.training.flip, step.training.rotation
    )
    for index, (x, labels) in enumerate(shuffled, 1):
        tally.add(len(x), step(x, labels, before + index))
        if index % CHECK_EVERY == 0 or index == len(batches):
            seen, means = tally.images, tally.read()
            words = " ".join(f"{name} {value:.1f}" for name, value in means.items())
            bar.advance(tally.images - seen, f"epoch {tally.epoch} {words}")
    if broken := _not_finite(step.model, step.adversary):
        raise tally.diverged("after its last step", f"weights of {' and of '.join(broken)} are not finite")
    if means.get("adversary", 0.0) > ADVERSARY_LOST:
        raise tally.diverged(
            "in the mean", f"{named_terms(means)}, an adversary far worse than a coin's {math.log(2):.2g} nats"
        )
    return {"epoch": tally.epoch, **means}


def _not_finite(model: Model, adversary: Adversary | None) -> list[str]:
    """The parts whose weights hold an infinity or a NaN."""
    parts = {f"the {name}": part for name, part in model.named_children()}
    if adversary:
        parts["the regularizer's adversary"] = adversary.network
    found = {name: [each.isfinite().all() for each in part.state_dict().values()] for name, part in parts.items()}
    return [name for name, finite in found.items() if finite and not torch.stack(finite).all()]


@torch.inference_mode()
def _lost_samples(model: Model, validation: Batches, seed: int) -> str:
    """What is wrong with the prior's own samples: a flow may explain every code, and still have an inverse that overflows."""
    labels = validation.labels[:SAMPLES_CHECKED]
    torch.manual_seed(derive_seed("validation samples", seed))
    z = model.prior.sample(len(labels), model.condition(labels))
    lost = count_nonfinite(z)
    return f"{lost:,} of {len(z):,} samples of prior {model.variant.prior.name} are not finite" if lost else ""


@torch.inference_mode()
def _validate(model: Model, batches: Batches, validation: Batches, seed: int, tally: Tally) -> Row:
    """Fit sigma to the training split, then measure the objective, at its final schedule, on the validation split.

    Every validation draws the same noise, so that two epochs differ by their weights alone.

    Raises:
        UserError: a term, or a sample of the prior, is not finite.
    """
    model.eval()
    if model.likelihood.kind == "calibrated":
        torch.manual_seed(derive_seed("calibration posterior", seed))
        model.likelihood.calibrate(mean_squared_error(model, batches, derive_seed("calibration batches", seed)))
    torch.manual_seed(derive_seed("validation posterior", seed))
    sums: dict[str, float] = {}
    for x, labels in validation.ordered(derive_seed("validation batches", seed)):
        objective: Objective = model(x, labels)
        for name, term in {"objective": objective.total, **objective.terms, **objective.beside}.items():
            sums[name] = sums.get(name, 0.0) + float(term) * len(x)
    row = {f"validation_{name}": total / len(validation.images) for name, total in sums.items()}
    if "validation_rate" in row:
        row["validation_negative_elbo"] = row["validation_distortion"] + row["validation_rate"]
    if model.likelihood.sigma is not None:
        row = {"sigma": float(model.likelihood.sigma), **row}
    if not all(map(math.isfinite, row.values())):
        raise tally.diverged("in validation", named_terms(row))
    if lost := _lost_samples(model, validation, seed):
        raise tally.diverged("in validation", lost)
    return row
