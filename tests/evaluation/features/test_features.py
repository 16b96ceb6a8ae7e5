"""Every feature space that needs no other stage's file keeps its contract; the others have tests of their own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.test_contracts import FACTS, split
from vaeline.data import splits, store
from vaeline.evaluation.feature_space import Features
from vaeline.study import parts


@pytest.mark.parametrize("name", [name for name in parts.names("features") if name not in ("classifier", "inception")])
def test_a_feature_space_gives_each_image_the_same_numbers(name: str, tmp_path: Path) -> None:
    images = split(FACTS)
    facts = store.write(tmp_path / "tiny.h5", FACTS, dict.fromkeys(splits.SPLITS, images))
    options = parts.validate("features", {"name": name})
    one, other = (parts.build(Features, options, facts, tmp_path, "cpu") for _ in range(2))
    levels = torch.from_numpy(images.images)
    found = one(levels)
    assert (
        found.dtype == torch.float32 and found.shape[0] == len(levels) and found.dim() == 2 and found.isfinite().all()
    )
    torch.testing.assert_close(found, torch.cat([other(some) for some in levels.split(5)]), atol=1e-4, rtol=1e-4)
    assert one.description and one.weights_sha256 == other.weights_sha256
    assert np.unique(found.numpy(), axis=0).shape[0] > 1 or one.says_nothing
