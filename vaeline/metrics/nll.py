"""The negative log-likelihood of images, from estimates of log p(x) (Burda et al., 2016, eq. 8), and whether it can be believed."""

import warnings
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.metrics._entry import Metric
from vaeline.metrics._trust import LEAST_SHARE, Estimates, effective_samples, is_trusted

METRICS = [
    *(
        Metric(
            f"nll{given}{refit}",
            group="Likelihood",
            meaning=f"negative log-likelihood{words}{', σ refitted' if refit else ''}",
            definition=f"-log p({of}), nats per image{' with the label y' if given else ''}, by importance sampling around the modes of "
            f"p(z|{of.replace('|', ', ')}), and by annealing where that fails."
            f"{' Sigma is refitted on the training split, the model frozen.' if refit else ''}",
            unit="nats",
            better="lower",
            standard_error="over images",
            companions=(
                (
                    f"nll{given}{refit}_tenth",
                    f"nll{given}{refit} from a tenth of the samples, if they are drawn from q(z|x).",
                ),
                (
                    f"nll{given}{refit}_monte_carlo_error",
                    f"Standard error of nll{given}{refit} over draws of the samples, by the delta method.",
                ),
                (
                    f"nll{given}{refit}_gap",
                    "Upper minus lower bound of log p(x), given the label if the model has labels, on images that the model draws, mean.",
                ),
            ),
        )
        for given, of, words in (("", "x", ""), ("_given_label", "x|y", " given the label"))
        for refit in ("", "_refit")
    ),
    Metric(
        "effective_sample_size",
        group="The models",
        meaning="importance samples that carry the likelihood",
        definition="(sum w)^2 / sum w^2 of the importance weights w of the likelihood, median over images.",
    ),
]

# What an estimate of all images must fulfil, in nats where nothing else is said.
MOST_UNTRUSTED = 0.01  # share of the images
MOST_ERROR = 0.05  # of bias and Monte Carlo error together,
SHARE_OF_ERROR = 0.1  # or a share of the standard error over images, if that is more
MOST_GAP = 0.1
MOST_JOINT_ERRORS = 3.0  # between two estimators on the same images
FEWEST_TO_CORRECT = 30  # annealed images that may stand for others: of 8, all may lack what one in twenty has
NAMED = 20  # images that failed, in evaluation.json


class Unconverged(UserWarning):
    """An estimated log-likelihood is only a bound."""


class NotFinite(ValueError):
    """A log-likelihood of an image is not a number; says of which one."""


class Annealed(NamedTuple):
    """Second estimates of some images, and bounds of images that the model drew."""

    images: Tensor  # indices, (m,)
    estimates: Estimates  # of these images
    gaps: Tensor  # upper minus lower bound, nats, (drawn,)


class Summary(NamedTuple):
    """A negative log-likelihood over images, in nats per image."""

    nll: float  # mean
    tenth: float  # the same from a tenth of the samples
    values: Tensor  # log p(x) of each image, of which nll is the mean: (images,), float64
    standard_error: float  # of the mean, over images
    monte_carlo_error: float  # of the mean, over draws of the samples and over the images that were annealed
    effective_sample_size: float  # median
    untrusted: float  # share of the images whose estimate cannot be trusted
    failed: list[int]  # some of these images, by their rows in the split
    gap: float | None  # mean on images that the model drew
    why_upper_bound: str  # empty if the value is an estimate


def summarize(
    estimates: Estimates,
    name: str,
    annealed: Annealed | None = None,
    rows: Tensor | None = None,
) -> Summary:
    """Average estimates over images.

    Args:
        estimates: of all images.
        name: of the metric, for the warning.
        annealed: second estimates; without any, the value is a bound.
        rows: of the images in the test split, by which those that fail are named; None: all images of the split.

    Raises:
        NotFinite: log p(x) of an image is not finite.

    Warns:
        Unconverged: the value is only an upper bound.
    """
    _refuse_not_finite(estimates, annealed, rows)
    fails = ~is_trusted(estimates)
    found, failed = _corrected(estimates, annealed, fails), _failed(fails, annealed, rows)
    error = sqrt(float(found.variance.sum()) / len(found.values) ** 2 + found.extra)
    standard_error = found.values.std().item() / sqrt(len(found.values))
    gap = float(annealed.gaps.mean()) if annealed is not None and len(annealed.gaps) else None
    why_upper_bound = _why_upper_bound(found, failed, error, standard_error, gap)
    if why_upper_bound:
        warnings.warn(f"{name} is an upper bound: {why_upper_bound}.", Unconverged, stacklevel=2)
    return Summary(
        nll=-found.values.mean().item(),
        tenth=-estimates.tenth.mean().item(),
        values=found.values,
        standard_error=standard_error,
        monte_carlo_error=error,
        effective_sample_size=effective_samples(estimates).median().item(),
        untrusted=found.untrusted,
        failed=failed[:NAMED],
        gap=gap,
        why_upper_bound=why_upper_bound,
    )


class Corrected(NamedTuple):
    """Estimates of all images after annealing."""

    values: Tensor  # log p(x), nats, (images,)
    variance: Tensor  # of each over draws
    extra: float  # variance of the mean that comes from the images that stand for others
    untrusted: float  # share of the images that annealing cannot help
    why: str = ""  # why the mean is a bound in any case
    checked: bool = False  # whether annealing was tried on images that need no second estimate, or none is left


def _corrected(estimates: Estimates, annealed: Annealed | None, fails: Tensor) -> Corrected:
    """What annealing makes of the estimates; they stay as they are if nothing was annealed."""
    found = Corrected(estimates.log_prob.clone(), estimates.variance.clone(), 0.0, float(fails.double().mean()))
    if annealed is None or not len(annealed.images):
        return found
    return _checked(_helped(found, annealed, fails), estimates, annealed, fails)


def _helped(found: Corrected, annealed: Annealed, fails: Tensor) -> Corrected:
    """Give the images that fail their annealed estimates."""
    of_these = fails[annealed.images]
    if not of_these.any():
        return found
    count, left = int(of_these.sum()), int(fails.sum()) - int(of_these.sum())
    fail_again = float((~_effective(annealed))[of_these].double().mean())
    few = count < FEWEST_TO_CORRECT and left > MOST_UNTRUSTED * len(fails)
    # A bound stays one only if no image is moved by what others gain: so few may gain more than the rest.
    group = torch.zeros_like(fails).index_fill(0, annealed.images[of_these], True) if few else fails
    found = _moved(found, annealed, group, of_these)._replace(untrusted=found.untrusted * fail_again)
    if few:
        found = found._replace(
            why=f"only {count} of {count + left} images that need it were annealed, fewer than {FEWEST_TO_CORRECT}; "
            "a larger evaluation.likelihood.budget anneals more"
        )
    return found


def _checked(found: Corrected, estimates: Estimates, annealed: Annealed, fails: Tensor) -> Corrected:
    """Compare the images that do not fail with annealing, and move them where it finds more.

    Both estimates lie below log p(x) on average, so that the higher one is closer.
    """
    of_these = ~fails[annealed.images]
    checks = int(of_these.sum())
    found = found._replace(checked=checks > 0 or bool(fails.all()))
    apart = _apart(estimates, annealed, of_these)
    if apart == 0 or found.why:
        return found
    if apart < 0:
        return found._replace(why=f"annealing finds {-apart:.2g} nats less on the images that check it")
    if checks < FEWEST_TO_CORRECT:
        return found._replace(why=f"annealing contradicts it, on {checks} images, fewer than {FEWEST_TO_CORRECT}")
    fail_now = float((~fails).double().mean()) * float((~_effective(annealed))[of_these].double().mean())
    return _moved(found, annealed, ~fails, of_these)._replace(untrusted=found.untrusted + fail_now)


def _effective(annealed: Annealed) -> Tensor:
    return annealed.estimates.effective_share >= LEAST_SHARE


def _moved(found: Corrected, annealed: Annealed, group: Tensor, of_group: Tensor) -> Corrected:
    """Move a group of images to its annealed estimates, and those of the group that have none by the mean difference.

    The sum of the differences of the `left` images varies over images, and so does the mean of those that were annealed.
    """
    rows, better = annealed.images[of_group], annealed.estimates
    difference = better.log_prob[of_group] - found.values[rows]
    difference = difference[difference.isfinite()]  # samples without a finite weight say nothing of the others
    values, variance = found.values.clone(), found.variance.clone()
    left = int(group.sum()) - len(rows)
    extra = 0.0
    if left:
        shift = difference.mean() if len(difference) else 0.0
        values[group], variance[group] = values[group] + shift, 0.0
        spread = float(difference.var()) if len(difference) > 1 else float("inf")
        extra = spread * (left**2 / len(difference) + left) / len(values) ** 2 if len(difference) else float("inf")
    values[rows], variance[rows] = better.log_prob[of_group], better.variance[of_group]
    return found._replace(values=values, variance=variance, extra=found.extra + extra)


def _failed(fails: Tensor, annealed: Annealed | None, rows: Tensor | None) -> list[int]:
    """Rows of the images whose samples fail and that annealing did not help; if none of these was annealed, of all that fail."""
    left = fails.clone()
    if annealed is not None and fails[annealed.images].any():
        left = torch.zeros_like(fails)
        left[annealed.images] = fails[annealed.images] & ~_effective(annealed)
    return (left.nonzero().squeeze(1) if rows is None else rows[left]).tolist()


def _refuse_not_finite(estimates: Estimates, annealed: Annealed | None, rows: Tensor | None) -> None:
    """Name the first image whose log p(x) is no number, after annealing if it was annealed."""
    values = estimates.log_prob.clone()
    if annealed is not None:
        values[annealed.images] = annealed.estimates.log_prob
    lost = (~values.isfinite()).nonzero().squeeze(1)
    if len(lost):
        first = int(lost[0] if rows is None else rows[lost[0]])
        others = f", and that of {len(lost) - 1:,} more is not finite" if len(lost) > 1 else ""
        raise NotFinite(f"log p(x) of image {first} is {float(values[lost[0]])}{others}")


def _why_upper_bound(
    found: Corrected, failed: list[int], error: float, standard_error: float, gap: float | None
) -> str:
    """The first reason why the mean is only a bound; empty if it is an estimate."""
    return (
        found.why
        or _why_untrusted(found.untrusted, failed)
        or _why_imprecise(found.variance, error, standard_error)
        or ("" if found.checked else "nothing checks that its samples cover p(z|x)")
        or _why_gap(gap)
    )


def _why_untrusted(share: float, failed: list[int]) -> str:
    if share <= MOST_UNTRUSTED:
        return ""
    named = f", such as image {failed[0]}" if failed else ""
    return f"the importance weights of {share:.0%} of the images have no stable mean{named}"


def _why_imprecise(variance: Tensor, error: float, standard_error: float) -> str:
    off = 0.5 * float(variance.mean()) + error  # each estimate lies half its variance below, on average
    allowed = max(MOST_ERROR, SHARE_OF_ERROR * standard_error)
    return "" if off <= allowed else f"its bias and Monte Carlo error are up to {off:.2g} nats, more than {allowed:.2g}"


def _apart(estimates: Estimates, annealed: Annealed, rows: Tensor) -> float:
    """How much more annealing finds on images that need no second estimate: nats, mean; 0 if errors and bias explain it."""
    if not rows.any():
        return 0.0
    of = annealed.images[rows]
    difference = float((annealed.estimates.log_prob[rows] - estimates.log_prob[of]).mean())
    variance = annealed.estimates.variance[rows] + estimates.variance[of]
    explained = 0.5 * float(variance.mean()) + MOST_JOINT_ERRORS * max(float(variance.sum().sqrt()) / len(of), 1e-6)
    return difference if abs(difference) > explained else 0.0


def _why_gap(gap: float | None) -> str:
    if gap is None:
        return "nothing bounds log p(x) from above"
    return "" if gap <= MOST_GAP else f"on images that the model draws, its bounds are {gap:.2g} nats apart"
