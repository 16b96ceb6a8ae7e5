"""What can be chosen in the explorer: all that a picture follows from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError

REACH = 3.0  # standard deviations that a slider moves a latent by, either way
COUNTS = (1, 4, 9, 16, 25)  # draws, of images
POINT_COUNTS = (100, 400, 1000)  # draws, of points
Moves = dict[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=-REACH, le=REACH)]]


class Chosen(BaseModel):
    """Settings do not change: another choice makes others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(Chosen):
    """What one of the two pictures is drawn by."""

    variant: str
    seed: int  # that it was trained from
    moved: Moves = {}  # latent dimension -> standard deviations of the test images' codes that it is moved by


class Settings(Chosen):
    """A picture of each of two runs, under the same seed and labels."""

    show: Literal["draws", "edit"] = "draws"
    left: Side
    right: Side
    noise: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0  # seed of the draws
    count: int = 9  # of the draws
    image: Annotated[int, Field(ge=0)] = 0  # the test image that is edited
    labels: dict[str, str] = {}  # label -> value, where it is not left as the test images have it


def whole_number(text: str | None, what: str, most: int) -> int:
    """A number out of what was typed.

    Args:
        text: as typed.
        what: it stands for, as a sentence begins.
        most: the largest that there is.

    Raises:
        UserError: it is no whole number from 0 to `most`.
    """
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= most):
        came = f"is {text[:40]!r}" if text else "is empty"
        raise UserError(f"{what} {came}; enter a whole number from 0 to {most:,}.")
    return int(text)
