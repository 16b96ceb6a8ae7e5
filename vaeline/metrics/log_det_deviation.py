"""How much a posterior flow's log-determinant varies over images; 0 for a flow that does nothing."""

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "log_det_deviation",
        group="Latent space",
        meaning="spread of the posterior flow's log-determinant",
        definition="Standard deviation over images of the posterior flow's log-determinant, nats; 0 for an inert flow.",
        unit="nats",
    )
]


def log_det_deviation(log_det: Tensor) -> float:
    """The standard deviation of log-determinants, (images,), at least 2 of them: nats."""
    return float(log_det.std())
