"""Preprocessing: raw images are dealt to three splits, decoded on all cores, resized to one size, and stored."""

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from vaeline.data import prepared_images, raw_images, source_fingerprint
from vaeline.data import preprocessing_words as words
from vaeline.data.facts import Facts
from vaeline.data.held_out import hold_out
from vaeline.data.on_demand import Images
from vaeline.data.paths import DataFiles
from vaeline.data.prepared_images import bring_to_size, prepared_blocks, workers
from vaeline.data.raw_images import EncodedImages, Manifest, RawImages
from vaeline.data.splits import deal
from vaeline.data.sprites import Sprites
from vaeline.data.store import Stream, write
from vaeline.study import schema
from vaeline.study.step_settings import BY_DVC, again, settings_of_store
from vaeline.system.background import cores
from vaeline.system.errors import UserError
from vaeline.system.progress import Bar

BLACK_AND_WHITE = 2  # levels
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
    prepare = sprites.places.__getitem__ if sprites else partial(prepared_images.prepare, raw, dataset)
    _check_size(dataset, raw)
    becomes = [words.kept_as_sprites(sprites)] if sprites else words.changes(raw.images, dataset)
    _say(words.shares(raw, dealt), *words.missed_shares(dataset.split, dealt), *becomes)
    _announce(raw, sprites, count, path, threads, dataset)
    with workers(threads, _resizes(raw.images, dataset.shape)) as pool, Bar("storing", count) as bar:
        splits = _streams(raw, dealt, partial(prepared_blocks, pool, prepare, bar=bar, ahead=2 * threads))
        last = list(splits)[-1]
        blocks = _unless_changed(splits[last].blocks, lambda: source() != before, dataset)
        splits[last] = replace(splits[last], blocks=blocks)
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


def _streams(
    raw: RawImages, dealt: Mapping[str, np.ndarray], prepared: Callable[[np.ndarray], Iterator[np.ndarray]]
) -> dict[str, Stream]:
    """The splits as the store takes them; `prepared` gives the images of some rows, in blocks."""
    return {
        name: Stream(prepared(rows), raw.labels.codes[rows], [raw.ids[row] for row in rows])
        for name, rows in dealt.items()
    }


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


def _check_size(dataset: schema.Dataset, raw: RawImages) -> None:
    if raw.levels and dataset.size is None:
        raise UserError(
            f"dataset.size is null, but {dataset.name} holds images; give their height and width in pixels."
        )
    if not raw.levels and dataset.size is not None:
        raise UserError(f"dataset.size is {dataset.size}, but {dataset.name} holds points; set dataset.size to null.")


def _resizes(images: Images | EncodedImages, shape: tuple[int, int] | None) -> bool:
    return isinstance(images, EncodedImages) or (shape is not None and images.shape[2:] != shape)


def _say(*sentences: str) -> None:
    for sentence in sentences:
        print(f"preprocess: {sentence}", file=sys.stderr)


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
    bring_to_size(images, np.zeros(1, np.int64), dataset)  # imports torch, if it is needed, before the clock starts
    started = time.perf_counter()
    trial = bring_to_size(images, np.arange(min(TRIAL, len(images.names))), dataset)
    return (time.perf_counter() - started) / len(trial)
