"""samples.h5 is refused if it is of another model, of other images, or damaged."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.runs import samples_file
from vaeline.runs.samples_file import DrawnFrom
from vaeline.system.errors import UserError
from vaeline.system.hdf5_files import created
from vaeline.system.sealed_files import seal

FACTS = Facts(
    "tiny", (1, 2, 2), 17, (-1.0, 1.0), ["digit"], [["0", "1"]], counts={"test": 6}, checksums={"test": "ab12"}
)


Change = Callable[[h5py.File], Any]
OF = DrawnFrom(
    variant="cvae",
    seed=1,
    weights_sha256=sha256(b"weights").hexdigest(),
    data=FACTS.checksums,
    settings={"sampling": {"noise": "mean", "seed": 3}},
    pictures={"samples.png": sha256(b"PNG").hexdigest()},
)


def write(path: Path, before: Change = lambda _: None, after: Change = lambda _: None) -> None:
    """Write four images, with changes before and after the file says what it is of."""
    with created(path) as file:
        for name in ("reconstructions", "samples", "low_posterior"):
            file[name] = np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2)
        file["labels"], file["test_index"] = np.array([[0], [1], [0], [1]]), np.array([0, 2, 3, 5])
        file["codes"] = np.zeros((4, 2), np.float32)
        file["posterior"], file["posterior_log_p"] = np.zeros((5, 2), np.float32), np.zeros(5, np.float32)
        file["low_posterior_codes"], file["low_posterior_labels"] = np.ones((6, 2), np.float32), np.zeros((6, 1), int)
        before(file)
        samples_file.finish(file, OF)
        after(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that drew four images."""
    write(tmp_path / "samples.h5")
    return tmp_path


def replaced(name: str, values: Any) -> Change:
    def replace(file: h5py.File) -> None:
        file.pop(name, None)
        if values is not None:
            file[name] = values

    return replace


def test_samples_read_back_equal(folder: Path) -> None:
    found = samples_file.read(folder / "samples.h5")
    found.require(FACTS)
    assert found.seed == 3
    np.testing.assert_array_equal(found.test_index, [0, 2, 3, 5])
    assert found.low_posterior is None and found.low_posterior_of is not None
    assert found.low_posterior_of.codes.shape == (6, 2) and found.low_posterior_of.labels.shape == (6, 1)
    assert set(samples_file.arrays(folder / "samples.h5", ["codes", "traversals"])) == {"codes"}


def test_images_beyond_the_budget_stay_on_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = samples_file.read(folder / "samples.h5")
    monkeypatch.setenv("VAELINE_MEMORY", "0.000000001")
    there = samples_file.read(folder / "samples.h5")
    there.require(FACTS)
    assert isinstance(there.samples, OnDisk) and isinstance(held.samples, np.ndarray)
    np.testing.assert_array_equal(np.asarray(there.samples), held.samples)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda file: file.attrs.pop("about"), "does not say what it is of, as files of older versions"),
        (lambda file: file.attrs.update(about="[]"), "it has no checksum"),
        (lambda file: file.attrs.update(about=file.attrs["about"].replace("cvae", "flow")), "its checksum differs"),
        (lambda file: file.attrs.update(about=json.dumps(seal({"variant": "cvae"}))), "or is damaged"),
        (lambda file: file.attrs.update(about=np.arange(3)), "or is damaged"),
        (lambda file: (file.pop("samples"), file.create_group("samples")), "or is damaged"),
        (replaced("codes", None), "it contains other datasets than were drawn"),
        (replaced("traversals", np.zeros((2, 9, 1, 2, 2), np.uint8)), "it contains other datasets than were drawn"),
        (replaced("codes", np.zeros((4, 2), np.float64)), "its codes do not match their checksum"),
        (replaced("codes", np.zeros((2, 4), np.float32)), "its codes do not match their checksum"),
    ],
)
def test_a_file_that_was_changed_is_refused(folder: Path, damage: Callable[[h5py.File], Any], sentence: str) -> None:
    write(folder / "samples.h5", after=damage)
    with pytest.raises(UserError, match=f"{sentence}.*give the folder of a run"):
        samples_file.read(folder / "samples.h5")


def test_flipped_bytes_are_noticed_everywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_file, "BLOCK_BYTES", 2**12)  # a dataset has many blocks
    path = folder / "samples.h5"
    large = np.zeros((4, 1, 2**7, 2**8), np.uint8)
    write(path, lambda file: [replaced(name, large)(file) for name in ("reconstructions", "samples")])
    assert samples_file.verify(path) == samples_file.about(path)
    content = path.read_bytes()
    with h5py.File(path) as file:
        start = file["samples"].id.get_offset()
    for place in [*range(start, start + large.nbytes, 2999), start + large.nbytes - 1]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(UserError, match="its samples do not match their checksum"):
            samples_file.verify(path)
    for place in range(0, len(content), 1499):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(UserError, match="is not a file of samples, or is damaged"):
            samples_file.verify(path)


def test_verifying_takes_the_memory_of_a_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_file, "BLOCK_BYTES", 2**12)
    with h5py.File(folder / "large.h5", "w") as file:
        for name in ("reconstructions", "samples"):
            file[name] = np.zeros((4, 1, 2**9, 2**11), np.uint8)
        tracemalloc.start()
        for name in ("reconstructions", "samples"):
            samples_file._checksum(file[name])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2**21  # one row has 2**20 bytes


def test_a_locked_file_is_not_called_damaged(folder: Path) -> None:
    with h5py.File(folder / "samples.h5", "r+"):
        code = f"from vaeline.runs.samples_file import about; from pathlib import Path; about(Path({str(folder / 'samples.h5')!r}))"
        ended = subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False, capture_output=True, text=True
        )
    assert (
        "samples.h5 is open for writing in another program" in ended.stderr
        and "damaged" not in ended.stderr.splitlines()[-1]
    )


@pytest.mark.parametrize("damage", [b"PNG!", b""])
def test_a_picture_of_another_run_is_refused(folder: Path, damage: bytes) -> None:
    of = samples_file.about(folder / "samples.h5")
    (folder / "samples.png").write_bytes(b"PNG")
    samples_file.require_pictures(folder, of, ["samples.png"])
    with pytest.raises(UserError, match=r"There is no .*reconstructions.png"):
        samples_file.require_pictures(folder, of, ["reconstructions.png"])
    (folder / "samples.png").write_bytes(damage)
    with pytest.raises(UserError, match=r"samples.png is damaged .*not the picture that samples.h5 was written with"):
        samples_file.require_pictures(folder, of, ["samples.png"])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (replaced("samples", None), "contains no samples"),
        (replaced("samples", np.zeros((0, 1, 2, 2), np.uint8)), "its samples are 0x1x2x2"),
        (replaced("reconstructions", np.zeros((2, 1, 2, 2), np.uint8)), "2 reconstructions and 4 samples"),
        (replaced("labels", np.zeros((4, 1))), "its labels are 4x1 of type float64"),
        (replaced("test_index", np.zeros((4, 1), int)), "its test_index are 4x1"),
        (replaced("codes", np.full((4, 2), np.nan, np.float32)), "codes contains numbers that are not finite"),
        (replaced("posterior_log_p", np.zeros(4, np.float32)), "5 posterior and 4 posterior_log_p"),
        (lambda file: file.create_dataset("sketches", data=np.zeros(3)), "its sketches are 3 of type float64"),
    ],
)
def test_another_layout_is_refused(folder: Path, damage: Callable[[h5py.File], Any], sentence: str) -> None:
    write(folder / "samples.h5", before=damage)
    with pytest.raises(UserError, match=sentence):
        samples_file.read(folder / "samples.h5")
        samples_file.arrays(folder / "samples.h5", ["codes"])


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("labels", np.array([[0], [1], [0], [2]]), "labels that do not exist"),
        ("labels", np.array([[0], [1], [0], [-1]]), "labels that do not exist"),
        ("test_index", np.array([0, 1, 2, 6]), "test_index is out of range"),
        ("test_index", np.array([0, 1, 1, 2]), "test_index repeats a row"),
        ("test_index", np.array([0, 1, -1, 2]), "test_index is out of range"),
    ],
)
def test_labels_and_rows_outside_the_test_split_are_refused(
    folder: Path, name: str, values: np.ndarray, sentence: str
) -> None:
    write(folder / "samples.h5", before=replaced(name, values))
    with pytest.raises(UserError, match=sentence):
        samples_file.read(folder / "samples.h5").require(FACTS)
