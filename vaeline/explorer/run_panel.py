"""One of the runs side by side on the explorer's page: its choice, its pictures, and what is wrong with it."""

from base64 import b64encode
from collections.abc import Callable
from html import escape

from nicegui import ui

from vaeline.explorer.controls import Problem, button, dropdown, element, set_text, text_element
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import ChosenRun
from vaeline.explorer.views import View


class RunPanel:
    """One run of the page.

    Args:
        number: of the run among those side by side, from 1.
        runs: runs that can be chosen.
        run: the first choice.
        on_choice: called with the number and each new choice; with None if the run is removed.
    """

    def __init__(
        self, number: int, runs: Runs, run: ChosenRun, on_choice: Callable[[int, ChosenRun | None], None]
    ) -> None:
        self._number, self._runs, self._on_choice, self._run = number, runs, on_choice, run
        with element("article", "run", aria_label=f"Run {number}"):
            with element("div", "line run-choice"):
                self.variant = dropdown(f"Run {number}: variant", runs.variants, run.variant, self._choose_variant)
                self.seed = dropdown(f"Run {number}: seed", runs.seeds(run.variant), run.seed, self._choose_seed)
                remove = button("×", lambda: on_choice(number, None), light=True)
                remove.classes("remove").props["aria-label"] = f"Remove run {number}"
            self.problem = Problem()
            self.pictures = ui.html("", sanitize=False).classes("pictures")
            self.notes = text_element("p", classes="hint")

    def set_value(self, run: ChosenRun) -> None:
        """Set the controls to the chosen run."""
        self._run = run
        self.variant.set_value(run.variant)
        self.seed.set_options(self._runs.seeds(run.variant), value=run.seed)

    def update(self, view: View, run: ChosenRun) -> None:
        """Show the pictures of a run, or why there are none."""
        self.problem.say(view.error)
        self.pictures.style(f"--count: {len(view.pictures)}; --columns: {-(-(len(view.pictures) ** 0.5) // 1):.0f}")
        self.pictures.set_content("".join(_figure(each.png, each.caption, run) for each in view.pictures))
        set_text(self.notes, " ".join(view.notes))

    # A new run has other latents, so a choice drops the shifts of the last run.

    def _choose_variant(self, variant: str) -> None:
        seeds = self._runs.seeds(variant)
        self._choose(variant, self._run.seed if self._run.seed in seeds else seeds[0])

    def _choose_seed(self, seed: int) -> None:
        self._choose(self._run.variant, seed)

    def _choose(self, variant: str, seed: int) -> None:
        if (variant, seed) != (self._run.variant, self._run.seed):
            self.set_value(ChosenRun(variant=variant, seed=seed))
            self._on_choice(self._number, self._run)


def _figure(png: bytes, caption: str, run: ChosenRun) -> str:
    words, source = escape(caption), f"data:image/png;base64,{b64encode(png).decode()}"
    alt = escape(f"{run}: {caption}" if caption else str(run))
    below = f"<figcaption title='{words}'>{words}</figcaption>" if caption else ""
    return f"<figure><img class='picture' src='{source}' alt='{alt}'>{below}</figure>"
