"""The learning rate of each step: a function of the step alone, so that a resumed training need not remember it."""

import math

from vaeline.study.schema import Training


def learning_rate(settings: Training, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step: it rises linearly over the warm-up, and falls at milestones or along a cosine.

    Args:
        settings: of the training.
        step: from 1.
        steps_per_epoch: of the training split.
    """
    warmed = min(1.0, step / settings.warmup) if settings.warmup else 1.0
    return settings.learning_rate * warmed * _fallen(settings, step - 1, steps_per_epoch)


def _fallen(settings: Training, steps_done: int, steps_per_epoch: int) -> float:
    """The share of the learning rate that the schedule leaves."""
    if settings.schedule == "cosine":  # without restarts (Loshchilov and Hutter, 2017)
        return (1 + math.cos(math.pi * steps_done / (settings.epochs * steps_per_epoch))) / 2
    epochs_done = steps_done // steps_per_epoch
    passed = sum(milestone <= epochs_done for milestone in settings.milestones)
    return float(settings.decay**passed)
