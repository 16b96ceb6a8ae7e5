"""What the images of a store are: shape, levels, labels, counts and checksums."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vaeline.system.errors import UserError


@dataclass(frozen=True)
class Facts:
    """What the images of a store are."""

    dataset_id: str
    image_shape: tuple[int, ...]  # channel, height, width; or the dimensions of a point
    levels: int  # a pixel is 0..levels-1; 0 for points
    range: tuple[float, float]  # black and white inside the networks
    label_names: list[str]  # one a column
    label_values: list[list[str]]  # the names of each column's values
    pixels: str = "dequantized"  # how levels become x: a choice of dataset.pixels, or `points`
    factors: bool = False  # whether the label columns are factors that vary independently over all images
    counts: dict[str, int] = field(default_factory=dict)  # images of each split; `write` fills it in
    preprocessing: dict[str, Any] = field(default_factory=dict)  # where the images came from and how they were made
    checksums: dict[str, str] = field(default_factory=dict)  # SHA-256 of each split; `write` fills it in

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Facts":
        """Facts out of JSON or YAML, which turn tuples into lists."""
        return cls(**{**content, "image_shape": tuple(content["image_shape"]), "range": tuple(content["range"])})

    @property
    def label_cardinalities(self) -> list[int]:
        """The number of values of each label column."""
        return [len(values) for values in self.label_values]

    @property
    def classes(self) -> bool:
        """Whether one column names the class of an image; otherwise the columns are attributes."""
        return len(self.label_names) == 1

    def label(self, name: str, value: str | int) -> tuple[int, int]:
        """The column of a label and the place of a value in it; the value is named, or a place itself: Smiling=yes or 1.

        Raises:
            UserError: there is no such label, or it has no such value.
        """
        if name not in self.label_names:
            raise UserError(f"There is no label {name!r}; there are: {', '.join(self.label_names)}.")
        column = self.label_names.index(name)
        values, asked = self.label_values[column], str(int(value) if isinstance(value, bool) else value)
        if asked in values:
            return column, values.index(asked)
        if asked.isascii() and asked.isdigit() and int(asked) < len(values):
            return column, int(asked)
        raise UserError(f"{name} has no value {asked!r}; it has: {', '.join(values)}.")

    def lacking(self, labels: np.ndarray) -> list[str]:
        """What labels, (n, columns), hold nothing of: a column's name where it has one value, `name=value` for a value."""
        found = []
        for name, values, column in zip(self.label_names, self.label_values, labels.T, strict=True):
            there = np.unique(column)
            absent = [f"{name}={value}" for index, value in enumerate(values) if index not in there]
            found += absent if len(there) > 1 else [name]
        return found

    @property
    def points(self) -> bool:
        """Whether these are points of a plane or space rather than images."""
        return not self.levels

    @property
    def dtype(self) -> type[np.generic]:
        """Of the values as they are stored."""
        return np.float32 if self.points else np.uint8
