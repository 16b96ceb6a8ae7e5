"""A trained run in Python: sample, encode, decode, reconstruct, interpolate, edit by attributes, and estimate likelihoods."""

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaeline.data.columns import NO_YES
from vaeline.data.dequantization import to_range
from vaeline.data.facts import SHOWN, Facts
from vaeline.data.paths import DATA, DataFiles
from vaeline.data.splits import SPLITS
from vaeline.data.store import Split, SplitOnDemand, read_ids, read_split, require_images
from vaeline.metrics._trust import LEAST_SHARE, is_trusted
from vaeline.metrics.nll import Unconverged
from vaeline.models import interpolation, sampling
from vaeline.models.estimators.around_modes import annealed, around_modes
from vaeline.models.estimators.availability import log_frequencies, why_no_likelihood
from vaeline.models.estimators.log_likelihood import LogLikelihood, marginal
from vaeline.models.model import Model
from vaeline.runs import identity, model_files
from vaeline.runs.arguments import (
    as_array,
    as_images,
    as_labels,
    as_latents,
    as_names,
    as_wanted,
    count_of_images,
    most_in_memory,
    values_of,
    whole_number,
    yes_or_no,
)
from vaeline.runs.description import described
from vaeline.runs.folder import DESCRIPTION, project_of
from vaeline.runs.label_combinations import unseen_in_words
from vaeline.runs.pictures import grid, points_png
from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError, reason, shown, some_of, unreadable
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.files import write_bytes
from vaeline.system.memory import budget
from vaeline.system.seeds import derive_seed

BATCH = 256  # images at a time
MOST_ENCODED = 5000  # training images of an attribute vector
MOST_STEPS = 10_000  # of an interpolation
MOST_SAMPLES = 10_000_000  # of the posterior of an image
Value = int | str  # of a label: its index among the values of the label, or its name
Wanted = Mapping[str, Value | Sequence[Value]]  # label -> one value for all images, or one for each


def load(folder: Path | str, store: Path | str | None = None, device: torch.device | str = "cpu") -> "TrainedRun":
    """Load a trained run, such as `results/digits/runs/cvae_nf/seed-0`.

    Args:
        folder: of the run.
        store: HDF5 store of its images; None for the store in the project that the run lies in. It is read when it is first
            needed.
        device: of the model.

    Raises:
        UserError: a file of the run is missing, damaged, or of another run than that of the folder.
    """
    for name, path in {"folder": folder, "store": store}.items():
        if not isinstance(path, str | os.PathLike) and (path is not None or name == "folder"):
            raise UserError(f"{name} is {shown(path)}; give a path.")
    with _reading(folder):
        identity.refuse_above(Path(folder))
        made = described(Path(folder) / DESCRIPTION)
        identity.require_place(Path(folder), made)
        model = model_files.model_of(Path(folder), made)
        if store is None:
            store = DataFiles(made.facts.dataset_id, project_of(Path(folder)) / DATA).store
    return TrainedRun(_on(device, model), made.facts, Path(store), made.seed)


class TrainedRun:
    """A trained model, and the facts about its images.

    Images are NumPy arrays, as in the store: uint8 levels, (n, channel, height, width); points are float32, (n, dimensions).
    Pictures of your own are accepted too, and prepared as the run's data were: paths, images of Pillow, and uint8 arrays
    (height, width, 3), one of them or a list.
    Labels are whole numbers, (n, columns): the index of each column's value in `facts.label_values`. They can also be named,
    as in `sample(16, Smiling=1, Male="no")`. Latents z are float32, (n, latent) or (n, latent, height, width). Random
    numbers depend on `seed` alone, those of `log_prob` on the run's seed too; torch's global generator is left unchanged.

    Args:
        model: in evaluation mode.
        facts: of its images.
        store: of the images.
        run_seed: of the run.
    """

    def __init__(self, model: Model, facts: Facts, store: Path, run_seed: int = 0) -> None:
        self.model, self.facts, self.store, self.run_seed = model, facts, store, run_seed
        self._splits: dict[str, Split | SplitOnDemand] = {}
        self._training_labels: np.ndarray | None = None
        self._latent_shape: tuple[int, ...] | None = None

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return next(self.model.parameters()).device

    def split(self, name: str = "test") -> Split | SplitOnDemand:
        """Images, labels and ids of a split of the store: `train`, `validation` or `test`.

        Images that need more than an eighth of the memory (or VAELINE_MEMORY) stay on disk, and images of sprites are drawn each time; their
        indices are those of an array.

        Raises:
            UserError: the store is missing or damaged, or contains other images than those that the run was trained on.
        """
        if not isinstance(name, str) or name not in SPLITS:
            raise UserError(f"The split is {shown(name)}; it must be one of: {', '.join(SPLITS)}.")
        if name not in self._splits:
            self._require_store("The images of this run are not in its folder")
            require_images(self.store, self.facts)
            self._splits[name] = replace(read_split(self.store, name, budget()), ids=read_ids(self.store, name))
        return self._splits[name]

    def labels(
        self, count: int, wanted: Wanted | None = None, /, *, seed: int = 0, **named: Value | Sequence[Value]
    ) -> np.ndarray:
        """Labels for `count` images, int64, (count, columns). Columns that are not named are those of random test images.

        Args:
            count: of images.
            wanted: label -> value, or one value for each image; for labels whose names are not valid names in Python.
            seed: of the choice of test images.
            named: the same, by keyword.

        Raises:
            UserError: a label or value is unknown, or the numbers of values and of images differ.
        """
        count, seed = count_of_images(count, self.facts), _seed(seed)
        asked = as_wanted(wanted) | named
        if set(asked) >= set(self.facts.label_names):  # the store is not needed
            labels = np.zeros((count, len(self.facts.label_names)), np.int64)
        else:
            self._require_store(
                f"{some_of([name for name in self.facts.label_names if name not in asked])} would be taken from test images",
                f"name each label, as in `{self.facts.label_names[0]}={self.facts.label_values[0][0]!r}`, or ",
            )
            of_test = self.split().labels
            labels = of_test[np.random.default_rng(seed).integers(len(of_test), size=count)]
        return self._with(labels, asked)

    def unseen_combinations(self, labels: np.ndarray, chosen: Iterable[str]) -> str:
        """Which labels, (n, columns), no training image has together, as a sentence; empty if there are none.

        Args:
            labels: of the images to draw.
            chosen: names of the labels that were set, which are compared with one another and with all other labels.

        Raises:
            UserError: as in `split`; or a label is unknown or out of range.
        """
        labels, chosen = as_labels(labels, None, self.facts), as_names(chosen, self.facts)
        if self._training_labels is None:
            require_images(self.store, self.facts)
            self._training_labels = read_split(self.store, "train", 0).labels
        return unseen_in_words(labels, self._training_labels, self.facts, chosen)

    def sample(
        self,
        count: int = 16,
        wanted: Wanted | None = None,
        /,
        *,
        seed: int = 0,
        noise: bool = False,
        **named: Value | Sequence[Value],
    ) -> np.ndarray:
        """Draw images from p(x), or from p(x|y) for labels as in `labels`: the decoder's mean, or with `noise` a draw of p(x|z).

        Raises:
            UserError: as in `labels`; or labels are given, and the model is not conditional.

        Warns:
            UnseenLabels: no training image has one of the labels.
        """
        count, seed, asked = count_of_images(count, self.facts), _seed(seed), as_wanted(wanted) | named
        if asked:
            self._require_labels(next(iter(asked)))
        labels = self.labels(count, asked, seed=seed) if self.model.conditional else self._no_labels(count)
        if self.model.conditional:
            self.facts.warn_of_unseen(labels, "images to draw")
        with torch.random.fork_rng():
            noise = yes_or_no(noise, "noise")
            return _joined(sampling.sample(self.model, self._tensor(labels), self.facts, seed, BATCH, noise))

    def draw(self, labels: np.ndarray, seed: int = 0) -> np.ndarray:
        """Draw latents z from p(z), or from p(z|y) for each row of labels, (n, columns), as `sample` does.

        Raises:
            UserError: labels as in `decode`.
        """
        given = as_array(labels, "Labels", f"whole numbers, (n, {len(self.facts.label_names)})")
        if not np.shape(given) or not len(given):
            raise UserError(f"Labels are {given.dtype} {given.shape}; give a row for each latent.")
        labels = self._checked(given, len(given))
        with torch.random.fork_rng():
            torch.manual_seed(_seed(seed))
            return _joined(sampling.draw(self.model, some) for some in self._tensor(labels).split(BATCH))

    def decode(self, z: np.ndarray, labels: np.ndarray | None = None, noise_seed: int | None = None) -> np.ndarray:
        """The mean image of p(x|z, y) for each latent, or, with the seed of its noise, a draw of p(x|z, y).

        Under a likelihood that has no mean, it is a draw in any case, always the same without a seed.

        Raises:
            UserError: the model is conditional and no labels are given, or the numbers of labels and latents differ; or
                latents have another shape than the model's, or are not finite.
        """
        z = self._z(z)
        labels = self._checked(labels, len(z))
        noise_seed = None if noise_seed is None else _seed(noise_seed)
        with torch.random.fork_rng():
            return _joined(
                sampling.decode(self.model, self._tensor(z), self._tensor(labels), self.facts, BATCH, noise_seed)
            )

    def encode(self, images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """The centre of each image's posterior, as `reconstruct` decodes it.

        No z is drawn. Noise of `dataset.pixels` (`dequantized`, `dynamic_binary`) is, from a fixed seed in the order of the images, so that
        an image has slightly different centres in different places of `images`.

        Raises:
            UserError: images have another shape or range than the model's; labels as in `decode`.
        """
        images = as_images(images, self.facts)
        labels = self._checked(labels, len(images))
        with torch.inference_mode():
            batches = zip(self._x(images).split(BATCH), self._tensor(labels).split(BATCH), strict=True)
            found = (self.model.features(x, self.model.condition(of_x)) for x, of_x in batches)
            return _joined(map(self.model.posterior.centre, found))

    def reconstruct(
        self, images: np.ndarray, labels: np.ndarray | None = None, /, **named: Value | Sequence[Value]
    ) -> np.ndarray:
        """Encode images and decode them. Labels that are named replace the images' own in the decoder, which edits the images.

        Args:
            images: to encode.
            labels: of the images; None for a model that is not conditional.
            named: labels for the decoder, as in `labels`.

        Raises:
            UserError: as in `encode` and `labels`.
        """
        if named:
            self._require_labels(next(iter(named)))
        images = as_images(images, self.facts)
        labels = self._checked(labels, len(images))
        return self.decode(self.encode(images, labels), self._with(labels, named))

    def interpolate(
        self, first: np.ndarray, second: np.ndarray, steps: int = 9, through_flow: bool = False
    ) -> np.ndarray:
        """Latents between two, in equal steps, (n, steps, latent): on a line in z, or in the base space of the prior's flow.

        Raises:
            UserError: the prior has no flow, or the latents are not vectors.
        """
        first, second = (as_array(each, "Latents", "float32 (n, latent)") for each in (first, second))
        through_flow = yes_or_no(through_flow, "through_flow")
        if through_flow and self.model.latent_density.flow is None:
            raise UserError("The prior of this run has no flow to interpolate through; use through_flow=False.")
        if np.ndim(first) != 2 or np.shape(first) != np.shape(second):
            raise UserError(
                f"Latents to interpolate between are {np.shape(first)} and {np.shape(second)}; both must be (n, latent)."
            )
        steps = whole_number(steps, "steps", 1, min(MOST_STEPS, most_in_memory(8 * first.size)))
        return (
            interpolation.interpolate(
                self.model, self._tensor(self._z(first)), self._tensor(self._z(second)), steps, through_flow
            )
            .cpu()
            .numpy()
        )

    def direction(
        self, name: str, value: Value | None = None, away: Value | None = None, *, images: int = MOST_ENCODED
    ) -> np.ndarray:
        """The attribute vector of a label: how the mean latent of training images differs with its value (Larsen et al., 2016).

        `run.decode(z + run.direction("Smiling"), labels)` adds a smile to latents.

        Args:
            name: of the label.
            value: to move to; None for `yes` of a label of yes and no.
            away: value to move from; None for all others.
            images: training images that are encoded, evenly spread over the split.

        Returns:
            Float32, the shape of one latent.

        Raises:
            UserError: the label or a value is unknown, or no training image has it; or as in `split`.
        """
        column = self.facts.column(name)
        if value is None and self.facts.label_values[column] != NO_YES:
            raise UserError(
                f"{name} is no label of yes and no; name the value to move to: {some_of(self.facts.label_values[column], SHOWN)}."
            )
        to, apart = (None if each is None else self.facts.label(name, _one(name, each))[1] for each in (value, away))
        if value is not None and to == apart:
            raise UserError(f"{name} moves from {shown(away)} to itself; name two values, or leave out `away`.")
        split = self.split("train")
        rows = evenly_spaced(len(split.images), whole_number(images, "images", 2, MOST_SAMPLES))
        labels = split.labels[rows]
        codes, z = labels[:, column], self.encode(split.images[rows], labels)
        to = NO_YES.index("yes") if to is None else to
        there, elsewhere = codes == to, codes != to if apart is None else codes == apart
        if not there.any() or not elsewhere.any():
            raise UserError(
                f"{name} has too few training images to tell a direction: {there.sum():,} of the {len(rows):,} that are encoded have the value, and "
                f"{elsewhere.sum():,} the other; take other values, or more images."
            )
        return attribute_vector(z, there, elsewhere)

    def save_grid(self, images: np.ndarray, path: Path | str, columns: int | None = None) -> None:
        """Write images side by side as one PNG file, or points over the test split.

        Args:
            images: (n, channel, height, width), or rows of them, (rows, columns, channel, height, width).
            path: of the file; its folder is made.
            columns: images in a row; None for rows as they are given, or else a picture that is as square as possible.

        Raises:
            UserError: images have another shape or range than the run's; or the path is not one of a PNG file, or cannot be written.
        """
        if not isinstance(path, str | os.PathLike) or Path(path).suffix.lower() != ".png":
            raise UserError(f"path is {shown(path)}; give one that ends in .png.")
        if isinstance(images, np.ndarray) and images.ndim == len(self.facts.image_shape) + 2:
            columns = images.shape[1] if columns is None else columns
            images = images.reshape(-1, *images.shape[2:])
        drawn = as_images(images, self.facts)
        if columns is not None:
            columns = whole_number(columns, "columns", 1, MOST_SAMPLES)
        content = (
            points_png(drawn, self.split().images) if self.facts.points else grid(drawn, self.facts.levels, columns)
        )
        with _writing(path):
            write_bytes(Path(path), content)

    def log_prob(
        self, images: np.ndarray, labels: np.ndarray | None = None, samples: int = 500, seed: int = 0
    ) -> np.ndarray:
        """Log-likelihoods of images, float64, (n,), in nats.

        Samples are drawn around the modes of p(z|x). Images on which that fails are estimated by annealing, which takes longer. Images
        are dequantized if the study dequantizes, as for the metrics `nll` and `nll_given_label`.

        Args:
            images: to estimate.
            labels: for log p(x|y). Without labels, the result is log p(x); the classes of a conditional model are summed out
                with their frequencies in the training split.
            samples: for each image, at least 10.
            seed: of the noise of dequantization, and together with the run's seed of the samples: runs are given the same images, and
                draw numbers of their own.

        Raises:
            UserError: the posterior has no density, or the labels are attributes and are not given.

        Warns:
            Unconverged: annealing fails on an image too; its result is a lower bound.
        """
        if why := why_no_likelihood(self.model):
            raise UserError(f"This run has no likelihood to estimate: {why}.")
        samples, seed = whole_number(samples, "samples", 10, MOST_SAMPLES), _seed(seed)
        images = as_images(images, self.facts)
        sum_out = labels is None and self.model.conditional
        if sum_out and not self.facts.classes:
            raise UserError(
                "Labels are attributes, whose combinations have no p(y) to sum over; give the labels of the images by labels=."
            )
        log_prior = log_frequencies(torch.from_numpy(self.split("train").labels), self.facts) if sum_out else None
        of_images = self._no_labels(len(images)) if labels is None else self._checked(labels, len(images))
        generator = torch.Generator(self.device).manual_seed(derive_seed("dequantization", seed))
        x = self._x(images, generator)
        with torch.random.fork_rng():
            torch.manual_seed(derive_seed("importance samples", seed, self.run_seed))
            return self._estimated(x, self._tensor(of_images), samples, log_prior)

    def _estimated(self, x: Tensor, labels: Tensor, samples: int, log_prior: Tensor | None) -> np.ndarray:
        given = around_modes(self.model, self.model.likelihood, x, labels, samples, log_prior)
        rows = (~is_trusted(_mixed(given, log_prior))).nonzero().squeeze(1)
        if len(rows):
            some, of_some = given.at(slice(None), rows), rows.to(x.device)
            found = annealed(self.model, self.model.likelihood, x[of_some], labels[of_some], some, log_prior).likelihood
            given.put((slice(None), rows), found)
            few = int((_mixed(found, log_prior).effective_share < LEAST_SHARE).sum())
            if few:
                warnings.warn(
                    f"The chains of {few} of {len(x)} images are not half effective; their log-likelihoods are lower bounds.",
                    Unconverged,
                    stacklevel=3,
                )
        result: np.ndarray = _mixed(given, log_prior).log_prob.numpy()
        return result

    def _x(self, images: np.ndarray, generator: torch.Generator | None = None) -> Tensor:
        """Scale images for the networks."""
        if generator is None:
            generator = torch.Generator(self.device).manual_seed(0)
        return to_range(self._tensor(images), self.facts, generator)

    def _checked(self, labels: np.ndarray | None, count: int) -> np.ndarray:
        """Check the labels of `count` images. A model that is not conditional gets zeros, which it ignores."""
        if not self.model.conditional:
            return self._no_labels(count)
        if labels is None:
            names = self.facts.label_names
            raise UserError(
                f"This run is conditional: give the images' labels, (n, {len(names)}): {', '.join(names)}; "
                f"`run.labels({count}, {names[0]}=...)` makes them."
            )
        found = as_labels(labels, count, self.facts)
        self.facts.warn_of_unseen(found, "images")
        return found

    def _z(self, latents: np.ndarray) -> np.ndarray:
        """Check latents against those of a black image."""
        if self._latent_shape is None:
            with torch.inference_mode():
                x = torch.zeros(1, *self.facts.image_shape, device=self.device)
                features = self.model.features(x, self.model.condition(self._tensor(self._no_labels(1))))
                self._latent_shape = tuple(self.model.posterior.centre(features).shape[1:])
        posterior = self.model.posterior
        return as_latents(latents, self._latent_shape, posterior.codebook_size, posterior.stages)

    def _with(self, labels: np.ndarray, wanted: Wanted) -> np.ndarray:
        """Labels with the columns set that are named."""
        labels = labels.copy()
        for name, values in wanted.items():
            found = [self.facts.label(name, value) for value in values_of(name, values)]
            single = len(found) == 1 and not isinstance(values, list | tuple | np.ndarray)
            if len(found) != len(labels) and not single:
                raise UserError(f"{name} has {len(found)} values for {len(labels)} images; give one, or one for each.")
            labels[:, found[0][0]] = [code for _, code in found] if not single else found[0][1]
        return labels

    def _require_store(self, needed: str, advice: str = "") -> None:
        """Refuse to go on without the store of the images, which a run alone does not have.

        Raises:
            UserError: there is no such file.
        """
        if not self.store.exists():
            raise UserError(
                f"{needed}, and there is no {self.store}; {advice}give that file of the run's project by `store=` when you load the run (the step "
                "preprocess makes it there)."
            )

    def _require_labels(self, asked: str) -> None:
        if not self.model.conditional:
            raise UserError(f"The model of this run is not conditional, so {asked} cannot be set; leave labels out.")

    def _no_labels(self, count: int) -> np.ndarray:
        return np.zeros((count, len(self.facts.label_names)), np.int64)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


def attribute_vector(z: np.ndarray, there: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """How the mean latent of some images differs from that of others (Larsen et al., 2016): the shape of one latent.

    Args:
        z: of the images, (n, ...).
        there: which images have the attribute, bool, (n,).
        elsewhere: which images it is told from, bool, (n,).
    """
    found: np.ndarray = z[there].mean(0) - z[elsewhere].mean(0)
    return found


def _seed(value: int) -> int:
    return whole_number(value, "seed", 0, MOST_SEED)


@contextmanager
def _writing(path: Path | str) -> Iterator[None]:
    """Turn an error of the operating system in writing a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); check the folder and its permissions."
        ) from error


@contextmanager
def _reading(path: Path | str) -> Iterator[None]:
    """Turn an error of the operating system, such as a name that is too long or a missing permission, into a sentence."""
    try:
        yield
    except OSError as error:
        raise unreadable(Path(path), error) from error


def _on(device: torch.device | str, model: Model) -> Model:
    try:
        torch.zeros(1).to(torch.device(device)).cpu()  # the device `meta` takes a model, but holds no numbers
        return model.to(torch.device(device))
    except Exception as error:  # torch has another class for each kind of device that it lacks
        raise UserError(f"device is {shown(device)}, which cannot be used ({reason(error)}); take cpu.") from error


def _joined(batches: Iterable[Tensor]) -> np.ndarray:
    joined: np.ndarray = torch.cat(list(batches)).cpu().numpy()
    return joined


def _mixed(given: LogLikelihood, log_prior: Tensor | None) -> LogLikelihood:
    return given.at(0) if log_prior is None else marginal(given, log_prior)


def _one(name: str, value: Value) -> int | str:
    """The single value that a label is given."""
    found = values_of(name, value)
    if len(found) > 1:
        raise UserError(f"{name} is {shown(value)}; give one value.")
    return found[0]
