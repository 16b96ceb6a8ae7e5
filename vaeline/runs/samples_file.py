"""samples.h5, what a run drew: the datasets in it, what they were drawn from, and checks when they are read.

An attribute of the file says, under a seal, what was drawn from which weights and data, with the checksum of each dataset, and
vouches for the two pictures beside it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images, blocks
from vaeline.data.on_disk import OnDisk
from vaeline.runs.description import Description
from vaeline.runs.folder import DRAWN, PICTURE_OF_RECONSTRUCTIONS, PICTURE_OF_SAMPLES, again_for
from vaeline.study.step_settings import again
from vaeline.system.errors import UserError, damaged, reading_ours
from vaeline.system.files import sha256
from vaeline.system.hdf5_files import opened
from vaeline.system.memory import budget
from vaeline.system.sealed_files import seal, unseal

ABOUT = "about"  # the attribute of the file that says what it is of, as sealed JSON
FAILURES = 10  # low-posterior and high-posterior samples that are kept as images, those that are covered least
BLOCK_BYTES = 2**24  # of a dataset that are read at once for its checksum

RECONSTRUCTIONS = "reconstructions"  # of test images
RECONSTRUCTION_ERRORS = "reconstruction_errors"  # the mean squared error of each
SAMPLES = "samples"
LABELS = "labels"  # of the test images, which the samples are asked to show
TEST_INDEX = "test_index"  # rows of the test images in the test split
SWITCHED = "switched"  # one draw under labels that differ in one switch
SWITCHED_LABELS = "switched_labels"
CODES = "codes"  # centres of the posteriors of test images
PRIOR = "prior"  # draws of p(z)
POSTERIOR = "posterior"  # draws of the aggregate posterior
POSTERIOR_LOG_P = "posterior_log_p"  # their log-density under p(z)
TRAVERSALS = "traversals"
INTERPOLATIONS = "interpolations"
INTERPOLATIONS_THROUGH_FLOW = "interpolations_through_flow"
# The first few of each kind as images: draws of p(z) that the aggregate posterior covers least, and the reverse.
LOW_POSTERIOR, HIGH_POSTERIOR = "low_posterior", "high_posterior"
LOW_POSTERIOR_CODES = "low_posterior_codes"  # of all low-posterior samples; `evaluate` decodes them again
LOW_POSTERIOR_LABELS = "low_posterior_labels"


class Layout(NamedTuple):
    """What a dataset of samples.h5 may contain."""

    kinds: str  # NumPy's letters of its types: u levels, f floats, i whole numbers
    axes: int | None  # None: any number, for images or points
    group: str | None = None  # datasets of a group have equally many rows, in the same order
    required: bool = False  # every run has it
    large: bool = False  # it is not read whole for the report


# The one table of the file's datasets.
DATASETS = {
    RECONSTRUCTIONS: Layout("uf", None, "test images", required=True, large=True),
    SAMPLES: Layout("uf", None, "test images", required=True, large=True),
    LABELS: Layout("i", 2, "test images", required=True),
    TEST_INDEX: Layout("i", 1, "test images", required=True),
    RECONSTRUCTION_ERRORS: Layout("f", 1, "test images"),
    SWITCHED: Layout("u", 5, "draws"),
    SWITCHED_LABELS: Layout("i", 3, "draws"),
    CODES: Layout("f", 2),
    PRIOR: Layout("f", 2),
    POSTERIOR: Layout("f", 2, "aggregate posterior"),
    POSTERIOR_LOG_P: Layout("f", 1, "aggregate posterior"),
    TRAVERSALS: Layout("u", 5),
    INTERPOLATIONS: Layout("u", 5, "pairs"),
    INTERPOLATIONS_THROUGH_FLOW: Layout("u", 5, "pairs"),
    LOW_POSTERIOR: Layout("uf", None, large=True),
    HIGH_POSTERIOR: Layout("uf", None, large=True),
    LOW_POSTERIOR_CODES: Layout("f", 2, "low posterior"),
    LOW_POSTERIOR_LABELS: Layout("i", 2, "low posterior"),
}
WITHOUT_COLUMNS = (LABELS, LOW_POSTERIOR_LABELS)  # if the images have no labels
PICTURES = {RECONSTRUCTIONS: PICTURE_OF_RECONSTRUCTIONS, SAMPLES: PICTURE_OF_SAMPLES}  # of the images in these datasets
SMALL = tuple(name for name, layout in DATASETS.items() if not layout.large)
GROUPS = sorted({layout.group for layout in DATASETS.values() if layout.group})


class Redrawn:
    """Images that are decoded again when they are first asked for; they are indexed as an array.

    Args:
        count: of images.
        decode: gives all of them in batches, uint8 (any, channel, height, width).
    """

    def __init__(self, count: int, decode: Callable[[], Iterable[np.ndarray]]) -> None:
        self._count, self._decode = count, decode

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._images[index]

    @cached_property
    def _images(self) -> np.ndarray:
        return np.concatenate(list(self._decode()))


class Latents(NamedTuple):
    """What images can be decoded from again."""

    codes: np.ndarray  # float32, (n, latent)
    labels: np.ndarray  # int64, (n, columns)


@dataclass(frozen=True)
class DrawnImages:
    """The images that a run drew, and the labels that they were asked to show."""

    reconstructions: Images  # of test images, uint8 (n, channel, height, width)
    samples: Images  # uint8, the same shape
    labels: np.ndarray  # that the samples were asked to show, int64 (n, columns)
    test_index: np.ndarray  # the row of the test image behind each reconstruction and each sample's labels, int64 (n,)
    # Samples that the aggregate posterior covers least; None if its density is unknown, or before they are decoded again.
    low_posterior: np.ndarray | Redrawn | None
    seed: int  # `sampling.seed`
    noise: str = "mean"  # `sampling.noise`, of samples and low-posterior samples
    low_posterior_of: Latents | None = None  # what these samples are decoded from

    def require(self, facts: Facts) -> None:
        """Check that the images can be compared with the test images of a store.

        Raises:
            UserError: images differ from them in shape or range, or the labels or rows do not exist there.
        """
        self._require_images(facts)
        self._require_labels(facts)
        rows = facts.counts.get("test", np.inf)
        if self.test_index.min() < 0 or self.test_index.max() >= rows:
            raise _draw_again("test_index is out of range of the test split")
        if len(np.unique(self.test_index)) < len(self.samples):
            raise _draw_again("test_index repeats a row of the test split")

    def _require_images(self, facts: Facts) -> None:
        kinds: dict[str, Images] = {"reconstructions": self.reconstructions, "samples": self.samples}
        if isinstance(self.low_posterior, np.ndarray):
            kinds["low-posterior samples"] = self.low_posterior
        for kind, images in kinds.items():
            most = max(block.max() for block in blocks(images))
            if images.shape[1:] != facts.image_shape or images.dtype != facts.dtype or most >= facts.levels:
                raise _draw_again(
                    f"The {kind} are {'x'.join(map(str, images.shape[1:]))} of type {images.dtype}, up to {most}, but the "
                    f"test images are {'x'.join(map(str, facts.image_shape))} with {facts.levels} levels"
                )

    def _require_labels(self, facts: Facts) -> None:
        if self.labels.shape != (len(self.samples), len(facts.label_names)):
            raise _draw_again(
                f"There are {len(self.samples):,} samples and {'x'.join(map(str, self.labels.shape))} labels, which should be "
                f"{len(self.samples):,}x{len(facts.label_names)}"
            )
        if (self.labels < 0).any() or (self.labels >= np.array(facts.label_cardinalities)).any():
            raise _draw_again("Samples were asked to show labels that do not exist")


class DrawnFrom(BaseModel):
    """What was drawn from what, and how."""

    model_config = ConfigDict(strict=True, extra="forbid")

    variant: str
    seed: int  # of the run
    weights_sha256: str  # of model.safetensors
    data: dict[str, str]  # split -> checksum of its images
    settings: dict[str, Any]  # dotted key of params.yaml -> the value that the step read
    pictures: dict[str, str]  # name of a picture beside the file -> its SHA-256

    @classmethod
    def of_run(cls, made: Description, settings: Mapping[str, Any], pictures: Mapping[str, bytes]) -> "DrawnFrom":
        """What is drawn from a run with some settings, and shown in pictures: file name -> PNG."""
        return cls(
            variant=made.name,
            seed=made.seed,
            weights_sha256=made.weights_sha256,
            data=made.facts.checksums,
            settings=dict(settings),
            pictures={name: hashlib.sha256(content).hexdigest() for name, content in pictures.items()},
        )


class About(DrawnFrom):
    """What a samples.h5 says of itself."""

    datasets: dict[str, str]  # name -> checksum of its type, shape and values


def finish(file: h5py.File, of: DrawnFrom) -> None:
    """Say in a new file what it is of. Nothing may be written to it afterwards."""
    about = About(**of.model_dump(), datasets={name: _checksum(file[name]) for name in sorted(file)})
    file.attrs[ABOUT] = json.dumps(seal(about.model_dump()), sort_keys=True)


def about(path: Path) -> About:
    """What a samples.h5 says of itself. Its datasets are not read.

    Raises:
        UserError: the file is missing, damaged, or of an older version.
    """
    with _opened(path) as file:
        return _about(file)


def verify(path: Path) -> About:
    """Check every dataset of a samples.h5, block by block.

    Raises:
        UserError: the file is missing, damaged, or of an older version.
    """
    with _opened(path) as file:
        _check_layout(file)
        found = _about(file)
        if found.datasets.keys() != set(file):
            raise ValueError("it contains other datasets than were drawn")
        for name, checksum in found.datasets.items():
            if _checksum(file[name]) != checksum:
                raise ValueError(f"its {name} do not match their checksum")
    return found


def _about(file: h5py.File) -> About:
    if ABOUT not in file.attrs:
        raise KeyError("it does not say what it is of, as files of older versions of vaeline")
    try:
        return About.model_validate(unseal(json.loads(file.attrs[ABOUT])))
    except ValidationError as error:
        raise ValueError("it does not say all that it is of") from error


def _checksum(values: h5py.Dataset) -> str:
    """The checksum of a dataset's type, shape and values, which are read in blocks."""
    digest = hashlib.sha256(f"{values.dtype.str} {values.shape}".encode())
    rows = max(1, BLOCK_BYTES * len(values) // max(values.nbytes, 1))
    for start in range(0, len(values), rows):
        digest.update(np.ascontiguousarray(values[start : start + rows]).data)
    return digest.hexdigest()


def require_pictures(folder: Path, of: About, names: Iterable[str]) -> None:
    """Check that pictures beside a samples.h5 are those that were made with it.

    Args:
        folder: of the run.
        of: what its samples.h5 says.
        names: of the pictures.

    Raises:
        UserError: a picture is missing, damaged, or of another run.
    """
    for name in names:
        with reading_ours(folder / name, again_for(folder / name, "sample")):
            found = sha256(folder / name)
        if found != of.pictures.get(name):
            raise _damaged(folder / name, f"it is not the picture that {DRAWN} was written with")


def read(path: Path) -> DrawnImages:
    """Read the images that a run drew, and verify the whole file. `identity` says whose they are.

    Images stay on disk if they need more memory than the budget. Low-posterior samples are not decoded yet.

    Raises:
        UserError: the file is missing or damaged.
    """
    of = verify(path)
    found = arrays(path, [LABELS, TEST_INDEX, LOW_POSTERIOR_CODES, LOW_POSTERIOR_LABELS])
    reconstructions, samples = (_images(path, name) for name in PICTURES)
    low = LOW_POSTERIOR_CODES in found
    return DrawnImages(
        reconstructions,
        samples,
        found[LABELS],
        test_index=found[TEST_INDEX],
        low_posterior=None,
        seed=of.settings["sampling"]["seed"],
        noise=of.settings["sampling"]["noise"],
        low_posterior_of=Latents(found[LOW_POSTERIOR_CODES], found[LOW_POSTERIOR_LABELS]) if low else None,
    )


def _images(path: Path, name: str) -> Images:
    with _opened(path) as file:
        stored = file[name]
        return stored[...] if stored.nbytes <= budget() else OnDisk.of(path, file, stored)


def arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read some datasets of a samples.h5; those that the run does not have are left out.

    Raises:
        UserError: the file is missing or damaged.
    """
    with _opened(path) as file:
        _check_layout(file)
        found = {name: file[name][...] for name in names if name in file}
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise _damaged(path, f"{name} contains numbers that are not finite")
    return found


def rows(path: Path, name: str, wanted: Iterable[int]) -> np.ndarray:
    """Read some rows of a dataset of samples.h5, in the order asked for.

    Rows past the end are left out, and so are all rows of a dataset that does not exist.

    Raises:
        UserError: the file is missing or damaged.
    """
    with _opened(path) as file:
        there = file[name] if name in file else np.empty(0)
        return np.array([there[row] for row in wanted if row < len(there)])


def _opened(path: Path) -> AbstractContextManager[h5py.File]:
    return opened(path, "a file of samples", again_for(path, "sample"))


def _check_layout(file: h5py.File) -> None:
    for name, layout in DATASETS.items():
        if layout.required and name not in file:
            raise KeyError(f"it contains no {name}")
    for name, values in file.items():
        layout = DATASETS.get(name, Layout("", None))
        empty = not (len(values) if name in WITHOUT_COLUMNS else values.size)
        if values.dtype.kind not in layout.kinds or layout.axes not in (None, values.ndim) or empty:
            raise ValueError(f"its {name} are {'x'.join(map(str, values.shape))} of type {values.dtype}")
    for group in GROUPS:
        counts = {name: len(values) for name, values in file.items() if DATASETS[name].group == group}
        if len(set(counts.values())) > 1:
            raise ValueError("it contains " + " and ".join(f"{count:,} {name}" for name, count in counts.items()))


def _damaged(path: Path, why: str) -> UserError:
    return damaged(path, why, again_for(path, "sample"), "damaged or of another model")


def _draw_again(why: str) -> UserError:
    return UserError(f"{why}; {again('sample')}.")
