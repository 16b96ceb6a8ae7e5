"""The panel of the explorer's page on which latents are moved, each by itself or along the directions of labels."""

from collections.abc import Callable, Sequence
from functools import partial

from vaeline.data.columns import NO_YES
from vaeline.data.facts import Facts
from vaeline.explorer.controls import Problem, Slider, button, dropdown, element, group, set_text, text_element
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.explorer.views import View
from vaeline.explorer.words import label_in_words
from vaeline.runs.drawing import MOST_TRAVERSED

ALL = 0  # the choice of all runs
OF_DIRECTIONS = (
    "A direction leads from the mean latent of training images without a label to that of images with it. A model that is given labels may "
    "leave them out of its latents, so that little changes."
)


class LatentsPanel:
    """Sliders for the latents of a run, or of all runs, and for directions, which move the latents of all runs.

    Args:
        facts: names and values of the labels.
        images: whether there are images, without which no slider has a unit.
        on_move: called with a dimension and the new position of its slider.
        on_direction: called with a label, a value, and the new position of its slider.
        on_sliding: called with the number of the run that sliders move, or None for all.
        on_reset: called when a person resets the latents.
    """

    def __init__(
        self,
        facts: Facts,
        images: bool,
        on_move: Callable[[int, float], None],
        on_direction: Callable[[str, str, float], None],
        on_sliding: Callable[[int | None], None],
        on_reset: Callable[[], None],
    ) -> None:
        self._facts, self._on_move, self._on_direction = facts, on_move, on_direction
        self._shown: object = None
        with group("Latents"):
            with element("div", "latents") as all_of_it:
                self.sliding = dropdown(
                    "Sliders move", {ALL: "all runs"}, ALL, lambda number: on_sliding(number or None)
                )
                self.hint = text_element("p", classes="hint")
                self.sliders = element("div", "sliders")
                with element("div", "sliders") as some:
                    self.choice = dropdown("Add a direction", self._choices(), None, self._add)
                    self.problem = Problem(self.choice)
                    text_element("p", OF_DIRECTIONS, "hint")
                self.directions = element("div", "sliders")
                button("Reset latents", on_reset, light=True)
            some.set_visibility(bool(facts.label_names))
            all_of_it.set_visibility(images)
            if not images:
                text_element("p", "Without test images, nothing tells how far a latent can be moved.", "hint")

    def set_value(self, settings: Settings) -> None:
        """Offer the runs of the settings, and let the next update make all sliders anew."""
        runs = {number: f"run {number}, {run}" for number, run in enumerate(settings.runs, 1)}
        self.sliding.set_options({ALL: "all runs"} | runs, value=settings.sliding or ALL)
        self.sliding.set_visibility(len(runs) > 1)
        self._shown = None

    def update(self, settings: Settings, views: Sequence[View]) -> None:
        """Make the sliders anew if other latents can be moved: those of the chosen run, or of the first run that has any."""
        targets = [settings.sliding - 1] if settings.sliding else list(range(len(views)))
        place = next((each for each in targets if views[each].movable), targets[0])
        run, view = settings.runs[place], views[place]
        named = [(label, value) for label, values in settings.directions.items() for value in values]
        shown = (place, run.variant, run.seed, view.movable, view.fixed, named)
        if shown != self._shown:
            self._shown = shown
            self._show_latents(run, view, len(targets) > 1)
            self._show_directions(settings)

    def _show_latents(self, run: ChosenRun, view: View, several: bool) -> None:
        self.sliders.clear()
        with self.sliders:
            for each in view.movable[:MOST_TRAVERSED]:
                Slider(f"Latent {each}", run.moved.get(each, 0.0), "sd", partial(self._on_move, each))
        set_text(self.hint, _explain(run, view, several))

    def _show_directions(self, settings: Settings) -> None:
        self.directions.clear()
        with self.directions:
            for label, values in settings.directions.items():
                for value, amount in values.items():
                    title = f"Towards {label_in_words(self._facts, label, value)}"
                    Slider(title, amount, "×", partial(self._on_direction, label, value))

    def _choices(self) -> dict[tuple[str, str], str]:
        """The directions, in words: towards yes of a label of yes and no, and towards each value of any other."""
        columns = zip(self._facts.label_names, self._facts.label_values, strict=True)
        directions = [
            (name, value) for name, values in columns for value in (values[1:] if values == NO_YES else values)
        ]
        return {each: label_in_words(self._facts, *each) for each in directions}

    def _add(self, direction: tuple[str, str] | None) -> None:
        if direction:
            self._on_direction(*direction, 0.0)
            self.choice.set_value(None)


def _explain(run: ChosenRun, view: View, several: bool) -> str:
    if view.error:
        return ""
    if not view.movable:
        return f"No slider can move the latents of {run.variant}, as {view.fixed}."
    unit = "Sliders are in standard deviations (sd) of each latent over the test images."
    order = f"The latents of {run.variant} that vary most come first."
    both = " The same number can mean different things in two models." if several else ""
    return f"{unit} {order}{both}"
