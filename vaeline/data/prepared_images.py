"""Images as a store keeps them: decoded, brought to one size, perhaps drawn in black and white, block by block on several threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np

from vaeline.data.bad_images import bad_image
from vaeline.data.decoding import decode, fit
from vaeline.data.on_demand import Images
from vaeline.data.raw_images import EncodedImages, RawImages
from vaeline.study import schema
from vaeline.system.background import in_order
from vaeline.system.progress import Bar

BLOCK = 64  # images that a thread prepares at once
PILE = 2**19  # bytes of decoded images that are resized at once (at least one image); so many fit in a core's cache


@contextmanager
def workers(threads: int, resizing: bool) -> Iterator[Executor | None]:
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


def prepared_blocks(
    pool: Executor | None, prepare: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, bar: Bar, ahead: int
) -> Iterator[np.ndarray]:
    """Prepare images on all threads and yield them in order, in blocks of (<= BLOCK, channel, size, size)."""
    blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    prepared = in_order((pool.submit(prepare, block) for block in blocks), ahead) if pool else map(prepare, blocks)
    for block in prepared:
        yield block
        bar.advance(len(block))


def prepare(raw: RawImages, dataset: schema.Dataset, rows: np.ndarray) -> np.ndarray:
    """The images of some rows, as they are stored."""
    if dataset.size is None and not isinstance(raw.images, EncodedImages):
        return raw.images[rows]
    assert raw.levels is not None
    images = bring_to_size(raw.images, rows, dataset)
    if dataset.pixels != "static_binary":
        return images
    return draw_black_and_white(images, rows, dataset.split.seed, raw.levels - 1)


def draw_black_and_white(images: np.ndarray, rows: np.ndarray, seed: int, white: int) -> np.ndarray:
    """Draw each pixel white with its grey as the probability (Salakhutdinov and Murray, 2008).

    The seed of an image depends on its row alone, so that blocks of any size give the same images.
    """
    thresholds = [np.random.default_rng([seed, row]).random(images.shape[1:]) for row in rows]
    return np.where(np.stack(thresholds) < images / white, white, 0).astype(np.uint8)


def bring_to_size(images: Images | EncodedImages, rows: np.ndarray, dataset: schema.Dataset) -> np.ndarray:
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


def _decode(images: EncodedImages, row: int, into: np.ndarray | None = None) -> np.ndarray:
    name = images.names[row]
    try:
        return decode(images.archive.read(name), images.channels, into)
    except ValueError as error:
        raise bad_image(images.archive, name, error) from error
