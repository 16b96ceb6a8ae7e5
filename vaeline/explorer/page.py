"""The explorer's page: settings, the pictures of runs side by side, and a sentence for each mistake.

The settings are the state of the page, and its address and its controls follow them.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from functools import partial

from nicegui import background_tasks, ui
from nicegui.element import Element

from vaeline.explorer import address, saved
from vaeline.explorer.controls import (
    NumberField,
    Problem,
    button,
    button_group,
    dropdown,
    element,
    group,
    set_text,
    text_element,
)
from vaeline.explorer.labels_panel import LabelsPanel
from vaeline.explorer.latents_panel import LatentsPanel
from vaeline.explorer.run_panel import RunPanel
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.explorer.views import Explorer, View
from vaeline.report.explorer_link import MOST_RUNS

SEEDS = 100_000  # "New noise" picks a seed below this, short enough to type
SHOW = {"draws": "Draws", "edit": "Test image", "interpolation": "Interpolation"}
PIXELS = {"mean": "Means", "drawn": "With noise"}
COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}  # number of runs -> how many stand side by side


class Page:
    """The page of one visitor.

    Args:
        explorer: draws the pictures.
        query: of the address that was opened.
    """

    def __init__(self, explorer: Explorer, query: Sequence[tuple[str, str]] = ()) -> None:
        self.explorer, self.runs = explorer, explorer.runs
        self.settings = explorer.opening()
        self._views: list[View] = []
        self._outdated = False  # the settings changed after the last drawing began
        self._drawing = False
        ui.add_head_html('<link rel="stylesheet" href="/page.css">')
        with element("div", "page points" if explorer.facts.points else "page"):
            self._add_header()
            with element("div", "layout"):
                with element("section", "stage", aria_label="Pictures"):
                    self._add_pictures()
                with element("section", "controls", aria_label="Settings"):
                    self._add_settings()
        with self.of_address.reporting("This address cannot be opened: "):
            self.settings = explorer.checked(address.read(query, self.settings))
        self._set_controls()
        self._redraw()

    # Elements of the page.

    def _add_header(self) -> None:
        with element("header"):
            with element("p", "eyebrow"):
                text_element("span", f"vaeline explorer · {self.runs.study}")
                if self.runs.report:
                    text_element("a", "Report of this study", href="/report.html")
            text_element("h1", self.runs.question or self.runs.study)
            if missing := self.runs.missing:
                reasons = ", ".join(f"{name} seed {seed} ({reason})" for (name, seed), reason in missing.items())
                total = len(self.runs.finished) + len(missing)
                text_element("p", f"Missing runs ({len(missing)} of {total}): {reasons}.", "missing")
            if why := self.explorer.no_images:
                effect = "So no image can be edited, no latent moved, and every label has a value."
                text_element("p", f"There are no test images, as {why}. {effect}", "missing")

    def _add_pictures(self) -> None:
        self.of_address, self.of_drawing = Problem(), Problem()
        self.runs_area = element("div", "runs")
        self.panels: list[RunPanel] = []
        self.add_run = button("Add a run", self._add_run, light=True)
        self.explanation = text_element("p", "Loading the models.", "hint", role="status")

    def _add_settings(self) -> None:
        with group("Show"):
            self._add_show()
        facts, images = self.explorer.facts, not self.explorer.no_images
        self.labels = LabelsPanel(facts, images, self._switch_label, lambda: self._adopt(labels={}))
        self.latents = LatentsPanel(
            facts, images, self._move_latent, self._move_along, partial(self._choose, "sliding"), self._reset_latents
        )
        with group("Saved pictures"):
            self._add_saved()

    def _add_show(self) -> None:
        chosen, explorer = self.settings, self.explorer
        ways = {"draws": SHOW["draws"]} if explorer.no_images else SHOW
        show = button_group("Show", ways, chosen.show, partial(self._choose, "show")).props("spread")
        show.set_visibility(len(ways) > 1)
        with element("div", "line") as of_draws:
            noise = NumberField("Noise seed", chosen.noise, partial(self._choose, "noise"))
            button("New noise", lambda: noise.set_value(secrets.randbelow(SEEDS)))
            count = dropdown("Draws", list(explorer.counts), chosen.count, partial(self._choose, "count"))
            pixels = button_group("Pixels of draws", PIXELS, chosen.pixels, partial(self._choose, "pixels"))
        of_image, image = self._add_image("image", "Test image number")
        of_path, to = self._add_image("to", "Last test image number")
        self.fields: dict[str, NumberField | ui.toggle | ui.select] = {
            "show": show,
            "noise": noise,
            "count": count,
            "pixels": pixels,
            "image": image,
            "to": to,
        }
        self.parts = {
            of_draws: ("draws",),
            of_image: ("edit", "interpolation"),
            of_path: ("interpolation",),
        }  # -> `show` that needs it

    def _add_image(self, name: str, label: str) -> tuple[Element, NumberField]:
        def choose(row: int) -> None:
            self.explorer.labels_of(row)  # raises if the image does not exist
            self._choose(name, row)

        with element("div", "line") as line:
            field = NumberField(label, dict(self.settings)[name], choose)
            button("Random image", lambda: field.set_value(secrets.randbelow(len(self.explorer.test.labels))))
        return line, field

    def _add_saved(self) -> None:
        with element("div", "line"):
            button("Save picture", self._save)
            self.opened = dropdown("Open picture", saved.names(self.runs), None, self._open)
        self.of_saving = Problem(self.opened)
        self.saved_path = text_element("p", classes="hint", role="status")

    def _add_panels(self) -> None:
        """Make a panel for each run."""
        runs = self.settings.runs
        self.runs_area.clear()
        self.runs_area.style(f"--columns: {COLUMNS[len(runs)]}")
        with self.runs_area:
            self.panels = [RunPanel(number, self.runs, run, self._choose_run) for number, run in enumerate(runs, 1)]

    # Choices of a person.

    def _change(self, **changes: object) -> None:
        """Change settings, the address, and the pictures. A control that was set to the settings changes nothing."""
        settings = self.settings.model_copy(update=changes)
        if settings == self.settings:
            return
        self.settings = settings
        self.of_address.say("")
        # Browsers limit how often a page may change its address, so the address follows once a slider rests.
        url = json.dumps(f"/?{address.written(settings)}")
        ui.run_javascript(
            f"clearTimeout(window.resting); window.resting = setTimeout(() => history.replaceState(null, '', {url}), 200)"
        )
        self._redraw()

    def _adopt(self, **changes: object) -> None:
        """Change settings that have several controls, or none of their own."""
        self._change(**changes)
        self._set_controls()

    def _choose(self, name: str, value: object) -> None:
        self._change(**{name: value})

    def _choose_run(self, number: int, run: ChosenRun | None) -> None:
        """Show another run in a panel; None removes the panel."""
        runs = self.settings.runs
        changed = (*runs[: number - 1], *filter(None, [run]), *runs[number:])
        self._adopt(runs=changed, sliding=self.settings.sliding if run else None)

    def _add_run(self) -> None:
        self._adopt(runs=(*self.settings.runs, *filter(None, [self._another_run()])))

    def _another_run(self) -> ChosenRun | None:
        """A run that is not shown, if possible of another variant; None if all are shown, or the page has no room."""
        there = [(run.variant, run.seed) for run in self.settings.runs]
        variants = [variant for variant, _ in there]
        others = sorted(set(self.runs.finished) - set(there), key=list(self.runs.finished).index)
        best = min(others, key=lambda key: key[0] in variants, default=None)
        return ChosenRun(variant=best[0], seed=best[1]) if best and len(there) < MOST_RUNS else None

    def _switch_label(self, label: str, value: str) -> None:
        others = {name: each for name, each in self.settings.labels.items() if name != label}
        self._change(labels=others | ({label: value} if value else {}))

    def _move_latent(self, dimension: int, deviations: float) -> None:
        """Move a latent of each run that sliders move and that has it."""

        def moved(number: int, run: ChosenRun) -> ChosenRun:
            if self.settings.sliding not in (None, number) or dimension not in self._views[number - 1].movable:
                return run
            others = {each: shift for each, shift in run.moved.items() if each != dimension}
            return run.model_copy(update={"moved": others | ({dimension: deviations} if deviations else {})})

        if len(self._views) == len(self.settings.runs):
            self._change(runs=tuple(moved(number, run) for number, run in enumerate(self.settings.runs, 1)))

    def _move_along(self, label: str, value: str, amount: float) -> None:
        """Move the latents of all runs along a direction, which has a slider from then on."""
        with self.latents.problem.reporting():
            self.explorer.direction_counts(label, value)  # raises if no training image tells it
            directions = self.settings.directions
            self._change(directions={**directions, label: {**directions.get(label, {}), value: amount}})

    def _reset_latents(self) -> None:
        numbered = enumerate(self.settings.runs, 1)
        kept = [
            run if self.settings.sliding not in (None, number) else run.model_copy(update={"moved": {}})
            for number, run in numbered
        ]
        self._adopt(runs=tuple(kept), directions={})

    async def _save(self) -> None:
        with self.of_saving.reporting():
            settings = self.settings
            views = await asyncio.to_thread(self.explorer.render, settings)
            caption = self.explorer.explain(settings, any(view.conditional for view in views))
            path = saved.save(self.runs, settings, views, caption)
            set_text(self.saved_path, f"Saved as {path}. The file also contains the settings.")
            self.opened.set_options(saved.names(self.runs))

    def _open(self, name: str | None) -> None:
        if name is None:
            return
        with self.of_saving.reporting():
            self._adopt(**dict(self.explorer.checked(saved.read(self.runs, name))))
        self.opened.set_value(None)

    # Drawing.

    def _redraw(self) -> None:
        """Draw the current settings. Settings that change again during a drawing are drawn once, after it."""
        self._outdated = True
        if not self._drawing:
            self._drawing = True
            background_tasks.create(self._draw(), name="draw")

    async def _draw(self) -> None:
        try:
            while self._outdated:
                self._outdated, settings, started = False, self.settings, time.perf_counter()
                with self.of_drawing.reporting():
                    views = await asyncio.to_thread(self.explorer.render, settings)
                    unseen = await asyncio.to_thread(self.explorer.unseen_combinations, settings)
                    if len(views) == len(self.panels):  # or else runs were added or removed, and are drawn next
                        self._show_views(settings, views, unseen, time.perf_counter() - started)
        finally:
            self._drawing = False

    def _show_views(self, settings: Settings, views: list[View], unseen: str, seconds: float) -> None:
        self._views = views
        for panel, view, run in zip(self.panels, views, settings.runs, strict=True):
            panel.update(view, run)
        conditional = any(view.conditional for view in views)
        sentences = [*self.explorer.explain(settings, conditional), f"Drawn in {1000 * seconds:.0f} ms."]
        set_text(self.explanation, " ".join(sentences))
        self.labels.update(conditional, settings.show, unseen)
        self.latents.update(self.settings, views)
        self.runs_area.classes(replace=f"runs {settings.show}")
        for part, needed in self.parts.items():
            part.set_visibility(settings.show in needed)

    def _set_controls(self) -> None:
        """Set all controls to the settings."""
        for name, control in self.fields.items():
            control.set_value(dict(self.settings)[name])
        if len(self.panels) == len(self.settings.runs):
            for panel, run in zip(self.panels, self.settings.runs, strict=True):
                panel.set_value(run)
        else:
            self._add_panels()
        self.add_run.set_visibility(self._another_run() is not None)
        self.labels.set_value(self.settings.labels)
        self.latents.set_value(self.settings)
