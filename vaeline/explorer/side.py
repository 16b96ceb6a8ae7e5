"""One of the two sides of the explorer's page: the choice of its run, and its pictures."""

from base64 import b64encode
from collections.abc import Callable
from typing import NamedTuple

from nicegui.element import Element

from vaeline.explorer.controls import dropdown, element, set_text, text_element
from vaeline.explorer.drawing import SideView
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import Side

TITLES = (
    "Draws",
    "Draws with noise",
    "Original",
    "Reconstruction",
    "Edit",
)  # of all pictures that `Explorer.render` makes


class Frame(NamedTuple):
    """A place for one picture."""

    outer: Element  # <figure>, with a caption unless it shows draws
    image: Element  # <img>


class SidePanel:
    """One side of the page.

    Args:
        name: left or right.
        runs: runs that can be chosen.
        side: the first choice.
        on_choice: called with each new choice.
    """

    def __init__(self, name: str, runs: Runs, side: Side, on_choice: Callable[[Side], None]) -> None:
        self._runs, self._on_choice = runs, on_choice
        title = name.capitalize()
        with element("article", "side", aria_label=f"{title} side"):
            with element("div", "line run-choice"):
                self.variant = dropdown(f"{title} variant", runs.variants, side.variant, self._choose_variant)
                self.seed = dropdown(f"{title} run", self._seeds(side.variant), side.seed, self._choose_seed)
            with element("div", "pictures"):
                self.frames = {title: _frame(title) for title in TITLES}
            self.note = text_element("p", classes="hint")

    def set_values(self, side: Side) -> None:
        """Set the controls to the chosen run."""
        self.variant.set_value(side.variant)
        self.seed.set_options(self._seeds(side.variant), value=side.seed)

    def update(self, view: SideView, side: Side, with_note: bool) -> None:
        """Show the pictures of a run.

        Args:
            view: pictures, and a note about settings without effect.
            side: run that the pictures are of.
            with_note: whether to show the note.
        """
        for title, frame in self.frames.items():
            frame.outer.set_visibility(title in view.pictures)
            if png := view.pictures.get(title):
                frame.image.props["src"] = f"data:image/png;base64,{b64encode(png).decode()}"
                frame.image.props["alt"] = f"{title} of {side.variant}, seed {side.seed}"
                frame.image.update()
        set_text(self.note, view.note if with_note else "")

    def _seeds(self, variant: str) -> dict[int, str]:
        return {seed: f"seed {seed}" for seed in self._runs.seeds(variant)}

    # A new run has other latents, so a choice drops the shifts of the last run.

    def _choose_variant(self, variant: str) -> None:
        seeds = self._runs.seeds(variant)
        seed = self.seed.value if self.seed.value in seeds else seeds[0]
        self._on_choice(Side(variant=variant, seed=seed))

    def _choose_seed(self, seed: int) -> None:
        self._on_choice(Side(variant=self.variant.value, seed=seed))


def _frame(title: str) -> Frame:
    with element("figure") as outer:
        image = element("img", "picture", data_picture=title)
        if title != "Draws":
            text_element("figcaption", title)
    return Frame(outer, image)
