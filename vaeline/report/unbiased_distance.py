"""What the unbiased kernel distance says of a claim about a Fréchet distance, whose bias depends on the number of images.

It stands beside a verdict and decides nothing: its p-value is over seeds alone, and not adjusted.
"""

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison
from vaeline.report.estimates import RunValue
from vaeline.report.paired_differences import paired_difference

LEVEL = 0.05
KERNEL = {"fd": "kd", "fid": "kid"}  # the space of a Fréchet distance -> how the name of its kernel distance begins


def beside(comparison: Comparison, name: str, first: str, second: str, factor: float) -> str:
    """Whether the kernel distance of the same images is better for the first variant; empty if one of the two has no such distance.

    Args:
        comparison: of the study.
        name: of the metric of the claim.
        first: the variant that the claim calls better.
        second: the other one.
        factor: of the other one.
    """
    metric = catalogue().metric(name)
    if metric.key != "frechet_distance":
        return ""
    kernel = f"{KERNEL[metric.space]}_{metric.subject}"
    results = comparison.metrics.get(kernel)
    if results is None or not {first, second} <= results.summaries.keys():
        return ""
    if results.measures.get(first) != results.measures.get(second):
        return ""
    values = {
        variant: {seed: RunValue(times * value) for seed, value in results.summaries[variant].values.items()}
        for variant, times in ((first, 1.0), (second, factor))
    }
    pair = paired_difference(first, second, values)
    if pair.p_value is None:
        return ""
    said = "open" if pair.p_value > LEVEL else "for it" if pair.difference < 0 else "against it"
    return f"`{kernel}`: {said}, p {pair.p_value:.2g}"
