"""Settings of the explorer: everything that decides what the pictures show."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError

MAX_SHIFT = 3.0  # standard deviations; a slider moves a latent by -MAX_SHIFT to MAX_SHIFT
COUNTS = (1, 4, 9, 16, 25)  # numbers of draws, for images
POINT_COUNTS = (100, 400, 1000)  # numbers of draws, for points
Shifts = dict[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=-MAX_SHIFT, le=MAX_SHIFT)]]


class Frozen(BaseModel):
    """A model that never changes: a new choice makes new settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(Frozen):
    """The run of one side, and how its latents are moved."""

    variant: str
    seed: int  # seed the run was trained from
    moved: Shifts = {}  # latent dimension -> shift, in standard deviations of the posterior means of test images


class Settings(Frozen):
    """What the two sides show. A saved picture contains these settings, so old files need these names."""

    show: Literal["draws", "edit"] = "draws"  # draws from the prior, or an edited test image
    left: Side
    right: Side
    noise: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0  # seed of the draws
    pixels: Literal["mean", "drawn"] = "mean"  # of draws: the means of p(x|z), or draws of p(x|z)
    count: int = 9  # number of draws
    image: Annotated[int, Field(ge=0)] = 0  # index of the test image to edit
    labels: dict[str, str] = {}  # label -> value; other labels keep the values of test images

    @property
    def sides(self) -> dict[str, Side]:
        """Both sides by name, the left one first."""
        return {"left": self.left, "right": self.right}


def parse_whole_number(text: str | None, name: str, maximum: int) -> int:
    """Read a whole number that a person typed.

    Args:
        text: as typed.
        name: what the number is, written as the start of a sentence.
        maximum: largest number allowed.

    Raises:
        UserError: the text is not a whole number from 0 to `maximum`.
    """
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= maximum):
        problem = f"is {text[:40]!r}" if text else "is empty"
        raise UserError(f"{name} {problem}; enter a whole number from 0 to {maximum:,}.")
    return int(text)
