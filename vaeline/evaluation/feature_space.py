"""The contract of a feature space, in which images are compared."""

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from vaeline.metrics._entry import Space
from vaeline.study.contract import Part

NO_JUDGE = ""  # the name of a space that is the same for all judges


class Features(Part):
    """A feature space; `build(options, facts, data, device)` loads it.

    The file of a space that needs weights has two more functions: `fetch(options, data)` downloads them, and
    `require(options, data)` raises a UserError if they are missing.
    """

    family = "features"
    prefix: Space = "fd"  # of Fréchet distances in it; fid for pytorch-fid's own weights only
    description: str  # what the features are, for evaluation.json
    weights_sha256: str  # of the weights that make the features
    linear: bool = False  # whether they are a linear map of the pixels, which gives a Gaussian of pixels the moments of real features
    says_nothing: str = ""  # why distances in the space mean nothing; empty if they do mean something

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """Features of images, uint8 (n, channel, height, width): float32, (n, dimensions)."""

    def by_judge(self) -> "Mapping[str, Features]":
        """The spaces that images are compared in: one for each judge, by its name, if the space is a judge's own."""
        return {NO_JUDGE: self}
