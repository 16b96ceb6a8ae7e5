"""The panel of the explorer's page on which latents are moved."""

from collections.abc import Callable, Mapping
from functools import partial

from vaeline.explorer.controls import LatentSlider, button, button_group, element, group, set_text, text_element
from vaeline.explorer.drawing import Slider
from vaeline.explorer.settings import Side

SIDES = ("left", "right")
TARGETS = {"left": "Left", "both": "Both", "right": "Right"}


class LatentsPanel:
    """Sliders for the latents of one side. They also move the other side if a person chooses both.

    Args:
        on_move: called with a dimension and the new position of its slider.
        on_reset: called when a person resets the latents.
        on_target: called when a person chooses which sides the sliders move.
    """

    def __init__(
        self, on_move: Callable[[int, float], None], on_reset: Callable[[], None], on_target: Callable[[], None]
    ) -> None:
        self._on_move = on_move
        with group("Latents"):
            self.target = button_group("Side that the sliders move", TARGETS, "both", lambda _: on_target())
            self.target.props("spread")
            self.hint = text_element("p", classes="hint")
            self.sliders = element("div", "sliders")
            button("Reset latents", on_reset, light=True)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the sides that the sliders move."""
        return SIDES if self.target.value == "both" else (self.target.value,)

    def update(self, sides: Mapping[str, Side], sliders: Mapping[str, list[Slider]]) -> None:
        """Show the sliders of the chosen side. If both are chosen, show those of the left side unless it has none.

        Args:
            sides: side name -> its settings.
            sliders: side name -> latents that can be moved.
        """
        name = next((each for each in self.targets if sliders[each]), self.targets[0])
        self.sliders.clear()
        with self.sliders:
            for slider in sliders[name]:
                start = sides[name].moved.get(slider.dimension, 0.0)
                LatentSlider(f"Latent {slider.dimension}", start, partial(self._on_move, slider.dimension))
        set_text(self.hint, self._explain(sides[name].variant, bool(sliders[name])))

    def _explain(self, variant: str, movable: bool) -> str:
        if not movable:
            return f"The latents of {variant} are entries of a codebook, so no slider can move them."
        unit = "Sliders are in standard deviations (sd) of each latent over the test images."
        order = f"The latents of {variant} that vary most come first."
        both = " The same number can mean different things in two models." if len(self.targets) > 1 else ""
        return f"{unit} {order}{both}"
