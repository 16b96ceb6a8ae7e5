"""HTML elements of the explorer's page: plain elements, text, fields with what is wrong with them, buttons, and a slider."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TypeVar

from nicegui import ui
from nicegui.element import Element

from vaeline.explorer.settings import MOST_SHIFT
from vaeline.study.schema import MOST_SEED
from vaeline.system.errors import UserError, in_words, reason

PRESSED = "no-caps unelevated toggle-text-color=pressed"
FIELD = "outlined dense hide-bottom-space no-error-icon"
T = TypeVar("T")  # what a person chooses


class Slider(Element, component=Path(__file__).parent / "slider.js"):
    """A slider with its middle at 0. It is the browser's own, so screen readers speak its name and value.

    Args:
        name: label of the slider.
        start: first position.
        unit: of its values.
        on_moved: called with each new position.
    """

    def __init__(self, name: str, start: float, unit: str, on_moved: Callable[[float], None]) -> None:
        super().__init__()
        self._props.update({"name": name, "limit": MOST_SHIFT, "start": start, "unit": unit})
        self.on("moved", lambda event: on_moved(float(event.args)), throttle=0.03)


class Problem:
    """A place for a sentence about what went wrong, empty until something does.

    Args:
        field: the control above it that the sentence is about, if there is one.
    """

    def __init__(self, field: Element | None = None) -> None:
        self._field, self._text = field, text_element("p", classes="problem", role="alert")
        self.say("")

    def say(self, sentence: str) -> None:
        """Show a sentence, or nothing if it is empty."""
        set_text(self._text, sentence)
        if self._field:
            self._field.props["error"] = bool(sentence)
            self._field.props["aria-invalid"] = str(bool(sentence)).lower()
            self._field.props["aria-describedby"] = self._text.html_id

    @contextmanager
    def reporting(self, before: str = "") -> Iterator[None]:
        """Say what goes wrong in the block, after some words, and nothing if it works. A fault of ours goes to the terminal too."""
        self.say("")
        try:
            yield
        except (UserError, OSError) as error:
            self.say(f"{before}{in_words(error)}")
        except Exception as error:
            traceback.print_exc()
            self.say(f"This failed ({reason(error)}); the terminal of the explorer shows where.")


class NumberField:
    """A field for a whole number, with a place for what is wrong with it. It takes any text, so that the place can say so.

    Args:
        label: of the field.
        value: to begin with.
        on_number: called with each whole number that a person types; may raise a UserError.
        maximum: largest number allowed.
    """

    def __init__(self, label: str, value: int, on_number: Callable[[int], None], maximum: int = MOST_SEED) -> None:
        self._label, self._on_number, self._maximum = label, on_number, maximum
        self.field = ui.input(label, value=str(value), on_change=lambda event: self._read(event.value))
        self.field.without_auto_validation()
        self.field.props(f"{FIELD} inputmode=numeric debounce=250 spellcheck=false")
        self.problem = Problem(self.field)

    def set_value(self, value: int) -> None:
        """Set the field to a number."""
        self.field.set_value(str(value))

    def _read(self, typed: str) -> None:
        with self.problem.reporting():
            self._on_number(parse_whole_number(typed, f"The {self._label[:1].lower()}{self._label[1:]}", self._maximum))


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


def parse_whole_number(text: str | None, name: str, maximum: int) -> int:
    """Read a whole number that a person typed.

    Args:
        text: as typed.
        name: what the number is, written as the start of a sentence.
        maximum: largest number allowed.

    Raises:
        UserError: the text is not a whole number from 0 to `maximum`.
    """
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= maximum):
        problem = f"is {text[:40]!r}" if text else "is empty"
        raise UserError(f"{name} {problem}; enter a whole number from 0 to {maximum:,}.")
    return int(text)
