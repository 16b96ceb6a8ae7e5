"""Preprocessing: raw images are dealt to three splits, decoded on all cores, resized to one size, and stored."""

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from vaeline.data import raw_images, source_fingerprint
from vaeline.data.bad_images import bad_image
from vaeline.data.decoding import decode, fit
from vaeline.data.facts import Facts
from vaeline.data.held_out import hold_out
from vaeline.data.on_demand import Images
from vaeline.data.paths import DataFiles
from vaeline.data.raw_images import EncodedImages, Manifest, RawImages
from vaeline.data.splits import deal
from vaeline.data.sprites import Sprites
from vaeline.data.store import Stream, write
from vaeline.study import schema
from vaeline.study.step_settings import BY_DVC, again, settings_of_store
from vaeline.system.background import cores, in_order
from vaeline.system.errors import UserError, some_of
from vaeline.system.progress import Bar

BLOCK = 64  # images that a thread prepares at once
PILE = 2**19  # bytes of decoded images that are resized at once (at least one image); so many fit in a core's cache
BLACK_AND_WHITE = 2  # levels
LONG = 2  # times that an image may be longer than wide without a word
RESIZED = {
    "crop": "to cover the size; then the centre cut out",
    "pad": "to fit inside the size; then black bars",
    "stretch": "each side by itself",
}
TRIAL = 32  # images that are prepared first to estimate the time


class OtherFiles(UserError):
    """The source files or the settings are not those of the manifest."""


def preprocess(dataset: schema.Dataset, manifest: Manifest, path: Path, threads: int | None = None) -> Facts:
    """Write the store of a data set. The same files and parameters give the same bytes with any number of threads.

    Args:
        dataset: the data set of a study.
        manifest: what `raw_images.fetch` returned; the files must not have changed since.
        path: of the store.
        threads: that decode; None for one on each core.

    Returns:
        The facts about the store's images.

    Raises:
        UserError: the files have changed or are damaged, a split comes out empty, or the disk is too small.
    """
    source = partial(source_fingerprint.state, raw_images.folder(dataset), path)
    before = source()
    raw = _as_downloaded(dataset, manifest)
    dealt = deal(len(raw.ids), dataset.split, raw.official, dataset.limit, raw.groups, raw.copies)
    facts, count = _facts(dataset, raw, manifest), sum(map(len, dealt.values()))
    dealt = hold_out(dealt, raw.labels.codes, facts, dataset.split.seed)
    threads, sprites = threads or cores(), _kept_sprites(raw, dataset)
    prepare = sprites.places.__getitem__ if sprites else partial(_prepare, raw, dataset)
    _check_size(dataset, raw)
    becomes = [_sentence_on_sprites(sprites)] if sprites else _changes(raw.images, dataset)
    _say(_shares(raw, dealt), *_off(dataset.split, dealt), *becomes)
    _announce(raw, sprites, count, path, threads, dataset)
    with _workers(threads, _resizes(raw.images, dataset.shape)) as pool, Bar("storing", count) as bar:
        splits = {
            name: Stream(
                _blocks(pool, prepare, rows, bar, 2 * threads),
                raw.labels.codes[rows],
                [raw.ids[row] for row in rows],
            )
            for name, rows in dealt.items()
        }
        last = list(splits)[-1]
        splits[last] = replace(
            splits[last], blocks=_unless_changed(splits[last].blocks, lambda: source() != before, dataset)
        )
        facts = write(path, facts, splits, sprites.sprites if sprites else None)
    for name in ("validation", "test"):
        facts.warn_of_unseen(raw.labels.codes[dealt[name]], f"{name} images")
    return facts


def _as_downloaded(dataset: schema.Dataset, manifest: Manifest) -> RawImages:
    """The images that the download step saw, without those that it skipped.

    Raises:
        OtherFiles: the files or the settings are others.
    """
    raw, skipped = raw_images.read(dataset), manifest.get("skipped", {})
    found = raw_images.manifest(dataset, raw, skipped)
    if found != manifest and found["files"] == manifest["files"]:
        raise OtherFiles(
            f"{DataFiles(dataset.id).manifest} was made with other settings of `dataset`, from a folder with other files, or by another version; "
            f"{again('download')}{BY_DVC}."
        )
    if found != manifest:
        raise OtherFiles(
            f"The files in {raw_images.folder(dataset)} are not those that the download step saw; if the new files are right, "
            f"{again('download')}{BY_DVC}."
        )
    return raw_images.without(raw, skipped)


def _unless_changed(
    blocks: Iterable[np.ndarray], changed: Callable[[], bool], dataset: schema.Dataset
) -> Iterator[np.ndarray]:
    """The last blocks of a store; then an error, which leaves no store, if a file of the source was changed meanwhile."""
    yield from blocks
    if changed():
        raise UserError(f"The files in {raw_images.folder(dataset)} changed while they were read; run again.")


def _facts(dataset: schema.Dataset, raw: RawImages, manifest: Manifest) -> Facts:
    return Facts(
        dataset_id=dataset.id,
        image_shape=_image_shape(raw, dataset),
        levels=raw.levels or 0,
        range=dataset.range,
        pixels=dataset.pixels if raw.levels else "points",
        label_names=raw.labels.names,
        label_values=raw.labels.values,
        factors=raw.labels.factorial and not dataset.split.held_out,
        held_out=dataset.split.held_out,
        preprocessing={
            "manifest": {key: value for key, value in manifest.items() if key not in ("id", "source", "skipped")},
            "resize": f"bilinear, antialiased, {RESIZED[dataset.fit]}",
            "settings": settings_of_store(dataset),
        },
    )


def _image_shape(raw: RawImages, dataset: schema.Dataset) -> tuple[int, ...]:
    """The shape of an image of the store, or of a point."""
    channels = raw.images.channels if isinstance(raw.images, EncodedImages) else raw.images.shape[1]
    return (channels, *(dataset.shape or ()))


def _kept_sprites(raw: RawImages, dataset: schema.Dataset) -> Sprites | None:
    """The sprites of images that the store keeps as such, since it would store them as they are drawn; None for other images."""
    if not isinstance(raw.images, Sprites) or raw.images.shape[2:] != dataset.shape:
        return None
    return raw.images if dataset.pixels != "static_binary" or raw.levels == BLACK_AND_WHITE else None


def _sentence_on_sprites(sprites: Sprites) -> str:
    """What the store keeps of images of sprites, in a sentence."""
    height, width = sprites.shape[2:]
    return f"The store keeps {len(sprites.sprites):,} sprites and their places; images of {width}x{height} pixels are drawn each time."


def _check_size(dataset: schema.Dataset, raw: RawImages) -> None:
    if raw.levels and dataset.size is None:
        raise UserError(
            f"dataset.size is null, but {dataset.name} holds images; give their height and width in pixels."
        )
    if not raw.levels and dataset.size is not None:
        raise UserError(f"dataset.size is {dataset.size}, but {dataset.name} holds points; set dataset.size to null.")


def _say(*sentences: str) -> None:
    for sentence in sentences:
        print(f"preprocess: {sentence}", file=sys.stderr)


def _shares(raw: RawImages, dealt: dict[str, np.ndarray]) -> str:
    """How many images are used, and how many of them each split has, in a sentence."""
    used, of = np.concatenate(list(dealt.values())), len(raw.ids)
    limited = f" of {of:,}, drawn at random (dataset.limit)" if len(used) < of else ""
    kind = "images" if raw.levels else "points"
    splits = ", ".join(f"{len(rows):,} {name}" for name, rows in dealt.items())
    return f"{len(used):,} {kind}{limited}: {splits}.{_lost(raw, used)}"


def _off(split: schema.Split, dealt: dict[str, np.ndarray]) -> list[str]:
    """A sentence on shares that whole groups miss by more than a third; none if they do not."""
    if split.group is None:
        return []
    count = sum(map(len, dealt.values()))
    asked = {"validation": split.validation, "test": split.test}
    got = {name: len(dealt[name]) / count for name in asked}
    if all(abs(got[name] - share) <= share / 3 for name, share in asked.items()):
        return []
    shares = " and ".join(f"{got[name]:.0%} {name} where {share:.0%} was asked for" for name, share in asked.items())
    return [f"Whole groups of {split.group} give {shares}; try another split.seed."]


def _lost(raw: RawImages, used: np.ndarray) -> str:
    """The values of labels that have images, but none among those that are used."""
    columns = zip(raw.labels.codes.T, raw.labels.names, raw.labels.values, strict=True)
    lost = [f"{name}={values[code]}" for codes, name, values in columns for code in np.setdiff1d(codes, codes[used])]
    return f" No image of {some_of(lost)} is among them." if lost else ""


def _changes(images: Images | EncodedImages, dataset: schema.Dataset) -> list[str]:
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


def _resizes(images: Images | EncodedImages, shape: tuple[int, int] | None) -> bool:
    return isinstance(images, EncodedImages) or (shape is not None and images.shape[2:] != shape)


@contextmanager
def _workers(threads: int, resizing: bool) -> Iterator[Executor | None]:
    """Threads that prepare images; None for one thread, because a second one would only alternate with the one that writes.

    Torch, which resizes, starts no threads of its own in addition, until the end of the block.
    """
    alone = _computing_alone() if resizing else nullcontext()
    if threads > 1:
        with alone, ThreadPoolExecutor(threads) as pool:
            yield pool
    else:
        with alone:
            yield None


@contextmanager
def _computing_alone() -> Iterator[None]:
    """Let torch compute with one thread, here and in threads that are started within the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _blocks(
    pool: Executor | None, prepare: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, bar: Bar, ahead: int
) -> Iterator[np.ndarray]:
    """Prepare images on all threads and yield them in order, in blocks of (<= BLOCK, channel, size, size)."""
    blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    prepared = in_order((pool.submit(prepare, block) for block in blocks), ahead) if pool else map(prepare, blocks)
    for block in prepared:
        yield block
        bar.advance(len(block))


def _prepare(raw: RawImages, dataset: schema.Dataset, rows: np.ndarray) -> np.ndarray:
    """The images of some rows, as they are stored."""
    if dataset.size is None and not isinstance(raw.images, EncodedImages):
        return raw.images[rows]
    assert raw.levels is not None
    images = _bring_to_size(raw.images, rows, dataset)
    if dataset.pixels != "static_binary":
        return images
    return draw_black_and_white(images, rows, dataset.split.seed, raw.levels - 1)


def _bring_to_size(images: Images | EncodedImages, rows: np.ndarray, dataset: schema.Dataset) -> np.ndarray:
    shape = dataset.shape
    assert shape is not None
    if isinstance(images, EncodedImages):
        return _decode_and_fit(images, rows, shape, dataset)
    if images.shape[2:] == shape:
        return images[rows]
    return fit(images[rows].transpose(0, 2, 3, 1), shape, dataset.fit)


def _decode_and_fit(
    images: EncodedImages, rows: np.ndarray, shape: tuple[int, int], dataset: schema.Dataset
) -> np.ndarray:
    fitted, start = np.empty((len(rows), images.channels, *shape), np.uint8), 0
    for pile in _piles(images, rows):
        fit(pile, shape, dataset.fit, into=fitted[start : start + len(pile)])
        start += len(pile)
    return fitted


def _piles(images: EncodedImages, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Decode images in order, and yield neighbours of one size together, (n, height, width, channels).

    A pile is valid until the next one is asked for, which may use the same memory.
    """
    pile, count = np.empty(0, np.uint8), 0
    for row in rows:
        if count and count == len(pile):
            yield pile
            count = 0
        place = pile[count] if len(pile) else None
        pixels = _decode(images, row, place)
        if pixels is not place:  # the image has another size than those before it
            if count:
                yield pile[:count]
            pile, count = np.empty((max(1, PILE // pixels.nbytes), *pixels.shape), np.uint8), 0
            pile[0] = pixels
        count += 1
    yield pile[:count]


def draw_black_and_white(images: np.ndarray, rows: np.ndarray, seed: int, white: int) -> np.ndarray:
    """Draw each pixel white with its grey as the probability (Salakhutdinov and Murray, 2008).

    The seed of an image depends on its row alone, so that blocks of any size give the same images.
    """
    thresholds = [np.random.default_rng([seed, row]).random(images.shape[1:]) for row in rows]
    return np.where(np.stack(thresholds) < images / white, white, 0).astype(np.uint8)


def _decode(images: EncodedImages, row: int, into: np.ndarray | None = None) -> np.ndarray:
    name = images.names[row]
    try:
        return decode(images.archive.read(name), images.channels, into)
    except ValueError as error:
        raise bad_image(images.archive, name, error) from error


def _announce(
    raw: RawImages, sprites: Sprites | None, count: int, path: Path, threads: int, dataset: schema.Dataset
) -> None:
    """Print how much disk space and how much time preprocessing takes.

    Raises:
        UserError: the disk is too small.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    images, shape = raw.images, _image_shape(raw, dataset)
    needed = count * (sprites.places[0].nbytes if sprites else prod(shape))
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise UserError(f"{path} takes {needed / 1e9:.2f} GB, and {free / 1e9:.2f} are free; make space and run again.")
    if isinstance(images, EncodedImages):
        seconds = _seconds_each(images, dataset) * count / threads
        _say(
            f"{count:,} images to {'x'.join(map(str, shape))}: {needed / 1e9:.2f} GB in {path} "
            f"({free / 1e9:.0f} GB are free), about {seconds:,.0f} s on {threads} cores."
        )


def _seconds_each(images: EncodedImages, dataset: schema.Dataset) -> float:
    _bring_to_size(images, np.zeros(1, np.int64), dataset)  # imports torch, if it is needed, before the clock starts
    started = time.perf_counter()
    trial = _bring_to_size(images, np.arange(min(TRIAL, len(images.names))), dataset)
    return (time.perf_counter() - started) / len(trial)
