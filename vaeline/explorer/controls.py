"""What the explorer's page is built of: plain HTML by name, fields with labels, a slider."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element

from vaeline.explorer.settings import REACH

PRESSED = "no-caps unelevated toggle-text-color=pressed"
FIELD = "outlined dense hide-bottom-space no-error-icon"


class LatentSlider(Element, component=Path(__file__).parent / "slider.js"):
    """A latent to move, by standard deviations of its codes; the browser's own input, whose name and value are spoken.

    Args:
        name: its label.
        start: where it stands.
        on_moved: is told where it stands then.
    """

    def __init__(self, name: str, start: float, on_moved: Callable[[float], None]) -> None:
        super().__init__()
        self._props.update({"name": name, "reach": REACH, "start": start})
        self.on("moved", lambda event: on_moved(float(event.args)), throttle=0.03)


def element(tag: str, classes: str = "", **attributes: Any) -> Element:
    """A plain HTML element; an underscore in an attribute's name stands for a hyphen."""
    made = Element(tag).classes(classes)
    for name, value in attributes.items():
        made.props[name.replace("_", "-")] = value
    return made


def words(tag: str, text: str = "", classes: str = "", **attributes: Any) -> ui.html:
    """An element of text, which `say` changes."""
    made = ui.html(escape(text), tag=tag, sanitize=False).classes(classes)
    for name, value in attributes.items():
        made.props[name.replace("_", "-")] = value
    return made


def say(of: ui.html, text: str) -> None:
    """Change the text of an element."""
    of.set_content(escape(text))
    of.set_visibility(bool(text))


@contextmanager
def group(title: str) -> Iterator[None]:
    """Controls that belong together, under a heading."""
    with element("section", "group", aria_label=title):
        words("h2", title)
        yield


def number(label: str, value: int, on_change: Callable[[str], None]) -> ui.input:
    """A field for a number, which takes any text, so that a mistake can be named."""
    made = ui.input(label, value=str(value), on_change=lambda event: on_change(event.value))
    made.without_auto_validation()
    return made.props(f"{FIELD} inputmode=numeric debounce=250 spellcheck=false")


def choice(label: str, options: Any, value: Any, on_change: Callable[[Any], None]) -> ui.select:
    """A list to choose one of."""
    return ui.select(options, label=label, value=value, on_change=lambda event: on_change(event.value)).props(
        f"{FIELD} options-dense"
    )


def buttons(label: str, options: Any, value: Any, on_change: Callable[[Any], None]) -> ui.toggle:
    """Buttons side by side, one of which is pressed."""
    made = ui.toggle(options, value=value, on_change=lambda event: on_change(event.value)).props(PRESSED)
    made.props["aria-label"], made.props["role"] = label, "group"
    return made


def button(text: str, on_click: Callable[[], Any], light: bool = False) -> ui.button:
    """A button; a light one takes something back."""
    return ui.button(text, on_click=on_click).props("no-caps flat dense" if light else "no-caps outline")
