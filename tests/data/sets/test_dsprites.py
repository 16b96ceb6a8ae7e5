"""dSprites drawn anew: the factors are seen in the images, none of which is kept."""

from pathlib import Path

import numpy as np
import pytest

from vaeline.data.raw_images import RawImages
from vaeline.data.sets import dsprites
from vaeline.data.splits import deal
from vaeline.data.sprites import Sprites
from vaeline.study.schema import Dataset

WANTED = Dataset(id="dsprites", name="dsprites", size=64, pixels="static_binary", range=(0, 1))

DIGEST = "c0fcdf0f8ea16810a1295060525d95a97948fde00e2d535054f3e453b96baada"  # of sprites and places


@pytest.fixture(scope="module")
def raw() -> RawImages:
    return dsprites.read(WANTED, Path("unused"))


@pytest.fixture(scope="module")
def images(raw: RawImages) -> Sprites:
    assert isinstance(raw.images, Sprites)
    return raw.images


def test_every_combination_of_factors_occurs_once(raw: RawImages, images: Sprites) -> None:
    assert images.shape == (737_280, 1, 64, 64) and raw.levels == 2
    assert [len(values) for values in raw.labels.values] == [3, 6, 40, 32, 32] and raw.labels.factorial
    assert [values[-1] for values in raw.labels.values] == ["heart", "1.0", "360.0 degrees", "1.00", "1.00"]


def test_images_differ_but_for_a_whole_turn(images: Sprites) -> None:
    """Sprites differ if they are moved too, except those of 0 and 360 degrees, so that images at all places do."""
    first, last = images.sprites.reshape(18, 40, -1)[:, [0, 39]].transpose(1, 0, 2)
    assert (first == last).all()
    trimmed = [sprite[np.ix_(sprite.any(1), sprite.any(0))] for sprite in images.sprites[:, 0]]
    assert len({(sprite.shape, sprite.tobytes()) for sprite in trimmed}) == 18 * 39
    assert np.bincount(np.ravel_multi_index(tuple(images.places.T), (720, 32, 32))).max() == 1


def test_no_image_is_in_two_splits(raw: RawImages, images: Sprites) -> None:
    """Of the images at one place, dealt as all are; those at two places differ."""
    assert raw.copies is not None
    of_sprites = raw.copies.reshape(720, 1024)
    assert (of_sprites[39::40] == of_sprites[::40]).all() and np.count_nonzero(np.bincount(raw.copies)) == 702 * 1024
    rows = np.arange(500, len(images), 1024)
    dealt = deal(len(rows), WANTED.split, copies=raw.copies[rows])
    shown = [{image.tobytes() for image in images[rows[some]]} for some in dealt.values()]
    assert sum(map(len, shown)) == len(set.union(*shown)) == 702


def test_pixels_are_the_same_on_every_machine(raw: RawImages, images: Sprites, monkeypatch: pytest.MonkeyPatch) -> None:
    """No middle of a pixel is so near an edge that rounding, some 1e-13, decides its side."""
    assert raw.files["drawn"]["sha256"] == DIGEST
    for nearer in (1 - 1e-9, 1 + 1e-9):
        monkeypatch.setattr(dsprites, "UNIT", 13.5 * nearer)
        assert (dsprites.draw_sprites() == images.sprites).all()


def test_factors_are_seen_in_the_images(raw: RawImages, images: Sprites) -> None:
    rows = np.random.default_rng(0).choice(len(images), 2000, replace=False)
    mass, codes = images.take(rows)[:, 0].astype(float), raw.labels.codes[rows]
    area, at = mass.sum((1, 2)), np.arange(64)
    column, row = (mass.sum(1) * at).sum(1) / area, (mass.sum(2) * at).sum(1) / area
    assert np.abs(column - (16 + codes[:, 3])).max() < 0.7 and np.abs(row - (16 + codes[:, 4])).max() < 0.7
    scaled = area / np.take(dsprites.SCALES, codes[:, 1]) ** 2
    assert np.abs(scaled / 280 - 1).max() < 0.1
    assert not mass[:, [0, -1]].any() and not mass[:, :, [0, -1]].any()


def test_an_ellipse_is_longest_along_its_rotation(images: Sprites) -> None:
    y, x = np.divmod(np.arange(33 * 33), 33) - np.array([[16], [16]])
    angles = np.arange(0, 180, 2)
    along = np.outer(np.cos(np.radians(angles)), x) + np.outer(np.sin(np.radians(angles)), y)
    found = angles[(largest(images, 1) @ along.T**2).argmax(1)]
    assert np.abs((found - dsprites.ROTATIONS + 90) % 180 - 90).max() < 8


def test_a_heart_is_the_first_one_turned(images: Sprites) -> None:
    """Of all rotations of the first heart, whose tip is downwards, the most like each heart is the one that its label names."""
    hearts = largest(images, 2)
    y, x = np.divmod(np.arange(33 * 33), 33) - np.array([[16], [16]])
    turned = []
    for angle in np.radians(dsprites.ROTATIONS[:39]):
        u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        turned.append(hearts[0].reshape(33, 33)[np.rint(v + 16).astype(int) % 33, np.rint(u + 16).astype(int) % 33])
    shared = hearts[:39] @ np.array(turned).T
    assert np.abs((shared.argmax(1) - np.arange(39) + 19) % 39 - 19).max() <= 1
    lowest = np.argwhere(hearts[0].reshape(33, 33))[-1]
    assert abs(lowest[1] - 16) <= 1


def largest(images: Sprites, shape: int) -> np.ndarray:
    """The sprites of a shape at scale 1, (rotations, pixels)."""
    return images.sprites.reshape(3, 6, 40, -1)[shape, 5].astype(float)


def test_a_square_looks_alike_after_a_quarter_turn(images: Sprites) -> None:
    """The rotations are 360/39 degrees apart, so that a quarter turn lies between two of them: no two squares are equal."""
    first, *others = largest(images, 0)[[0, 5, 10]]
    eighth, quarter = (np.abs(first - other).sum() for other in others)
    assert 0 < quarter < eighth / 2


def test_sprites_and_places_are_all_that_is_held(raw: RawImages, images: Sprites) -> None:
    assert images.sprites.nbytes + images.places.nbytes < 6e6 < 3e9 < images.nbytes


def test_factors_without_the_shape_are_factors_too(raw: RawImages) -> None:
    """As in the gap of Chen et al. (2018a), which leaves the shape out."""
    assert raw.labels.choose(["scale", "rotation", "column", "row"]).factorial
