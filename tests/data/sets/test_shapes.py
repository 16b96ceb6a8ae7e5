"""The shapes: one image for each combination of factors, all different."""

from pathlib import Path

import numpy as np

from vaeline.data.raw_images import RawImages
from vaeline.data.sets import shapes
from vaeline.study.schema import Dataset


def drawn() -> tuple[RawImages, np.ndarray]:
    raw = shapes.read(Dataset(id="shapes", name="shapes", size=32), Path("unused"))
    assert isinstance(raw.images, np.ndarray)
    return raw, raw.images


def test_every_combination_of_factors_occurs_once() -> None:
    raw, images = drawn()
    assert images.shape == (6144, 1, 32, 32) and images.dtype == np.uint8
    assert [len(values) for values in raw.labels.values] == [3, 4, 8, 8, 8]
    assert len(np.unique(raw.labels.codes, axis=0)) == 6144 and raw.labels.factorial


def test_no_two_images_are_alike() -> None:
    _, images = drawn()
    assert len(np.unique(images.reshape(6144, -1), axis=0)) == 6144


def test_images_are_the_same_each_time() -> None:
    (one, images), (other, again) = drawn(), drawn()
    assert (images == again).all() and one.files == other.files


def test_no_shape_touches_the_edge() -> None:
    _, images = drawn()
    assert not images[:, :, [0, -1]].any() and not images[:, :, :, [0, -1]].any()


def test_factor_names_describe_the_images() -> None:
    raw, images = drawn()
    factors, mass = raw.labels.codes, images[:, 0].astype(float)
    at = np.arange(32)
    column = (mass.sum(1) * at).sum(1) / mass.sum((1, 2))
    row = (mass.sum(2) * at).sum(1) / mass.sum((1, 2))
    for place in range(8):
        assert abs(column[factors[:, 3] == place].mean() - (9 + 2 * place)) < 0.5
        assert abs(row[factors[:, 4] == place].mean() - (9 + 2 * place)) < 0.5
    for shape in range(3):
        area = [mass[(factors[:, 0] == shape) & (factors[:, 1] == scale)].sum((1, 2)).mean() for scale in range(4)]
        np.testing.assert_allclose(area / np.square(shapes.SCALES), area[0] / 16, rtol=0.03)


def test_a_quarter_turn_rotates_the_image_by_ninety_degrees() -> None:
    raw, images = drawn()
    middle = (raw.labels.codes[:, 3:] == 3).all(1)  # both at pixel 15, a pixel off the middle of the image
    for shape in range(3):
        chosen = middle & (raw.labels.codes[:, 0] == shape) & (raw.labels.codes[:, 1] == 3)
        straight, quarter = images[chosen][[0, 2], 0]
        turned = np.rot90(straight[:31, :31], -1)  # about pixel 15
        assert (np.abs(turned.astype(int) - quarter[:31, :31]) <= 1).all()
