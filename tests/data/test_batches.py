"""Levels to the range of the networks and back; seeded batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vaeline.data.augmentation import _rotate
from vaeline.data.batches import Batches
from vaeline.data.dequantization import to_pixels, to_range
from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.data.store import Split, read_split, write


def facts(levels: int = 17, low: float = -1.0, high: float = 1.0) -> Facts:
    return Facts(
        "tiny",
        (1, 8, 8),
        levels,
        (low, high),
        ["digit"],
        [["0", "1"]],
        counts={"train": 10, "validation": 3, "test": 4},
    )


def split(count: int = 10) -> Split:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 17, (count, 1, 8, 8), dtype=np.uint8)
    return Split(images, np.arange(count)[:, None] % 2, [str(index) for index in range(count)])


@pytest.mark.parametrize(("levels", "low", "high"), [(17, -1.0, 1.0), (256, 0.0, 1.0), (2, 0.0, 1.0)])
def test_every_level_survives_dequantization(levels: int, low: float, high: float) -> None:
    pixels = torch.arange(levels, dtype=torch.uint8).repeat(50)[None, None, None]
    x = to_range(pixels, facts(levels, low, high))
    assert low <= x.min() and x.max() <= high
    assert torch.equal(to_pixels(x, facts(levels, low, high)), pixels)


@pytest.mark.parametrize("pixels", ["greys", "static_binary"])
def test_grey_levels_map_to_the_range_without_noise(pixels: str) -> None:
    levels = torch.arange(17, dtype=torch.uint8)[None, None, None]
    of = replace(facts(), pixels=pixels)
    torch.testing.assert_close(to_range(levels, of), torch.linspace(-1, 1, 17)[None, None, None])
    assert torch.equal(to_pixels(to_range(levels, of), of), levels)


def test_dynamic_black_and_white_is_drawn_again_for_each_batch() -> None:
    of = replace(facts(low=0.0), pixels="dynamic_binary")
    x = to_range(torch.full((1, 1, 200, 200), 4, dtype=torch.uint8), of)
    assert set(x.unique().tolist()) == {0.0, 1.0} and float(x.mean()) == pytest.approx(4 / 16, abs=0.01)
    batches = Batches(split(), of, 4)
    first, again, other = (torch.cat([x for x, _ in batches.ordered(seed)]) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    black, white = torch.zeros(1, 1, 50, 50, dtype=torch.uint8), torch.full((1, 1, 50, 50), 16, dtype=torch.uint8)
    assert to_range(black, of).max() == 0 and to_range(white, of).min() == 1


def test_points_are_passed_through_unchanged() -> None:
    of = replace(facts(levels=0), image_shape=(2,), pixels="points")
    points = np.random.default_rng(0).standard_normal((10, 2)).astype(np.float32)
    batches = Batches(Split(points, np.zeros((10, 1), np.int64), [""] * 10), of, 4)
    x = torch.cat([x for x, _ in batches.ordered(0)])
    assert np.array_equal(x.numpy(), points) and torch.equal(to_pixels(x, of), x)


def test_means_outside_the_range_are_clipped() -> None:
    assert to_pixels(torch.tensor([-5.0, 5.0]), facts()).tolist() == [0, 16]


def test_noise_fills_a_level_evenly() -> None:
    x = to_range(torch.zeros(1, 1, 100, 100), facts(levels=2, low=0.0, high=1.0))
    assert float(x.mean()) == pytest.approx(0.25, abs=0.005)
    assert float(x.std()) == pytest.approx(0.5 / 12**0.5, abs=0.005)


def test_an_epoch_holds_every_image_once_in_a_seeded_order() -> None:
    batches = Batches(split(), facts(), batch_size=4)
    seen = [[to_pixels(x, facts()) for x, _ in batches.shuffled(seed)] for seed in (1, 1, 2)]
    first, again, other = (torch.cat(each) for each in seen)
    assert [len(each) for each in seen[0]] == [4, 4, 2] and len(batches) == 3
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert sorted(map(bytes, first.numpy())) == sorted(map(bytes, split().images))


@pytest.mark.parametrize(
    ("images", "dealt"), [(1, [1]), (2, [2]), (4, [4]), (5, [5]), (6, [4, 2]), (8, [4, 4]), (9, [4, 5])]
)
def test_no_batch_holds_a_single_image(images: int, dealt: list[int]) -> None:
    batches = Batches(split(images), facts(), 4)
    assert [len(x) for x, _ in batches.shuffled(0)] == dealt and len(batches) == len(dealt)


def test_labels_stay_with_their_images() -> None:
    whole = split()
    for x, labels in Batches(whole, facts(), 3).shuffled(0):
        for image, label in zip(to_pixels(x, facts()).numpy(), labels, strict=True):
            [row] = [index for index, each in enumerate(whole.images) if np.array_equal(each, image)]
            assert whole.labels[row] == label.numpy()


def test_about_half_of_the_images_are_mirrored() -> None:
    images = np.zeros((400, 1, 8, 8), np.uint8)
    images[..., 0] = 16
    batches = Batches(Split(images, np.zeros((400, 1), np.int64), [""] * 400), facts(), 400)
    [(x, _)] = batches.shuffled(0, flip=True)
    left = to_pixels(x, facts())[:, 0, 0, 0] == 16
    assert 150 < int(left.sum()) < 250
    assert torch.equal(~left, to_pixels(x, facts())[:, 0, 0, 7] == 16)


def test_a_rotation_stays_within_its_angle_and_keeps_the_centre() -> None:
    ramp = torch.linspace(-1, 1, 65)[None, None, None].expand(200, 1, 65, 65).contiguous()
    turned = _rotate(ramp, 10.0, torch.Generator().manual_seed(0))
    # On a ramp along x, a turn by an angle a makes a slope of sin(a) along y.
    slope = (turned[:, 0, 40, 32] - turned[:, 0, 24, 32]) / (16 * 2 / 64)
    angles = slope.arcsin() * 180 / torch.pi
    assert angles.abs().max() < 10.1 and angles.abs().max() > 9 and angles.std() > 5
    torch.testing.assert_close(turned[:, 0, 32, 32], torch.zeros(200), atol=1e-5, rtol=0)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.h5"
    write(path, facts(), {name: split(count) for name, count in (("train", 100), ("validation", 5), ("test", 5))})
    return path


def test_batches_from_disk_equal_those_from_memory(store: Path) -> None:
    held, streamed = (Batches(read_split(store, "train", most), facts(), 9) for most in (None, 0))
    assert isinstance(streamed.images, OnDisk) and not isinstance(held.images, OnDisk)
    for here, there in (
        (held.ordered(1), streamed.ordered(1)),
        (held.shuffled(2, flip=True, rotation=10), streamed.shuffled(2, flip=True, rotation=10)),
        (held.spread(30).ordered(3), streamed.spread(30).ordered(3)),
    ):
        for (x, labels), (other_x, other_labels) in zip(here, there, strict=True):
            assert torch.equal(x, other_x) and torch.equal(labels, other_labels)


def test_reading_batches_from_disk_can_stop_early(store: Path) -> None:
    batches = Batches(read_split(store, "train", 0), facts(), 9).shuffled(0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


def test_a_new_store_changes_nothing_for_its_readers(store: Path) -> None:
    batches = Batches(read_split(store, "train", 0), facts(), 9)
    before = torch.cat([x for x, _ in batches.ordered(1)])
    write(store, facts(), {name: split(5) for name in ("train", "validation", "test")})
    assert torch.equal(torch.cat([x for x, _ in batches.ordered(1)]), before)
