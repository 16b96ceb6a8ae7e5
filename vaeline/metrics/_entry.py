"""The entry of a metric: its name, definition and how it is to be read.

A metric's file has a list `METRICS` of entries. The list is read without importing the file, so that a table is printed
without loading torch; it may use the names in `__all__` and no others.
"""

from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

__all__ = ["GROUPS", "SPACES", "SUBJECTS", "Metric", "Reference"]

Better = Literal["lower", "higher"]
Group = Literal["Likelihood", "Images", "Latent space", "Representation", "Conditions", "The models", "Other metrics"]
Space = Literal["fd", "fid"]
Drawn = Literal["reconstruction", "sample", "low_posterior"]
Subject = Literal["reconstruction", "sample", "low_posterior", "floor", "pixel_gaussian", "held_out"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Past = Literal["better than real images", "no better than one Gaussian"]

GROUPS: tuple[Group, ...] = get_args(Group)  # in the order of the table

# Feature spaces by the prefix of their Fréchet distances. Only pytorch-fid's own weights give a FID.
SPACES: dict[Space, str] = {"fd": "own features", "fid": "Inception features"}

# What a run draws, by the ending of a metric's name.
SUBJECTS: dict[Drawn, str] = {
    "reconstruction": "reconstructions (decoder means, clipped and rounded)",
    "sample": "samples (draws of p(z), decoded: the decoder's mean, or a draw of p(x|z) if `noise` is drawn; clipped and rounded)",
    "low_posterior": "low-posterior samples (the draws of p(z) that the aggregate posterior covers least, decoded, clipped and rounded)",
}

_CHECKED = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, config=_CHECKED)
class Reference:
    """A number of the data set, measured once, that gives a metric its scale: a floor, a ceiling, a simple model.

    Args:
        name: of the number.
        definition: how it is made.
        subject: the images that the metric is measured of, if the number is the metric of other images.
        past: what a value past the reference means; None if it means nothing. Values that are better than real images are
            not ranked: more of the metric no longer makes samples more like real images.
    """

    name: Name
    definition: str
    subject: Subject | None = None
    past: Past | None = None


@dataclass(frozen=True, config=_CHECKED)
class Metric:
    """A metric and how it is to be read.

    Args:
        name: as in metrics.json.
        group: the heading in the table.
        meaning: a few words for the table.
        definition: the sentence that evaluation.json quotes.
        unit: nats, bits or none.
        better: which direction is better; None if the metric describes a model and ranks none.
        standard_error: what the standard error is taken over, such as "over images"; empty if the metric has no error.
        companions: other numbers that go with it, by name, each with its definition.
        references: numbers of the data set that give its scale.
        data: the kinds of data that it has a meaning for.
        needs_labels: whether it has a meaning for models with labels only.
        needs_information: whether it ranks only models whose latents tell images apart; it describes others.
        subject: the images that it is measured of, if it is a metric of images.
        features: whether a metric of images uses features; if not, evaluation.json names no feature space for it.
        space: the feature space that it is measured in; empty if it is the same in every space.
        key: its name among the results of the file's `measure`; empty if that is `name`.
        setting: the key of `evaluation`, or of `dataset.split`, that asks for it; empty if it is always measured.
    """

    name: Name
    group: Group
    meaning: str
    definition: str
    unit: str = ""
    better: Better | None = None
    standard_error: Annotated[str, Field(pattern="^(over .*)?$")] = ""
    companions: tuple[tuple[Name, str], ...] = ()
    references: tuple[Reference, ...] = ()
    data: tuple[Literal["images", "points"], ...] = ("images", "points")
    needs_labels: bool = False
    needs_information: bool = False
    subject: Drawn | None = None
    features: bool = True
    space: Space | Literal[""] = ""
    key: str = ""
    setting: str = ""

    @property
    def sign(self) -> int:
        """1 or -1: a difference of two variants times the sign is negative if the first is better."""
        return -1 if self.better == "higher" else 1

    @property
    def error_name(self) -> str:
        """The name of its standard error; empty if there is none."""
        return f"{self.name}_standard_error" if self.standard_error else ""
