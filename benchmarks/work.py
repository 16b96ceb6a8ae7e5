"""The size and the data of each race, shared by both sides so that they do the same work."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

FRECHET = {"images": 4096, "dimensions": 2048, "distances": 1}
INCEPTION = {"count": 16, "size": 86}
FACES = {"images": 512, "batch": 128, "size": 86, "columns": 30}
LATENT = 16
TRAINING = {"mlp": {"images": 54_000, "batch": 64}, "conv": {"images": 640, "batch": 128}}
IMPORTANCE = {"mlp": {"images": 20, "samples": 5000}, "conv": {"images": 4, "samples": 500}}
ESTIMATES = {"mlp": {"steps": 300, "images": 200}, "faces": {"steps": 12, "images": 4}}
SAMPLES = {"posterior": 500, "laplace": 200}  # of an image, for errors of the same order
BATCHES = {"images": 2048, "batch": 128, "size": 86, "rotation": 10}
PREPROCESS = {"images": 12_288, "size": 86}
STREAMING = {"images": 200_000, "steps": 5}
STREAMED_STORE = Path("data/benchmark-streaming.h5")
PHOTOGRAPH = (218, 178)  # height and width of a CelebA photograph


def gaussians(numpy: ModuleType) -> list[tuple[Any, Any]]:
    """Make the mean and covariance of two sets of features like Inception's: 2048 wide, positive, correlated, of different scales."""
    generator, dimensions = numpy.random.default_rng(0), FRECHET["dimensions"]
    mixing = generator.standard_normal((dimensions, dimensions)) * numpy.geomspace(1, 1e-3, dimensions)
    found = []
    for shift in (0.0, 0.05):
        rows = numpy.abs(generator.standard_normal((FRECHET["images"], dimensions)) @ mixing.T / 30 + shift)
        found.append((rows.mean(0), numpy.cov(rows, rowvar=False)))
    return found


def digits(torch: ModuleType, count: int) -> Any:
    """Make images like MNIST's: dark, with one soft bright spot. uint8, (count, 1, 28, 28)."""
    generator = torch.Generator().manual_seed(0)
    centres, at = 8 + 12 * torch.rand(count, 2, 1, 1, generator=generator), torch.arange(28.0)
    squared = (at[:, None] - centres[:, 0]).square() + (at - centres[:, 1]).square()
    return (255 * (-squared / 12).exp()).round().to(torch.uint8).unsqueeze(1)


def faces(torch: ModuleType, count: int, size: int) -> Any:
    """Make smooth colour images. uint8, (count, 3, size, size)."""
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
    return (255 * smooth.clamp(0, 1)).round().to(torch.uint8)


def attributes(torch: ModuleType, count: int) -> Any:
    """Make binary attributes for faces. int64, (count, columns)."""
    return torch.randint(0, 2, (count, FACES["columns"]), generator=torch.Generator().manual_seed(0))


def jpeg_files(count: int) -> list[Path]:
    """Write JPEG files of CelebA's size to a new folder."""
    folder = Path(tempfile.mkdtemp())
    files = [folder / f"{row:06}.jpg" for row in range(count)]
    for file, content in zip(files, _photographs(count), strict=True):
        file.write_bytes(content)
    return files


def celeba(count: int) -> Path:
    """Write a new folder in CelebA's layout, with two attributes."""
    folder = Path(tempfile.mkdtemp())
    names = [f"{row + 1:06}.jpg" for row in range(count)]
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        for name, content in zip(names, _photographs(count), strict=True):
            archive.writestr(f"img_align_celeba/{name}", content)
    attributes = [f"{name} {row % 2 * 2 - 1} {row % 3 // 2 * 2 - 1}" for row, name in enumerate(names)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(count), "Male Smiling", *attributes, ""]))
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {row % 3}\n" for row, name in enumerate(names)))
    return folder


def _photographs(count: int) -> Iterator[bytes]:
    """Make JPEG photographs: smooth shapes with camera grain, about 8 kB each, as in CelebA."""
    import numpy
    from PIL import Image

    generator, (height, width) = numpy.random.default_rng(0), PHOTOGRAPH
    for _ in range(count):
        coarse = Image.fromarray(generator.integers(0, 256, (7, 6, 3), dtype=numpy.uint8))
        smooth = numpy.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), numpy.float32)
        grain = smooth + 4 * generator.standard_normal((height, width, 1), numpy.float32)
        file = io.BytesIO()
        Image.fromarray(grain.clip(0, 255).astype(numpy.uint8)).save(file, "JPEG", quality=80)
        yield file.getvalue()


def inception_file(torch: ModuleType, folder: Path) -> Path:
    """Write a file of random weights in pytorch-fid's format. The values of weights do not change the time."""
    from pytorch_fid import inception
    from torchvision.models import Inception3

    torch.manual_seed(0)
    with patch.object(inception, "load_state_dict_from_url"), patch.object(Inception3, "load_state_dict"):
        network = inception.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            # With torch's default initialization, features shrink to denormal numbers, which are slow on a CPU.
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    torch.save(network.state_dict(), folder / "inception.pth")
    return folder / "inception.pth"
