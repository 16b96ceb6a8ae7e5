"""What likelihood metrics are made of: the ELBO and the log-likelihood estimates of every test image.

All of this is kept (see `kept`), so this file imports no metric: an edit of a metric leaves it as it is.
"""

import copy
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.evaluation.draws import seed_of_images
from vaeline.evaluation.kept import Kept, Section
from vaeline.metrics._trust import is_trusted
from vaeline.models.calibration import mean_error
from vaeline.models.contracts import Likelihood
from vaeline.models.estimators.around_modes import annealed, around_modes
from vaeline.models.estimators.availability import log_frequencies
from vaeline.models.estimators.from_posterior import from_posterior
from vaeline.models.estimators.log_likelihood import LogLikelihood, concatenate, marginal
from vaeline.models.estimators.sandwich import gaps, why_no_sandwich
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed
from vaeline.system.state_files import State

HELD_TOGETHER = 2**18  # elements of the images that are estimated together, at least
KEEP_EVERY = 20.0  # seconds between two times that unfinished estimates are kept
CHECKED = 64  # images on which annealing has to agree, and images that the model draws
FEWEST_DRAWN = 8
MOST_ANNEALED = 200  # of the images that need it; their mean difference stands for the others
FIRST_ANNEALED, MOST_AT_A_TIME = 4, 64  # images: the first few tell what one costs

Role = Literal["own", "refit"]


def likelihoods_of(model: Model, train: Batches, seed: int, kept: Kept) -> dict[Role, Likelihood]:
    """The likelihoods to estimate: the model's own, and one with sigma refitted to the training split where that has a meaning."""
    if model.likelihood.kind == "calibrated" or why_no_refit(model, train.facts.pixels):
        return {"own": model.likelihood}

    def error() -> dict[str, float]:
        torch.manual_seed(derive_seed("refit posterior", seed))
        return {"mean_error": mean_error(model, train, derive_seed("refit batches", seed))}

    refit = copy.deepcopy(model.likelihood)
    refit.calibrate(kept.result(kept.section("refit", [__name__], seed=seed), error)["mean_error"])
    return {"own": model.likelihood, "refit": refit}


def why_no_refit(model: Model, pixels: str) -> str:
    """Why sigma cannot be refitted; empty if it can."""
    if model.likelihood.sigma is None:
        return "the likelihood has no sigma to refit"
    return "" if pixels in ("dequantized", "points") else "a density of whole levels has no best sigma"


@torch.inference_mode()
def elbo_of_images(model: Model, test: Batches, settings: Evaluation, seed: int) -> Tensor:
    """Distortion and, if there is one, rate of every test image, mean over posterior samples: nats, (1 or 2, images)."""
    torch.manual_seed(derive_seed("bounds", seed))
    found = []
    for x, labels in test.ordered(seed_of_images(settings.seed)):
        drawn = [model.elbo(x, labels) for _ in range(settings.bound_samples)]
        halves = [torch.stack([each.distortion, *([] if each.rate is None else [each.rate])]) for each in drawn]
        found.append(torch.stack(halves).mean(0).cpu())
    return torch.cat(found, 1)


@dataclass(frozen=True)
class Estimated:
    """The estimates of one likelihood.

    Args:
        given: log p(x|y) of each class, (classes, images), or under the given labels alone, (1, images).
        bridged: indices of the images that were estimated by annealing too, (m,).
        annealed: `given` of these images, with annealed estimates of the labels that count, (classes or 1, m).
        gaps: upper minus lower bound of images that the model drew: nats, (drawn,).
        why_no_gap: why no image was drawn; empty if some were.
    """

    given: LogLikelihood
    bridged: Tensor
    annealed: LogLikelihood
    gaps: Tensor
    why_no_gap: str = ""


class Estimation:
    """Estimates log-likelihoods of the chosen test images, in three stages that are kept each.

    Every image is estimated around its modes, or from the posterior. Images on which that fails are estimated by annealing, and so
    are some on which it seems to hold. Last, the model draws images whose likelihood is bounded from both sides.

    Args:
        model: in evaluation mode, on the device of the batches, whose latents have a density.
        train: training split, for the frequencies of classes.
        test: test split, dequantized once.
        settings: how many images and samples.
        seed: of all draws.
        kept: results of earlier evaluations of the run.
    """

    def __init__(
        self, model: Model, train: Batches, test: Batches, settings: Evaluation, seed: int, kept: Kept
    ) -> None:
        self.model, self.test, self.settings, self.seed, self.kept = model, test, settings, seed, kept
        self.chosen = torch.from_numpy(evenly_spaced(len(test.images), settings.images))
        classes = model.conditional and test.facts.classes
        self.log_prior = log_frequencies(train.labels, test.facts) if classes else None

    @torch.no_grad()
    def estimated(self, likelihood: Likelihood, role: Role) -> Estimated:
        """The estimates of one likelihood; `role` tells it from others of the run."""
        given = self._every_image(likelihood, role)
        none = torch.empty(0, dtype=torch.long)
        if self.settings.likelihood.method == "posterior":
            return Estimated(given, none, given.at(slice(None), none), torch.empty(0), "it is sampled from q(z|x)")
        bridged, annealed, evaluations = self._annealed(likelihood, role, given)
        if why := why_no_sandwich(self.model):
            return Estimated(given, bridged, annealed, torch.empty(0), why)
        return Estimated(
            given, bridged, annealed, self._gaps(likelihood, role, given, evaluations / max(1, len(bridged)))
        )

    def by_name(self, given: LogLikelihood, images: Tensor) -> dict[str, LogLikelihood]:
        """`nll`, log p(x), and `nll_given_label`, log p(x|y), as far as the model has them: (images,) each.

        Args:
            given: (classes or 1, images).
            images: which of the chosen ones these are, indices.
        """
        if not self.model.conditional:
            return {"nll": given.at(0)}
        if self.log_prior is None:
            return {"nll_given_label": given.at(0)}
        own = given.at(self._labels(images).cpu().squeeze(1), torch.arange(len(images)))
        return {"nll_given_label": own, "nll": marginal(given, self.log_prior)}

    def _every_image(self, likelihood: Likelihood, role: Role) -> LogLikelihood:
        settings = self.settings.likelihood
        section = self._section("likelihood", role, method=settings.method, samples=settings.samples)
        state = self.kept.load(section) or {"estimates": None, "groups": 0}
        parts = [LogLikelihood(*state["estimates"])] if state["estimates"] else []
        done, kept_at = sum(part.log_prob.shape[-1] for part in parts), time.monotonic()
        with Bar("likelihood", len(self.chosen), done) as bar:
            for index, (x, labels) in enumerate(self._groups() if done < len(self.chosen) else ()):
                if index < state["groups"]:
                    continue
                torch.manual_seed(derive_seed(f"likelihood {role}", self.seed, index))
                parts.append(self._estimate(likelihood, x, labels))
                bar.advance(len(x))
                done += len(x)
                if done == len(self.chosen) or time.monotonic() - kept_at > KEEP_EVERY:
                    self.kept.store(section, {"estimates": tuple(concatenate(parts)), "groups": index + 1})
                    kept_at = time.monotonic()
        return concatenate(parts)

    def _estimate(self, likelihood: Likelihood, x: Tensor, labels: Tensor) -> LogLikelihood:
        settings = self.settings.likelihood
        if settings.method == "posterior":
            under = (
                [labels] if self.log_prior is None else [torch.full_like(labels, y) for y in range(len(self.log_prior))]
            )
            each = [from_posterior(self.model, likelihood, x, some, settings.samples) for some in under]
            return LogLikelihood(*map(torch.stack, zip(*each, strict=True)))
        return around_modes(self.model, likelihood, x, labels, settings.samples, self.log_prior)

    def _annealed(self, likelihood: Likelihood, role: Role, given: LogLikelihood) -> tuple[Tensor, LogLikelihood, int]:
        """Images that were estimated by annealing, their estimates, and the evaluations of the decoder that they took."""
        settings = self.settings.likelihood
        order = self._to_anneal(given)
        section = self._section(
            "annealing", role, method=settings.method, samples=settings.samples, budget=settings.budget
        )
        state = self.kept.load(section) or {"estimates": None, "images": 0, "evaluations": 0}
        parts = [LogLikelihood(*state["estimates"])] if state["estimates"] else []
        done, evaluations, kept_at = state["images"], state["evaluations"], time.monotonic()
        x, labels = self.take(order)
        with Bar("annealing", len(order), done) as bar:
            while done < len(order) and (count := self._affordable(done, evaluations)):
                some = slice(done, done + count)
                torch.manual_seed(derive_seed(f"annealing {role}", self.seed, done))
                of_some = given.at(slice(None), order[some])
                found, spent = annealed(self.model, likelihood, x[some], labels[some], of_some, self.log_prior)
                parts.append(found)
                bar.advance(found.log_prob.shape[-1])
                done, evaluations = done + found.log_prob.shape[-1], evaluations + spent
                ends = done == len(order) or not self._affordable(done, evaluations)
                if ends or time.monotonic() - kept_at > KEEP_EVERY:
                    self.kept.store(
                        section, {"estimates": tuple(concatenate(parts)), "images": done, "evaluations": evaluations}
                    )
                    kept_at = time.monotonic()
        return order[:done], concatenate(parts) if parts else given.at(slice(None), order[:0]), evaluations

    def _affordable(self, done: int, evaluations: int) -> int:
        """How many images to anneal next, after `done` images that took so many evaluations of the decoder."""
        left = self.settings.likelihood.budget * len(self.chosen) - evaluations
        if not done:
            return FIRST_ANNEALED if left > 0 else 0
        return min(MOST_AT_A_TIME, max(0, left) * done // max(1, evaluations))

    def _to_anneal(self, given: LogLikelihood) -> Tensor:
        """Indices of images in random order: by turns one of those on which the samples fail, and one that checks the samples."""
        count = len(self.chosen)
        fails = torch.zeros(count, dtype=torch.bool)
        for found in self.by_name(given, torch.arange(count)).values():
            fails |= ~is_trusted(found)
        spread = torch.from_numpy(evenly_spaced(count, CHECKED))
        fails[spread] = False
        generator = torch.Generator().manual_seed(derive_seed("images to anneal", self.seed))
        others, checks = (
            each[torch.randperm(len(each), generator=generator)].tolist()
            for each in (fails.nonzero().squeeze(1), spread)
        )
        turns = zip_longest(others[:MOST_ANNEALED], checks)
        return torch.tensor([each for turn in turns for each in turn if each is not None])

    def _gaps(self, likelihood: Likelihood, role: Role, given: LogLikelihood, cost: float) -> Tensor:
        """Bounds of images that the model draws under labels of test images, as many as the budget allows."""
        settings = self.settings.likelihood
        [first, *_] = self.by_name(given, torch.arange(len(self.chosen))).values()
        hard = float((~is_trusted(first)).double().mean())
        allowed = settings.budget * len(self.chosen) / 4 / max(1.0, hard * cost)
        count = int(min(CHECKED, max(FEWEST_DRAWN, allowed)))
        labels = self._labels(torch.from_numpy(evenly_spaced(len(self.chosen), count)))
        section = self._section("sandwich", role, samples=settings.samples, drawn=count)

        def drawn() -> State:
            torch.manual_seed(derive_seed(f"sandwich {role}", self.seed))
            return {"gaps": gaps(self.model, likelihood, labels, settings.samples)}

        found: Tensor = self.kept.result(section, drawn)["gaps"]
        return found

    def _section(self, name: str, role: Role, **settings: object) -> Section:
        return self.kept.section(
            f"{name}-{role}", [__name__], **settings, seed=self.seed, images=self.settings.images,
            dequantized=self.settings.seed,
        )  # fmt: skip

    def _groups(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The chosen images, as many at a time as are estimated together."""
        held: list[tuple[Tensor, Tensor]] = []
        for x, labels in self._read(self.chosen):
            if len(x):
                held.append((x, labels))
            if sum(some.numel() for some, _ in held) >= HELD_TOGETHER:
                yield _joined(held)
                held = []
        if held:
            yield _joined(held)

    def _read(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The images of each batch that are among some rows, possibly none; every batch is dequantized whole, whatever is chosen."""
        wanted = torch.zeros(len(self.test.images), dtype=torch.bool)
        wanted[rows] = True
        ordered = self.test.ordered(seed_of_images(self.settings.seed))
        for (x, labels), some in zip(ordered, wanted.split(self.test.batch_size), strict=True):
            yield x[some.to(x.device)], labels[some.to(x.device)]

    def take(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the chosen images, in the order of their indices, and their labels."""
        rows = self.chosen[images]
        x, labels = _joined(self._read(rows))
        places = torch.searchsorted(rows.sort().values, rows).to(x.device)
        return x[places], labels[places]

    def _labels(self, images: Tensor) -> Tensor:
        return self.test.labels[self.chosen[images].to(self.test.labels.device)]


def _joined(batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)
