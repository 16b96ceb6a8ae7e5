"""Sets of torchvision by their class: arrays and files, downloads through our transfers, and classes that are not read."""

import gzip
import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets as of_torchvision
from torchvision.datasets import cifar

from tests.data.sets.sources import encoded, idx_files, picture, write_files, write_torchvision
from tests.web_server import WebServer
from vaeline.data import preprocessing, raw_images, web
from vaeline.data.raw_images import EncodedImages
from vaeline.data.sets import torchvision
from vaeline.study.schema import Dataset, Split
from vaeline.system.errors import UserError


def dataset(source: Path | str, class_name: str = "FashionMNIST", **keys: object) -> Dataset:
    arguments = keys.pop("arguments", {})
    options = {"class_name": class_name, "arguments": arguments}
    return Dataset.model_validate(
        {"id": "tiny", "name": "torchvision", "size": 8, "source": str(source), "options": options} | keys
    )


def test_arrays_keep_their_pixels_splits_and_classes(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_torchvision(tmp_path)))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (40, 1, 28, 28)
    assert raw.images[30:].tobytes() == idx_files()["t10k-images-idx3-ubyte"][16:]
    assert raw.official is not None and raw.official.tolist() == ["train"] * 30 + ["test"] * 10
    assert raw.ids[29:31] == ["train-29", "test-0"] and raw.labels.names == ["class"]
    assert [raw.labels.values[0][code] for code in raw.labels.codes[8:11, 0]] == ["Bag", "Ankle boot", "T-shirt/top"]


class InColour:
    """Stands for a class of torchvision whose images come in another order of axes than PIL's."""

    classes = None

    def __init__(self, root: str, split: str = "train", download: bool = False) -> None:
        self.data = np.arange(5 * 3 * 6 * 8, dtype=np.uint8).reshape(5, 3, 6, 8)
        self.labels = np.array([4, 4, 1, 1, 1])

    def __len__(self) -> int:
        return 5

    def __getitem__(self, row: int) -> tuple[np.ndarray, int]:
        return self.data[row].transpose(1, 2, 0), self.labels[row]


def test_the_order_of_axes_is_that_of_torchvisions_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_torchvision, "SVHN", InColour)
    raw = raw_images.read(dataset(tmp_path, "SVHN"))
    assert isinstance(raw.images, np.ndarray) and raw.images.shape == (10, 3, 6, 8)
    assert np.array_equal(raw.images[:5], InColour("").data)
    assert raw.copies is not None and raw.copies.tolist() == [*range(5), *range(5)]  # both splits have the same images
    assert raw.labels.values == [["1", "4"]] and raw.labels.codes[:5, 0].tolist() == [1, 1, 0, 0, 0]
    monkeypatch.setattr(InColour, "__getitem__", lambda self, row: (self.data[row], 0))
    with pytest.raises(UserError, match="torchvision keeps InColour in another form"):
        raw_images.read(dataset(tmp_path, "SVHN"))


def write_eurosat(folder: Path) -> Path:
    names = [f"eurosat/2750/{kind}/{kind}_{row}.jpg" for kind in ("River", "Forest") for row in range(6)]
    return write_files(folder, {name: encoded(picture(row)) for row, name in enumerate(names)})


def test_files_are_decoded_later_and_in_the_order_of_their_names(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_eurosat(tmp_path), "EuroSAT"))
    assert isinstance(raw.images, EncodedImages) and raw.official is None
    assert raw.ids == sorted(raw.ids) and raw.ids[0] == "eurosat/2750/Forest/Forest_0.jpg"
    assert raw.labels.values == [["Forest", "River"]] and raw.labels.codes[:, 0].tolist() == [0] * 6 + [1] * 6
    assert raw.images.archive.read(raw.ids[6]) == encoded(picture(0))


def write_food(folder: Path, classes: list[str]) -> Path:
    """Food101 with images of two classes, whose names stand in lists."""
    lists = {"train": range(8), "test": range(8, 12)}
    for split, rows in lists.items():
        listed = {kind: [f"all/{row}" for row in rows if row % 2 == code] for code, kind in enumerate(classes)}
        write_files(folder, {f"food-101/meta/{split}.json": json.dumps(listed).encode()})
    return write_files(folder, {f"food-101/images/all/{row}.jpg": encoded(picture(row)) for row in range(12)})


def test_files_have_the_classes_and_splits_of_the_lists(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_food(tmp_path, ["pizza", "soup"]), "Food101"))
    assert raw.official is not None
    given = dict(zip(raw.ids, zip(raw.official, raw.labels.codes[:, 0], strict=True), strict=True))
    assert given["food-101/images/all/9.jpg"] == ("test", 1) and given["food-101/images/all/2.jpg"] == ("train", 0)


@pytest.mark.parametrize("change", ["an image", "a class", "a class of an array"])
def test_a_change_between_the_steps_is_refused(tmp_path: Path, change: str) -> None:
    name = "FashionMNIST" if change == "a class of an array" else "Food101"
    wanted = dataset(write_torchvision(write_food(tmp_path, ["pizza", "soup"])), name)
    manifest = raw_images.fetch(wanted)
    if change == "an image":
        (tmp_path / "food-101/images/all/3.jpg").write_bytes(encoded(picture(99)))
    elif change == "a class":
        write_food(tmp_path, ["soup", "pizza"])
    else:
        labels = tmp_path / "FashionMNIST/raw/t10k-labels-idx1-ubyte"
        labels.write_bytes(labels.read_bytes()[:-1] + b"\0")
    with pytest.raises(UserError, match="are not those that the download step saw"):
        preprocessing.preprocess(wanted, manifest, tmp_path / "tiny.h5", threads=1)


class Bomb:
    """Code that an unpickler would run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def write_cifar(folder: Path, batch: object) -> str:
    """The same batch under the names of all of CIFAR10's files; their md5."""
    names = [name for name, _ in cifar.CIFAR10.train_list + cifar.CIFAR10.test_list] + [cifar.CIFAR10.meta["filename"]]
    content = pickle.dumps(batch)
    write_files(folder / "cifar-10-batches-py", dict.fromkeys(names, content))
    return hashlib.md5(content).hexdigest()


def test_a_file_that_torchvision_does_not_know_is_not_unpickled(tmp_path: Path) -> None:
    write_cifar(tmp_path, {"data": Bomb(tmp_path / "exploded")})
    with pytest.raises(UserError, match="does not hold torchvision's CIFAR10 whole and undamaged"):
        raw_images.read(dataset(tmp_path, "CIFAR10"))
    assert not (tmp_path / "exploded").exists()


def test_a_file_that_torchvision_knows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    md5 = write_cifar(tmp_path, {"data": pixels, "labels": [0, 1, 1, 0], "label_names": ["cat", "dog"]})
    for key in ("train_list", "test_list"):
        monkeypatch.setattr(cifar.CIFAR10, key, [[name, md5] for name, _ in vars(cifar.CIFAR10)[key]])
    monkeypatch.setitem(cifar.CIFAR10.meta, "md5", md5)
    raw = raw_images.read(dataset(tmp_path, "CIFAR10"))
    assert isinstance(raw.images, np.ndarray) and np.array_equal(raw.images[:4], pixels.reshape(4, 3, 32, 32))
    assert raw.labels.values == [["cat", "dog"]] and raw.labels.codes[:4, 0].tolist() == [0, 1, 1, 0]


@pytest.fixture
def mirror(web_server: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WebServer:
    """A stand-in for the server of FashionMNIST, with files of their own md5."""
    files = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in idx_files().items()}
    write_files(web_server.folder, files)
    fashion = of_torchvision.FashionMNIST
    monkeypatch.setattr(fashion, "mirrors", [web_server.address])
    monkeypatch.setattr(fashion, "resources", [(name, hashlib.md5(each).hexdigest()) for name, each in files.items()])
    monkeypatch.setattr(torchvision, "ENCRYPTED", {web_server.address: web_server.address})
    monkeypatch.setattr(web, "CHUNK", 100)
    monkeypatch.chdir(tmp_path)
    return web_server


def test_a_broken_download_goes_on_and_is_renamed_when_it_is_whole(mirror: WebServer, tmp_path: Path) -> None:
    mirror.faults = [5000, 503, 503, 503]
    with pytest.raises(
        UserError, match="the answer is 503 .*set dataset.source to a folder that torchvision has filled"
    ):
        raw_images.fetch(dataset("download"))
    assert not (tmp_path / "data/raw/torchvision/FashionMNIST").exists()
    assert raw_images.fetch(dataset("download"))["images"] == 40
    assert mirror.asked[4] == "bytes=5000-" and mirror.asked[5:] == [None] * 3
    mirror.faults = [404] * 9
    assert raw_images.fetch(dataset("download"))["images"] == 40
    left = {path.name for path in (tmp_path / "data/raw/torchvision").iterdir()}
    assert left == {".lock", "FashionMNIST"}


def test_a_download_of_another_file_is_refused(mirror: WebServer) -> None:
    (mirror.folder / "t10k-images-idx3-ubyte.gz").write_bytes(b"cut")
    with pytest.raises(UserError, match="t10k-images-idx3-ubyte.gz gave 3 bytes without its known checksum"):
        raw_images.fetch(dataset("download"))


def test_addresses_become_encrypted_ones() -> None:
    fashion = of_torchvision.FashionMNIST.mirrors[0]
    assert torchvision._encrypted(f"{fashion}a.gz").startswith("https://raw.githubusercontent.com/")
    assert torchvision._encrypted("http://codh.rois.ac.jp/a.gz") == "https://codh.rois.ac.jp/a.gz"


REFUSED = {
    "fashionmnist": "torchvision has no class 'fashionmnist'; did you mean FashionMNIST.* There are: CIFAR10",
    "Food10": "has no class 'Food10'; did you mean Food101",
    "CocoDetection": "CocoDetection is a set for detection or segmentation, where an image has no class",
    "Kinetics": "Kinetics is a set for video",
    "Sintel": "Sintel is a set for optical flow",
    "CelebA": "CelebA is not read by its name .*; set dataset.name to image_folder, or to celeba for CelebA",
}


@pytest.mark.parametrize(("name", "sentence"), REFUSED.items())
def test_a_class_that_is_not_read_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path, name))


@pytest.mark.parametrize(
    ("class_name", "arguments", "sentence"),
    [
        ("EMNIST", {}, r"EMNIST needs 'split'; set dataset.options.arguments to {split: ...}"),
        ("EMNIST", {"splt": "letters"}, "EMNIST takes no 'splt' here; did you mean split"),
        ("EMNIST", {"split": "leters"}, "dataset.options.arguments: Unknown value 'leters' for argument split. Valid"),
        ("MNIST", {"train": True}, "MNIST takes no 'train' here; set it to {}"),
    ],
)
def test_an_argument_that_the_class_does_not_take_is_named(
    tmp_path: Path, class_name: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path, class_name, arguments=arguments))


def test_a_value_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    wanted = torchvision._wanted(dataset("download", "EMNIST", arguments={"split": "../../../other"}), tmp_path)
    assert wanted.root.parent == tmp_path and wanted.root.name == "EMNIST-split-..%2F..%2F..%2Fother"


@pytest.mark.parametrize("split", [Split(method="folders"), Split(group="person")])
def test_a_split_that_no_class_has_is_refused(tmp_path: Path, split: Split) -> None:
    with pytest.raises(UserError, match="dataset.split: sets of torchvision have neither"):
        raw_images.read(dataset(write_torchvision(tmp_path), split=split))


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (20, "does not hold torchvision's FashionMNIST whole and undamaged"),
        (37, "the class 255 of 10; get its files again"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, kept: int, sentence: str) -> None:
    path = write_torchvision(tmp_path) / "FashionMNIST/raw/train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:kept] + b"\xff" * (kept == 37))
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


def test_every_class_of_torchvision_is_read_or_sorted() -> None:
    """A class that a new torchvision brings is not called one of detection, and every class that is read takes the arguments of its splits."""
    others = {name for names in torchvision.OTHER_KINDS.values() for name in names.split()}
    assert {*torchvision.CLASSES} | others <= {*of_torchvision.__all__} and not others & {*torchvision.CLASSES}
    for name, splits in torchvision.CLASSES.items():
        for arguments in splits.values():
            assert {*arguments} <= {*torchvision.inspect.signature(vars(of_torchvision)[name]).parameters} | {"train"}
