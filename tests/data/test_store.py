"""The store: round trip, same bytes, damage."""

import dataclasses
import errno
import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.made_up import study_content
from vaeline.data import on_disk, store
from vaeline.data.facts import Facts
from vaeline.data.store import Split, Stream
from vaeline.study.reading import check
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of_store
from vaeline.system import hdf5_files
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import seal

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
        assert read.ids == [] and store.read_ids(path, name) == written.ids


def test_labels_are_stored_in_a_byte_each(path: Path) -> None:
    with h5py.File(path) as file:
        assert {file[f"{name}/labels"].dtype.str for name in SPLITS} == {"|u1"}


def test_facts_are_read_with_counts_and_checksums(path: Path) -> None:
    facts = store.read_facts(path)
    assert dataclasses.replace(facts, counts={}, checksums={}, training_counts=[]) == FACTS
    assert facts.training_counts == [np.bincount(column).tolist() for column in SPLITS["train"].labels.T]
    assert facts.counts == {"train": 12, "validation": 3, "test": 4}
    assert len(set(facts.checksums.values())) == 3
    assert facts.label_cardinalities == [2, 3] and not facts.classes
    assert facts == Facts.from_dict(json.loads(json.dumps(dataclasses.asdict(facts))))


def test_the_checksum_of_a_split_depends_on_its_images_labels_and_ids(tmp_path: Path) -> None:
    given = SPLITS["test"]
    changed = [
        given,
        dataclasses.replace(given, images=given.images ^ 1),
        dataclasses.replace(given, labels=1 - given.labels.clip(max=1)),
        dataclasses.replace(given, ids=given.ids[::-1]),
    ]
    found = [store.write(tmp_path / "tiny.h5", FACTS, {"test": each}).checksums["test"] for each in changed]
    assert len(set(found)) == len(changed)


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
    splits = {name: dataclasses.replace(each, labels=each.labels[:, :1]) for name, each in SPLITS.items()}
    store.write(tmp_path / "many.h5", facts, splits)
    assert store.read_facts(tmp_path / "many.h5").label_cardinalities == [5000]


@pytest.mark.parametrize("rows", [11, 13])
def test_a_stream_of_the_wrong_length_leaves_no_file(tmp_path: Path, rows: int) -> None:
    stream = Stream([split(rows, 0).images], SPLITS["train"].labels, SPLITS["train"].ids)
    with pytest.raises((ValueError, TypeError)):
        store.write(tmp_path / "tiny.h5", FACTS, {"train": stream})
    assert not list(tmp_path.iterdir())


def test_a_missing_store_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no .*tiny.h5; run `python -m pipeline_steps.preprocess` again"):
        store.read_facts(tmp_path / "tiny.h5")


@pytest.mark.parametrize("kept", [0, 100, 1000, -1])
def test_a_truncated_file_is_named(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    for read in (store.read_facts, lambda path: store.read_split(path, "test")):
        with pytest.raises(UserError, match=f"{path} is not a store of vaeline, or is damaged"):
            read(path)


@pytest.fixture
def of_large(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose images are not under the checksum of the structure, as if they were many."""
    monkeypatch.setattr(hdf5_files, "LARGE", 150)
    store.write(path, FACTS, SPLITS)
    return path


def test_the_checksum_finds_a_flipped_bit(of_large: Path) -> None:
    path = of_large
    content = bytearray(path.read_bytes())
    content[content.find(SPLITS["validation"].images.tobytes()) + 7] ^= 1
    path.write_bytes(content)
    store.read_split(path, "train")
    with pytest.raises(UserError, match="the validation split does not match its checksum"):
        store.read_split(path, "validation")


def test_any_flipped_bit_is_named(of_large: Path) -> None:
    """Whatever HDF5 would do with it: one of these flips makes it loop for ever."""
    good, generator = of_large.read_bytes(), np.random.default_rng(0)
    for place in [4817, *generator.choice(len(good), 400, replace=False)]:
        content = bytearray(good)
        content[place] ^= 1 << int(generator.integers(8))
        of_large.write_bytes(content)
        with pytest.raises(UserError, match=r"damaged .*pipeline_steps\.preprocess"):
            store.verify(of_large)


def test_a_whole_store_is_verified(of_large: Path) -> None:
    assert store.verify(of_large) == store.read_facts(of_large)


def test_facts_that_were_edited_are_refused(path: Path) -> None:
    facts = dataclasses.asdict(store.read_facts(path))
    with hdf5_files.created(path) as file:
        file.attrs["facts"] = json.dumps({**seal(facts), "factors": True})
    with pytest.raises(UserError, match="its checksum differs"):
        store.read_facts(path)


@pytest.mark.parametrize(
    ("dataset", "change", "sentence"),
    [
        ("images", np.broadcast_to(np.uint8(0), (2**40, 3, 4, 5)), "where uint8 .12, 3, 4, 5. is expected"),
        ("labels", np.zeros((12, 2), np.int32), "is int32"),
        ("sums", np.zeros((2, 32), np.uint8), "where uint8 .1, 32. is expected"),
    ],
)
def test_an_announced_size_is_checked_before_it_is_read(
    tmp_path: Path, dataset: str, change: np.ndarray, sentence: str
) -> None:
    path = tmp_path / "tiny.h5"
    store.write(path, FACTS, SPLITS)
    facts = store.read_facts(path)
    with hdf5_files.created(path) as file:
        labels, sums = SPLITS["train"].labels.astype(np.uint8), np.zeros((1, 32), np.uint8)
        for name, values in {"images": SPLITS["train"].images, "labels": labels, "sums": sums}.items():
            if name != dataset:
                file[f"train/{name}"] = values
        file.create_dataset(f"train/{dataset}", change.shape, change.dtype)
        file.attrs["facts"] = json.dumps(seal(dataclasses.asdict(facts)))
    with pytest.raises(UserError, match=sentence):
        store.read_split(path, "train")


def test_a_lock_is_called_a_lock(path: Path) -> None:
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # as HDF5 does for a program that writes
        with pytest.raises(UserError, match="is open for writing in another program") as raised:
            store.read_facts(path)
    assert "damaged" not in str(raised.value)
    assert store.read_facts(path).dataset_id == "tiny"


def test_a_file_that_may_not_be_read_is_not_called_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match="tiny.h5 cannot be read .Permission denied.") as raised:
        store.read_facts(path)
    assert "damaged" not in str(raised.value)


def a_study(**dataset: Any) -> Study:
    content = study_content()
    content["dataset"] |= {"id": "tiny", "size": 4, **dataset}
    return check(content, Path("params.yaml"))


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        ({"size": 8}, "dataset.size 4, now 8"),
        ({"split": {"seed": 3}}, "dataset.split.seed 0, now 3"),
        ({"id": "other"}, "dataset.id 'tiny', now 'other'"),
    ],
)
def test_a_store_of_other_settings_is_refused(tmp_path: Path, dataset: dict[str, Any], sentence: str) -> None:
    made, wanted = a_study(), a_study(**dataset)
    facts = dataclasses.replace(FACTS, preprocessing={"settings": settings_of_store(made.dataset)})
    store.write(tmp_path / f"{wanted.dataset.id}.h5", facts, SPLITS)
    with pytest.raises(UserError, match=sentence):
        store.read_facts_of(wanted, tmp_path)


def test_a_store_does_not_depend_on_where_the_files_lay(tmp_path: Path) -> None:
    settings = {"settings": settings_of_store(a_study(source="here").dataset)}
    store.write(tmp_path / "tiny.h5", dataclasses.replace(FACTS, preprocessing=settings), SPLITS)
    assert store.read_facts_of(a_study(source="there"), tmp_path).preprocessing == settings


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
    assert isinstance(held, store.Split) and isinstance(there, store.SplitOnDemand)
    rows = np.array([11, 0, 5, 5])
    assert there.images.shape == held.images.shape
    assert (there.images.take(rows) == held.images[rows]).all()
    assert (there.labels == held.labels).all()


@pytest.fixture
def damaged(of_large: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two images under each checksum; a bit of the eighth training image is flipped, of block 3."""
    monkeypatch.setattr(on_disk, "CHECKED_BYTES", 150)
    store.write(of_large, FACTS, SPLITS)
    content = bytearray(of_large.read_bytes())
    with h5py.File(of_large) as file:
        content[file["train/images"].id.get_offset() + 7 * 60] ^= 1
    of_large.write_bytes(content)
    return of_large


def test_a_block_on_disk_is_verified_before_its_first_image_is_used(damaged: Path) -> None:
    there = store.read_split(damaged, "train", 0).images
    whole = np.array([0, 1, 2, 3, 4, 5, 8, 9, 10, 11])
    assert (there.take(whole) == SPLITS["train"].images[whole]).all()
    for rows in ([6], [7], [0, 7]):
        for _ in range(2):
            with pytest.raises(
                UserError, match="the train split does not match its checksum.*pipeline_steps.preprocess"
            ):
                there.take(np.array(rows))
    with pytest.raises(UserError, match="does not match its checksum"):
        store.verify(damaged)
    with pytest.raises(UserError, match="does not match its checksum"):
        store.read_split(damaged, "train")


def test_a_block_is_read_for_its_checksum_once(of_large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    monkeypatch.setattr(on_disk, "sha256", lambda data: checked.append(len(data)) or hashlib.sha256(data))
    there = store.read_split(of_large, "train", 0).images
    assert not checked
    for _ in range(2):
        there.take(np.arange(12))
    assert checked == [12]


def test_ids_are_verified(of_large: Path) -> None:
    content = bytearray(of_large.read_bytes())
    content[content.find("0/imäge-3".encode())] ^= 1
    of_large.write_bytes(content)
    store.read_split(of_large, "train")
    for read in (store.verify, lambda path: store.read_ids(path, "train")):
        with pytest.raises(UserError, match="the ids of the train split do not match their checksum"):
            read(of_large)


def test_a_store_that_is_replaced_while_it_is_read_is_not_mixed(
    of_large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its images are checked in the file that was opened, and are read from there later."""
    before = store.read_split(of_large, "train").images
    read = store._images

    def replaced(*arguments: Any) -> Any:
        other = of_large.with_name("other")
        other.write_bytes(bytes(of_large.stat().st_size))
        other.replace(of_large)
        return read(*arguments)

    monkeypatch.setattr(store, "_images", replaced)
    split = store.read_split(of_large, "train", most=0)
    assert (split.images.take(np.arange(len(before))) == before).all()
