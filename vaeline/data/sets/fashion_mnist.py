"""Fashion-MNIST: 60,000 + 10,000 grey pictures of Zalando's articles, 28x28, in MNIST's format (Xiao et al., 2017)."""

from pathlib import Path

from vaeline.data.raw_images import Loader, RawImages
from vaeline.data.sets import _idx
from vaeline.study.schema import Dataset

MIRROR = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"  # the authors'
MD5 = {  # of the compressed files, as torchvision has them; none are published for uncompressed files
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
ARTICLES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip


def download(dataset: Dataset, folder: Path) -> None:
    """Bring the files that `folder` lacks, 31 MB in total."""
    _idx.download(folder, "Fashion-MNIST", MIRROR, MD5)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read the four files. Compressed files are checked by md5, uncompressed ones by their header.

    Raises:
        UserError: a file is missing, damaged, or not of Fashion-MNIST.
    """
    return _idx.read(folder, "Fashion-MNIST", MD5, "article", ARTICLES)


LOADER = Loader(read=read, download=download)
