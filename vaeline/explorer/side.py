"""One of the two sides of the explorer's page: whose run it is, and what it shows."""

from base64 import b64encode
from collections.abc import Callable

from nicegui.element import Element

from vaeline.explorer.controls import choice, element, say, words
from vaeline.explorer.drawing import Seen
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import Side

PICTURES = {"draws": ["Draws"], "edit": ["Original", "Reconstruction", "Edit"]}


class SidePanel:
    """A side.

    Args:
        name: left or right.
        runs: that can be chosen.
        side: what is chosen at first.
        on_choice: is told of another.
    """

    def __init__(self, name: str, runs: Runs, side: Side, on_choice: Callable[[Side], None]) -> None:
        self._runs, self._on_choice = runs, on_choice
        with element("article", "side", aria_label=f"{name.capitalize()} side"):
            with element("div", "line of-run"):
                self.variant = choice(f"{name.capitalize()} variant", runs.variants, side.variant, self._choose_variant)
                self.seed = choice(f"{name.capitalize()} run", self._seeds(side.variant), side.seed, self._choose_seed)
            self.pictures = element("div", "pictures")
            with self.pictures:
                self.figures = {what: _figure(what) for whats in PICTURES.values() for what in whats}
            self.note = words("p", classes="hint")

    def follow(self, side: Side) -> None:
        """Let the controls say what is chosen."""
        self.variant.set_value(side.variant)
        self.seed.set_options(self._seeds(side.variant), value=side.seed)

    def present(self, seen: Seen, side: Side, labels: bool) -> None:
        """Show the pictures, and what the model cannot follow of the labels where there are any to switch."""
        for what, (figure, image) in self.figures.items():
            figure.set_visibility(what in seen.pictures)
            if png := seen.pictures.get(what):
                image.props["src"] = f"data:image/png;base64,{b64encode(png).decode()}"
                image.props["alt"] = f"{what} of {side.variant}, seed {side.seed}"
                image.update()
        say(self.note, seen.note if labels else "")

    def _seeds(self, variant: str) -> dict[int, str]:
        return {seed: f"seed {seed}" for seed in self._runs.seeds(variant)}

    def _choose_variant(self, variant: str) -> None:
        there = self._runs.seeds(variant)
        seed = self.seed.value if self.seed.value in there else there[0]
        self._on_choice(Side(variant=variant, seed=seed))

    def _choose_seed(self, seed: int) -> None:
        self._on_choice(Side(variant=self.variant.value, seed=seed))


def _figure(what: str) -> tuple[Element, Element]:
    with element("figure") as figure:
        image = element("img", "picture", data_picture=what)
        if what != "Draws":
            words("figcaption", what)
    return figure, image
