"""From settings to pictures: draws of two runs from the same seed under the same labels, or a test image edited by both."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.explorer.runs import Key, Runs
from vaeline.explorer.settings import COUNTS, POINT_COUNTS, Settings, Side
from vaeline.runs import model_files
from vaeline.runs.drawing import MOST_TRAVERSED
from vaeline.runs.pictures import picture
from vaeline.runs.trained_run import TrainedRun
from vaeline.system.errors import UserError

MOST_LOADED = 4  # models in memory
MOST_ENCODED = 256  # test images whose codes say how far a latent varies


@dataclass(frozen=True)
class Slider:
    """A latent dimension that can be moved."""

    dimension: int
    spread: float  # standard deviation over the codes of test images


@dataclass(frozen=True)
class Seen:
    """What one side shows."""

    pictures: dict[str, bytes]  # what it is -> PNG
    note: str  # what of the settings the model cannot follow; empty: nothing


class Explorer:
    """A study's trained models, a few of them held in memory; safe to be asked from any thread.

    Args:
        runs: that can be explored.

    Raises:
        UserError: the first of them cannot be loaded.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._lock = Lock()
        self._loaded: OrderedDict[Key, tuple[TrainedRun, np.ndarray | None]] = OrderedDict()
        self._source = self._load(*next(iter(runs.finished)))  # whose images are all runs'

    @property
    def facts(self) -> Facts:
        """Of the images of all runs."""
        return self._source.facts

    @property
    def test(self) -> Split:
        """The test images.

        Raises:
            UserError: the store is missing or damaged, or holds other images.
        """
        return self._source.split()

    @property
    def counts(self) -> tuple[int, ...]:
        """How many draws can be asked for."""
        return POINT_COUNTS if self.facts.points else COUNTS

    def conditional(self, variant: str, seed: int) -> bool:
        """Whether a run's model sees labels."""
        with self._lock:
            return self._run(variant, seed)[0].model.conditional

    def sliders(self, variant: str, seed: int) -> list[Slider]:
        """The latent dimensions that vary most among the codes of test images, the most varied first; none where latents are codes."""
        with self._lock:
            _, spread = self._run(variant, seed)
        if spread is None:
            return []
        return [Slider(int(each), float(spread[each])) for each in np.argsort(-spread)[:MOST_TRAVERSED]]

    def latents(self, variant: str, seed: int) -> int:
        """How many latents of a run can be moved; 0 where they are codes."""
        with self._lock:
            _, spread = self._run(variant, seed)
        return 0 if spread is None else len(spread)

    def show(self, settings: Settings) -> tuple[Seen, Seen]:
        """What the left and the right side show; the same settings show the same, to the byte.

        'The same draw' is that both draw from their own p(z) with the same seed and under the same labels.

        Raises:
            UserError: a run, a label, a dimension, a test image or a number of draws is not there.
        """
        with self._lock:
            if settings.show == "draws":
                labels = self._asked(settings)
                return self._draws(settings.left, settings.noise, labels), self._draws(
                    settings.right, settings.noise, labels
                )
            return self._edit(settings.left, settings), self._edit(settings.right, settings)

    def own_labels(self, image: int) -> dict[str, str]:
        """The labels of a test image, by their names.

        Raises:
            UserError: there is no such test image.
        """
        there = len(self.test.labels)
        if not 0 <= image < there:
            raise UserError(f"There is no test image {image:,}; there are 0 to {there - 1:,}.")
        columns = zip(self.facts.label_names, self.facts.label_values, self.test.labels[image], strict=True)
        return {name: values[code] for name, values, code in columns}

    def _asked(self, settings: Settings) -> np.ndarray:
        """Labels of the draws: those of test images that the seed picks, but for those that are set."""
        if settings.count not in self.counts:
            counts = ", ".join(map(str, self.counts))
            raise UserError(f"{settings.count} draws were asked for; this page shows {counts} of them.")
        return self._source.labels(settings.count, settings.labels, seed=settings.noise)

    def _draws(self, side: Side, noise: int, labels: np.ndarray) -> Seen:
        run, spread = self._run(side.variant, side.seed)
        z = _moved(run.draw(labels, seed=noise), side, spread)
        return Seen({"Draws": self._picture(run.decode(z, labels))}, self._note(run))

    def _edit(self, side: Side, settings: Settings) -> Seen:
        run, spread = self._run(side.variant, side.seed)
        own = self.own_labels(settings.image)
        labels, wanted = self._source.labels(1, own), self._source.labels(1, own | settings.labels)
        original = self.test.images[settings.image : settings.image + 1]
        z = run.encode(original, labels)
        made = {
            "Original": original,
            "Reconstruction": run.decode(z, labels),
            "Edit": run.decode(_moved(z, side, spread), wanted),
        }
        return Seen({what: self._picture(images) for what, images in made.items()}, self._note(run))

    def _picture(self, images: np.ndarray) -> bytes:
        return picture(images, self.facts, self.test.images if self.facts.points else images)

    def _note(self, run: TrainedRun) -> str:
        return "" if run.model.conditional else "This model has no labels: switching them changes nothing here."

    def _run(self, variant: str, seed: int) -> tuple[TrainedRun, np.ndarray | None]:
        """A run, and how far each dimension of its test images' codes varies, (latent,); None where latents are no vectors."""
        key = variant, seed
        if key not in self._loaded:
            run = self._load(variant, seed)
            self._loaded[key] = run, self._spread(run)
            if len(self._loaded) > MOST_LOADED:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def _load(self, variant: str, seed: int) -> TrainedRun:
        model, facts = model_files.load(self.runs.place(variant, seed))
        if hasattr(self, "_source") and replace(facts, preprocessing={}) != replace(self.facts, preprocessing={}):
            raise UserError(
                f"{variant} seed {seed} was trained on other images than the other runs; train it again, or take another run."
            )
        return TrainedRun(model, facts, self.runs.data / f"{facts.dataset_id}.h5")

    def _spread(self, run: TrainedRun) -> np.ndarray | None:
        if run.model.posterior.kind == "discrete":
            return None
        codes = run.encode(self.test.images[:MOST_ENCODED], self.test.labels[:MOST_ENCODED])
        return codes.std(0)


def _moved(z: np.ndarray, side: Side, spread: np.ndarray | None) -> np.ndarray:
    """Latents, (n, latent), with some dimensions moved."""
    if not side.moved:
        return z
    if spread is None:
        raise UserError(f"The latents of {side.variant} are codes of a codebook, which no slider moves; set none.")
    if beyond := [dimension for dimension in side.moved if dimension >= len(spread)]:
        raise UserError(f"{side.variant} has no latent {beyond[0]}; it has 0 to {len(spread) - 1}.")
    z = z.copy()
    for dimension, deviations in side.moved.items():
        z[:, dimension] += deviations * spread[dimension]
    return z
