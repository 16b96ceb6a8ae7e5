"""Settings of the explorer: everything that a person chooses on the page, in its address, and inside a saved picture."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vaeline.report.explorer_link import MOST_RUNS
from vaeline.study.schema import Seed

MOST_SHIFT = (
    3.0  # standard deviations, or whole differences of class means; a slider moves by -MOST_SHIFT to MOST_SHIFT
)
COUNTS = (1, 4, 9, 16, 25)  # numbers of draws, for images
POINT_COUNTS = (100, 400, 1000)  # numbers of draws, for points
Row = Annotated[int, Field(ge=0)]  # of the test split
Shift = Annotated[float, Field(ge=-MOST_SHIFT, le=MOST_SHIFT, allow_inf_nan=False)]


class Frozen(BaseModel):
    """A model that never changes: a new choice makes new settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChosenRun(Frozen):
    """A run that is shown, and how its latents are moved."""

    variant: str
    seed: int  # seed the run was trained from
    moved: dict[
        Row, Shift
    ] = {}  # latent dimension -> shift, in standard deviations of the posterior means of test images

    def __str__(self) -> str:
        return f"{self.variant}, seed {self.seed}"


class Settings(Frozen):
    """What the page shows. Addresses and saved pictures contain these names, so a new name must accept the old one too."""

    show: Literal["draws", "edit", "interpolation"] = (
        "draws"  # draws from the prior, an edited test image, or a path between two
    )
    runs: Annotated[tuple[ChosenRun, ...], Field(min_length=1, max_length=MOST_RUNS)]
    noise: Seed = 0  # seed of the draws
    pixels: Literal["mean", "drawn"] = "mean"  # of draws: the means of p(x|z), or draws of p(x|z)
    count: int = 9  # number of draws
    image: Row = 0  # the test image to edit, or the first one of a path
    to: Row = 1  # the last test image of a path
    labels: dict[str, str] = {}  # label -> value; other labels keep the values of test images
    directions: dict[str, dict[str, Shift]] = {}  # label -> value -> how often its direction is added to every latent
    sliding: Annotated[int, Field(ge=1)] | None = None  # number of the run whose latents the sliders move; None for all

    @model_validator(mode="before")
    @classmethod
    def name_runs(cls, content: Any) -> Any:
        """Accept pictures of before there could be more than two runs, which name a left and a right one."""
        if isinstance(content, dict) and {"left", "right"} <= set(content):
            others = {name: value for name, value in content.items() if name not in ("left", "right")}
            return {"runs": [content["left"], content["right"]]} | others
        return content
