"""The explorer's page: settings, the pictures of two runs side by side, and a sentence for each mistake."""

import asyncio
import secrets
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from nicegui import background_tasks, ui

from vaeline.explorer import saved
from vaeline.explorer.controls import (
    button,
    button_group,
    dropdown,
    element,
    group,
    number_field,
    set_text,
    text_element,
)
from vaeline.explorer.drawing import Explorer, SideView, Slider
from vaeline.explorer.labels import LabelsPanel
from vaeline.explorer.latents import LatentsPanel
from vaeline.explorer.settings import Settings, Side, parse_whole_number
from vaeline.explorer.side import SidePanel
from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError, in_words, reason

SEEDS = 100_000  # "New noise" picks a seed below this, short enough to type
SHOW = {"draws": "Draws", "edit": "Test image"}
PIXELS = {"mean": "Means", "drawn": "With noise"}


class PageView(NamedTuple):
    """What the page shows for its settings."""

    sides: tuple[SideView, SideView]  # left and right
    sliders: dict[str, list[Slider]]  # side name -> latents that can be moved
    latent_sizes: dict[str, int]  # side name -> number of latents that can be moved
    conditional: bool  # whether either model uses labels
    unseen: str  # which of the chosen labels no training image has together


class Page:
    """The page of one visitor.

    Args:
        explorer: draws the pictures.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.runs = explorer, explorer.runs
        self.settings = _first_settings(explorer)
        self._view: PageView | None = None
        self._errors: dict[str, str] = {}  # control or action -> sentence
        self._outdated = False  # the settings changed after the last drawing began
        self._drawing = False
        self._setting_controls = False  # while true, changes of controls are not choices of a person
        ui.add_head_html('<link rel="stylesheet" href="/page.css">')
        with element("div", "page points" if self.explorer.facts.points else "page"):
            self._add_header()
            with element("div", "layout"):
                with element("section", "stage", aria_label="Pictures"):
                    self._add_pictures()
                with element("section", "controls", aria_label="Settings"):
                    self._add_settings()
        self._redraw()

    # Elements of the page.

    def _add_header(self) -> None:
        with element("header"):
            text_element("p", f"vaeline explorer · {self.runs.study}", "eyebrow")
            text_element("h1", self.runs.question or self.runs.study)
            if missing := self.runs.missing:
                reasons = ", ".join(f"{name} seed {seed} ({reason})" for (name, seed), reason in missing.items())
                total = len(self.runs.finished) + len(missing)
                text_element("p", f"Missing runs ({len(missing)} of {total}): {reasons}.", "missing")

    def _add_pictures(self) -> None:
        self.alert = text_element("p", classes="alert", role="alert")
        with element("div", "sides") as self.sides_area:
            sides = self.settings.sides
            self.left = SidePanel("left", self.runs, sides["left"], lambda side: self._change(left=side))
            self.right = SidePanel("right", self.runs, sides["right"], lambda side: self._change(right=side))
        self.explanation = text_element("p", classes="hint", role="status")

    def _add_settings(self) -> None:
        with group("Show"):
            self._add_show()
        self.labels = LabelsPanel(self.explorer.facts, self._switch_label, self._clear_labels)
        self.latents = LatentsPanel(self._move_latent, self._reset_latents, self._update_sliders)
        with group("Saved pictures"):
            self._add_saved()

    def _add_show(self) -> None:
        show = self.settings.show
        self.show = button_group("Show", SHOW, show, lambda show: self._change(show=show)).props("spread")
        with element("div", "line") as self.draws_controls:
            self.noise = number_field("Noise seed", self.settings.noise, self._type_noise)
            button("New noise", lambda: self.noise.set_value(str(secrets.randbelow(SEEDS))))
            counts = list(self.explorer.counts)
            self.count = dropdown("Draws", counts, self.settings.count, lambda count: self._change(count=count))
            self.pixels = button_group(
                "Pixels of draws", PIXELS, self.settings.pixels, lambda pixels: self._change(pixels=pixels)
            )
        with element("div", "line") as self.edit_controls:
            self.image = number_field("Test image number", self.settings.image, self._type_image)
            button("Random image", self._pick_image)
        self.image_labels = text_element("p", classes="hint")

    def _add_saved(self) -> None:
        with element("div", "line"):
            button("Save picture", self._save)
            self.opened = dropdown("Open picture", saved.names(self.runs), None, self._open)
        self.saved_path = text_element("p", classes="hint", role="status")

    # Choices of a person.

    def _change(self, **changes: object) -> None:
        if not self._setting_controls:
            self.settings = self.settings.model_copy(update=changes)
            self._redraw()

    def _type_noise(self, typed: str) -> None:
        with self._report_errors("noise"):
            self._change(noise=parse_whole_number(typed, "The noise seed", MOST_SEED))

    def _type_image(self, typed: str) -> None:
        with self._report_errors("image"):
            image = parse_whole_number(typed, "The test image number", MOST_SEED)
            self.explorer.labels_of(image)  # raises if the image does not exist
            self._change(image=image)

    def _pick_image(self) -> None:
        with self._report_errors("image"):
            self.image.set_value(str(secrets.randbelow(len(self.explorer.test.labels))))

    def _switch_label(self, label: str, value: str) -> None:
        others = {name: each for name, each in self.settings.labels.items() if name != label}
        self._change(labels=others | ({label: value} if value else {}))

    def _clear_labels(self) -> None:
        self._change(labels={})
        self._set_controls()

    def _move_latent(self, dimension: int, deviations: float) -> None:
        """Move a latent of each chosen side that has this dimension."""
        changes = {}
        for name in self.latents.targets:
            side = self.settings.sides[name]
            if self._view and dimension < self._view.latent_sizes[name]:
                others = {each: shift for each, shift in side.moved.items() if each != dimension}
                moved = others | ({dimension: deviations} if deviations else {})
                changes[name] = side.model_copy(update={"moved": moved})
        self._change(**changes)

    def _reset_latents(self) -> None:
        sides = self.settings.sides
        self._change(**{name: sides[name].model_copy(update={"moved": {}}) for name in self.latents.targets})
        self._update_sliders()

    async def _save(self) -> None:
        with self._report_errors("saved"):
            settings = self.settings
            views = await asyncio.to_thread(self.explorer.render, settings)
            path = saved.save(self.runs, settings, views)
            set_text(self.saved_path, f"Saved as {path}. The file also contains the settings.")
            self.opened.set_options(saved.names(self.runs))

    def _open(self, name: str | None) -> None:
        if name is None or self._setting_controls:
            return
        with self._report_errors("saved"):
            settings = saved.read(self.runs, name)
            self.explorer.render(settings)  # raises if a run, label or image of the settings does not exist
            self._change(**dict(settings))
        self._set_controls()

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
                with self._report_errors("draw"):
                    view = await asyncio.to_thread(self._compute_view, settings)
                    self._show_view(settings, view, time.perf_counter() - started)
        finally:
            self._drawing = False

    def _compute_view(self, settings: Settings) -> PageView:
        sides = self.explorer.render(settings)
        keys = {name: (side.variant, side.seed) for name, side in settings.sides.items()}
        return PageView(
            sides,
            {name: self.explorer.sliders(*key) for name, key in keys.items()},
            {name: self.explorer.latent_size(*key) for name, key in keys.items()},
            any(self.explorer.is_conditional(*key) for key in keys.values()),
            self.explorer.unseen_combinations(settings),
        )

    def _show_view(self, settings: Settings, view: PageView, seconds: float) -> None:
        last, self._view = self._view, view
        for panel, side_view, side in zip((self.left, self.right), view.sides, settings.sides.values(), strict=True):
            panel.update(side_view, side, with_note=view.conditional)
        set_text(self.explanation, f"{_explain(settings, view.conditional)} Drawn in {1000 * seconds:.0f} ms.")
        self.labels.update(view.conditional, settings.show, view.unseen)
        self.sides_area.classes(replace=f"sides {settings.show}")
        self.draws_controls.set_visibility(settings.show == "draws")
        self.edit_controls.set_visibility(settings.show == "edit")
        set_text(self.image_labels, self._describe_image(settings))
        if last is None or last.sliders != view.sliders:
            self._update_sliders()

    def _describe_image(self, settings: Settings) -> str:
        if settings.show != "edit":
            return ""
        labels = self.explorer.labels_of(settings.image)
        attributes = [name.replace("_", " ") for name, value in labels.items() if value == "yes"]
        others = [f"{name} {value}" for name, value in labels.items() if value not in ("yes", "no")]
        return f"Labels of this image: {', '.join(others + attributes) or 'none'}."

    def _set_controls(self) -> None:
        """Set all controls to the settings."""
        settings, self._setting_controls = self.settings, True
        try:
            self.show.set_value(settings.show)
            self.noise.set_value(str(settings.noise))
            self.count.set_value(settings.count)
            self.pixels.set_value(settings.pixels)
            self.image.set_value(str(settings.image))
            self.opened.set_value(None)
            self.left.set_values(settings.left)
            self.right.set_values(settings.right)
            self.labels.set_values(settings.labels)
        finally:
            self._setting_controls = False
        self._update_sliders()

    def _update_sliders(self) -> None:
        if self._view:
            self.latents.update(self.settings.sides, self._view.sliders)

    @contextmanager
    def _report_errors(self, source: str) -> Iterator[None]:
        """Show an error of the block on the page until the same source works again. A fault of ours goes to the terminal too.

        Args:
            source: control or action that the block belongs to.
        """
        self._errors.pop(source, None)
        try:
            yield
        except (UserError, OSError) as error:
            self._errors[source] = str(in_words(error))
        except Exception as error:
            traceback.print_exc()
            self._errors[source] = f"This failed ({reason(error)}); the terminal of the explorer shows where."
        set_text(self.alert, " ".join(self._errors.values()))
        for name, field in (("noise", self.noise), ("image", self.image)):
            field.props["error"] = name in self._errors
            field.props["aria-invalid"] = str(name in self._errors).lower()


def _first_settings(explorer: Explorer) -> Settings:
    """Draws of the study's first variant on the left and of its last variant on the right."""
    runs = explorer.runs
    left, right = (Side(variant=name, seed=runs.seeds(name)[0]) for name in (runs.variants[0], runs.variants[-1]))
    count = Settings.model_fields["count"].default
    return Settings(left=left, right=right, count=count if count in explorer.counts else explorer.counts[0])


def _explain(settings: Settings, conditional: bool) -> str:
    """Say what both sides have in common."""
    if settings.show == "draws":
        shared = f"noise seed {settings.noise}" + (" and the same labels" if conditional else "")
        pixels = " Pixels have the noise of each side's p(x|z)." if settings.pixels == "drawn" else ""
        return f"Each side samples from its own prior p(z). Both sides use {shared}.{pixels}"
    own, edited = (" with the image's own labels", " and labels") if conditional else ("", "")
    return (
        f"Each side encodes test image {settings.image}{own} and decodes its latent twice: "
        f"unchanged (Reconstruction), and with your changes of latents{edited} (Edit)."
    )
