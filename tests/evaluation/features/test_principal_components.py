"""Principal components of the training pixels: those of scikit-learn, the same for everyone who has the same images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation.features.principal_components import Options, build, principal_components


def write(folder: Path, images: np.ndarray) -> Facts:
    whole = Split(images, np.zeros((len(images), 0), np.int64), [str(row) for row in range(len(images))])
    facts = Facts("tiny", images.shape[1:], 256, (-1.0, 1.0), [], [])
    return store.write(folder / "tiny.h5", facts, dict.fromkeys(splits.SPLITS, whole))


@pytest.fixture
def images() -> np.ndarray:
    generator = np.random.default_rng(0)
    bases = generator.standard_normal((6, 96))
    flat = generator.standard_normal((50, 6)) * [9, 7, 5, 4, 3, 2] @ bases + 128
    return flat.clip(0, 255).round().astype(np.uint8).reshape(50, 3, 4, 8)


def test_features_are_those_of_scikit_learn(images: np.ndarray, tmp_path: Path) -> None:
    features = build(Options(name="principal_components", dimensions=4), write(tmp_path, images), tmp_path)
    found = features(torch.from_numpy(images)).numpy()
    expected = PCA(4, svd_solver="full").fit_transform(images.reshape(50, -1) / 255)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-5)
    assert features.description == "4 principal components of the training pixels" and features.prefix == "fd"


def test_images_that_span_fewer_directions_have_fewer_components(images: np.ndarray) -> None:
    assert principal_components(images[:3], 64)[1].shape == (2, 96)
    mean, none = principal_components(np.repeat(images[:1], 5, 0), 64)
    assert none.shape == (0, 96) and (mean == images[0].ravel()).all()


def test_the_checksum_is_that_of_images_and_dimensions(images: np.ndarray, tmp_path: Path) -> None:
    facts = write(tmp_path, images)
    found = {build(Options(name="p", dimensions=wanted), facts, tmp_path).weights_sha256 for wanted in (4, 4, 5)}
    assert len(found) == 2
    other = write(tmp_path, images[::-1].copy())
    assert build(Options(name="p", dimensions=4), other, tmp_path).weights_sha256 not in found


def test_images_that_are_all_the_same_say_nothing(images: np.ndarray, tmp_path: Path) -> None:
    features = build(Options(name="p"), write(tmp_path, np.repeat(images[:1], 20, 0)), tmp_path)
    assert features.says_nothing == "all training images are the same"
