"""Training of the classifiers.

A classifier is trained against overfitting with dropout, weight decay, and a learning rate that falls to 0 along a cosine, so
that it depends on the subject of an image more than on sharpness or noise.
"""

import copy
import math

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.data.facts import FEWEST, Facts
from vaeline.data.on_demand import BATCH
from vaeline.data.store import Split, SplitOnDemand
from vaeline.evaluation.classifier import LEARNED_FROM, Classifier, predict
from vaeline.evaluation.skill import MOST_IMAGES, Skill, skill_of
from vaeline.study import schema
from vaeline.system.errors import UserError
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed

WEIGHT_DECAY = 0.05


def train(
    train: Split | SplitOnDemand,
    validation: Split | SplitOnDemand,
    facts: Facts,
    settings: schema.Classifier,
    device: torch.device | str = "cpu",
) -> dict[str, Classifier]:
    """Train a classifier with each seed, one after the other, and keep its epoch of the lowest validation cross-entropy.

    On the CPU a classifier is the same for the same seed and number of threads, whatever the other seeds. RareLabels warns of values that
    too few images have, and LearnedNothing of a classifier that is not better than chance.

    Args:
        train: the images that it learns from, with labels.
        validation: the images that choose its epoch.
        facts: of their store.
        settings: the section `classifier` of the study.
        device: to train on.

    Returns:
        The classifiers by their seeds.

    Raises:
        UserError: every label has a single value, or a loss is no longer finite.
    """
    if max(facts.label_cardinalities) < 2:
        raise UserError(
            f"The labels of {facts.dataset_id} have a single value each, so that no classifier can be trained on them; "
            "give images of at least two classes, or with attributes that differ."
        )
    facts.warn_of_rare()
    return {str(seed): _train(train, validation, facts, settings, seed, device) for seed in settings.seeds}


def _log_frequency(labels: Tensor, cardinalities: list[int]) -> Tensor:
    """Log-frequencies of all values of all columns, concatenated; infinity for a value that is too rare, so that it is never predicted."""
    columns = zip(labels.unbind(1), cardinalities, strict=True)
    counts = torch.cat([torch.bincount(column, minlength=values) for column, values in columns])
    return torch.where(counts >= FEWEST, (counts / len(labels)).log(), torch.inf)


def _train(
    train: Split | SplitOnDemand,
    validation: Split | SplitOnDemand,
    facts: Facts,
    settings: schema.Classifier,
    seed: int,
    device: torch.device | str,
) -> Classifier:
    with torch.random.fork_rng([device] if torch.device(device).type == "cuda" else []):
        torch.manual_seed(derive_seed("classifier weights and dropout", seed))
        classifier = Classifier(
            facts.image_shape, facts.levels, facts.label_cardinalities, settings.width, settings.features
        )
        classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        batches = Batches(train, facts, settings.batch_size, device)
        classifier.log_frequency.copy_(_log_frequency(batches.labels, facts.label_cardinalities))
        held_out = Batches(validation, facts, BATCH, device)
        classifier.load_state_dict(_best_epoch(classifier, batches, held_out, settings, seed, device))
    classifier.data = facts.checksums_of(LEARNED_FROM)
    classifier.skill = _skill(classifier.eval(), validation, facts, seed)
    classifier.skill.warn(f"classifier of seed {seed}" if len(settings.seeds) > 1 else "classifier")
    return classifier


def _best_epoch(
    classifier: Classifier,
    batches: Batches,
    validation: Batches,
    settings: schema.Classifier,
    seed: int,
    device: torch.device | str,
) -> dict[str, Tensor]:
    """Train, and return the state after the epoch of the lowest validation cross-entropy."""
    optimizer = torch.optim.AdamW(
        classifier.parameters(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    generator = torch.Generator(device).manual_seed(derive_seed("classifier batches", seed))
    best, best_loss = classifier.state_dict(), math.inf
    with Bar("training", settings.epochs, unit="epochs") as bar:
        for _ in range(settings.epochs):
            _train_epoch(classifier, optimizer, batches, generator, settings)
            schedule.step()
            loss = _validation_loss(classifier, validation)
            if not math.isfinite(loss):
                raise UserError(
                    f"The classifier's validation loss is {loss}; lower classifier.learning_rate ({settings.learning_rate})."
                )
            if loss < best_loss:
                best, best_loss = copy.deepcopy(classifier.state_dict()), loss
            bar.advance(1, f"validation {loss:.3f}")
    return best


def _skill(classifier: Classifier, validation: Split | SplitOnDemand, facts: Facts, seed: int) -> Skill:
    rows = evenly_spaced(len(validation.images), MOST_IMAGES)
    seen = predict(classifier, validation.some(rows).images).numpy()
    return skill_of(
        seen,
        facts.learnable(validation.labels[rows]),
        facts.label_names,
        derive_seed("classifier against chance", seed),
    )


def _train_epoch(
    classifier: Classifier,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    generator: torch.Generator,
    settings: schema.Classifier,
) -> None:
    classifier.train()
    for images, labels in batches.augmented(generator, settings.flip, settings.rotation):
        loss = classifier.loss(images, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def _validation_loss(classifier: Classifier, validation: Batches) -> float:
    classifier.eval()
    losses = (classifier.loss(*batch).item() * len(batch[1]) for batch in validation.stored())
    return sum(losses) / len(validation.labels)
