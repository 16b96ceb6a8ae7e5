"""From settings to pictures: draws of two runs with the same seed and labels, or a test image that both runs edit."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.store import Split, SplitOnDisk
from vaeline.explorer.runs import Key, Runs
from vaeline.explorer.settings import COUNTS, POINT_COUNTS, Settings, Side
from vaeline.runs import model_files
from vaeline.runs.drawing import MOST_TRAVERSED
from vaeline.runs.pictures import picture
from vaeline.runs.trained_run import TrainedRun
from vaeline.system.errors import UserError

MAX_MODELS = 4  # models kept in memory
MAX_ENCODED = 256  # test images that measure how much each latent varies


@dataclass(frozen=True)
class Slider:
    """A latent dimension that a person can move."""

    dimension: int
    spread: float  # standard deviation of the posterior means of test images


@dataclass(frozen=True)
class SideView:
    """What one side shows."""

    pictures: dict[str, bytes]  # title -> PNG
    note: str  # which settings have no effect on this model; empty if all have one


class Explorer:
    """The trained models of a study, a few of them kept in memory. Every method may be called from any thread.

    Args:
        runs: runs that can be explored.

    Raises:
        UserError: the first run cannot be loaded.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._lock = Lock()
        self._loaded: OrderedDict[Key, tuple[TrainedRun, np.ndarray | None]] = OrderedDict()
        self._first = _load(runs, *next(iter(runs.finished)))  # all runs share its images and labels

    @property
    def facts(self) -> Facts:
        """Facts about the images of all runs."""
        return self._first.facts

    @property
    def test(self) -> Split | SplitOnDisk:
        """The test split.

        Raises:
            UserError: the store is missing or damaged, or contains images that the runs were not trained on.
        """
        return self._first.split()

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of draws that a person can choose."""
        return POINT_COUNTS if self.facts.points else COUNTS

    def is_conditional(self, variant: str, seed: int) -> bool:
        """Whether the model of a run uses labels."""
        with self._lock:
            return self._run(variant, seed)[0].model.conditional

    def sliders(self, variant: str, seed: int) -> list[Slider]:
        """Latent dimensions that vary most over the test images, the most varied first; empty for a discrete latent space."""
        with self._lock:
            _, spread = self._run(variant, seed)
        if spread is None:
            return []
        return [Slider(int(each), float(spread[each])) for each in np.argsort(-spread)[:MOST_TRAVERSED]]

    def latent_size(self, variant: str, seed: int) -> int:
        """How many latent dimensions of a run can be moved; 0 for a discrete latent space."""
        with self._lock:
            _, spread = self._run(variant, seed)
        return 0 if spread is None else len(spread)

    def render(self, settings: Settings) -> tuple[SideView, SideView]:
        """Draw the left and the right side. The same settings give the same bytes.

        With `show: draws`, each side samples from its own prior p(z), with the same seed and labels.

        Raises:
            UserError: a run, a label, a latent dimension, a test image or a number of draws does not exist.
        """
        with self._lock:
            if settings.show == "edit":
                return self._edit(settings.left, settings), self._edit(settings.right, settings)
            labels = self._draw_labels(settings)
            left, right = (self._draws(side, settings, labels) for side in settings.sides.values())
            return left, right

    def unseen_combinations(self, settings: Settings) -> str:
        """Which of the chosen labels no training image has together, as a sentence; empty if there are none.

        Raises:
            UserError: a label or test image does not exist.
        """
        with self._lock:
            if settings.show == "edit":
                labels = self._first.labels(1, self.labels_of(settings.image) | settings.labels)
            else:
                labels = self._draw_labels(settings)
            return self._first.unseen_combinations(labels, settings.labels) if settings.labels else ""

    def labels_of(self, image: int) -> dict[str, str]:
        """Label names and values of a test image.

        Raises:
            UserError: the test split has no image of this index.
        """
        total = len(self.test.labels)
        if not 0 <= image < total:
            raise UserError(f"There is no test image {image:,}; choose one from 0 to {total - 1:,}.")
        columns = zip(self.facts.label_names, self.facts.label_values, self.test.labels[image], strict=True)
        return {name: values[index] for name, values, index in columns}

    def _draw_labels(self, settings: Settings) -> np.ndarray:
        """Labels of the draws, (count, columns): the chosen values, and for the rest those of test images picked by the seed."""
        if settings.count not in self.counts:
            counts = ", ".join(map(str, self.counts))
            raise UserError(f"The number of draws is {settings.count}; it must be one of: {counts}.")
        return self._first.labels(settings.count, settings.labels, seed=settings.noise)

    def _draws(self, side: Side, settings: Settings, labels: np.ndarray) -> SideView:
        run, spread = self._run(side.variant, side.seed)
        z = _move(run.draw(labels, seed=settings.noise), side, spread)
        drawn = settings.pixels == "drawn"
        noise_seed = settings.noise if drawn or not run.model.likelihood.has_mean else None
        title = "Draws with noise" if drawn else "Draws"
        return SideView({title: self._picture(run.decode(z, labels, noise_seed))}, _note(run))

    def _edit(self, side: Side, settings: Settings) -> SideView:
        run, spread = self._run(side.variant, side.seed)
        own = self.labels_of(settings.image)
        labels, chosen = self._first.labels(1, own), self._first.labels(1, own | settings.labels)
        original = self.test.images[settings.image : settings.image + 1]
        z = run.encode(original, labels)
        images = {
            "Original": original,
            "Reconstruction": run.decode(z, labels),
            "Edit": run.decode(_move(z, side, spread), chosen),
        }
        return SideView({title: self._picture(each) for title, each in images.items()}, _note(run))

    def _picture(self, images: np.ndarray) -> bytes:
        return picture(images, self.facts, self.test.images if self.facts.points else images)

    def _run(self, variant: str, seed: int) -> tuple[TrainedRun, np.ndarray | None]:
        """Load a run unless it is in memory.

        Returns:
            The run, and the standard deviation of each latent dimension over test images, (latent,), or None for a discrete latent space.
        """
        key = variant, seed
        if key not in self._loaded:
            run = self._load_checked(variant, seed)
            self._loaded[key] = run, self._spread(run)
            if len(self._loaded) > MAX_MODELS:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def _load_checked(self, variant: str, seed: int) -> TrainedRun:
        run = _load(self.runs, variant, seed)
        if replace(run.facts, preprocessing={}) != replace(self.facts, preprocessing={}):
            raise UserError(
                f"{variant} seed {seed} was trained on different images from the other runs; train it again, or choose another run."
            )
        return run

    def _spread(self, run: TrainedRun) -> np.ndarray | None:
        if run.model.posterior.kind == "discrete":
            return None
        means = run.encode(self.test.images[:MAX_ENCODED], self.test.labels[:MAX_ENCODED])
        return means.std(0)


def _load(runs: Runs, variant: str, seed: int) -> TrainedRun:
    model, facts = model_files.load(runs.folder_of(variant, seed))
    return TrainedRun(model, facts, runs.data / f"{facts.dataset_id}.h5")


def _note(run: TrainedRun) -> str:
    return "" if run.model.conditional else "This model uses no labels, so switching a label changes nothing here."


def _move(z: np.ndarray, side: Side, spread: np.ndarray | None) -> np.ndarray:
    """Move the latents z, (n, latent), as the settings of a side say."""
    if not side.moved:
        return z
    if spread is None:
        raise UserError(
            f"The latents of {side.variant} are entries of a codebook and cannot be moved; move none of them."
        )
    if unknown := [dimension for dimension in side.moved if dimension >= len(spread)]:
        raise UserError(f"{side.variant} has no latent {unknown[0]}; choose one from 0 to {len(spread) - 1}.")
    z = z.copy()
    for dimension, deviations in side.moved.items():
        z[:, dimension] += deviations * spread[dimension]
    return z
