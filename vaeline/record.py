"""Figures, each beside the sentence that says how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean
from typing import Any


@dataclass
class Record:
    """What becomes metrics.json and evaluation.json: every figure is a finite number, or a dash with its reason."""

    metrics: dict[str, float] = field(default_factory=dict)
    evaluation: dict[str, dict[str, Any]] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)  # split -> SHA-256 of what preprocessing made of it
    seed: int | None = None  # of all that is drawn for the figures

    def put(self, figure: str, value: float, definition: str, **how: Any) -> None:
        """Note a figure and how it was made, of which split of what data and with which seed; one that is not finite becomes a dash."""
        if not isfinite(value):
            self.dash(figure, f"it came out as {value}")
            return
        self.metrics[figure] = value
        if how.get("split") in self.checksums:
            how["split_sha256"] = self.checksums[how["split"]]
            if self.seed is not None:
                how["seed"] = self.seed
        self.evaluation[figure] = {"definition": definition, **_finite(how)}

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
        """Add the figures of another record."""
        self.metrics |= other.metrics
        self.evaluation |= other.evaluation


def _finite(value: Any) -> Any:
    """The same with None for each number that is not finite, of which JSON knows nothing."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
