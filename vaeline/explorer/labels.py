"""The part of the explorer's page where labels are switched."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from vaeline.data.facts import Facts
from vaeline.explorer.controls import button, buttons, choice, element, group, say, words

MOST_BUTTONS = 12  # values of a label that stand side by side; more are a list
AS_IT_COMES = ""  # the value of a label that is not set


class LabelsPanel:
    """A control for each label.

    Args:
        facts: what labels there are.
        on_switch: is told a label and its value, or that it is as it comes.
        on_forget: is told that all are as they come.
    """

    def __init__(self, facts: Facts, on_switch: Callable[[str, str], None], on_forget: Callable[[], None]) -> None:
        self._on_switch = on_switch
        with group("Labels"):
            self.none = words("p", "Neither of these models has labels: there is nothing to switch.", "hint")
            with element("div", "of-labels") as self.all:
                self.meaning = words("p", classes="hint")
                with element("div", "labels"):
                    columns = zip(facts.label_names, facts.label_values, strict=True)
                    self.controls = {name: self._control(name, values) for name, values in columns}
                button("All as they come", on_forget, light=True)

    def follow(self, labels: Mapping[str, str]) -> None:
        """Let the controls say what is chosen."""
        for name, control in self.controls.items():
            value = labels.get(name, AS_IT_COMES)
            control.set_value({"yes": True, "no": False}.get(value) if isinstance(control, ui.checkbox) else value)

    def present(self, conditional: bool, show: str) -> None:
        """Offer labels if one of the models has them, and say what they are as they come."""
        self.none.set_visibility(not conditional)
        self.all.set_visibility(conditional)
        of = "the edited image's own" if show == "edit" else "that of a test image, which the seed picks"
        say(self.meaning, f"A label that is not set is as it comes: {of}.")

    def _control(self, name: str, values: list[str]) -> Any:
        """A box with a third state where a label is yes or no; buttons or a list where it has other values."""
        shown = name.replace("_", " ")

        def switch(value: str) -> None:
            self._on_switch(name, value)

        if values == ["no", "yes"]:
            return ui.checkbox(
                shown,
                value=None,
                on_change=lambda event: switch({True: "yes", False: "no"}.get(event.value, AS_IT_COMES)),
            ).props("toggle-indeterminate dense")
        options = {AS_IT_COMES: "as it comes"} | {value: value for value in values}
        if len(values) > MOST_BUTTONS:
            return choice(shown, options, AS_IT_COMES, switch)
        with element("div", "classes"):
            words("p", shown, "name")
            return buttons(shown, options, AS_IT_COMES, switch).props("dense")
