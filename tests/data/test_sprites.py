"""Images of sprites are drawn when they are asked for, and their store has no images."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from vaeline.data import labels, preprocessing, raw_images, store
from vaeline.data.batches import Batches
from vaeline.data.raw_images import Loader, Manifest, RawImages
from vaeline.data.sprites import Sprites
from vaeline.study import parts
from vaeline.study.schema import Dataset
from vaeline.system import hdf5_files
from vaeline.system.errors import UserError

SIZE = (5, 6)


def sprites(count: int = 40) -> Sprites:
    """Images of four sprites of 2x3 at any place."""
    draws = np.random.default_rng(0)
    places = draws.integers(0, [4, 4, 4], (count, 3))
    places[-1] = 3  # the last sprite in the last corner
    return Sprites(draws.integers(0, 2, (4, 1, 2, 3), np.uint8), places, SIZE)


def array(images: Sprites) -> np.ndarray:
    """All images, each drawn by itself."""
    found = np.zeros(images.shape, np.uint8)
    for image, (which, row, column) in zip(found, images.places, strict=True):
        image[:, row : row + 2, column : column + 3] = images.sprites[which]
    return found


def test_rows_are_those_of_the_array() -> None:
    images = sprites()
    drawn, rows = array(images), np.array([39, 0, 5, 5])
    assert images.shape == drawn.shape and images.dtype == drawn.dtype and images.nbytes == drawn.nbytes
    assert (images.take(rows) == drawn[rows]).all() and (np.asarray(images) == drawn).all()
    some = images.select(np.array([39, 1, 7]))
    for index in (2, -1, slice(1, 3), [0, 2], np.array([True, False, True])):
        assert np.array_equal(some[index], drawn[[39, 1, 7]][index])
    with pytest.raises(IndexError):
        some[3]


def test_an_array_without_a_copy_is_refused() -> None:
    with pytest.raises(ValueError, match="without a copy"):
        sprites().__array__(copy=False)
    assert (np.array(sprites(), copy=True) == array(sprites())).all()


@pytest.mark.parametrize("place", [(4, 0, 0), (0, 4, 0), (0, 0, 4), (0, -1, 0), (2**16, 0, 0)])
def test_a_sprite_that_would_be_cut_is_refused(place: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"where the last are \[3, 3, 3\]"):
        Sprites(sprites().sprites, np.array([place]), SIZE)


def dataset(**keys: object) -> Dataset:
    return Dataset.model_validate({"id": "tiny", "name": "shapes", "size": [*SIZE], "range": (0, 1)} | keys)


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> RawImages:
    """What the data set of the tests returns."""
    images = sprites()
    of_sprites = labels.of_classes("sprite", list("abcd"), images.places[:, 0])
    found = RawImages(images, of_sprites, [str(row) for row in range(40)], {}, levels=2)
    module = type("Module", (), {"LOADER": Loader(read=lambda dataset, folder: found)})
    monkeypatch.setattr(parts, "module", lambda family, name: module)
    return found


def preprocessed(path: Path, wanted: Dataset) -> Path:
    manifest: Manifest = json.loads(json.dumps(raw_images.fetch(wanted)))
    preprocessing.preprocess(wanted, manifest, path, threads=2)
    return path


@pytest.mark.parametrize("pixels", ["greys", "static_binary"])
def test_a_store_keeps_sprites_and_places(raw: RawImages, pixels: str, tmp_path: Path) -> None:
    path = preprocessed(tmp_path / "tiny.h5", dataset(pixels=pixels))
    with h5py.File(path) as file:
        assert set(file) == {"sprites", "train", "validation", "test"} and "images" not in file["train"]
        assert file["train/places"].dtype == np.uint16
    for name in ("train", "validation", "test"):
        split, rows = store.read_split(path, name, 2**30), list(map(int, store.read_ids(path, name)))
        assert isinstance(split.images, Sprites)  # however much memory there is
        assert (split.images[:] == np.asarray(raw.images)[rows]).all() and (
            split.labels == raw.labels.codes[rows]
        ).all()
        assert (store.read_split(path, name).images == split.images[:]).all()
    assert store.verify(path).image_shape == (1, *SIZE)


def test_images_of_another_size_are_stored_as_images(raw: RawImages, tmp_path: Path) -> None:
    path = preprocessed(tmp_path / "tiny.h5", dataset(size=8))
    assert isinstance(store.read_split(path, "train", 2**30), store.Split)


def test_greys_that_become_black_and_white_are_stored(
    raw: RawImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = type("Module", (), {"LOADER": Loader(read=lambda dataset, folder: replace(raw, levels=3))})
    monkeypatch.setattr(parts, "module", lambda family, name: module)
    path = preprocessed(tmp_path / "tiny.h5", dataset(pixels="static_binary"))
    assert isinstance(store.read_split(path, "train", 2**30), store.Split)


def test_batches_of_sprites_equal_those_from_memory(raw: RawImages, tmp_path: Path) -> None:
    path = preprocessed(tmp_path / "tiny.h5", dataset(pixels="greys"))
    drawn, held = (Batches(store.read_split(path, "train", most), store.read_facts(path), 7) for most in (2**30, None))
    assert isinstance(drawn.images, Sprites) and isinstance(held.images, torch.Tensor)
    for here, there in (
        (drawn.shuffled(1), held.shuffled(1)),
        (drawn.spread(9).ordered(2), held.spread(9).ordered(2)),
    ):
        for (x, codes), (other_x, other_codes) in zip(here, there, strict=True):
            assert torch.equal(x, other_x) and torch.equal(codes, other_codes)


@pytest.mark.parametrize("changed", ["sprites", "train/places"])
def test_changed_sprites_and_places_are_noticed(
    raw: RawImages, changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the checksum of the split, where that of the file's structure leaves them out, as if they were many."""
    monkeypatch.setattr(hdf5_files, "LARGE", 20)
    path = preprocessed(tmp_path / "tiny.h5", dataset(pixels="greys"))
    with h5py.File(path) as file:
        other = file[changed][...] ^ 1 if changed == "sprites" else file[changed][...][::-1]
        content = bytearray(path.read_bytes())
        start = file[changed].id.get_offset()
        content[start : start + other.nbytes] = other.tobytes()
    path.write_bytes(content)
    with pytest.raises(UserError, match="the train split does not match its checksum"):
        store.read_split(path, "train", 0)


def test_a_store_of_sprites_is_the_same_each_time(raw: RawImages, tmp_path: Path) -> None:
    one, other = (preprocessed(tmp_path / name, dataset(pixels="greys")) for name in ("one.h5", "other.h5"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("shape", [(24,), (4, 2, 3), (2, 2, 2, 3), (1, 4, 1, 2, 3)])
def test_sprites_of_another_shape_are_refused(raw: RawImages, shape: tuple[int, ...], tmp_path: Path) -> None:
    path = preprocessed(tmp_path / "tiny.h5", dataset(pixels="greys"))
    split = store.Stream([sprites().places], raw.labels.codes, raw.ids)
    store.write(path, store.read_facts(path), {"train": split}, sprites().sprites.reshape(shape))
    with pytest.raises(UserError, match=r"/sprites is of .*, where \(sprites, 1, height, width\) is expected"):
        store.read_split(path, "train", 0)


def test_sprites_decide_the_checksums_of_splits(raw: RawImages, tmp_path: Path) -> None:
    facts = store.read_facts(preprocessed(tmp_path / "tiny.h5", dataset(pixels="greys")))
    whole = store.Stream([sprites().places], raw.labels.codes, raw.ids)
    found = {
        store.write(tmp_path / "other.h5", facts, {"train": whole}, drawn).checksums["train"]
        for drawn in (sprites().sprites, 1 - sprites().sprites)
    }
    assert len(found) == 2
