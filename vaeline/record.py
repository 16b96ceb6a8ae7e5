"""Figures, each beside the sentence that says how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
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
        self.evaluation[figure] = {"definition": definition, **how}

    def dash(self, figure: str, reason: str) -> None:
        """Note why a figure has no meaning here."""
        self.evaluation[figure] = {"dash": reason}

    def join(self, other: "Record") -> None:
        """Add the figures of another record."""
        self.metrics |= other.metrics
        self.evaluation |= other.evaluation
