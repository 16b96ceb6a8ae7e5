"""The standard deviation of a pixel under the likelihood."""

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "sigma",
        group="The models",
        meaning="standard deviation of the likelihood",
        definition="Standard deviation of a pixel under p(x|z).",
    )
]
