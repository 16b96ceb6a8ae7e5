"""What a likelihood measures, in words. Results of unlike measures are never compared."""

from vaeline.models.contracts import Likelihood

GREY_GAP = "of black and white images, which the model draws; the test images are grey"


def measure_of(likelihood: Likelihood, pixels: str, given_label: bool) -> str:
    """What log p(x|z) is of.

    Args:
        likelihood: p(x|z).
        pixels: what a pixel is: a value of dataset.pixels, or `points`.
        given_label: whether it is given the label.
    """
    if takes_expectations(likelihood, pixels):
        measure = "cross-entropy of grey pixels"
    else:
        of = "levels" if likelihood.of_levels and pixels == "greys" else "pixels"
        measure = f"{'probability' if likelihood.sigma is None else 'density'} of {of}"
    return measure + " given the label" * given_label


def takes_expectations(likelihood: Likelihood, pixels: str) -> bool:
    """Whether a likelihood of black and white pixels takes greys for their expectations, as a Bernoulli does.

    exp(x h - softplus(h)) sums to 1 over x = 0 and 1. Over greys it neither sums nor integrates to 1: it is no probability and no density.
    """
    return likelihood.sigma is None and not likelihood.of_levels and pixels == "greys"
