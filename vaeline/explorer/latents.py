"""The part of the explorer's page where latents are moved."""

from collections.abc import Callable, Mapping
from functools import partial

from vaeline.explorer.controls import LatentSlider, button, buttons, element, group, say, words
from vaeline.explorer.drawing import Slider
from vaeline.explorer.settings import Side

SIDES = ("left", "right")


class LatentsPanel:
    """Sliders for the latents of one side, which move those of the other too where they are to.

    Args:
        on_move: is told the dimension and where its slider stands.
        on_put_back: is told that nothing is to be moved.
        on_target: is told that other sides are to be moved.
    """

    def __init__(
        self,
        on_move: Callable[[int, float], None],
        on_put_back: Callable[[], None],
        on_target: Callable[[], None],
    ) -> None:
        self._on_move = on_move
        with group("Latents"):
            self.target = buttons(
                "Whose latents the sliders move",
                {"left": "Left", "both": "Both", "right": "Right"},
                "both",
                lambda _: on_target(),
            ).props("spread")
            self.meaning = words("p", classes="hint")
            self.sliders = element("div", "sliders")
            button("Put all back", on_put_back, light=True)

    @property
    def targets(self) -> tuple[str, ...]:
        """The sides whose latents are moved."""
        return SIDES if self.target.value == "both" else (self.target.value,)

    def follow(self, sides: Mapping[str, Side], sliders: Mapping[str, list[Slider]]) -> None:
        """Put up the sliders of the side that is moved, of the left one where both are and it has any.

        Args:
            sides: what is chosen.
            sliders: those that each side has.
        """
        name = next((each for each in self.targets if sliders[each]), self.targets[0])
        self.sliders.clear()
        with self.sliders:
            for slider in sliders[name]:
                moved = sides[name].moved.get(slider.dimension, 0.0)
                LatentSlider(f"Latent {slider.dimension}", moved, partial(self._on_move, slider.dimension))
        variant = sides[name].variant
        if not sliders[name]:
            say(self.meaning, f"The latents of {variant} are codes of a codebook, which no slider moves.")
            return
        both = (
            "Latents of two models that bear the same number need not mean the same." if len(self.targets) > 1 else ""
        )
        say(
            self.meaning,
            f"By standard deviations of the test images' codes; those of {variant} that vary most come first. {both}",
        )
