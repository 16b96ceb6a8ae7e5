"""What preprocessing does to images, in sentences for the terminal."""

import numpy as np

from vaeline.data.on_demand import Images
from vaeline.data.raw_images import EncodedImages, RawImages
from vaeline.data.sprites import Sprites
from vaeline.study import schema
from vaeline.system.errors import some_of

LONG = 2  # times that an image may be longer than wide without a word


def shares(raw: RawImages, dealt: dict[str, np.ndarray]) -> str:
    """How many images are used, and how many of them each split has, in a sentence."""
    used, of = np.concatenate(list(dealt.values())), len(raw.ids)
    limited = f" of {of:,}, drawn at random (dataset.limit)" if len(used) < of else ""
    kind = "images" if raw.levels else "points"
    splits = ", ".join(f"{len(rows):,} {name}" for name, rows in dealt.items())
    return f"{len(used):,} {kind}{limited}: {splits}.{_lost(raw, used)}"


def _lost(raw: RawImages, used: np.ndarray) -> str:
    """The values of labels that have images, but none among those that are used."""
    columns = zip(raw.labels.codes.T, raw.labels.names, raw.labels.values, strict=True)
    lost = [f"{name}={values[code]}" for codes, name, values in columns for code in np.setdiff1d(codes, codes[used])]
    return f" No image of {some_of(lost)} is among them." if lost else ""


def missed_shares(split: schema.Split, dealt: dict[str, np.ndarray]) -> list[str]:
    """A sentence on shares that whole groups miss by more than a third; none if they do not."""
    if split.group is None:
        return []
    count = sum(map(len, dealt.values()))
    asked = {"validation": split.validation, "test": split.test}
    got = {name: len(dealt[name]) / count for name in asked}
    if all(abs(got[name] - share) <= share / 3 for name, share in asked.items()):
        return []
    given = " and ".join(f"{got[name]:.0%} {name} where {share:.0%} was asked for" for name, share in asked.items())
    return [f"Whole groups of {split.group} give {given}; try another split.seed."]


def kept_as_sprites(sprites: Sprites) -> str:
    """What the store keeps of images of sprites, in a sentence."""
    height, width = sprites.shape[2:]
    return f"The store keeps {len(sprites.sprites):,} sprites and their places; images of {width}x{height} pixels are drawn each time."


def changes(images: Images | EncodedImages, dataset: schema.Dataset) -> list[str]:
    """What becomes of the sizes and colours of images, in sentences."""
    shape = dataset.shape
    if shape is None:
        return []
    if not isinstance(images, EncodedImages):
        height, width = images.shape[2:]
        return [_resized((width, height), (width, height), dataset)]
    summary = images.summary
    if summary is None:
        return [f"{_becomes(dataset)[0].upper()}{_becomes(dataset)[1:]}."]
    sentences = [_resized(summary.smallest, summary.largest, dataset)]
    if summary.longest > LONG and dataset.fit == "crop" and shape[0] == shape[1]:
        sentences.append(
            f"The longest image is {summary.longest:.1f} times as long as wide; only its centre is used, {1 / summary.longest:.0%} of it."
        )
    if summary.grey and summary.coloured:
        sentences.append(
            f"All images are stored in colour: {summary.coloured:,} are in colour, and {summary.grey:,} grey."
        )
    else:
        sentences.append(f"All images are {'in colour' if summary.coloured else 'grey'}.")
    if summary.transparent:
        sentences.append(f"Transparent pixels become white (images that may have some: {summary.transparent:,}).")
    return sentences


def _resized(smallest: tuple[int, int], largest: tuple[int, int], dataset: schema.Dataset) -> str:
    found = " to ".join(dict.fromkeys(f"{width:,}x{height:,}" for width, height in (smallest, largest)))
    if dataset.shape is not None and smallest == largest == dataset.shape[::-1]:
        return f"Images of {found} pixels, which are stored in this size."
    return f"Images of {found} pixels; {_becomes(dataset)}."


def _becomes(dataset: schema.Dataset) -> str:
    """What becomes of images of another size, in words."""
    height, width = dataset.shape or (0, 0)
    if dataset.fit == "stretch":
        return f"they are stretched to {width}x{height}"
    if dataset.fit == "pad":
        return f"they are resized to fit inside {width}x{height}, and black bars are added"
    covers = f"the shorter side becomes {width}" if height == width else f"they are resized to cover {width}x{height}"
    return f"{covers}, and the centre is cut out"
