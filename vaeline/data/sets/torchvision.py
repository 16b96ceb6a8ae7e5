"""Classification sets of torchvision by the names of their classes, downloaded, or read from a folder that torchvision has filled.

torchvision knows the addresses, the checksums and the formats; the transfers are ours (`vaeline.data.web`). Two classes unpickle, CIFAR10
and CIFAR100, and do so with files alone that have the md5 which torchvision pins. Classes that keep image files are asked for
their paths, and the files are decoded later; of the others, all images are read.
"""

import hashlib
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from pydantic import Field

from vaeline.data import copies, web
from vaeline.data.archive import Archive
from vaeline.data.labels import Labels, of_classes
from vaeline.data.paths import DOWNLOAD
from vaeline.data.raw_images import EncodedImages, Loader, RawImages
from vaeline.data.sets import fashion_mnist
from vaeline.study.parts import PartOptions
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, instead_of, of_system, reason, some_of
from vaeline.system.files import disk_full, is_disk_full
from vaeline.system.replacing import replaced

Arguments = dict[str, Any]  # of a class
BY_FLAG: dict[str, Arguments] = {"train": {"train": True}, "test": {"train": False}}
BY_NAME = {split: {"split": name} for split, name in (("train", "train"), ("validation", "val"), ("test", "test"))}
TWO = {split: BY_NAME[split] for split in ("train", "test")}
WHOLE: dict[str, Arguments] = {"": {}}
CLASSES: dict[str, dict[str, Arguments]] = {  # class -> official split -> the arguments that give it
    **dict.fromkeys(("CIFAR10", "CIFAR100", "EMNIST", "FashionMNIST", "KMNIST", "MNIST", "USPS"), BY_FLAG),
    "QMNIST": {"train": {"what": "train"}, "test": {"what": "test"}},
    **dict.fromkeys(("Food101", "StanfordCars", "STL10", "SVHN"), TWO),
    **dict.fromkeys(("DTD", "FGVCAircraft", "Flowers102", "RenderedSST2"), BY_NAME),
    "Country211": BY_NAME | {"validation": {"split": "valid"}},
    "Imagenette": {split: BY_NAME[split] for split in ("train", "validation")},
    **dict.fromkeys(("EuroSAT", "SEMEION", "SUN397"), WHOLE),
}
OTHER_KINDS = {  # what the classes are for that have no image with one class each
    "video": "HMDB51 Kinetics MovingMNIST UCF101",
    "optical flow": "FlyingChairs FlyingThings3D HD1K KittiFlow Sintel",
    "stereo matching": "CREStereo CarlaStereo ETH3DStereo FallingThingsStereo InStereo2k Kitti2012Stereo Kitti2015Stereo "
    "Middlebury2014Stereo SceneFlowStereo SintelStereo",
    "detection or segmentation": "Cityscapes CocoDetection Kitti SBDataset VOCDetection VOCSegmentation WIDERFace",
    "captions": "CocoCaptions Flickr30k Flickr8k SBU",
    "pairs of images": "LFWPairs PhotoTour",
}
# Arguments that are not the user's to give.
OURS = {"root", "train", "what", "compat", "download", "transform", "target_transform", "transforms", "loader"}
# A server that knows no https -> one that does.
ENCRYPTED = {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/": fashion_mnist.MIRROR}
COLUMN = "class"


class Options(PartOptions):
    class_name: str = Field(description="a class of torchvision.datasets, as in FashionMNIST")
    arguments: dict[str, str | int | float | bool] = Field(
        {}, description="other arguments of the class, as in {split: letters} for EMNIST"
    )


@dataclass(frozen=True)
class Wanted:
    """A class of torchvision, and what it is called with."""

    made: Callable[..., Any]  # the class
    name: str
    arguments: Arguments
    root: Path

    @property
    def splits(self) -> dict[str, Arguments]:
        """The arguments that give each official split."""
        return {split: {**each, **self.arguments} for split, each in CLASSES[self.name].items()}

    @property
    def keeps_files(self) -> bool:
        """Whether an image is a file, which the class would open with a `loader`."""
        return "loader" in inspect.signature(self.made).parameters


def download(dataset: Dataset, folder: Path) -> None:
    """Bring and unpack the files of the class, unless they are there.

    A folder is renamed when it is complete, so that what a killed process has unpacked is never taken for the whole.

    Raises:
        UserError: the class is unknown or none of classification, or its files cannot be downloaded.
    """
    wanted = _wanted(dataset, folder)
    if wanted.root.is_dir():
        return
    aside, transfers = (wanted.root.with_name(f".{wanted.root.name}.{what}") for what in ("part", "files"))
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    with _transfers_by_us(wanted, transfers):
        for arguments in wanted.splits.values():
            _opened(wanted, aside, {**arguments, "download": True})
    aside.rename(wanted.root)
    shutil.rmtree(transfers, ignore_errors=True)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read the images of all splits, or their names.

    Raises:
        UserError: the class is unknown or none of classification, or its files are missing or damaged.
    """
    if dataset.split.method not in ("random", "official") or dataset.split.group is not None:
        raise UserError(
            "dataset.split: sets of torchvision have neither folders, a column of splits nor groups; set method to official or random, and group to "
            "null."
        )
    wanted = _wanted(dataset, folder)
    return (_of_files if wanted.keeps_files else _of_arrays)(wanted)


def _wanted(dataset: Dataset, folder: Path) -> Wanted:
    """The class that a study names.

    Raises:
        UserError: torchvision has no such class, the class has no labels of images, or it takes other arguments.
    """
    import torchvision.datasets  # takes seconds

    name, arguments = dataset.options["class_name"], dataset.options["arguments"]
    if name not in CLASSES:
        raise UserError(_why_not(name, torchvision.datasets.__all__))
    made = vars(torchvision.datasets)[name]
    taken = inspect.signature(made).parameters
    given = {*OURS, *(key for split in CLASSES[name].values() for key in split)}
    allowed = [key for key, each in taken.items() if key not in given and each.kind is not each.VAR_KEYWORD]
    if unknown := next((key for key in arguments if key not in allowed), None):
        choice = instead_of(unknown, allowed) if allowed else "set it to {}"
        raise UserError(f"dataset.options.arguments: {name} takes no {unknown!r} here; {choice}.")
    if missing := next(
        (key for key in allowed if key not in arguments and taken[key].default is inspect.Parameter.empty), ""
    ):
        raise UserError(f"{name} needs {missing!r}; set dataset.options.arguments to {{{missing}: ...}}.")
    below = "-".join([name, *(f"{key}-{quote(str(value), '')}" for key, value in sorted(arguments.items()))])
    return Wanted(made, name, arguments, folder / below if dataset.source == DOWNLOAD else folder)


def _why_not(name: str, known: tuple[str, ...]) -> str:
    """Why a class is not read, and what to do."""
    kind = next((kind for kind, names in OTHER_KINDS.items() if name in names.split()), None)
    if kind is not None:
        return f"torchvision.datasets.{name} is a set for {kind}, where an image has no class; by class are read: {', '.join(sorted(CLASSES))}."
    if name in known:
        return (
            f"torchvision.datasets.{name} is not read by its name (by name are read: {', '.join(sorted(CLASSES))}); set dataset.name to image_folder, or to "
            "celeba for CelebA, and source to the folder of its images."
        )
    plain = {_plain(each): each for each in CLASSES}
    return (
        f"torchvision has no class {name!r}; {instead_of(plain.get(_plain(name), name), sorted(CLASSES), 'there are')}."
    )


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


@contextmanager
def _transfers_by_us(wanted: Wanted, kept: Path) -> Iterator[None]:
    """Let torchvision download into the folder `kept`, where a broken transfer goes on, and over https only.

    torchvision's own transfer has neither a resumption nor a retry, and goes over to http if https fails.
    """
    from torchvision.datasets import utils

    instead = f"set dataset.source to a folder that torchvision has filled with {wanted.name}"

    def download_url(url: str, root: str, filename: str | None = None, md5: str | None = None, hops: int = 3) -> None:
        path = kept / (filename or url.rpartition("/")[2])
        if not path.exists():
            web.download(_encrypted(url), path, instead, f"md5:{md5}" if md5 else None)
        Path(root).mkdir(parents=True, exist_ok=True)
        _link(path, Path(root) / path.name)

    with ExitStack() as patches:
        for module in {utils, sys.modules[wanted.made.__module__]}:
            if "download_url" in vars(module):
                patches.enter_context(replaced(module, "download_url", download_url))
        yield


def _encrypted(url: str) -> str:
    """The address by https. The checksum, which torchvision pins, says that it is the same file."""
    for plain, ours in ENCRYPTED.items():
        if url.startswith(plain):
            return url.replace(plain, ours, 1)
    return url.replace("http://", "https://", 1)


def _link(path: Path, other: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it."""
    other.unlink(missing_ok=True)
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)


def _opened(wanted: Wanted, root: Path, arguments: Arguments) -> Any:
    """An object of the class.

    Raises:
        UserError: its files are missing or damaged, or an argument has no such value.
    """
    try:
        return wanted.made(str(root), **({"loader": str} if wanted.keeps_files else {}), **arguments)
    except UserError:
        raise
    except Exception as error:  # of torchvision, and of all that it reads with
        if is_disk_full(error):
            raise disk_full(root) from error
        if (of_system(error) and not isinstance(error, FileNotFoundError)) or isinstance(error, MemoryError):
            raise
        if str(error).startswith("Unknown value"):
            raise UserError(f"dataset.options.arguments: {reason(error)}") from error
        raise UserError(
            f"{root} does not hold torchvision's {wanted.name} whole and undamaged ({reason(error)}); set dataset.source to `download`, or to a folder "
            "that torchvision has filled."
        ) from error


def _of_files(wanted: Wanted) -> RawImages:
    """The images of a class that keeps files, in the order of their names, which is the same everywhere."""
    archive, rows = Archive(wanted.root), []
    for split, arguments in wanted.splits.items():
        opened = _opened(wanted, wanted.root, {**arguments, "download": False})
        found = (opened[row] for row in range(len(opened)))  # with its loader, the path
        rows += [(Path(path).relative_to(wanted.root).as_posix(), split, int(code)) for path, code in found]
    rows.sort()
    names = [name for name, _, _ in rows]
    if absent := sorted({*names} - {*archive.names}):
        raise UserError(
            f"{wanted.root} lacks {len(absent):,} images of {wanted.name}: {some_of(absent)}; get its files again."
        )
    archive.check_one_name_each(names)
    same = np.array(archive.first_copies(names))
    labels, official = _labels(opened, np.array([code for _, _, code in rows])), [split for _, split, _ in rows]
    return RawImages(
        images=EncodedImages(archive, names, channels=3),
        labels=labels,
        ids=names,
        files={"images": archive.fingerprint(names), "labels": _fingerprint(_as_text(names, official, labels))},
        official=np.array(official) if "train" in official else None,
        copies=same,
        notes=copies.note(names, same),
    )


def _of_arrays(wanted: Wanted) -> RawImages:
    """The images of a class that has them in memory."""
    images, codes, official, ids = [], [], [], []
    for split, arguments in wanted.splits.items():
        opened = _opened(wanted, wanted.root, {**arguments, "download": False})
        images.append(_pixels(opened))
        codes.append(_codes(opened))
        official += [split] * len(opened)
        ids += [f"{split}-{row}" if split else str(row) for row in range(len(opened))]
    labels, pixels = _labels(opened, np.concatenate(codes)), np.concatenate(images)
    same = copies.of_arrays(pixels)
    return RawImages(
        images=pixels,
        labels=labels,
        ids=ids,
        files={"images": _fingerprint(pixels.data), "labels": _fingerprint(_as_text(ids, official, labels))},
        official=np.array(official) if "train" in official else None,
        copies=same,
        notes=copies.note(ids, same),
    )


def _pixels(opened: Any) -> np.ndarray:
    """All images, uint8, (n, 1 or 3, height, width). To ask for each by itself takes a hundred times as long.

    Raises:
        UserError: the first or the last one is not what torchvision gives.
    """
    stored = np.asarray(opened.data)
    if stored.ndim == 3:
        stored = stored[..., None]
    if stored.shape[1] in (1, 3) and stored.shape[-1] not in (1, 3):
        stored = stored.transpose(0, 2, 3, 1)
    for row in (0, len(opened) - 1):
        if not np.array_equal(np.atleast_3d(np.asarray(opened[row][0])), stored[row]):
            raise UserError(
                f"The installed torchvision keeps {type(opened).__name__} in another form; set dataset.name to another data set."
            )
    return np.ascontiguousarray(stored.transpose(0, 3, 1, 2))


def _codes(opened: Any) -> np.ndarray:
    """The class of each image, (n,)."""
    held = vars(opened)
    codes = np.asarray(held["targets"] if "targets" in held else held["labels"])
    return codes if codes.ndim == 1 else codes[:, 0]  # QMNIST has more beside the class


def _labels(opened: Any, codes: np.ndarray) -> Labels:
    """The class of each image, under torchvision's name for it, or its number; classes without an image are left out."""
    used, places = np.unique(codes, return_inverse=True)
    titles = getattr(opened, "classes", None) or [str(code) for code in range(used.max() + 1)]
    if used.min() < 0 or used.max() >= len(titles):
        raise UserError(
            f"torchvision's {type(opened).__name__} gives images the class {used.max()} of {len(titles)}; get its files again."
        )
    names = [title if isinstance(title, str) else title[0] for title in titles]  # ImageNet's have several names
    values = [names[code] for code in used]
    if len(set(values)) < len(values):
        values = [f"{code} {names[code]}" for code in used]
    return of_classes(COLUMN, values, places)


def _as_text(ids: list[str], official: list[str], labels: Labels) -> bytes:
    rows = zip(ids, official, labels.codes[:, 0], strict=True)
    return "".join(f"{name}\t{split}\t{labels.values[0][code]}\n" for name, split, code in rows).encode()


def _fingerprint(content: bytes | memoryview) -> dict[str, int | str]:
    """As in a manifest: of what was read, because the files in which torchvision keeps it differ between machines."""
    return {"bytes": memoryview(content).nbytes, "sha256": hashlib.sha256(content).hexdigest()}


LOADER = Loader(read=read, download=download)
