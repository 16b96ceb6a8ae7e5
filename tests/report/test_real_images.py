"""The real test images."""

from pathlib import Path

import numpy as np
import pytest

from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.report import real_images
from vaeline.report.findings import Findings
from vaeline.report.plots.shared.panels import decoded
from vaeline.runs.pictures import grid
from vaeline.system.errors import UserError


def write_store(path: Path, count: int) -> np.ndarray:
    images = np.arange(count * 64).reshape(count, 1, 8, 8).astype(np.uint8) % 17
    part = store.Split(images, np.zeros((count, 1), np.int64), [str(row) for row in range(count)])
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0"]])
    store.write(path, facts, dict.fromkeys(splits.SPLITS, part))
    return images


def test_the_images_are_shown_in_the_order_of_the_runs(findings: Findings, tmp_path: Path) -> None:
    images = write_store(tmp_path / "dots.h5", 4)
    found = real_images.read(tmp_path / "dots.h5", findings.results, count=3)
    assert found and np.array_equal(found.test, images)
    assert np.array_equal(decoded(found.shown), decoded(grid(images[[3, 1, 0]], 17)))
    darkest = (images.astype(int) ** 2).sum((1, 2, 3)).argmin()  # the samples are black
    assert found.nearest.keys() == {"one", "two"}
    assert all(np.array_equal(near, images[[darkest] * 4]) for near in found.nearest.values())


def test_without_a_store_there_are_no_images(findings: Findings, tmp_path: Path) -> None:
    assert real_images.read(tmp_path / "dots.h5", findings.results, count=3) is None


def test_a_store_with_too_few_test_images_is_refused(findings: Findings, tmp_path: Path) -> None:
    write_store(tmp_path / "dots.h5", 2)
    with pytest.raises(UserError, match="has 2 test images, fewer than the runs were made from"):
        real_images.read(tmp_path / "dots.h5", findings.results, count=3)
