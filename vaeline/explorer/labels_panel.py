"""The panel of the explorer's page on which labels are switched."""

from collections.abc import Callable, Mapping

from nicegui import ui

from vaeline.data.columns import NO_YES
from vaeline.data.facts import Facts
from vaeline.explorer.controls import button, button_group, dropdown, element, group, set_text, text_element

MOST_BUTTONS = 12  # a label with more values gets a dropdown
NOT_SET = ""  # value of a label that a person has not set
TO_BOX = {"yes": True, "no": False}  # a box in its third state, None, is not set
FROM_BOX = {True: "yes", False: "no"}


class LabelsPanel:
    """One control for each label.

    Args:
        facts: names and values of the labels.
        images: whether there are test images, which have a value for each label that is not set.
        on_switch: called with a label and its new value, or with NOT_SET.
        on_clear: called when a person clears all labels.
    """

    def __init__(
        self, facts: Facts, images: bool, on_switch: Callable[[str, str], None], on_clear: Callable[[], None]
    ) -> None:
        self._on_switch, self._images = on_switch, images
        with group("Labels"):
            self.no_labels = text_element("p", "No model here uses labels, so there is nothing to switch.", "hint")
            with element("div", "label-controls") as self.all:
                self.hint = text_element("p", classes="hint")
                self.unseen = text_element("p", classes="alert", role="status")
                with element("div", "labels"):
                    columns = zip(facts.label_names, facts.label_values, strict=True)
                    self.controls = {name: self._control(name, values) for name, values in columns}
                button("Clear all labels", on_clear, light=True).set_visibility(images)

    def set_value(self, labels: Mapping[str, str]) -> None:
        """Set the controls to the chosen labels."""
        for name, control in self.controls.items():
            value = labels.get(name, NOT_SET)
            if isinstance(control, ui.checkbox):
                control.set_value(TO_BOX.get(value))
            else:
                control.set_value(value)

    def update(self, conditional: bool, show: str, unseen: str) -> None:
        """Show the controls if any model uses labels, and explain what a label that is not set does.

        Args:
            conditional: whether any model uses labels.
            show: a value of `Settings.show`.
            unseen: which of the chosen labels no training image has together; empty if there are none.
        """
        set_text(self.unseen, unseen)
        self.no_labels.set_visibility(not conditional)
        self.all.set_visibility(conditional)
        hints = {
            "draws": "Each draw copies the labels that you do not set from a test image. The noise seed picks these images.",
            "edit": "A label that you do not set keeps the value of the test image.",
            "interpolation": "A label that you do not set has the value of the nearer test image.",
        }
        set_text(self.hint, hints[show] if self._images else "Without test images, every label has a value.")

    def _control(self, name: str, values: list[str]) -> ui.checkbox | ui.select | ui.toggle:
        """Make a box with three states for a label with the values no and yes, and buttons or a dropdown for any other."""
        title = name.replace("_", " ")

        def switch(value: str) -> None:
            self._on_switch(name, value)

        if values == NO_YES:
            box = ui.checkbox(title, value=None, on_change=lambda event: switch(FROM_BOX.get(event.value, NOT_SET)))
            return box.props("toggle-indeterminate dense" if self._images else "dense")
        options = ({NOT_SET: "not set"} if self._images else {}) | {value: value for value in values}
        start = next(iter(options))
        if len(values) > MOST_BUTTONS:
            return dropdown(title, options, start, switch)
        with element("div", "label-buttons"):
            text_element("p", title, "name")
            return button_group(title, options, start, switch).props("dense")
