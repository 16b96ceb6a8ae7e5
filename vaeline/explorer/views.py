"""From settings to pictures: draws of runs with the same seed and labels, a test image that they edit, or a path between two."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.store import Split, SplitOnDemand
from vaeline.explorer.latent_moves import Examples, MovableRun
from vaeline.explorer.runs import Key, Runs
from vaeline.explorer.settings import COUNTS, POINT_COUNTS, ChosenRun, Settings
from vaeline.explorer.words import explain, labels_in_words, moves_in_words
from vaeline.report.explorer_link import MOST_RUNS
from vaeline.runs import model_files
from vaeline.runs.drawing import INTERPOLATION_STEPS
from vaeline.runs.pictures import picture
from vaeline.runs.trained_run import TrainedRun
from vaeline.system.errors import UserError

MOST_MODELS = MOST_RUNS + 2  # kept in memory


@dataclass(frozen=True)
class Picture:
    """A picture of a run."""

    png: bytes
    caption: str  # what stands under it; may be empty


@dataclass(frozen=True)
class View:
    """What is shown of a run."""

    pictures: list[Picture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # sentences on what is particular to this run
    error: str = ""  # why there are no pictures
    conditional: bool = False  # whether the model uses labels
    movable: list[int] = field(default_factory=list)  # latents that sliders can move, the most varied first
    fixed: str = ""  # why none can be moved


class Explorer:
    """Trained models, a few of them kept in memory. Every method may be called from any thread.

    Args:
        runs: runs that can be explored.

    Raises:
        UserError: no run can be loaded.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._lock = Lock()
        self._loaded: OrderedDict[Key, MovableRun] = OrderedDict()
        self._first = _first_that_loads(runs)  # all runs share its images and labels
        self.no_images = self._why_no_images()  # as the end of a sentence; empty if there are test images

    @property
    def facts(self) -> Facts:
        """Facts about the images of all runs."""
        return self._first.facts

    @property
    def test(self) -> Split | SplitOnDemand:
        """The test split.

        Raises:
            UserError: the store is missing or damaged, or contains images that the runs were not trained on.
        """
        return self._first.split()

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of draws that a person can choose."""
        return POINT_COUNTS if self.facts.points else COUNTS

    def opening(self) -> Settings:
        """What the page shows first: draws of the runs that were named, or of the study's first and last variant."""
        runs = self.runs
        ends = [(name, runs.seeds(name)[0]) for name in (runs.variants[0], runs.variants[-1])]
        keys = dict.fromkeys(list(runs.finished)[:MOST_RUNS] if runs.named else ends)
        count = Settings.model_fields["count"].default
        return self.checked(
            Settings(
                runs=tuple(ChosenRun(variant=variant, seed=seed) for variant, seed in keys),
                count=count if count in self.counts else self.counts[0],
            )
        )

    def checked(self, settings: Settings) -> Settings:
        """Check settings of an address or a file without loading models.

        Returns:
            The settings. If there are no test images to copy labels from, all labels are set.

        Raises:
            UserError: a run, a label, a test image or a number of draws does not exist.
        """
        for run in settings.runs:
            self.runs.folder_of(run.variant, run.seed)
        if settings.count not in self.counts:
            counts = ", ".join(map(str, self.counts))
            raise UserError(f"The number of draws is {settings.count}; it must be one of: {counts}.")
        if settings.sliding is not None and settings.sliding > len(settings.runs):
            raise UserError(f"There is no run {settings.sliding} to move; choose one from 1 to {len(settings.runs)}.")
        for label, value in settings.labels.items():
            self.facts.label(label, value)
        for label, values in settings.directions.items():
            for value in values:
                self.direction_counts(label, value)
        for image in _images_of(settings):
            self.labels_of(image)
        return settings.model_copy(update={"labels": self._frequent_labels() | settings.labels})

    def direction_counts(self, label: str, value: str) -> tuple[int, int]:
        """How many training images with a label, and without it, tell its direction.

        Raises:
            UserError: the label does not exist, there are no images, or all have the label, or none has.
        """
        column, code = self.facts.label(label, value)
        if self._examples is None:
            raise UserError(f"A direction is measured on training images, and {self.no_images}.")
        there = self._examples.having(column, code)
        counts = int(there.sum()), int((~there).sum())
        if not all(counts):
            raise UserError(
                f"{label}={value} has no direction, as {counts[0]:,} of {len(there):,} training images have it; choose another label."
            )
        return counts

    def render(self, settings: Settings) -> list[View]:
        """Draw each run. The same settings give the same bytes. A run that cannot be drawn says why, without effect on the others.

        With `show: draws`, each run samples from its own prior p(z), with the same seed and labels.

        Raises:
            UserError: a run, a label, a test image or a number of draws does not exist.
        """
        settings = self.checked(settings)
        with self._lock:
            labels = self._labels(settings)
            return [self._view(chosen, settings, labels) for chosen in settings.runs]

    def explain(self, settings: Settings, conditional: bool) -> list[str]:
        """Sentences that say what the pictures of all runs show; `conditional` says whether any model uses labels."""
        return explain(settings, self.facts, conditional, self.labels_of, self.direction_counts)

    def unseen_combinations(self, settings: Settings) -> str:
        """Which of the chosen labels no training image has together, as a sentence; empty if there are none.

        Raises:
            UserError: a label or test image does not exist.
        """
        if self.no_images or not settings.labels:
            return ""
        with self._lock:
            return self._first.unseen_combinations(self._labels(settings), settings.labels)

    def labels_of(self, image: int) -> dict[str, str]:
        """Label names and values of a test image.

        Raises:
            UserError: there are no test images, or none of this index.
        """
        if self.no_images:
            raise UserError(f"There are no test images to choose, as {self.no_images}.")
        total = len(self.test.labels)
        if not 0 <= image < total:
            raise UserError(f"There is no test image {image:,}; choose one from 0 to {total - 1:,}.")
        return self._named(self.test.labels[image])

    def _named(self, row: np.ndarray) -> dict[str, str]:
        """Names and values of the labels of an image, (columns,)."""
        columns = zip(self.facts.label_names, self.facts.label_values, row, strict=True)
        return {name: values[index] for name, values, index in columns}

    def _labels(self, settings: Settings) -> np.ndarray:
        """Labels of what is decoded, (n, columns): the chosen values, and for the rest those of test images.

        The noise seed picks the test images of draws. Each half of a path has the labels of its end.
        """
        if settings.show == "draws":
            return self._first.labels(settings.count, settings.labels, seed=settings.noise)
        ends = [self.labels_of(image) | settings.labels for image in _images_of(settings)]
        rows = np.concatenate([self._first.labels(1, end) for end in ends])
        steps = INTERPOLATION_STEPS if settings.show == "interpolation" else 1
        return rows[np.arange(steps) * len(rows) // steps]

    def _view(self, chosen: ChosenRun, settings: Settings, labels: np.ndarray) -> View:
        draw = {"draws": self._draws, "edit": self._edit, "interpolation": self._interpolation}[settings.show]
        try:
            run = self._run(chosen.variant, chosen.seed)
            pictures = draw(run, chosen, settings, labels)
        except UserError as error:
            return View(error=str(error))
        return View(pictures, _notes(run, chosen, settings), "", run.run.model.conditional, run.movable, run.fixed)

    def _draws(self, run: MovableRun, chosen: ChosenRun, settings: Settings, labels: np.ndarray) -> list[Picture]:
        z = run.move(run.run.draw(labels, seed=settings.noise), chosen, settings)
        drawn = settings.pixels == "drawn" or not run.run.model.likelihood.has_mean
        images = run.run.decode(z, labels, settings.noise if drawn else None)
        return self._pictures(images, self._captions(run, settings, labels))

    def _edit(self, run: MovableRun, chosen: ChosenRun, settings: Settings, labels: np.ndarray) -> list[Picture]:
        original, own = self.test.images[[settings.image]], self.test.labels[[settings.image]]
        z = run.run.encode(original, own)
        edit = run.run.decode(run.move(z, chosen, settings), labels)
        [under] = self._captions(run, settings, labels)
        shown = {"Original": original, "Reconstruction": run.run.decode(z, own), f"Edit, {under}".strip(", "): edit}
        return [Picture(self._png(images), caption) for caption, images in shown.items()]

    def _interpolation(
        self, run: MovableRun, chosen: ChosenRun, settings: Settings, labels: np.ndarray
    ) -> list[Picture]:
        """The first image, what is decoded on the way, and the last image."""
        if run.discrete:
            raise UserError(
                f"There is no path between latents of {chosen.variant}, as {run.fixed}; choose another run, or show draws."
            )
        ends = _images_of(settings)
        originals, own = (
            np.concatenate([each[[end]] for end in ends]) for each in (self.test.images, self.test.labels)
        )
        first, last = np.split(run.run.encode(originals, own), 2)
        way = run.run.interpolate(first, last, INTERPOLATION_STEPS, through_flow=run.has_flow)[0]
        images = run.run.decode(run.move(way, chosen, settings), labels)
        captions = [f"Image {settings.image}", *self._captions(run, settings, labels), f"Image {settings.to}"]
        return self._pictures(np.concatenate([originals[:1], images, originals[1:]]), captions)

    def _captions(self, run: MovableRun, settings: Settings, labels: np.ndarray) -> list[str]:
        """The labels under which each image is decoded, in words."""
        if not run.run.model.conditional:
            return ["no label" if self.facts.label_names else ""] * len(labels)
        return [labels_in_words(self.facts, self._named(row), settings.labels) for row in labels]

    def _pictures(self, images: np.ndarray, captions: list[str]) -> list[Picture]:
        """A picture of each image; points are in one picture."""
        if self.facts.points:
            return [Picture(self._png(images), "")]
        return [Picture(self._png(image[None]), caption) for image, caption in zip(images, captions, strict=True)]

    def _png(self, images: np.ndarray) -> bytes:
        return picture(images, self.facts, images[:0] if self.no_images else self.test.images)

    def _run(self, variant: str, seed: int) -> MovableRun:
        """Load a run unless it is in memory."""
        key = variant, seed
        if key not in self._loaded:
            test = None if self.no_images else self.test
            run = self._load_checked(variant, seed)
            self._loaded[key] = MovableRun(run, test, self._examples)
            if len(self._loaded) > MOST_MODELS:
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

    @cached_property
    def _examples(self) -> Examples | None:
        return None if self.no_images else Examples(self._first.split("train"))

    def _why_no_images(self) -> str:
        if not self._first.store.exists():
            return f"there is no {self._first.store} (--data names the folder of that file)"
        try:
            self._first.split()
        except UserError as error:
            return str(error).removesuffix(".")
        return ""

    def _frequent_labels(self) -> dict[str, str]:
        """The value that most training images have of each label, if there are no test images to copy labels from."""
        facts = self.facts
        if not self.no_images:
            return {}
        counts = facts.training_counts or [[0] * size for size in facts.label_cardinalities]
        columns = zip(facts.label_names, facts.label_values, counts, strict=True)
        return {name: values[int(np.argmax(of_values))] for name, values, of_values in columns}


def _images_of(settings: Settings) -> list[int]:
    """The test images that are shown."""
    return {"draws": [], "edit": [settings.image], "interpolation": [settings.image, settings.to]}[settings.show]


def _notes(run: MovableRun, chosen: ChosenRun, settings: Settings) -> list[str]:
    """Sentences on what settings mean to one run."""
    notes = [f"Moved: {moves_in_words(chosen)}."] if chosen.moved else []
    if settings.show == "interpolation":
        line = "in the base space of its prior's flow" if run.has_flow else "in z, as its prior has no flow"
        notes.append(f"The path is a straight line {line}.")
    if settings.labels and not run.run.model.conditional:
        notes.append("This model uses no labels, so switching a label changes nothing here.")
    if settings.directions and run.fixed:
        notes.append(f"A direction changes nothing here, as {run.fixed}.")
    return notes


def _first_that_loads(runs: Runs) -> TrainedRun:
    failures = []
    for key in runs.finished:
        try:
            return _load(runs, *key)
        except UserError as error:
            failures.append(error)
    raise failures[0]


def _load(runs: Runs, variant: str, seed: int) -> TrainedRun:
    model, facts = model_files.load(runs.folder_of(variant, seed))
    return TrainedRun(model, facts, runs.data / f"{facts.dataset_id}.h5")
