"""Damaged files of published data sets (MNIST's idx files, SVHN's .mat files), and damaged pictures of the explorer.

The oracles: a parser of idx files of five lines, SciPy's own reader of .mat files, and the settings that were saved.
"""

import io
import json
import math
import struct
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin
from scipy.io import loadmat, savemat

from tests.campaign import mutations
from tests.campaign.isolated import attempt, call
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Outcome, Verdict
from tests.campaign.readers import digest
from tests.data.sets.sources import idx_files, write_files
from vaeline.data import raw_images
from vaeline.data.sets import mnist
from vaeline.explorer import saved
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.study.schema import Dataset


def prepare(grounds: Grounds) -> Judge:
    """The judge of sources."""

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=grounds.folder) as folder:
            make = random.choice([_mnist, _svhn, _picture])
            return make(random, Path(folder))

    return judge


def _mnist(random: Random, folder: Path) -> Verdict:
    """One of four idx files is damaged; their checksums are not known, as for a partial copy."""
    files = idx_files()
    name = random.choice(sorted(files))
    files[name] = _header_or_any(random, files[name])
    write_files(folder, files)
    mnist.MD5.clear()
    reply = attempt(lambda: _digest("mnist", folder))
    return reply.judged(_idx_oracle(files), f"damage in {name}")


def _header_or_any(random: Random, content: bytes) -> bytes:
    """Mutate the first bytes, where the numbers of a header are, or any."""
    if random.random() < 0.5:
        place = random.randrange(16)
        return content[:place] + random.randbytes(random.choice([1, 4])) + content[place + 1 :]
    return mutations.bytes_of(random, content)


def _idx_oracle(files: dict[str, bytes]) -> str:
    """What four idx files hold by their bytes alone."""
    found = []
    for part in ("train", "t10k"):
        images, labels = files[f"{part}-images-idx3-ubyte"], files[f"{part}-labels-idx1-ubyte"]
        count = struct.unpack(">I", images[4:8].ljust(4, b"\0"))[0]
        if len(images) != 16 + 784 * count or len(labels) != 8 + count or max(labels[8:], default=0) > 9:
            return "nothing that can be read"
        found += [
            np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28),
            np.frombuffer(labels, np.uint8, offset=8),
        ]
    return _of_arrays(np.concatenate(found[::2]), np.concatenate(found[1::2]))


def _svhn(random: Random, folder: Path) -> Verdict:
    """One of two .mat files is damaged. SciPy runs in a fork of its own, which a damaged file may kill."""
    for name, count in (("train", 12), ("test", 10)):
        pixels = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        content = {"X": pixels, "y": np.arange(count, dtype=np.uint8)[:, None] % 10 + 1}
        savemat(folder / f"{name}_32x32.mat", content, do_compression=random.random() < 0.5)
    path = folder / "train_32x32.mat"
    path.write_bytes(
        _header_or_any(random, path.read_bytes())
        if random.random() < 0.5
        else mutations.bytes_of(random, path.read_bytes())
    )
    ours = call(lambda: _digest("svhn", folder), seconds=30)
    theirs = call(lambda: _mat_oracle(folder), seconds=30)
    return ours.judged(theirs.value, "damage in train_32x32.mat")


def _mat_oracle(folder: Path) -> str:
    found = [loadmat(folder / f"{name}_32x32.mat", variable_names=["X", "y"]) for name in ("train", "test")]
    images = np.concatenate([each["X"].transpose(3, 2, 0, 1) for each in found])
    return _of_arrays(images, np.concatenate([each["y"].ravel().astype(np.int64) % 10 for each in found]))


def _digest(name: str, folder: Path) -> str:
    raw = raw_images.read(Dataset(id="mine", name=name, source=str(folder), size=28))
    assert isinstance(raw.images, np.ndarray)
    return _of_arrays(raw.images, raw.labels.codes[:, 0])


def _of_arrays(images: np.ndarray, labels: np.ndarray) -> str:
    return digest([np.ascontiguousarray(images), np.ascontiguousarray(labels.astype(np.int64))])


def _picture(random: Random, folder: Path) -> Verdict:
    """A saved picture of the explorer, whose bytes or settings are mutated."""
    settings = Settings(
        runs=(ChosenRun(variant="plain", seed=0, moved={1: 0.5}), ChosenRun(variant="flow", seed=1)),
        noise=3,
        labels={"digit": "4"},
    )
    content = {"study": "one", "settings": settings.model_dump(mode="json")}
    runs = Runs("one", "", folder, folder, {}, {})
    path = folder / saved.FOLDER / "picture.png"
    path.parent.mkdir()
    if random.random() < 0.6:
        content = mutations.structure(random, content)
        text = json.dumps(content) if random.random() < 0.9 else "[" * random.choice([10, 100_000])
        path.write_bytes(_png(random, text))
        what = "other settings in a saved picture"
    else:
        path.write_bytes(mutations.bytes_of(random, _png(random, json.dumps(content))))
        what = "damage in a saved picture"
    reply = attempt(lambda: saved.read(runs, "picture.png").model_dump(mode="json"))
    if reply.outcome is not Outcome.RIGHT:
        return Verdict(reply.outcome, what, reply.said)
    wanted = content.get("settings") if isinstance(content, dict) else None
    return _says_the_same(reply.value, wanted, what)


def _says_the_same(read: Any, wanted: Any, what: str) -> Verdict:
    """Whether every setting that the picture holds was read with its value; others have their defaults."""
    wrong = (
        [key for key in wanted if not _same(read.get(key), wanted[key])] if isinstance(wanted, dict) else ["settings"]
    )
    return Verdict(
        Outcome.SILENT if wrong else Outcome.RIGHT, what, f"{wrong} were read as {read!r}"[:500] if wrong else ""
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; a text of a number and the number are, and defaults may be added."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(str(key) in map(str, one) and _same(one[key], value) for key, value in other.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return one == other or (numbers and math.isclose(one, other)) or str(one) == str(other)


def _png(random: Random, text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(saved.KEY, text, zip=random.random() < 0.2)
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "white").save(file, "PNG", pnginfo=info)
    return file.getvalue()


KIND = Kind("sources", prepare, cases=900, batch=10)
