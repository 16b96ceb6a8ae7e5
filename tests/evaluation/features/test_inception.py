"""Inception loads a file in pytorch-fid's format with random weights."""

import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_fid import inception as pytorch_fid
from scipy.linalg import sqrtm
from torch import Tensor
from torchvision.models import Inception3
from torchvision.transforms.functional import to_tensor

from tests.web_server import WebServer
from vaeline.data.facts import Facts
from vaeline.evaluation.features import inception
from vaeline.evaluation.features.inception import FILE, Inception, OtherWeights, build, fetch
from vaeline.metrics._moments import moments
from vaeline.metrics.frechet_distance import distance
from vaeline.study import parts
from vaeline.study.parts import ROOT, PartOptions
from vaeline.system.errors import UserError
from vaeline.system.files import sha256


def facts(levels: int = 256) -> Facts:
    return Facts("faces", (3, 32, 32), levels, (-1.0, 1.0), ["smiling"], [["no", "yes"]])


def options(weights: object) -> PartOptions:
    return parts.validate("features", {"name": "inception", "weights": str(weights)})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state dict that pytorch-fid's network expects, at random."""
    torch.manual_seed(0)
    with patch.object(pytorch_fid, "load_state_dict_from_url"), patch.object(Inception3, "load_state_dict"):
        network = pytorch_fid.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # else the features fade to 1e-8
        if isinstance(module, torch.nn.BatchNorm2d):  # else it does nothing, and might as well be left out
            for name, low, high in (
                ("weight", 0.5, 1.5),
                ("bias", -0.5, 0.5),
                ("running_mean", -0.5, 0.5),
                ("running_var", 0.5, 2.0),
            ):
                torch.nn.init.uniform_(getattr(module, name), low, high)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def space(weights: Path) -> Inception:
    with pytest.warns(OtherWeights, match="are not comparable with published FIDs"):
        return build(options(weights), facts(), Path("data"))


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, web_server: WebServer) -> Path:
    """The folder of files that a stand-in for pytorch-fid's server gives."""
    monkeypatch.setattr(pytorch_fid, "FID_WEIGHTS_URL", f"{web_server.address}{FILE}")
    return web_server.folder


def test_features_are_those_of_pytorch_fid(space: Inception, weights: Path) -> None:
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with patch.object(pytorch_fid, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True)):
        theirs = pytorch_fid.InceptionV3([3]).eval()
    with torch.inference_mode():
        expected = theirs(images / 255)[0].flatten(1)
    assert space.prefix == "fd" and "with other weights" in space.description
    official = Inception(theirs, 256, inception.SHA256)
    assert official.prefix == "fid" and "other" not in official.description
    assert expected.shape == (2, 2048)
    assert expected.std(0).mean() > 1e-3
    torch.testing.assert_close(space(images), expected)


def test_the_distance_equals_pytorch_fids_on_png_files(space: Inception, weights: Path, tmp_path: Path) -> None:
    """Activations as its `get_activations` computes them of PNG files, and ours of arrays; its formula of the distance and ours on a
    part of them that has full rank. Its module `fid_score` is not imported: it passes `disp` to sqrtm, which SciPy 1.18 has not.

    Of fewer images than dimensions its matrix square root is no oracle: `test_frechet.py` has closed forms there.
    """
    generator = np.random.default_rng(0)
    sets = [generator.integers(0, top, (9, 3, 32, 32), dtype=np.uint8) for top in (256, 128)]
    theirs, ours = [], []
    with patch.object(pytorch_fid, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True)):
        network = pytorch_fid.InceptionV3([3]).eval()
    for index, images in enumerate(sets):
        files = [tmp_path / f"{index}-{row}.png" for row in range(len(images))]
        for file, image in zip(files, images, strict=True):
            Image.fromarray(image.transpose(1, 2, 0)).save(file)
        read = torch.stack([to_tensor(Image.open(file).convert("RGB")) for file in files])
        with torch.inference_mode():
            theirs.append(network(read)[0].flatten(1).numpy().astype(np.float64))
        ours.append(space(torch.from_numpy(images)).numpy())
        np.testing.assert_allclose(ours[-1], theirs[-1], rtol=1e-4, atol=1e-5)
    alive = np.argsort(theirs[1].var(0))[-8:]  # with random weights many features are always 0
    some = [each[:, alive] for each in theirs]
    means, covariances = [each.mean(0) for each in some], [np.cov(each, rowvar=False) for each in some]
    apart, root = means[0] - means[1], sqrtm(covariances[0] @ covariances[1]).real
    expected = apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert distance(*(moments([each]) for each in some)) == pytest.approx(expected, rel=1e-6)
    assert distance(*(moments([each[:, alive]]) for each in ours)) == pytest.approx(expected, rel=1e-3)


def test_grey_images_fill_all_three_channels(space: Inception) -> None:
    grey = torch.randint(0, 256, (1, 1, 16, 16), dtype=torch.uint8)
    assert torch.equal(space(grey), space(grey.repeat(1, 3, 1, 1)))


class Echo(torch.nn.Linear):
    """A network that returns its input."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x]


def test_pixel_levels_fill_the_networks_range() -> None:
    coarse = torch.randint(0, 17, (60, 1, 8, 8), dtype=torch.uint8)
    shown = Inception(Echo(1, 1), 17, "")(coarse)
    torch.testing.assert_close(shown, (coarse / 16).repeat(1, 3, 1, 1).flatten(1))


def test_the_weights_are_identified(space: Inception, weights: Path) -> None:
    assert space.weights_sha256 == sha256(weights)


def test_missing_weights_are_reported_with_a_remedy(tmp_path: Path) -> None:
    for step in (
        lambda: fetch(options(tmp_path / "no.pth"), tmp_path),
        lambda: build(options(tmp_path / "no.pth"), facts(), tmp_path),
    ):
        with pytest.raises(UserError, match=r"no\.pth.*set `weights` in evaluation\.features"):
            step()


def test_weights_not_yet_downloaded_are_reported_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pipeline_steps\.download"):
        build(options("download"), facts(), tmp_path)


@pytest.mark.usefixtures("github")
def test_a_failed_download_explains_how_to_provide_the_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be downloaded.*set `weights` in evaluation\.features to its path"):
        fetch(options("download"), tmp_path)
    assert not list((tmp_path / "raw/inception").iterdir())


@pytest.mark.parametrize(("content", "came"), [("<html>", "gave a web page"), ("cut", "3 bytes without its known")])
def test_a_download_of_another_file_is_refused(tmp_path: Path, github: Path, content: str, came: str) -> None:
    (github / FILE).write_text(content)
    with pytest.raises(UserError, match=f"{came}.*put a copy of the Inception weights at"):
        fetch(options("download"), tmp_path)
    assert not list((tmp_path / "raw/inception").iterdir())


@pytest.mark.usefixtures("github")
@pytest.mark.filterwarnings("ignore::vaeline.evaluation.features.inception.OtherWeights")
def test_a_downloaded_file_is_not_downloaded_again(weights: Path, tmp_path: Path) -> None:
    there = tmp_path / "raw/inception" / FILE
    there.parent.mkdir(parents=True)
    there.write_bytes(weights.read_bytes())
    fetch(options("download"), tmp_path)


class Bomb:
    """Code that an unsafe unpickler would run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("content", ["web page", "truncated", "pickle", "other network", "list", "words"])
def test_a_file_without_weights_is_named_before_training(weights: Path, tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.pth"
    {
        "web page": lambda: path.write_text("<html>quota exceeded</html>"),
        "truncated": lambda: path.write_bytes(weights.read_bytes()[:100_000]),
        "pickle": lambda: torch.save(Bomb(tmp_path / "exploded"), path),
        "other network": lambda: torch.save({"weight": torch.zeros(3)}, path),
        "words": lambda: path.write_text("hello world"),
        "list": lambda: torch.save([1, 2], path),
    }[content]()
    with pytest.raises(UserError, match=r"bad\.pth is damaged, or does not contain the weights"):
        fetch(options(path), tmp_path)
    assert not (tmp_path / "exploded").exists()


def test_no_module_imports_what_scipy_1_18_breaks() -> None:
    """`fid_score` of pytorch-fid passes `disp` to sqrtm."""
    sources = [path.read_text() for folder in ("vaeline", "pipeline_steps") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 100 and not any("fid_score" in each or "disp=" in each for each in sources)


def test_the_official_file_is_recognised_by_name() -> None:
    assert FILE == "pt_inception-2015-12-05-6726825d.pth"
    assert inception.SHA256.startswith("6726825d") and len(inception.SHA256) == 64
