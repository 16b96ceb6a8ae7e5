"""samples.h5 is refused if it is of another model, of other images, or damaged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vaeline.data.facts import Facts
from vaeline.runs import samples_file
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny", (1, 2, 2), 17, (-1.0, 1.0), ["digit"], [["0", "1"]], counts={"test": 6}, checksums={"test": "ab12"}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that drew four images."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with h5py.File(tmp_path / "samples.h5", "w") as file:
        for name in ("reconstructions", "samples", "low_posterior"):
            file[name] = np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2)
        file["labels"], file["test_index"] = np.array([[0], [1], [0], [1]]), np.array([0, 2, 3, 5])
        file["codes"] = np.zeros((4, 2), np.float32)
        file["posterior"], file["posterior_log_p"] = np.zeros((5, 2), np.float32), np.zeros(5, np.float32)
        file.attrs.update(seed=3, **samples_file.provenance(tmp_path, FACTS))
    return tmp_path


def test_samples_read_back_equal(folder: Path) -> None:
    found = samples_file.read(folder, FACTS)
    found.require(FACTS)
    assert found.seed == 3
    np.testing.assert_array_equal(found.test_index, [0, 2, 3, 5])
    assert found.low_posterior is not None and found.low_posterior.shape == (4, 1, 2, 2)
    assert set(samples_file.arrays(folder / "samples.h5", ["codes", "traversals"])) == {"codes"}


def test_samples_of_another_model_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"trained again")
    with pytest.raises(UserError, match=r"drawn from other weights than .*pipeline_steps.sample"):
        samples_file.read(folder, FACTS)


def test_samples_of_different_test_images_are_refused(folder: Path) -> None:
    other = Facts(**{**vars(FACTS), "checksums": {"test": "ef56"}})
    with pytest.raises(UserError, match="drawn from other test images than"):
        samples_file.read(folder, other)


def replaced(name: str, values: Any) -> Callable[[h5py.File], None]:
    def replace(file: h5py.File) -> None:
        del file[name]
        if values is not None:
            file[name] = values

    return replace


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
        (lambda file: file.attrs.update(seed="abc"), "invalid literal"),
        (lambda file: (file.pop("samples"), file.create_group("samples")), "samples.h5 is damaged"),
    ],
)
def test_another_layout_is_refused(folder: Path, damage: Callable[[h5py.File], Any], sentence: str) -> None:
    with h5py.File(folder / "samples.h5", "a") as file:
        damage(file)
    with pytest.raises(UserError, match=sentence):
        samples_file.read(folder, FACTS)
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
    with h5py.File(folder / "samples.h5", "a") as file:
        file[name][...] = values
    with pytest.raises(UserError, match=sentence):
        samples_file.read(folder, FACTS).require(FACTS)
