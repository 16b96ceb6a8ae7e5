"""Figures, each beside the sentence that says how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter

from vaeline.system.errors import UserError


@dataclass
class Record:
    """What becomes metrics.json and evaluation.json: every figure is a finite number, or a dash with its reason."""

    evaluation: dict[str, dict[str, Any]] = field(default_factory=dict)  # figure -> `Measured` or `Dashed`, as a dict
    checksums: Mapping[str, str] = field(default_factory=dict)  # split -> SHA-256 of what preprocessing made of it
    seed: int | None = None  # of all that is drawn for the figures

    @property
    def metrics(self) -> dict[str, float]:
        """The figures alone."""
        return {figure: entry["value"] for figure, entry in self.evaluation.items() if "value" in entry}

    def put(self, figure: str, value: float, definition: str, **how: Any) -> None:
        """Note a figure and how it was made, of which split of what data and with which seed; one that is not finite becomes a dash."""
        if not isfinite(value):
            self.dash(figure, f"it came out as {value}")
            return
        if how.get("split") in self.checksums:
            how["split_sha256"] = self.checksums[how["split"]]
            if self.seed is not None:
                how["seed"] = self.seed
        self.evaluation[figure] = {"value": value, "definition": definition, **_finite(how)}

    def put_mean(
        self, figure: str, by_label: Mapping[str, float], definition: str, left_out: Sequence[str] = (), **how: Any
    ) -> None:
        """Note the mean of a figure over labels, each label's own where there are several, and what has no images."""
        if not by_label:
            self.dash(figure, "no label has two values in the split")
            return
        several = {"by_label": dict(by_label)} if len(by_label) > 1 else {}
        lacking = {"left_out": list(left_out)} if left_out else {}
        self.put(figure, fmean(by_label.values()), definition, **how, **several, **lacking)

    def dash(self, figure: str, reason: str) -> None:
        """Note why a figure has no meaning here."""
        self.evaluation[figure] = {"dash": reason}

    def dash_each(self, figures: Iterable[str], reason: str) -> None:
        """Note the same of several figures."""
        for figure in figures:
            self.dash(figure, reason)

    def join(self, other: "Record") -> None:
        """Add the figures of another record.

        Raises:
            UserError: one of them is there already.
        """
        if both := sorted(self.evaluation.keys() & other.evaluation.keys()):
            raise UserError(
                f"{', '.join(both)} would be measured twice; make the reference anew, and evaluate the run again."
            )
        self.evaluation |= other.evaluation


class Measured(BaseModel):
    """A figure as evaluation.json has it; what else says how it was made is kept as it comes."""

    model_config = ConfigDict(extra="allow", strict=True)

    value: FiniteFloat
    definition: str
    dash: None = None  # a figure is no dash
    effective_sample_size: FiniteFloat | None = None
    saturated: bool = False
    bound: str = ""  # why a likelihood is an upper bound only
    warning: str = ""
    left_out: list[str] = []
    by_label: dict[str, FiniteFloat | None] = {}


class Dashed(BaseModel):
    """Why a figure has no meaning."""

    model_config = ConfigDict(extra="allow", strict=True)

    value: None = None
    dash: str


_ENTRIES = TypeAdapter(dict[str, Measured | Dashed])


def parse(text: str | bytes) -> Record:
    """Read back what stands in an evaluation.json.

    Raises:
        ValueError: it holds something else.
    """
    entries = _ENTRIES.validate_json(text)
    return Record({figure: entry.model_dump(exclude_unset=True) for figure, entry in entries.items()})


def _finite(value: Any) -> Any:
    """The same with None for each number that is not finite, of which JSON knows nothing."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
