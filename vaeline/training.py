"""Training of one variant from one seed, epoch by epoch, each epoch a function of the state before it and its seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.batches import Batches
from vaeline.calibration import mean_squared_error
from vaeline.checkpoints import Checkpoints
from vaeline.errors import UserError
from vaeline.finite import count_lost
from vaeline.model import Model, Objective
from vaeline.params import Training
from vaeline.progress import Bar
from vaeline.seeds import derive_seed

CHECK_EVERY = 50  # steps between two looks at the terms: reading them makes the device wait
SAMPLES_CHECKED = 1000  # of the prior, at each validation
ADVERSARY_LOST = 100.0  # nats of an adversary's cross-entropy, where a tossed coin has 0.69

Row = dict[str, float]


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


class Tally:
    """Sums of the training terms over an epoch; they stay on the device until read."""

    def __init__(self, epoch: int, checkpoints: Checkpoints, against_adversary: bool = False) -> None:
        self.epoch = epoch
        self.checkpoints = checkpoints
        self.against_adversary = against_adversary
        self.images = 0
        self.steps = 0
        self._sums: dict[str, float] = {}
        self._pending: list[tuple[int, dict[str, Tensor]]] = []

    def add(self, images: int, terms: dict[str, Tensor]) -> None:
        self._pending.append((images, {name: term.detach() for name, term in terms.items()}))

    def read(self) -> Row:
        """The means over the images so far, nats.

        Raises:
            UserError: a term is not finite.
        """
        values = torch.stack([torch.stack(list(terms.values())) for _, terms in self._pending]).tolist()
        for (images, names), row in zip(self._pending, values, strict=True):
            terms = dict(zip(names, row, strict=True))
            self.steps += 1
            self.images += images
            if not all(map(math.isfinite, row)):
                raise self.diverged(f"step {self.steps}", _named(terms))
            for name, value in terms.items():
                self._sums[name] = self._sums.get(name, 0.0) + value * images
        self._pending.clear()
        return {name: total / self.images for name, total in self._sums.items()}

    def diverged(self, where: str, what: str) -> UserError:
        """The error of numbers that mean nothing any more."""
        if (self.epoch, where) == (1, "step 1"):
            return UserError(
                f"Training diverged at its first step: {what}; no weight has been changed yet, so look for an option of the "
                "variant that is too large or too small."
            )
        kept = f"checkpoints up to epoch {self.epoch - 1} are kept in {self.checkpoints.folder}"
        adversary = "regularizer.learning_rate, the adversary's, or " if self.against_adversary else ""
        return UserError(
            f"Training diverged at epoch {self.epoch}, {where}: {what}; {kept if self.epoch > 1 else 'no epoch was finished'}. "
            f"Lower {adversary}training.learning_rate, or set training.gradient_clip, and run again."
        )


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


@torch.no_grad()
def codes_of(model: Model, batches: Batches, seed: int) -> tuple[Tensor, Tensor | None]:
    """One sample of each image's posterior, or its codes, and its condition, in the order of the split."""
    torch.manual_seed(derive_seed("codes posterior", seed))
    found = [
        (model.encode(x, labels).judged, model.condition(labels))
        for x, labels in batches.ordered(derive_seed("codes batches", seed))
    ]
    conditions = [condition for _, condition in found if condition is not None]
    return torch.cat([codes for codes, _ in found]), torch.cat(conditions) if conditions else None


def fit_density(model: Model, batches: Batches, seed: int, checkpoints: Checkpoints) -> list[float]:
    """Fit a trained model's density to its codes of the training split, going on where a killed fit stopped.

    Args:
        model: trained; its density is fitted in place.
        batches: training split, on the model's device.
        seed: of the run.
        checkpoints: where the state after each epoch goes; decided by all that decides the model too.

    Returns:
        The mean negative log-probability of the codes in each epoch, nats.

    Raises:
        UserError: the fit diverged.
    """
    model.eval()
    codes, condition = codes_of(model, batches, seed)
    density: Any = model.density
    epochs = density.epochs
    before = checkpoints.latest(epochs)
    losses: list[float] = list(before["losses"]) if before else []
    with Bar("density", epochs, done=len(losses), unit="epochs") as bar:
        for state in density.fit(codes, condition, derive_seed("density", seed), before):
            losses.append(state["loss"])
            checkpoints.write(state["epoch"], {**state, "losses": losses}, state["epoch"] == epochs)
            bar.advance(1, f"loss {state['loss']:.2f}")
    return losses


def _resume(
    model: Model, adam: torch.optim.Adam, adversary: "_Adversary | None", state: dict[str, Any] | None
) -> Progress:
    if state is None:
        return Progress(0, [], {}, math.inf, 0)
    model.load_state_dict(state["model"])
    adam.load_state_dict(state["optimizer"])
    if adversary:
        adversary.load(state["adversary"])
    return Progress(**state["progress"])


@dataclass
class _Adversary:
    """What a regularizer plays against, with an optimizer of its own."""

    network: torch.nn.Module
    optimizer: torch.optim.Adam

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def _adversary(model: Model, fabric: Fabric) -> _Adversary | None:
    regularizer = model.regularizer
    if not hasattr(regularizer, "adversary"):
        return None
    network = regularizer.adversary.to(fabric.device)
    adam = torch.optim.Adam(network.parameters(), lr=regularizer.learning_rate, betas=regularizer.betas, fused=True)
    return _Adversary(network, adam)


@dataclass
class Step:
    """One step of the optimizer, and of the adversary's.

    Fabric has the device and the precision. Its wrappers of model and optimizer are for several processes, and would take a
    tenth of a small model's step.
    """

    model: Model
    optimizer: torch.optim.Adam
    adversary: _Adversary | None
    fabric: Fabric
    training: Training

    def __call__(self, x: Tensor, labels: Tensor, number: int) -> dict[str, Tensor]:
        with self.fabric.autocast():
            objective: Objective = self.model(x, labels, number)
        total = objective.total
        self.optimizer.zero_grad(set_to_none=True)
        if self.adversary:
            self.adversary.optimizer.zero_grad(set_to_none=True)
            # The two have no weight in common: one backward pass serves both.
            self.fabric.backward(total + objective.beside["adversary"])
            self.adversary.optimizer.step()
        else:
            self.fabric.backward(total)
        if self.training.gradient_clip:
            # What is not finite is refused where the terms are read, with their names.
            self.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.training.gradient_clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        return {"objective": total, **objective.terms, **objective.beside}


def stepper(model: Model, training: Training, fabric: Fabric) -> Step:
    """Bring a model to Fabric's device, and give it its optimizer."""
    model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(model.trained_jointly(), lr=training.learning_rate, fused=True)
    return Step(model, adam, _adversary(model, fabric), fabric, training)


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
            "in the mean", f"{_named(means)}, an adversary far worse than a coin's {math.log(2):.2g} nats"
        )
    return {"epoch": tally.epoch, **means}


def _not_finite(model: Model, adversary: _Adversary | None) -> list[str]:
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
    lost = count_lost(z)
    return f"{lost:,} of {len(z):,} samples of prior {model.variant.prior.name} are not finite" if lost else ""


def _named(terms: Row) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in terms.items() if name != "epoch")


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
        raise tally.diverged("in validation", _named(row))
    if lost := _lost_samples(model, validation, seed):
        raise tally.diverged("in validation", lost)
    return row
