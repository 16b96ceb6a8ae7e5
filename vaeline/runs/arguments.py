"""What callers pass to a trained run: converted if it can mean one thing only, and otherwise refused with a sentence."""

import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.runs.own_pictures import as_stored
from vaeline.system import memory
from vaeline.system.errors import UserError, reason, shown

YES_NO = {True: "yes", False: "no"}


def whole_number(value: object, name: str, least: int, most: int) -> int:
    """Check a whole number, also one of NumPy.

    Raises:
        UserError: it is of another type, or out of range.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= int(value) <= most:  # type: ignore[call-overload]
        raise UserError(f"{name} is {shown(value)}; it must be a whole number from {least:,} to {most:,}.")
    return int(value)  # type: ignore[call-overload]


def count_of_images(value: object, facts: Facts) -> int:
    """Check how many images are asked for: at least one, and no more than fit into memory.

    Raises:
        UserError: it is of another type, or out of range.
    """
    bytes_each = prod(facts.image_shape) * np.dtype(facts.dtype).itemsize + 8 * len(facts.label_names)
    return whole_number(value, "count", 1, most_in_memory(bytes_each))


def most_in_memory(bytes_each: int) -> int:
    """How many things fit into a quarter of this process's memory, at least one. A result is held twice while it is joined."""
    return max(1, memory.available() // 4 // bytes_each)


def as_array(value: object, what: str, instead: str) -> np.ndarray:
    """An array of numbers, from an array, a tensor or nested lists.

    Args:
        value: to convert.
        what: it is, for errors: "Labels".
        instead: what to give, for errors: "whole numbers, (n, 2)".

    Raises:
        UserError: it is not an array, or has masked values.
    """
    if any(np.ma.is_masked(each) for each in (value if isinstance(value, list | tuple) else [value])):
        raise UserError(f"{what} have masked values; fill them or leave them out, and give {instead}.")
    try:
        array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
    except Exception as error:  # rows of different lengths, or whatever an object raises
        raise UserError(
            f"{what} are {type(value).__name__}, which is no array ({reason(error)}); give {instead}."
        ) from error
    if array.dtype.kind not in "biuf":
        came = shown(value) if array.ndim == 0 else f"an array of {array.dtype}"
        raise UserError(f"{what} are {came}; give {instead}.")
    if array.ndim and not len(array):
        raise UserError(f"{what} are empty, {array.dtype} {array.shape}; give at least one: {instead}.")
    return array


def as_images(value: object, facts: Facts) -> np.ndarray:
    """Images as the store holds them: uint8 levels (n, channel, height, width), or float32 points.

    Pictures are prepared as those of the store were; whole numbers of other types become uint8.

    Raises:
        UserError: their type, shape or range is another, or a picture cannot be read.
    """
    wanted = f"{facts.dtype.__name__} (n, {', '.join(map(str, facts.image_shape))})"
    pictures = as_stored(value, facts)
    if pictures is not None:
        return pictures
    if isinstance(value, str | bytes | os.PathLike):
        raise UserError(f"Images are {shown(value)}; give {wanted}.")
    images = as_array(value, "Images", wanted)
    kinds = "iuf" if facts.points else "iu"
    if images.shape[1:] != facts.image_shape or images.dtype.kind not in kinds:
        others = "" if facts.points else "; pictures of another size are paths or images of Pillow"
        raise UserError(f"Images are {images.dtype} {images.shape}; this run takes {wanted}{others}.")
    if facts.points:
        return _finite(images, "points")
    if images.min() < 0 or images.max() >= facts.levels:
        pixel = images.min() if images.min() < 0 else images.max()
        raise UserError(f"A pixel is {pixel}; the levels of this run's images are 0 to {facts.levels - 1}.")
    return images.astype(np.uint8)


def as_latents(value: object, shape: tuple[int, ...], codes: int | None, stages: int = 1) -> np.ndarray:
    """Latents, float32 (n, *shape), or indices of a codebook, int64 (n, rows, stages * columns).

    Args:
        value: to convert.
        shape: of a latent, as `TrainedRun.encode` returns it.
        codes: the size of the codebook; None if there is none.
        stages: indices of each place.

    Raises:
        UserError: their type, shape or range is another, or one is not finite.
    """
    wanted = f"float32 (n, {', '.join(map(str, shape))})"
    latents = as_array(value, "Latents", wanted)
    if codes and latents.dtype.kind in "iu" and latents.shape[1:] == (shape[1], stages * shape[2]):
        if latents.min() < 0 or latents.max() >= codes:
            raise UserError(f"An index of the codebook is out of range; indices are 0 to {codes - 1}.")
        return latents.astype(np.int64)
    if latents.shape[1:] != shape or latents.dtype.kind not in "iuf":
        raise UserError(f"Latents are {latents.dtype} {latents.shape}; this run takes {wanted}.")
    return _finite(latents, "latents")


def as_labels(value: object, count: int | None, facts: Facts) -> np.ndarray:
    """The labels of `count` images, or of any number, int64 (count, columns); of a single column also (count,).

    Raises:
        UserError: their type, shape or range is another.
    """
    names, limits = facts.label_names, np.array(facts.label_cardinalities)
    labels = as_array(value, "Labels", f"whole numbers, ({count or 'n'}, {len(names)}): {', '.join(names)}")
    count = len(np.atleast_1d(labels)) if count is None else count
    if labels.ndim == 1 and len(names) == 1:
        labels = labels[:, np.newaxis]
    if labels.shape != (count, len(names)) or labels.dtype.kind not in "iu":
        raise UserError(
            f"Labels are {labels.dtype} {labels.shape}; {count} images take whole numbers, {(count, len(names))}."
        )
    if (labels < 0).any() or (labels >= limits).any():
        raise UserError(f"A label is out of range; labels are below {', '.join(map(str, limits))} by column.")
    return labels.astype(np.int64)


def as_names(value: object, facts: Facts) -> list[str]:
    """The names of some labels.

    Raises:
        UserError: they are no names, or unknown ones.
    """
    try:
        names = [] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    except TypeError:
        names = []
    if not names:
        raise UserError(f"Names of labels are {shown(value)}; give some of: {', '.join(facts.label_names)}.")
    for name in names:
        facts.column(name)
    return names


def yes_or_no(value: object, name: str) -> bool:
    """Check a choice, also one of NumPy.

    Raises:
        UserError: it is neither True nor False.
    """
    if not isinstance(value, bool | np.bool):
        raise UserError(f"{name} is {shown(value)}; it must be True or False.")
    return bool(value)


def as_wanted(value: object) -> dict[str, Any]:
    """The labels that a caller names, with their values.

    Raises:
        UserError: it is no mapping of names.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise UserError(f"Wanted labels are {shown(value)}; give a mapping of names to values, as in {{'digit': 3}}.")
    return dict(value)


def values_of(name: str, value: object) -> list[int | str]:
    """The value, or the values of each image, that a label is given. True and False are yes and no.

    Raises:
        UserError: a value is neither a whole number nor a name.
    """
    many = value if isinstance(value, list | tuple) else value.tolist() if isinstance(value, np.ndarray) else [value]
    if (
        not isinstance(many, list | tuple)
        or not many
        or not all(isinstance(each, int | str | np.integer | np.bool_) for each in many)
        or np.ma.is_masked(value)
    ):
        raise UserError(f"{name} is {shown(value)}; give the name or the number of a value, or a list of them.")
    return [YES_NO[bool(each)] if isinstance(each, bool | np.bool_) else each for each in many]


def _finite(array: np.ndarray, what: str) -> np.ndarray:
    """The array as float32."""
    with np.errstate(over="ignore"):
        converted = array.astype(np.float32)
    lost = len(array) - int(np.isfinite(converted).reshape(len(array), -1).all(1).sum())
    if lost:
        raise UserError(f"{lost:,} of {len(array):,} {what} are not finite in 32 bits; leave out NaN and infinities.")
    return converted
