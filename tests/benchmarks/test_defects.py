"""Each defect does what it says, more of it at a larger dose."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.defects import DEFECTS, Defect, Images, Setting

LEVELS = 256
ONE = {defect.name: defect for defect in DEFECTS}


def images_of(count: int, seed: int, channels: int = 1) -> Images:
    """Smooth images of four classes."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(60, 200, (count, channels, 4, 4), dtype=np.uint8)
    labels = np.arange(count) % 4
    return Images(np.kron(coarse, np.ones((4, 4), np.uint8)), labels[:, None], labels)


DRAWN, TRAIN = images_of(80, 0), images_of(200, 1)
SETTING = Setting(TRAIN, LEVELS, (4,), 7)


def made(name: str, dose: float, drawn: Images = DRAWN) -> Images:
    return ONE[name].apply(drawn, dose, SETTING)


def changed(found: Images) -> np.ndarray:
    """How much each sample was changed: pixels, and whether it is asked for another label."""
    pixels = np.abs(found.pixels.astype(float) - DRAWN.pixels).mean((1, 2, 3))
    return pixels + 100 * (found.labels != DRAWN.labels)[:, 0]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_no_dose_changes_nothing_and_doses_rise(defect: Defect) -> None:
    assert not changed(defect.apply(DRAWN, 0.0, SETTING)).any()
    assert list(defect.doses) == sorted(set(defect.doses)) and 0 < defect.doses[0] <= defect.doses[-1] <= 1


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_larger_dose_changes_more(defect: Defect) -> None:
    by_dose = [changed(defect.apply(DRAWN, dose, SETTING)) for dose in defect.doses]
    totals = [each.sum() for each in by_dose]
    assert totals == pytest.approx(sorted(totals), rel=0.02) and totals[-1] > 2 * totals[0]
    for smaller, larger in pairwise(by_dose):
        assert ((larger > 0) | (smaller == 0)).mean() > 0.97  # the same samples, and more


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_keeps_the_form_of_images_and_its_input(defect: Defect) -> None:
    colour = images_of(12, 3, channels=3)
    before = colour.pixels.copy()
    found = defect.apply(colour, defect.doses[-1], Setting(images_of(40, 4, channels=3), LEVELS, (4,), 0))
    assert (found.pixels.shape, found.pixels.dtype) == (before.shape, np.uint8)
    assert np.array_equal(colour.pixels, before) and not np.array_equal(found.labels, []) and found.labels.max() < 4


def test_noise_and_shift_are_in_ranges() -> None:
    noise = made("noise", 0.1).pixels.astype(float) - DRAWN.pixels
    assert noise.std() == pytest.approx(25.5, rel=0.03) and abs(noise.mean()) < 1
    assert np.array_equal(made("colours or brightness", 0.2).pixels, DRAWN.pixels + 51)
    colour = images_of(4, 5, channels=3)
    shifted = made("colours or brightness", 0.2, colour).pixels.astype(int) - colour.pixels
    assert [set(shifted[:, channel].ravel()) for channel in range(3)] == [{51}, {0}, {-51}]


def test_blur_has_its_deviation_and_keeps_brightness() -> None:
    point = np.zeros((1, 1, 33, 33), np.uint8)
    point[0, 0, 16, 16] = 255
    wide = np.kron(point, np.ones((3, 3), np.uint8))[:, :, :, :99]
    drawn = Images(np.where(wide, 255, 0).astype(np.uint8), DRAWN.labels[:1], DRAWN.modes[:1])
    found = made("blur", 3 / 99, drawn).pixels[0, 0].astype(float)
    places = np.arange(99) - 49
    assert found.sum() == pytest.approx(9 * 255, rel=0.1)
    assert (found.sum(0) @ places**2) / found.sum() == pytest.approx(3**2 + 2 / 3, rel=0.15)


def test_all_contrast_lost_leaves_the_middle() -> None:
    assert set(made("contrast", 1.0).pixels.ravel()) == {128}
    half = made("contrast", 0.5).pixels.astype(float)
    assert half.std() == pytest.approx(DRAWN.pixels.std() / 2, rel=0.02)


def test_half_a_crop_enlarges_the_inner_half() -> None:
    inside = np.pad(np.full((1, 1, 8, 8), 200, np.uint8), ((0, 0), (0, 0), (4, 4), (4, 4)))
    found = made("crop", 0.5, Images(inside, DRAWN.labels[:1], DRAWN.modes[:1])).pixels
    assert (found[0, 0, 1:-1, 1:-1] == 200).all()


def test_dropped_classes_are_shown_as_others() -> None:
    found = made("fewer classes", 0.5)
    assert np.array_equal(found.labels, DRAWN.labels) and len(set(found.modes)) == 2
    assert {image.tobytes() for image in found.pixels} < {image.tobytes() for image in DRAWN.pixels}
    assert len(set(made("fewer classes", 0.9).modes)) == 1


def test_all_repeats_leave_one_image_of_each_class() -> None:
    found = made("repeats", 1.0)
    assert len({image.tobytes() for image in found.pixels}) == 4
    assert np.array_equal(found.labels[:, 0], DRAWN.modes)
    assert len({image.tobytes() for image in made("repeats", 0.5).pixels}) == 40


def test_memorised_samples_are_training_images_of_their_class() -> None:
    train = {image.tobytes(): label for image, label in zip(TRAIN.pixels, TRAIN.modes, strict=True)}
    for dose, copies in ((0.25, 20), (1.0, 80)):
        found = made("training images", dose)
        shown = [train.get(image.tobytes()) for image in found.pixels]
        assert sum(each is not None for each in shown) == copies
        assert all(each in (None, label) for each, label in zip(shown, found.labels[:, 0], strict=True))
    assert np.array_equal(found.labels, DRAWN.labels)


def test_swapped_labels_are_wrong_and_images_stay() -> None:
    for dose, wrong in ((0.25, 20), (1.0, 80)):
        found = made("swapped labels", dose)
        assert np.array_equal(found.pixels, DRAWN.pixels) and (found.labels != DRAWN.labels).sum() == wrong
