"""How each figure is presented: where it stands in tables, in what words and unit, and which way is better."""

from typing import Literal, NamedTuple

Better = Literal["lower", "higher"]


class Headline(NamedTuple):
    """How a figure is presented; a figure without an entry is presented by its name alone."""

    group: str
    meaning: str
    unit: str = ""
    better: Better | None = None  # None: it describes a model and ranks none
    references: tuple[str, ...] = ()  # figures that give its scale: the same for all variants

    @property
    def sign(self) -> int:
        """1 or -1: a difference of two variants times it is negative where the first is better."""
        return -1 if self.better == "higher" else 1


def _frechet(space: str, features: str, of: str) -> Headline:
    return _distance("Fréchet", space, features, of)


def _kernel(space: str, features: str, of: str) -> Headline:
    return _distance("kernel", space, features, of)


def _distance(kind: str, space: str, features: str, of: str) -> Headline:
    references = (f"{space}_floor", f"{space}_pixel_gaussian")
    return Headline("Images", f"{kind} distance of {of}, {features}", "", "lower", references)


def _by_label(space: str, features: str) -> Headline:
    meaning = f"Fréchet distance of samples within each label, {features}"
    return Headline("Images", meaning, "", "lower", (f"{space}_floor_by_label",))


def _neighbours(figure: str, meaning: str) -> Headline:
    return Headline("Images", meaning, "", "higher", (f"{figure}_ceiling",))


HEADLINES = {
    "negative_elbo": Headline("Likelihood", "negative evidence lower bound", "nats", "lower"),
    "nll": Headline("Likelihood", "negative log-likelihood", "nats", "lower"),
    "nll_refit": Headline("Likelihood", "negative log-likelihood, σ refitted", "nats", "lower"),
    "nll_given_label": Headline("Likelihood", "negative log-likelihood given the label", "nats", "lower"),
    "nll_given_label_refit": Headline(
        "Likelihood", "negative log-likelihood given the label, σ refitted", "nats", "lower"
    ),
    "bits_per_dim": Headline("Likelihood", "code length of a pixel", "bits", "lower"),
    "bits_per_dim_given_label": Headline("Likelihood", "code length of a pixel given the label", "bits", "lower"),
    "fd_reconstruction": _frechet("fd", "own features", "reconstructions"),
    "fd_sample": _frechet("fd", "own features", "samples"),
    "fd_sample_by_label": _by_label("fd", "own features"),
    "fid_sample_by_label": _by_label("fid", "Inception features"),
    "fid_reconstruction": _frechet("fid", "Inception features", "reconstructions"),
    "fid_sample": _frechet("fid", "Inception features", "samples"),
    "kd_reconstruction": _kernel("kd", "own features", "reconstructions"),
    "kd_sample": _kernel("kd", "own features", "samples"),
    "kid_reconstruction": _kernel("kid", "Inception features", "reconstructions"),
    "kid_sample": _kernel("kid", "Inception features", "samples"),
    "precision": _neighbours("precision", "samples that look like test images"),
    "recall": _neighbours("recall", "test images that samples look like"),
    "density": _neighbours("density", "test images around a sample, 1 where as dense as real ones"),
    "coverage": _neighbours("coverage", "test images with a sample beside them"),
    "fd_low_posterior": _frechet("fd", "own features", "low-posterior samples"),
    "fid_low_posterior": _frechet("fid", "Inception features", "low-posterior samples"),
    "kd_low_posterior": _kernel("kd", "own features", "low-posterior samples"),
    "kid_low_posterior": _kernel("kid", "Inception features", "low-posterior samples"),
    "skl": Headline("Latent space", "mismatch of aggregate posterior and prior, both ways", "nats", "lower"),
    "leaked_share": Headline("Latent space", "share of codes where the prior hardly samples: 0.01 if they match"),
    "leakage": Headline("Latent space", "excess of aggregate posterior over the prior there", "nats"),
    "mutual_information": Headline("Latent space", "information of codes about images", "nats"),
    "active_units": Headline("Latent space", "latent dimensions in use"),
    "codebook_perplexity": Headline("Latent space", "codes in use"),
    "log_det_deviation": Headline("Latent space", "spread of the posterior flow's log-determinant", "nats"),
    "probe_linear": Headline("Representation", "labels told from codes by a linear classifier", "", "higher"),
    "probe_neighbours": Headline("Representation", "labels told from codes by the nearest ones", "", "higher"),
    "mig": Headline("Representation", "factors that have a latent dimension of their own", "", "higher"),
    "condition_accuracy": Headline(
        "Conditions",
        "labels asked for, seen by the classifier",
        "",
        "higher",
        (
            "condition_accuracy_ceiling",
            "condition_accuracy_floor",
            "classifier_accuracy",
            "classifier_calibration_error",
        ),
    ),
    "distortion": Headline("The models", "reconstruction term of the bound", "nats"),
    "rate": Headline("The models", "divergence of posterior from prior", "nats"),
    "sigma": Headline("The models", "standard deviation of the likelihood"),
    "effective_sample_size": Headline("The models", "importance samples that carry the likelihood"),
    "parameters": Headline("The models", "trained numbers"),
}
OTHER = Headline("Other figures", "")

# Endings of figures that go with another.
BESIDE = ("_standard_error", "_monte_carlo_error", "_tenth", "_hundredth", "_floor", "_ceiling", "_floor_by_label")
