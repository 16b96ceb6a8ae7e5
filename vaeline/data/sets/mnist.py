"""MNIST: 60,000 + 10,000 handwritten digits of 28x28 (LeCun et al., 1998), downloaded, or read from a folder of idx files."""

from pathlib import Path

from vaeline.data.raw_images import Loader, RawImages
from vaeline.data.sets import _idx
from vaeline.study.schema import Dataset

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"  # torchvision's
COMPRESSED = {  # md5 of the mirror's files, as torchvision has them
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
MD5 = _idx.MNIST  # of the uncompressed bytes, because mirrors compress differently


def download(dataset: Dataset, folder: Path) -> None:
    """Bring the files that `folder` lacks, 11 MB in total."""
    _idx.download(folder, "MNIST", MIRROR, COMPRESSED)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read and check the four files.

    Raises:
        UserError: a file is missing, damaged, or not of MNIST.
    """
    return _idx.read(folder, "MNIST", MD5, "digit", [str(digit) for digit in range(10)])


LOADER = Loader(read=read, download=download)
