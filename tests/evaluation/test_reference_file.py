"""The two files of a reference give it back whole, and belong together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import made_up
from tests.evaluation.correlated_pixels import FACTS, correlated, measured
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.evaluation import reference_file
from vaeline.evaluation.feature_space import NO_JUDGE
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import Reference, References
from vaeline.metrics._images import ImageSet
from vaeline.metrics._moments import Moments
from vaeline.system.errors import UserError

STUDY = made_up.study()


def test_a_reference_reads_back_equal(tmp_path: Path) -> None:
    found = measured()
    files = DataFiles("tiny", tmp_path)
    paths = files.statistics("classifier"), files.metrics("classifier")
    assert [path.name for path in paths] == ["tiny.classifier.reference.safetensors", "tiny.classifier.json"]
    reference_file.write(found, *paths, STUDY)
    again = reference_file.read(*paths, correlated(600, 600), FACTS, STUDY)
    assert again.spaces[NO_JUDGE].real.label_values == {"a": ["no", "yes"], "b": ["no", "yes"]}
    assert (again.record.metrics, again.record.evaluation) == (found.record.metrics, found.record.evaluation)
    real, expected = again.spaces[NO_JUDGE].real, found.spaces[NO_JUDGE].real
    assert real.moments.count == 600 and np.array_equal(real.train, expected.train)
    assert np.array_equal(real.moments.covariance, expected.moments.covariance)


def test_real_images_have_the_levels_of_their_store(written: tuple[Path, Path]) -> None:
    again = reference_file.read(*written, correlated(600, 600), replace(FACTS, levels=300), STUDY)
    assert again.spaces[NO_JUDGE].real.levels == 300


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        reference_file.write(measured(), tmp_path / f"{name}.safetensors", tmp_path / f"{name}.json", STUDY)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    """The two files of a reference."""
    files = DataFiles("tiny", tmp_path)
    reference_file.write(measured(), files.statistics("classifier"), files.metrics("classifier"), STUDY)
    return files.statistics("classifier"), files.metrics("classifier")


@pytest.mark.parametrize("broken", [0, 1])
def test_any_flipped_bit_is_named(written: tuple[Path, Path], broken: int) -> None:
    path, generator = written[broken], np.random.default_rng(0)
    good, known = path.read_bytes(), reference_file.read(*written, correlated(600, 600), FACTS, STUDY)
    for place in generator.choice(len(good), 200, replace=False):
        content = bytearray(good)
        content[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        try:  # a flipped bit may leave every value as it was, for example in a blank
            same = reference_file.read(*written, correlated(600, 600), FACTS, STUDY).record == known.record
        except UserError as error:
            same = str(path) in str(error) and "pipeline_steps.reference" in str(error)
        assert same, place


@pytest.mark.parametrize("replaced", [0, 1])
def test_files_of_two_references_are_refused(written: tuple[Path, Path], tmp_path: Path, replaced: int) -> None:
    others = tmp_path / "others.safetensors", tmp_path / "others.json"
    reference_file.write(measured(100), *others, STUDY)
    others[replaced].replace(written[replaced])
    with pytest.raises(UserError, match=r"is not the file that .* was written with"):
        reference_file.read(*written, correlated(600, 600), FACTS, STUDY)


@pytest.mark.parametrize("broken", [0, 1])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, broken: int, content: bytes | None) -> None:
    files = DataFiles("tiny", tmp_path)
    paths = files.statistics("classifier"), files.metrics("classifier")
    test, facts = np.zeros((9, 1, 1, 2), np.uint8), Facts("tiny", (1, 1, 2), 256, (-1.0, 1.0), ["a"], [["no"]])
    real = ImageSet(
        lambda: [test], Moments(9, np.zeros(2), np.eye(2)), np.zeros((9, 2)), np.zeros((9, 1)), np.arange(9)
    )
    reference_file.write(
        References({NO_JUDGE: Reference({"features": "pixels"}, real, Record())}, Record(), {}, {}, 9), *paths, STUDY
    )
    paths[broken].unlink()
    if content is not None:
        paths[broken].write_bytes(content)
    with pytest.raises(UserError, match=rf"{paths[broken].name}.*pipeline_steps\.reference"):
        reference_file.read(*paths, test, facts, STUDY)
