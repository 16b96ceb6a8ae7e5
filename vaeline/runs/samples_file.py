"""What a run drew: samples.h5, its layout and what it was drawn from, checked where it is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from vaeline.data.facts import Facts
from vaeline.system.errors import UserError
from vaeline.system.files import sha256

IMAGES = ("reconstructions", "samples")
ASKED = ("labels", "test_index")

# Datasets that hold as many rows, in the same order.
TOGETHER = (
    (*IMAGES, *ASKED, "reconstruction_errors"),
    ("switched", "switched_labels"),
    ("interpolations", "interpolations_through_flow"),
    ("low_posterior", "low_posterior_codes", "low_posterior_labels"),
    ("posterior", "posterior_log_p"),
)

# What each may hold, by NumPy's letters for types, and how many axes it has; images and points, which have any number, are levels or
# floats.
LAYOUT = {
    "reconstructions": ("uf", None), "samples": ("uf", None), "labels": ("i", 2), "test_index": ("i", 1),
    "low_posterior": ("uf", None), "low_posterior_codes": ("f", 2), "low_posterior_labels": ("i", 2),
    "posterior": ("f", 2), "posterior_log_p": ("f", 1), "codes": ("f", 2), "prior": ("f", 2), "traversals": ("u", 5),
    "reconstruction_errors": ("f", 1), "switched": ("u", 5), "switched_labels": ("i", 3), "interpolations": ("u", 5),
    "interpolations_through_flow": ("u", 5),
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """The images that a run drew, and what they were asked to show."""

    reconstructions: np.ndarray  # of test images, uint8 (n, channel, height, width)
    samples: np.ndarray  # uint8, the same shape
    labels: np.ndarray  # that the samples were asked to have, int64 (n, columns)
    sources: np.ndarray  # the test image that each reconstruction is of and each sample has its labels from, int64 (n,)
    low_posterior: np.ndarray | None  # samples that the aggregate posterior covers least; None where it has no density
    seed: int  # `sampling.seed`, of all of them

    def require(self, facts: Facts) -> None:
        """Refuse what cannot be held against the test images of a store.

        Raises:
            UserError: images have another shape or range than they, or labels or rows are none of theirs.
        """
        self._require_images(facts)
        self._require_labels(facts)
        rows = facts.counts.get("test", np.inf)
        if len(np.unique(self.sources)) < len(self.samples) or self.sources.min() < 0 or self.sources.max() >= rows:
            raise _refused("Samples go back to rows that the test split has not, or has once only")

    def _require_images(self, facts: Facts) -> None:
        kinds = {"reconstructions": self.reconstructions, "samples": self.samples}
        if self.low_posterior is not None:
            kinds["low-posterior samples"] = self.low_posterior
        for kind, images in kinds.items():
            if images.shape[1:] != facts.image_shape or images.dtype != facts.dtype or images.max() >= facts.levels:
                raise _refused(
                    f"The {kind} are {'x'.join(map(str, images.shape[1:]))} of type {images.dtype}, up to {images.max()}, but the "
                    f"test images are {'x'.join(map(str, facts.image_shape))} with {facts.levels} levels"
                )

    def _require_labels(self, facts: Facts) -> None:
        if self.labels.shape != (len(self.samples), len(facts.label_names)):
            raise _refused(
                f"There are {len(self.samples):,} samples and {'x'.join(map(str, self.labels.shape))} labels, which should be "
                f"{len(self.samples):,}x{len(facts.label_names)}"
            )
        if (self.labels < 0).any() or (self.labels >= np.array(facts.label_cardinalities)).any():
            raise _refused("Samples were asked to have labels that no test image can have")


def provenance(folder: Path, facts: Facts) -> dict[str, str]:
    """What a run's samples.h5 is drawn from, as its attributes say: the run's weights, and the test images."""
    return {"model_sha256": sha256(folder / "model.safetensors"), "test_sha256": facts.checksums["test"]}


def read(folder: Path, facts: Facts) -> Drawn:
    """Read what a run drew.

    Args:
        folder: of the run.
        facts: of the store whose test images it was drawn from.

    Raises:
        UserError: the file is missing or damaged, or was drawn from another model or from other test images.
    """
    path = folder / "samples.h5"
    found = arrays(path, [*IMAGES, *ASKED, "low_posterior"])
    try:
        with h5py.File(path) as file:
            of = {name: file.attrs.get(name) for name in ("model_sha256", "test_sha256")}
            seed = int(file.attrs["seed"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    for (name, now), what in zip(provenance(folder, facts).items(), ("weights", "test images"), strict=True):
        if of[name] != now:
            raise _damaged(path, f"it was drawn from other {what} than those that are there now")
    return Drawn(
        found["reconstructions"],
        found["samples"],
        found["labels"],
        sources=found["test_index"],
        low_posterior=found.get("low_posterior"),
        seed=seed,
    )


def arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read what a samples.h5 holds of some datasets.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with h5py.File(path) as file:
            _refuse_other_layout(file)
            found = {name: file[name][...] for name in names if name in file}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, str(error)) from error
    for name, values in found.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise _damaged(path, f"{name} holds what is not finite")
    return found


def rows(path: Path, name: str, wanted: Iterable[int]) -> np.ndarray:
    """Read some rows of a dataset of samples.h5, in the order asked for; none of a dataset that it has not, or past its end.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with h5py.File(path) as file:
            there = file[name] if name in file else np.empty(0)
            return np.array([there[row] for row in wanted if row < len(there)])
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, str(error)) from error


def _refuse_other_layout(file: h5py.File) -> None:
    for name in (*IMAGES, *ASKED):
        if name not in file:
            raise KeyError(f"it holds no {name}")
    for name, values in file.items():
        kinds, axes = LAYOUT.get(name, ("", None))
        if values.dtype.kind not in kinds or axes not in (None, values.ndim) or not values.size:
            raise ValueError(f"its {name} are {'x'.join(map(str, values.shape))} of type {values.dtype}")
    for names in TOGETHER:
        counts = {name: len(file[name]) for name in names if name in file}
        if len(set(counts.values())) > 1:
            raise ValueError("it holds " + " and ".join(f"{count:,} {name}" for name, count in counts.items()))


def _damaged(path: Path, why: str) -> UserError:
    return _refused(f"{path} is damaged or of another model ({why})")


def _refused(what: str) -> UserError:
    return UserError(f"{what}; draw them anew with `python -m pipeline_steps.sample`.")
