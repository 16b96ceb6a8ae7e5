"""Metrics, each with the sentence that says how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._images import Dash, Measured
from vaeline.system.errors import UserError

NO_LABELS = "the system is given no labels"  # a reason for a dash
UNLABELLED = "the images have no labels"  # another one
OF_VALUE = ("halves", "spread")  # what is known of a value and not of its standard error

Entries = dict[str, dict[str, Any]]  # metric -> `Measurement` or `Dashed`, as JSON has them


@dataclass
class Record:
    """The content of metrics.json and evaluation.json: every metric is a finite number, or a dash with its reason."""

    evaluation: Entries = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)  # split -> SHA-256 of its preprocessed images
    seed: int | None = None  # of all random draws behind the metrics

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers alone."""
        return {name: entry["value"] for name, entry in self.evaluation.items() if "value" in entry}

    def put(self, name: str, value: float, **how: object) -> None:
        """Record a metric and how it was made; a value that is not finite becomes a dash.

        Args:
            name: of a metric, companion or reference that the catalogue defines.
            value: of the metric.
            how: what else says how it was made; `split` adds the checksum of that split and the seed.
        """
        definition = catalogue().definition(name)
        if not isfinite(value):
            self.dash(name, f"it came out as {value}")
            return
        split = how.get("split")
        if isinstance(split, str) and split in self.checksums:
            how["split_sha256"] = self.checksums[split]
            if self.seed is not None:
                how["seed"] = self.seed
        self.evaluation[name] = {"value": value, "definition": definition, **finite_or_null(how)}

    def put_result(self, name: str, result: float | Measured | Dash, **how: object) -> None:
        """Record what a file of metrics returned, with its standard error if there is one."""
        if isinstance(result, Dash):
            self.dash(name, result.reason)
            return
        measured = result if isinstance(result, Measured) else Measured(result)
        self.put(name, measured.value, **{**how, **measured.how})
        if measured.standard_error is not None:
            of_error = {key: value for key, value in measured.how.items() if key not in OF_VALUE}
            self.put(f"{name}_standard_error", measured.standard_error, **{**how, **of_error})

    def put_mean(self, name: str, by_label: Mapping[str, float], left_out: Sequence[str], **how: object) -> None:
        """Record the mean of a metric over labels, the value of each label if there are several, and labels left out."""
        if not by_label:
            self.dash(name, "no label has two values with enough images")
            return
        several = {"by_label": dict(by_label)} if len(by_label) > 1 else {}
        missing = {"left_out": list(left_out)} if left_out else {}
        self.put(name, fmean(by_label.values()), **how, **several, **missing)

    def dash(self, name: str, reason: str) -> None:
        """Record why a metric has no meaning here."""
        self.evaluation[name] = {"dash": reason}

    def dash_each(self, names: Iterable[str], reason: str) -> None:
        """Record the same reason for several metrics."""
        for name in names:
            self.dash(name, reason)

    def join(self, other: "Record") -> None:
        """Add the metrics of another record.

        Raises:
            UserError: both records have the same metric.
        """
        if both := sorted(self.evaluation.keys() & other.evaluation.keys()):
            raise UserError(f"{', '.join(both)} would be measured twice; evaluate the run again.")
        self.evaluation |= other.evaluation


class Measurement(BaseModel):
    """A metric as evaluation.json has it; other keys say how it was made and are kept as they are."""

    model_config = ConfigDict(extra="allow", strict=True)

    value: FiniteFloat
    definition: str
    dash: None = None  # a value is no dash
    effective_sample_size: FiniteFloat | None = None
    saturated: bool = False
    upper_bound: str = ""  # why a likelihood is only an upper bound
    warning: str = ""
    descriptive: str = ""  # why the value ranks nothing, although the metric ranks others
    verdict: str = ""  # what the value says, in a word
    left_out: list[str] = []
    parts: list[FiniteFloat] = []  # means over parts of the images, the same parts for every run
    halves: list[
        FiniteFloat
    ] = []  # half the difference of the value on two halves of the images, the same pairs of halves for every run
    spread: FiniteFloat | None = None  # of a reference over subsets of images that share none
    by_label: dict[str, FiniteFloat | None] = {}
    by_judge: dict[str, FiniteFloat] = {}  # seed of a classifier -> its value, if the value is a mean over several


class Dashed(BaseModel):
    """Why a metric has no meaning."""

    model_config = ConfigDict(extra="allow", strict=True)

    value: None = None
    dash: str


_ENTRIES = TypeAdapter(dict[str, Measurement | Dashed])


def parse(text: str | bytes) -> Record:
    """Read the content of an evaluation.json.

    Raises:
        ValueError: it contains something else.
    """
    entries = _ENTRIES.validate_json(text)
    return Record({name: entry.model_dump(exclude_unset=True) for name, entry in entries.items()})


def finite_or_null(value: Any) -> Any:
    """Replace every number that is not finite by None, since JSON has no such numbers."""
    if isinstance(value, dict):
        return {key: finite_or_null(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_null(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
