"""MNIST: 60,000 + 10,000 handwritten digits of 28x28 (LeCun et al., 1998), downloaded, or read from a folder of idx files."""

from pathlib import Path

from vaeline.data.raw_images import Loader, RawImages
from vaeline.data.sets import _idx
from vaeline.study.schema import Dataset

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # torchvision's
MD5 = _idx.MNIST  # of the uncompressed bytes, because mirrors compress differently


def download(folder: Path) -> None:
    """Bring the files that `folder` lacks, 11 MB in total."""
    _idx.download(folder, "MNIST", MIRROR, MD5)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read and check the four files.

    Raises:
        UserError: a file is missing, damaged, or not of MNIST.
    """
    return _idx.read(folder, "MNIST", MD5, "digit", [str(digit) for digit in range(10)])


LOADER = Loader(read=read, download=download)
