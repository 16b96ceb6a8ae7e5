"""The store: round trip, same bytes, damage."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.data.store import Split, Stream
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny",
    (3, 4, 5),
    256,
    (-1.0, 1.0),
    ["size", "colour"],
    [["no", "yes"], ["blue", "red", "ünïcode"]],
    preprocessing={"size": 4},
)


def split(count: int, seed: int) -> Split:
    generator = np.random.default_rng(seed)
    return Split(
        generator.integers(0, 256, (count, 3, 4, 5), dtype=np.uint8),
        generator.integers(0, [2, 3], (count, 2)),
        [f"{seed}/imäge-{row}.png" for row in range(count)],
    )


SPLITS = {"train": split(12, 0), "validation": split(3, 1), "test": split(4, 2)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store.write(tmp_path / "data" / "tiny.h5", FACTS, SPLITS)
    return tmp_path / "data" / "tiny.h5"


def test_a_store_reads_back_as_written(path: Path) -> None:
    for name, written in SPLITS.items():
        read = store.read_split(path, name)
        assert read.images.dtype == np.uint8 and (read.images == written.images).all()
        assert read.labels.dtype == np.int64 and (read.labels == written.labels).all()
        assert read.ids == written.ids


def test_facts_are_read_with_counts_and_checksums(path: Path) -> None:
    facts = store.read_facts(path)
    assert dataclasses.replace(facts, counts={}, checksums={}) == FACTS
    assert facts.counts == {"train": 12, "validation": 3, "test": 4}
    assert len(set(facts.checksums.values())) == 3
    assert facts.label_cardinalities == [2, 3] and not facts.classes
    assert facts == Facts.from_dict(json.loads(json.dumps(dataclasses.asdict(facts))))


def test_a_single_column_is_a_class() -> None:
    assert dataclasses.replace(FACTS, label_names=["digit"], label_values=[["0", "1"]]).classes


def test_writing_in_blocks_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    time.sleep(1.1)  # HDF5 would write whole seconds
    streams = {
        name: Stream((part for part in np.array_split(each.images, 3)), each.labels, each.ids)
        for name, each in SPLITS.items()
    }
    store.write(tmp_path / "again.h5", FACTS, streams)
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_images_are_one_uncompressed_block(path: Path) -> None:
    with h5py.File(path) as file:
        images = file["train/images"]
        assert images.chunks is None and images.compression is None
        start = images.id.get_offset()
    content = path.read_bytes()[start : start + SPLITS["train"].images.nbytes]
    assert content == SPLITS["train"].images.tobytes()


def test_a_label_may_have_thousands_of_values(tmp_path: Path) -> None:
    facts = dataclasses.replace(
        FACTS, label_names=["class"], label_values=[[f"a class with a long name {i}" for i in range(5000)]]
    )
    store.write(tmp_path / "many.h5", facts, SPLITS)
    assert store.read_facts(tmp_path / "many.h5").label_cardinalities == [5000]


@pytest.mark.parametrize("rows", [11, 13])
def test_a_stream_of_the_wrong_length_leaves_no_file(tmp_path: Path, rows: int) -> None:
    stream = Stream([split(rows, 0).images], SPLITS["train"].labels, SPLITS["train"].ids)
    with pytest.raises((ValueError, TypeError)):
        store.write(tmp_path / "tiny.h5", FACTS, {"train": stream})
    assert not list(tmp_path.iterdir())


def test_a_missing_store_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"There is no .*tiny.h5; make it again with `python -m pipeline_steps.preprocess`"
    ):
        store.read_facts(tmp_path / "tiny.h5")


@pytest.mark.parametrize("kept", [0, 100, 1000, -1])
def test_a_truncated_file_is_named(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    for read in (store.read_facts, lambda path: store.read_split(path, "test")):
        with pytest.raises(UserError, match=f"{path} is not a store of vaeline, or is damaged"):
            read(path)


def test_the_checksum_finds_a_flipped_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.find(SPLITS["validation"].images.tobytes()) + 7] ^= 1
    path.write_bytes(content)
    store.read_split(path, "train")
    with pytest.raises(UserError, match="the validation split does not match its checksum"):
        store.read_split(path, "validation")


@pytest.mark.parametrize("change", [{"range": (0.0, 1.0)}, {"checksums": {}}, {"label_names": ["other"]}])
def test_a_run_of_different_images_is_refused(path: Path, change: dict[str, Any]) -> None:
    facts = store.read_facts(path)
    store.require_images(path, dataclasses.replace(facts, preprocessing={"manifest": "moved"}))
    with pytest.raises(UserError, match="holds other images than those that this run was trained on"):
        store.require_images(path, dataclasses.replace(facts, **change))


def test_another_hdf5_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(UserError, match="is not a store of vaeline"):
        store.read_facts(tmp_path / "other.h5")


def test_a_split_stays_on_disk_beyond_the_bytes_allowed(path: Path) -> None:
    held, there = (store.read_split(path, "train", most) for most in (12 * 60, 12 * 60 - 1))
    assert isinstance(held, store.Split) and isinstance(there, store.SplitOnDisk)
    rows = np.array([11, 0, 5, 5])
    assert there.images.shape == held.images.shape
    assert (there.images.take(rows) == held.images.take(rows, axis=0)).all()
    assert there.ids == held.ids and (there.labels == held.labels).all()


def test_a_split_read_from_disk_is_verified(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        content[file["train/images"].id.get_offset()] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="does not match its checksum"):
        store.read_split(path, "train", 0)
