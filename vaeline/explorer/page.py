"""The explorer's page: what can be chosen, the pictures of two runs side by side, and mistakes in words."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from nicegui import background_tasks, ui

from vaeline.explorer import saved
from vaeline.explorer.controls import button, buttons, choice, element, group, number, say, words
from vaeline.explorer.drawing import Explorer, Seen, Slider
from vaeline.explorer.labels import LabelsPanel
from vaeline.explorer.latents import SIDES, LatentsPanel
from vaeline.explorer.settings import Settings, Side, whole_number
from vaeline.explorer.side import SidePanel
from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError

SEEDS = 100_000  # new noise has a seed below, which is easily typed


class Looked(NamedTuple):
    """What the page shows of its settings."""

    seen: tuple[Seen, Seen]
    sliders: dict[str, list[Slider]]  # of each side's run
    latents: dict[str, int]  # how many it has
    conditional: bool  # whether either has labels


class Page:
    """The page of one visitor.

    Args:
        explorer: that draws what is chosen.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.runs = explorer, explorer.runs
        self.settings = _first(explorer)
        self._looked: Looked | None = None
        self._wrong: dict[str, str] = {}  # what was mistaken -> the sentence
        self._stale = self._drawing = self._silent = False
        ui.add_head_html('<link rel="stylesheet" href="/page.css">')
        with element("div", "page points" if self.explorer.facts.points else "page"):
            self._head()
            with element("div", "bench"):
                with element("section", "stage", aria_label="Pictures"):
                    self._stage()
                with element("section", "controls", aria_label="Settings"):
                    self._shown()
                    self.labels = LabelsPanel(explorer.facts, self._switch, self._forget_labels)
                    self.latents = LatentsPanel(self._move, self._put_back, self._follow_latents)
                    self._saved()
        self._redraw()

    # What there is on the page.

    def _head(self) -> None:
        with element("header"):
            words("p", f"vaeline explorer · {self.runs.study}", "eyebrow")
            words("h1", self.runs.question or self.runs.study)
            if missing := self.runs.missing:
                each = ", ".join(f"{name} seed {seed} ({why})" for (name, seed), why in missing.items())
                there = len(self.runs.finished) + len(missing)
                words("p", f"{len(missing)} of {there} runs are missing: {each}.", "missing")

    def _stage(self) -> None:
        self.alert = words("p", classes="alert", role="alert")
        with element("div", "sides") as self.of_sides:
            self.sides = {name: self._side(name) for name in SIDES}
        self.same = words("p", classes="hint", role="status")

    def _side(self, name: str) -> SidePanel:
        # Latents of another run are others, so those that were moved are put back.
        return SidePanel(name, self.runs, getattr(self.settings, name), lambda side: self._choose(**{name: side}))

    def _shown(self) -> None:
        with group("Shown"):
            self.show = buttons(
                "Shown",
                {"draws": "Draws", "edit": "Test image"},
                self.settings.show,
                lambda show: self._choose(show=show),
            ).props("spread")
            with element("div", "line") as self.of_draws:
                self.noise = number("Noise seed", self.settings.noise, self._type_noise)
                button("New noise", lambda: self.noise.set_value(str(secrets.randbelow(SEEDS))))
                self.count = choice(
                    "Draws",
                    list(self.explorer.counts),
                    self.settings.count,
                    lambda count: self._choose(count=count),
                )
            with element("div", "line") as self.of_edit:
                self.image = number("Number of the test image", self.settings.image, self._type_image)
                button("Another", self._another_image)
            self.own = words("p", classes="hint")

    def _saved(self) -> None:
        with group("Saved"):
            with element("div", "line"):
                button("Save the picture", self._save)
                self.opened = choice("Open saved", saved.names(self.runs), None, self._open)
            self.saved_at = words("p", classes="hint", role="status")

    # What is chosen.

    def _choose(self, **changes: Any) -> None:
        if not self._silent:
            self.settings = self.settings.model_copy(update=changes)
            self._redraw()

    def _type_noise(self, typed: str) -> None:
        with self._in_words("noise"):
            self._choose(noise=whole_number(typed, "The noise seed", MOST_SEED))

    def _type_image(self, typed: str) -> None:
        with self._in_words("image"):
            image = whole_number(typed, "The number of the test image", MOST_SEED)
            self.explorer.own_labels(image)
            self._choose(image=image)

    def _another_image(self) -> None:
        with self._in_words("image"):
            self.image.set_value(str(secrets.randbelow(len(self.explorer.test.labels))))

    def _switch(self, label: str, value: str) -> None:
        others = {name: each for name, each in self.settings.labels.items() if name != label}
        self._choose(labels=others | ({label: value} if value else {}))

    def _forget_labels(self) -> None:
        self._choose(labels={})
        self._follow()

    def _move(self, dimension: int, deviations: float) -> None:
        """Move a latent of one run, or of both where both have it."""
        changes = {}
        for name in self.latents.targets:
            side: Side = getattr(self.settings, name)
            if self._looked and dimension < self._looked.latents[name]:
                others = {each: by for each, by in side.moved.items() if each != dimension}
                moved = others | ({dimension: deviations} if deviations else {})
                changes[name] = side.model_copy(update={"moved": moved})
        self._choose(**changes)

    def _put_back(self) -> None:
        changes = {name: getattr(self.settings, name).model_copy(update={"moved": {}}) for name in self.latents.targets}
        self._choose(**changes)
        self._follow_latents()

    async def _save(self) -> None:
        with self._in_words("saved"):
            settings = self.settings
            seen = await asyncio.to_thread(self.explorer.show, settings)
            say(self.saved_at, f"Saved as {saved.save(self.runs, settings, seen)}, with its settings inside.")
            self.opened.set_options(saved.names(self.runs))

    def _open(self, name: str | None) -> None:
        if name is None or self._silent:
            return
        with self._in_words("saved"):
            settings = saved.read(self.runs, name)
            self.explorer.show(settings)  # before anything is taken over, what it names is looked for
            self._choose(**dict(settings))
        self._follow()

    # What is shown.

    def _redraw(self) -> None:
        """Draw what is chosen now; of several choices that come while one is drawn, the last."""
        self._stale = True
        if not self._drawing:
            self._drawing = True
            background_tasks.create(self._draw(), name="draw")

    async def _draw(self) -> None:
        try:
            while self._stale:
                self._stale, settings, started = False, self.settings, time.perf_counter()
                with self._in_words("draw"):
                    looked = await asyncio.to_thread(self._look, settings)
                    self._present(settings, looked, time.perf_counter() - started)
        finally:
            self._drawing = False

    def _look(self, settings: Settings) -> Looked:
        seen = self.explorer.show(settings)
        keys = {name: (side.variant, side.seed) for name, side in _sides(settings).items()}
        return Looked(
            seen,
            {name: self.explorer.sliders(*key) for name, key in keys.items()},
            {name: self.explorer.latents(*key) for name, key in keys.items()},
            any(self.explorer.conditional(*key) for key in keys.values()),
        )

    def _present(self, settings: Settings, looked: Looked, seconds: float) -> None:
        moved_before = self._looked and self._looked.sliders
        self._looked = looked
        for panel, seen, side in zip(self.sides.values(), looked.seen, _sides(settings).values(), strict=True):
            panel.present(seen, side, looked.conditional)
        say(self.same, f"{_what_is_same(settings, looked.conditional)} Drawn in {1000 * seconds:.0f} ms.")
        self.labels.present(looked.conditional, settings.show)
        self.of_sides.classes(replace=f"sides {settings.show}")
        self.of_draws.set_visibility(settings.show == "draws")
        self.of_edit.set_visibility(settings.show == "edit")
        say(self.own, self._own_labels(settings))
        if moved_before != looked.sliders:
            self._follow_latents()

    def _own_labels(self, settings: Settings) -> str:
        if settings.show != "edit":
            return ""
        own = self.explorer.own_labels(settings.image)
        attributes = [name.replace("_", " ") for name, value in own.items() if value == "yes"]
        others = [f"{name} {value}" for name, value in own.items() if value not in ("yes", "no")]
        return f"Its own labels: {', '.join(others + attributes) or 'none of them'}."

    def _follow(self) -> None:
        """Let the controls say what is chosen."""
        settings, self._silent = self.settings, True
        try:
            self.show.set_value(settings.show)
            self.noise.set_value(str(settings.noise))
            self.count.set_value(settings.count)
            self.image.set_value(str(settings.image))
            self.opened.set_value(None)
            for name, panel in self.sides.items():
                panel.follow(getattr(settings, name))
            self.labels.follow(settings.labels)
        finally:
            self._silent = False
        self._follow_latents()

    def _follow_latents(self) -> None:
        if self._looked:
            self.latents.follow(_sides(self.settings), self._looked.sliders)

    @contextmanager
    def _in_words(self, what: str) -> Iterator[None]:
        """Say what is mistaken on the page, until it is mended."""
        self._wrong.pop(what, None)
        try:
            yield
        except (UserError, OSError) as error:
            self._wrong[what] = str(error)
        say(self.alert, " ".join(self._wrong.values()))
        for name, field in (("noise", self.noise), ("image", self.image)):
            field.props["error"] = name in self._wrong
            field.props["aria-invalid"] = str(name in self._wrong).lower()


def _first(explorer: Explorer) -> Settings:
    """The study's first variant beside its last."""
    runs = explorer.runs
    left, right = (Side(variant=name, seed=runs.seeds(name)[0]) for name in (runs.variants[0], runs.variants[-1]))
    count = Settings.model_fields["count"].default
    return Settings(left=left, right=right, count=count if count in explorer.counts else explorer.counts[0])


def _sides(settings: Settings) -> dict[str, Side]:
    return {"left": settings.left, "right": settings.right}


def _what_is_same(settings: Settings, conditional: bool) -> str:
    if settings.show == "draws":
        under = ", and both under the same labels" if conditional else ""
        return f"The same draw: each side draws from its own p(z) with the seed {settings.noise}{under}."
    own, edited = (" under its own labels", " and under the labels that are set") if conditional else ("", "")
    return (
        f"Each side encodes test image {settings.image}{own}, and decodes the code: as it is, and edited, with the latents "
        f"moved{edited}."
    )
