"""HTML elements of the explorer's page: plain elements, text, labelled fields, buttons and a latent slider."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TypeVar

from nicegui import ui
from nicegui.element import Element

from vaeline.explorer.settings import MAX_SHIFT

PRESSED = "no-caps unelevated toggle-text-color=pressed"
FIELD = "outlined dense hide-bottom-space no-error-icon"
T = TypeVar("T")  # what a person chooses


class LatentSlider(Element, component=Path(__file__).parent / "slider.js"):
    """A slider that moves one latent, in standard deviations. It is the browser's own, so screen readers speak its name and value.

    Args:
        name: label of the slider.
        start: first position.
        on_moved: called with each new position.
    """

    def __init__(self, name: str, start: float, on_moved: Callable[[float], None]) -> None:
        super().__init__()
        self._props.update({"name": name, "limit": MAX_SHIFT, "start": start})
        self.on("moved", lambda event: on_moved(float(event.args)), throttle=0.03)


def element(tag: str, classes: str = "", **attributes: str) -> Element:
    """Make a plain HTML element. An underscore in the name of an attribute becomes a hyphen."""
    made = Element(tag).classes(classes)
    _set_attributes(made, attributes)
    return made


def text_element(tag: str, text: str = "", classes: str = "", **attributes: str) -> ui.html:
    """Make an element with text. `set_text` changes the text."""
    made = ui.html(escape(text), tag=tag, sanitize=False).classes(classes)
    _set_attributes(made, attributes)
    return made


def set_text(holder: ui.html, text: str) -> None:
    """Change the text of an element. An element without text is hidden."""
    holder.set_content(escape(text))
    holder.set_visibility(bool(text))


@contextmanager
def group(title: str) -> Iterator[None]:
    """Put the controls that the block makes under a heading."""
    with element("section", "group", aria_label=title):
        text_element("h2", title)
        yield


def number_field(label: str, value: int, on_change: Callable[[str], None]) -> ui.input:
    """Make a field for a number. It takes any text, so that the page can say what is wrong with it."""
    made = ui.input(label, value=str(value), on_change=lambda event: on_change(event.value))
    made.without_auto_validation()
    return made.props(f"{FIELD} inputmode=numeric debounce=250 spellcheck=false")


def dropdown(label: str, options: list[T] | dict[T, str], value: T | None, on_change: Callable[[T], None]) -> ui.select:
    """Make a list from which a person chooses one option."""
    made = ui.select(options, label=label, value=value, on_change=lambda event: on_change(event.value))
    return made.props(f"{FIELD} options-dense")


def button_group(label: str, options: dict[T, str], value: T, on_change: Callable[[T], None]) -> ui.toggle:
    """Make a row of buttons, exactly one of which is pressed."""
    made = ui.toggle(options, value=value, on_change=lambda event: on_change(event.value)).props(PRESSED)
    made.props["aria-label"], made.props["role"] = label, "group"
    return made


def button(text: str, on_click: Callable[[], object], light: bool = False) -> ui.button:
    """Make a button. Buttons that undo something are light."""
    return ui.button(text, on_click=on_click).props("no-caps flat dense" if light else "no-caps outline")


def _set_attributes(made: Element, attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        made.props[name.replace("_", "-")] = value
