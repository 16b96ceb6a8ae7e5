"""Pictures of a caller's own, made into what the store of a run would hold of them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vaeline.data.decoding import decode, fit, pixels_of
from vaeline.data.facts import Facts
from vaeline.data.prepared_images import draw_black_and_white
from vaeline.system.errors import UserError, reason, shown, unreadable


def as_stored(value: object, facts: Facts) -> np.ndarray | None:
    """Pictures as preprocessing stores them: upright, white behind transparent pixels, of the size and fit of the run's data.

    A picture is a path, an image of Pillow, or, if the run's pixels have 256 levels, an array: uint8, (height, width) or
    (height, width, 1 or 3). Several are a list, or an array (n, height, width, 1 or 3).

    If the run's pixels are `static_binary`, black and white are drawn with a seed for each place in the list, so that the draw of a
    picture depends on its place.

    Args:
        value: any.
        facts: of the run's images.

    Returns:
        uint8, (n, channel, height, width); None if the value is no picture.

    Raises:
        UserError: a picture cannot be read or decoded.
    """
    pictures = None if facts.points else _pictures(value, facts)
    if pictures is None:
        return None
    channels, height, width = facts.image_shape
    settings = facts.preprocessing.get("settings", {}).get("dataset", {})
    pixels = [_pixels(picture, channels) for picture in pictures]
    fitted = np.concatenate([fit(each[np.newaxis], (height, width), settings.get("fit", "crop")) for each in pixels])
    levels = np.rint(fitted * ((facts.levels - 1) / 255)).astype(np.uint8)
    if facts.pixels != "static_binary":
        return levels
    seed = settings.get("split", {}).get("seed", 0)
    return draw_black_and_white(levels, np.arange(len(levels)), seed, facts.levels - 1)


def _pictures(value: object, facts: Facts) -> Sequence[object] | None:
    """The pictures of a value; None if the value is no picture, or holds images as the store does."""
    if isinstance(value, np.ndarray):
        return _of_array(value, facts)
    return _of_list(value if isinstance(value, list | tuple) else [value], facts)


def _of_array(array: np.ndarray, facts: Facts) -> Sequence[object] | None:
    """One picture, or several of the same size."""
    if facts.levels != 256 or array.dtype != np.uint8 or array.shape[1:] == facts.image_shape or not array.size:
        return None
    if array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] not in (1, 3):
        return list(array)
    return [array] if _is_picture(array) else None


def _of_list(values: Sequence[object], facts: Facts) -> Sequence[object] | None:
    """The values themselves, if each is a picture."""
    for each in values:
        if isinstance(each, np.ndarray):
            if facts.levels != 256 or not _is_picture(each):
                return None
        elif not isinstance(each, Image.Image | str | os.PathLike):
            return None
    return values or None


def _is_picture(array: np.ndarray) -> bool:
    """Whether an array is one picture: grey, or with its channels last and not first."""
    grey, coloured = array.ndim == 2, array.ndim == 3 and array.shape[2] in (1, 3) and array.shape[0] not in (1, 3)
    return array.dtype == np.uint8 and array.size > 0 and (grey or coloured)


def _pixels(picture: object, channels: int) -> np.ndarray:
    """The pixels of a picture, uint8 (height, width, channels), as the pipeline reads them from a file."""
    named = f"The picture {picture}" if isinstance(picture, str | os.PathLike) else "An image"
    try:
        if isinstance(picture, str | os.PathLike):
            if Path(picture).is_dir():
                raise UserError(
                    f"The picture {shown(str(picture))} is a folder; give the paths of its images, as a list."
                )
            return decode(Path(picture).read_bytes(), channels)
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture[..., 0] if picture.shape[2:] == (1,) else picture)
        assert isinstance(picture, Image.Image)
        return pixels_of(picture, channels)
    except FileNotFoundError as error:
        raise UserError(f"There is no picture {shown(str(picture))}; give the path of an image file.") from error
    except OSError as error:
        raise unreadable(Path(str(picture)), error) from error
    except ValueError as error:
        raise UserError(f"{named} cannot be decoded ({reason(error)}); give another image.") from error
