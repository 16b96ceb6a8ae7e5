"""The example of a user's own images is written once, and read as a user's are."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from vaeline.data import preprocessing, raw_images, store
from vaeline.data.decoding import decode
from vaeline.data.raw_images import EncodedImages
from vaeline.study import ready_studies
from vaeline.study.schema import Dataset

ROOT = Path(__file__).parents[3]


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The data set of the ready study, in an empty project."""
    monkeypatch.chdir(ROOT)
    dataset = ready_studies.resolve("own_images").dataset
    monkeypatch.chdir(tmp_path)
    return dataset


def test_the_ready_study_reads_labels_and_split_out_of_the_table(wanted: Dataset) -> None:
    manifest = raw_images.fetch(wanted)
    assert manifest["images"] == 1797
    assert manifest["notes"][:4] == [
        "digits.csv: 1,797 rows; the columns are read as follows.",
        "digit: 10 categories: 0 (178), 1 (182), 2 (177), 3 (183), 4 (181), 5 (182), 6 (181), 7 (179), 8 (174), 9 (180)",
        "even: yes/no: no (906), yes (891)",
        "thickness: numbers from 0.181 to 0.423 in 3 bins: below 0.288 (591), 0.288 to 0.321 (601), 0.321 and above (605)",
    ]
    assert manifest["notes"][4:] == ["split: the split of each image."]
    facts = preprocessing.preprocess(wanted, manifest, Path("own.h5"))
    assert facts.label_names == ["digit", "even", "thickness"] and facts.image_shape == (1, 8, 8)
    assert facts.counts == {"train": 1260, "validation": 179, "test": 358}
    assert {int(each.rpartition("/")[2][:4]) % 10 for each in store.read_ids(Path("own.h5"), "test")} == {8, 9}


def test_the_files_are_those_of_scikit_learn(wanted: Dataset) -> None:
    raw_images.fetch(wanted)
    raw = raw_images.read(wanted)
    digits = load_digits()
    assert isinstance(raw.images, EncodedImages)
    assert raw.labels.codes[:, 0].tolist() == digits.target.tolist()
    for row in (0, 1, 1796):
        pixels = decode(raw.images.archive.read(raw.images.names[row]), 1)[..., 0]
        assert np.abs(pixels - digits.images[row] * 255 / 16).max() <= 0.5


def test_a_half_written_folder_is_completed(wanted: Dataset) -> None:
    whole = raw_images.fetch(wanted)
    folder = Path("data/raw/example_images")
    (folder / "digits.csv").unlink()
    (folder / "digits/0001.png").write_bytes(b"half")
    (folder / "digits/0002.png").unlink()
    assert raw_images.fetch(wanted) == whole
