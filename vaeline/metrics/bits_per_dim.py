"""Likelihoods of dequantized images in bits per dimension (Theis et al., 2016, section 3.1)."""

from math import log, log2

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        f"bits_per_dim{ending}",
        group="Likelihood",
        meaning=f"code length of a pixel{words}",
        definition=f"nll{ending} / (dimensions ln 2), and + log2(levels / range) if the images are dequantized.",
        unit="bits",
        better="lower",
        data=("images",),
    )
    for ending, words in (("", ""), ("_given_label", " given the label"))
]


def bits_per_dim(nll: float, dimensions: int, levels: int, extent: float) -> float:
    """Bits that a lossless code would spend on each pixel value, at most.

    Args:
        nll: -log p(x) of uniformly dequantized images: nats per image.
        dimensions: channel * height * width.
        levels: values a pixel could take before it was dequantized, such as 256.
        extent: width of the range that they were scaled to, such as 2 for [-1, 1].
    """
    return nll / (dimensions * log(2)) + log2(levels / extent)
