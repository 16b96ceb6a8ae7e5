"""The files of a data set."""

from pathlib import Path

from vaeline.data.paths import DataFiles, downloads


def test_the_files_of_a_data_set_bear_its_id() -> None:
    files = DataFiles("faces")
    assert files.manifest == Path("data/raw/faces.json")
    assert files.store == Path("data/faces.h5")
    assert files.classifier == Path("data/faces.classifier.safetensors")
    assert files.timing == Path("data/faces.timing.json")
    assert files.statistics("inception") == Path("data/faces.inception.reference.safetensors")
    assert files.metrics("inception") == Path("data/faces.inception.json")


def test_all_files_are_in_the_given_folder() -> None:
    assert DataFiles("faces", Path("/elsewhere")).manifest == Path("/elsewhere/raw/faces.json")
    assert downloads("celeba", Path("/elsewhere")) == Path("/elsewhere/raw/celeba")
