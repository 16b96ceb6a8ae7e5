"""The preprocess step reads a manifest and writes a store."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from pipeline_steps import download, preprocess
from vaeline.data import store
from vaeline.study.schema import Study


def test_digits_become_a_store(project: Study, run: Callable[..., Result]) -> None:
    assert run(download.main).exit_code == 0
    assert run(preprocess.main).exit_code == 0
    facts = store.read_facts(Path("data/blocks.h5"))
    assert facts.counts == {"train": 1258, "validation": 180, "test": 359}
    assert (facts.image_shape, facts.levels, facts.label_names) == ((1, 8, 8), 17, ["digit"])
    manifest = json.loads(Path("data/raw/blocks.json").read_text())
    assert manifest.pop("source") == "download"  # where the files lay is no part of what they are
    assert manifest.pop("skipped") == {}
    assert facts.preprocessing["manifest"] == manifest


def test_a_missing_manifest_names_the_step_that_writes_it(project: Study, run: Callable[..., Result]) -> None:
    ended = run(preprocess.main)
    assert ended.exit_code == 1
    assert "data/raw/blocks.json is missing or damaged; run `python -m pipeline_steps.download`" in ended.stderr


def test_images_changed_after_the_download_leave_the_store_unchanged(
    project: Study, run: Callable[..., Result]
) -> None:
    before = Path("data/blocks.h5").read_bytes()
    assert run(download.main).exit_code == 0
    manifest = json.loads(Path("data/raw/blocks.json").read_text())
    Path("data/raw/blocks.json").write_text(json.dumps(manifest | {"images": 5}))
    ended = run(preprocess.main)
    assert ended.exit_code == 1 and "are not those that the download step saw" in ended.stderr
    assert Path("data/blocks.h5").read_bytes() == before
