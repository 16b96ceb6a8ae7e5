"""The 2048 pool features of pytorch-fid's InceptionV3; only a Fréchet distance in this space is an FID.

The network and its weights are those that TensorFlow's FID used (Heusel et al., 2017), as ported by pytorch-fid.
"""

import hashlib
import io
import warnings
from pathlib import Path

import torch
from pydantic import Field
from pytorch_fid import inception
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.inception import BasicConv2d

from vaeline.data import web
from vaeline.data.facts import Facts
from vaeline.data.paths import DOWNLOAD, downloads, from_study
from vaeline.evaluation.feature_space import Features
from vaeline.metrics._entry import Space
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError, of_system
from vaeline.system.replacing import replaced

FILE = Path(inception.FID_WEIGHTS_URL).name
# Of the file, whose name has only the first 8 digits; docs/decisions.md says how the others are known.
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BATCH_SIZE = 50  # images that are 299x299 inside the network


class OtherWeights(UserWarning):
    """The weights are not those of pytorch-fid, so that distances are not comparable to published ones."""


class Options(PartOptions):
    weights: str = Field(
        "download", description="`download`, or the path of pytorch-fid's pt_inception-2015-12-05-6726825d.pth"
    )


def build(options: Options, facts: Facts, data: Path, device: torch.device | str = "cpu") -> "Inception":
    """Load the feature space; the weights are given by path, or the download has put them under `data`.

    Raises:
        UserError: the weights are not there, or belong to another network.

    Warns:
        OtherWeights: they are those of another training of the network.
    """
    require(options, data)
    network, sha256 = _load(weights_path(options, data))
    return Inception(network.to(device), facts.levels, sha256)


def require(options: Options, data: Path) -> None:
    """Refuse to continue without the weights: after `dvc pull`, which brings none, the download step does not run again.

    Raises:
        UserError: they are not there.
    """
    path = weights_path(options, data)
    if not path.exists():
        raise UserError(f"The Inception weights {path} are not there; {_how_to_give(options)}.")


def fetch(options: Options, data: Path) -> None:
    """Download the weights to below `data`, unless they are there or were given by path, and load them once.

    Raises:
        UserError: they cannot be downloaded, are not at the given path, or belong to another network.
    """
    path = weights_path(options, data)
    if options.weights == DOWNLOAD and not path.exists():
        _download(path)
    require(options, data)
    _load(path)  # a damaged file is found now rather than after the training


def weights_path(options: Options, data: Path) -> Path:
    """The path of the weights, where the study or the download has them."""
    return from_study(downloads(options.name, data) / FILE if options.weights == DOWNLOAD else options.weights)


class Inception(Features):
    """The pool features of InceptionV3, (n, 2048), of images with three channels or one.

    Args:
        network: that of pytorch-fid.
        levels: of the images' pixels.
        weights_sha256: of the file of its weights; only the official file gives an FID.
    """

    prefix: Space = "fid"

    def __init__(self, network: torch.nn.Module, levels: int, weights_sha256: str) -> None:
        self.network = network
        self.levels = levels
        self.weights_sha256 = weights_sha256
        official = weights_sha256 == SHA256
        if not official:  # a distance in the features of other weights is not an FID
            self.prefix = Features.prefix
        self.description = (
            f"the 2048 pool features of pytorch-fid's InceptionV3{'' if official else ', with other weights'}"
        )

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        """Features of images, uint8 (n, channel, height, width): float32, (n, 2048).

        A grey image is repeated for all three colours.
        """
        device = next(self.network.parameters()).device
        batches = images.expand(-1, 3, -1, -1).split(BATCH_SIZE)
        return torch.cat([self.network(self._to_network(batch.to(device)))[0].flatten(1) for batch in batches])

    def _to_network(self, images: Tensor) -> Tensor:
        return (images / (self.levels - 1)).contiguous(memory_format=torch.channels_last)


def _load(path: Path) -> tuple[torch.nn.Module, str]:
    """The network with the weights of a file, and the SHA-256 of the file, which is read once."""
    try:
        content = path.read_bytes()
        weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        # pytorch-fid loads its weights only from the net.
        with replaced(inception, "load_state_dict_from_url", lambda *_, **__: weights):
            network: torch.nn.Module = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    except Exception as error:  # of the many that a damaged pickle can raise; torch's messages do not help the user
        if of_system(error):
            raise
        raise UserError(
            f"{path} is damaged, or does not contain the weights of pytorch-fid's InceptionV3; replace it by {inception.FID_WEIGHTS_URL}."
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != SHA256:
        warnings.warn(
            f"{path} contains other weights than pytorch-fid's; distances are named fd and kd and are not comparable with published FIDs.",
            OtherWeights,
            stacklevel=3,
        )
    return _fused(network.eval()).to(memory_format=torch.channels_last), sha256


def _fused(network: torch.nn.Module) -> torch.nn.Module:
    """The same network with each normalisation, which only scales and shifts in evaluation, inside the convolution before it."""
    for block in network.modules():
        if isinstance(block, BasicConv2d):
            block.conv, block.bn = fuse_conv_bn_eval(block.conv, block.bn), torch.nn.Identity()
    return network


def _download(path: Path) -> None:
    instead = f"put a copy of the Inception weights at {path}, set `weights` in evaluation.features to its path, or take features `classifier`"
    web.download(inception.FID_WEIGHTS_URL, path, instead, f"sha256:{SHA256}")


def _how_to_give(options: Options) -> str:
    if options.weights == DOWNLOAD:
        return "fetch them with `python -m pipeline_steps.download`, or set `weights` in evaluation.features to the path of a copy"
    return f"set `weights` in evaluation.features to the path of {FILE}, or to `download`"
