"""The Fréchet distance label by label: images that have a label from the test images that have it."""

from statistics import fmean

import numpy as np

from vaeline.metrics._entry import SPACES, Metric, Reference
from vaeline.metrics._images import Dash, ImageSet, Measured, Results
from vaeline.metrics._moments import moments
from vaeline.metrics.frechet_distance import bias, distance

METRICS = [
    Metric(
        f"{space}_sample_by_label",
        group="Images",
        meaning=f"Fréchet distance of samples within each label, {features}",
        definition="Fréchet distance of samples asked with a label from the test images that have it, mean over labels.",
        better="lower",
        references=(
            Reference(
                f"{space}_floor_by_label",
                "Fréchet distance of training images with a label, as many as samples are asked to show it, from the test images that have "
                "it, mean over labels.",
                subject="floor",
            ),
        ),
        data=("images",),
        needs_labels=True,
        subject="sample",
        space=space,
        key="frechet_distance_by_label",
        setting="by_label",
    )
    for space, features in SPACES.items()
]

FEWEST = 20  # images of a label that a covariance is still estimated from


def measure(images: ImageSet, real: ImageSet) -> Results:
    """The mean distance over the labels that enough images have; the other labels are named."""
    found: dict[str, float] = {}
    left_out, counts = [], []
    for column, (name, values) in enumerate(real.label_values.items()):
        for value, word in enumerate(values):
            rows = [each.features[each.labels[:, column] == value] for each in (images, real)]
            if min(map(len, rows)) < FEWEST:
                left_out.append(f"{name}={word}")
                continue
            counts.append(min(map(len, rows)))
            found[f"{name}={word}"] = distance(*(moments([each]) for each in rows))
    if not found:
        return {"frechet_distance_by_label": Dash(f"no label has {FEWEST} images of both kinds")}
    how: dict[str, object] = {"images": len(images.features), "of": len(real.features), "by_label": found}
    how |= {"left_out": left_out} if left_out else {}
    how |= bias(min(counts), np.shape(real.features)[1])
    return {"frechet_distance_by_label": Measured(fmean(found.values()), how)}
