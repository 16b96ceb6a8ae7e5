"""What `measure` of a metric's file returned, checked, and in plain numbers."""

import json
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from pydantic import ValidationError

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Measurement
from vaeline.metrics._images import Dash, Measured
from vaeline.study import parts
from vaeline.system.errors import UserError, first_mistake
from vaeline.system.state_files import State

TAKEN = {"value", "definition", "dash"}  # the keys of evaluation.json that say what a value is


def checked(file: str, found: object) -> dict[str, Measured | Dash]:
    """What `measure` of a file returned, with numbers of Python, also where it has those of numpy.

    Raises:
        UserError: a result is missing, is no number, or cannot be written to evaluation.json.
    """
    entries = catalogue().of_images(True)[file]
    expected, shown = sorted({metric.key or metric.name for metric in entries}), parts.shown_file("metrics", file)
    if not isinstance(found, Mapping) or not found.keys() >= set(expected):
        came = sorted(found) if isinstance(found, Mapping) else found
        raise UserError(f"measure in {shown} returned {came!r:.200}; its entries need results called {expected}.")
    with_error = {metric.key or metric.name for metric in entries if metric.standard_error}
    for key, result in found.items():
        if why := _why_no_result(result, key in with_error):
            raise UserError(f"measure in {shown} returned {result!r:.80} for {key}; {why}.")
    return {key: result if isinstance(result, Dash) else _in_python(result) for key, result in found.items()}


def as_state(result: float | Measured | Dash) -> State:
    """A checked result, to be kept in a file."""
    if isinstance(result, Dash):
        return {"dash": result.reason}
    return dict((result if isinstance(result, Measured) else Measured(result))._asdict())


def from_state(state: State) -> Measured | Dash:
    """What `as_state` gave."""
    return Dash(state["dash"]) if "dash" in state else Measured(**state)


def _why_no_result(result: object, with_error: bool) -> str:
    """What a result should be instead; empty if it is one.

    Args:
        result: of `measure`.
        with_error: whether its entry declares a standard error.
    """
    if isinstance(result, Dash):
        return "" if isinstance(result.reason, str) else "the reason of a Dash is a sentence"
    measured = result if isinstance(result, Measured) else Measured(result)  # type: ignore[arg-type]
    if not isinstance(measured.value, Real) or not isinstance(measured.standard_error, Real | None):
        return "a result is a number, Measured or Dash, and a standard error is a number or None"
    if measured.standard_error is not None and not with_error:
        return "its entry declares no standard error; set `standard_error` there, as in 'over images'"
    if not isinstance(measured.how, Mapping) or TAKEN & measured.how.keys():
        return f"`how` is a dictionary of how it was made, without the keys {', '.join(sorted(TAKEN))}"
    try:
        Measurement.model_validate({"value": 0.0, "definition": "", **json.loads(json.dumps(_plain(measured.how)))})
    except (TypeError, ValueError) as error:
        why = first_mistake(error) if isinstance(error, ValidationError) else error
        return f"`how` has a value that evaluation.json cannot hold ({why})"
    return ""


def _in_python(result: float | Measured) -> Measured:
    measured = result if isinstance(result, Measured) else Measured(result)
    error = None if measured.standard_error is None else float(measured.standard_error)
    return Measured(float(measured.value), _plain(measured.how), error)


def _plain(how: object) -> Any:
    """Values of numpy as those of Python, in dictionaries and lists too."""
    if isinstance(how, Mapping):
        return {str(key): _plain(value) for key, value in how.items()}
    if isinstance(how, list | tuple):
        return [_plain(value) for value in how]
    return how.tolist() if isinstance(how, np.generic | np.ndarray) else how
