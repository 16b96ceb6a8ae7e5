"""The preprocess step reads a manifest and writes a store."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.datasets import load_digits

from pipeline_steps import download, preprocess
from vaeline.data import preprocessing, store
from vaeline.data.facts import UnseenLabels
from vaeline.study.schema import Study
from vaeline.system.sealed_files import read_sealed, write_sealed


def test_digits_become_a_store(project: Study, run: Callable[..., Result]) -> None:
    assert run(download.main).exit_code == 0
    assert run(preprocess.main).exit_code == 0
    facts = store.read_facts(Path("data/blocks.h5"))
    assert facts.counts == {"train": 1258, "validation": 180, "test": 359}
    assert (facts.image_shape, facts.levels, facts.label_names) == ((1, 8, 8), 17, ["digit"])
    manifest = read_sealed(Path("data/raw/blocks.json"), "")
    assert manifest.pop("id") == "blocks"
    assert manifest.pop("source") == "download"  # where the files lay is no part of what they are
    assert manifest.pop("skipped") == {} and manifest.pop("fingerprint") == ""
    assert facts.preprocessing["manifest"] == manifest


def test_a_missing_manifest_names_the_step_that_writes_it(project: Study, run: Callable[..., Result]) -> None:
    ended = run(preprocess.main)
    assert ended.exit_code == 1
    assert "There is no data/raw/blocks.json; run `python -m pipeline_steps.download`" in ended.stderr


def test_images_changed_after_the_download_leave_the_store_unchanged(
    project: Study, run: Callable[..., Result]
) -> None:
    before = Path("data/blocks.h5").read_bytes()
    assert run(download.main).exit_code == 0
    manifest = read_sealed(Path("data/raw/blocks.json"), "")
    write_sealed(Path("data/raw/blocks.json"), manifest | {"images": 5})
    ended = run(preprocess.main)
    assert ended.exit_code == 1 and "was made with other settings" in ended.stderr
    assert not Path("data/raw/blocks.json").exists()  # so that both engines make it again
    assert Path("data/blocks.h5").read_bytes() == before


def test_an_altered_manifest_is_refused(project: Study, run: Callable[..., Result]) -> None:
    assert run(download.main).exit_code == 0
    path = Path("data/raw/blocks.json")
    path.write_text(path.read_text().replace("1797", "1798"))
    ended = run(preprocess.main)
    assert ended.exit_code == 1 and "data/raw/blocks.json is damaged" in ended.stderr


def test_a_manifest_of_another_data_set_is_refused(project: Study, run: Callable[..., Result]) -> None:
    assert run(download.main).exit_code == 0
    path = Path("data/raw/blocks.json")
    write_sealed(path, read_sealed(path, "") | {"id": "other"})
    ended = run(preprocess.main)
    assert ended.exit_code == 1 and "was made with other settings" in ended.stderr
    assert not Path("data/raw/blocks.json").exists()  # so that both engines make it again


def test_images_with_a_label_that_training_lacks_are_counted(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(download.main).exit_code == 0

    def unfair(count: int, *_: object) -> dict[str, np.ndarray]:
        digits = load_digits().target
        return {"train": np.flatnonzero(digits < 8), "validation": np.flatnonzero(digits == 8),
                "test": np.arange(24)}  # fmt: skip

    monkeypatch.setattr(preprocessing, "deal", unfair)
    with pytest.warns(UnseenLabels) as found:
        assert run(preprocess.main).exit_code == 0
    of_validation, of_test = (str(each.message) for each in found)
    assert of_validation.startswith(
        "174 of 174 validation images have a label that no training image has: digit=8 (174)"
    )
    assert of_test.startswith("4 of 24 test images have a label that no training image has: digit=8 (2), digit=9 (2)")
    assert store.read_facts(Path("data/blocks.h5")).training_counts[0][8:] == [0, 0]
