"""The sample step, and the command `draw`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from click.testing import Result
from PIL import Image

from pipeline_steps import draw, sample, train
from tests.made_up import identity
from tests.pipeline_steps.conftest import blocks, write_store
from vaeline.data.dequantization import to_range
from vaeline.data.splits import SPLITS
from vaeline.data.store import read_split
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.runs.model_files import load
from vaeline.study.schema import Study
from vaeline.system.files import sha256

RUN = Path("results/tiny/runs/flow/seed-0")


@pytest.fixture
def trained(project: Study, run: Callable[..., Result]) -> Study:
    assert run(train.main, "--variant", "flow", "--seed", 0).exit_code == 0
    return project


def test_a_run_is_sampled_under_the_labels_of_test_images(trained: Study, run: Callable[..., Result]) -> None:
    result = run(sample.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 0, result.output
    test = read_split(Path("data/blocks.h5"), "test")
    with h5py.File(RUN / "samples.h5") as file:
        assert file["reconstructions"].shape == file["samples"].shape == test.images.shape
        assert file["samples"].dtype == np.uint8 and file["samples"][...].max() <= 16
        np.testing.assert_array_equal(file["labels"], test.labels[file["test_index"]])
    for name in ("reconstructions.png", "samples.png"):
        assert Image.open(RUN / name).size[0] > 8 * 8


def test_fewer_images_name_their_rows_of_the_test_split(trained: Study, run: Callable[..., Result]) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump({**content, "sampling": {"grid": 8, "count": 12}}))
    assert run(sample.main, "--variant", "flow", "--seed", 0).exit_code == 0
    with h5py.File(RUN / "samples.h5") as file:
        rows, labels, codes = (file[name][...] for name in ("test_index", "labels", "codes"))
    test, (model, facts) = read_split(Path("data/blocks.h5"), "test"), load(RUN)
    assert rows.tolist() != list(range(12)) and len(set(rows)) == 12
    np.testing.assert_array_equal(labels, test.labels[rows])
    x = to_range(torch.from_numpy(test.images[rows]), facts, torch.Generator().manual_seed(0))
    of_rows = model.posterior.centre(model.features(x, model.condition(torch.from_numpy(labels)))).detach().numpy()
    assert np.abs(codes - of_rows).max() < 0.3 < np.abs(codes - of_rows[::-1]).max()  # but for another dequantization


def test_sampling_again_gives_the_same_bytes(trained: Study, run: Callable[..., Result]) -> None:
    names = ("samples.h5", "samples.png", "reconstructions.png")
    hashes = []
    for _ in range(2):
        run(sample.main, "--variant", "flow", "--seed", 0)
        hashes.append([sha256(RUN / name) for name in names])
    assert hashes[0] == hashes[1]


def test_the_requested_images_are_drawn(trained: Study, run: Callable[..., Result]) -> None:
    pictures = []
    for value in ("left", "right", "1"):
        result = run(draw.main, RUN, "--set", f"side={value}", "--count", 4, "--out", f"{value}.png")
        assert result.exit_code == 0, result.output
        pictures.append(np.asarray(Image.open(f"{value}.png")))
    assert np.array_equal(pictures[1], pictures[2]) and not np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("sde=left", "There is no label 'sde'; there are: side."),
        ("side=top", "side has no value 'top'; it has: left, right."),
        ("side=2", "side has no value '2'; it has: left, right."),
        ("side", "--set side gives side no value; write --set side=VALUE, with one of: left, right."),
        ("side=", "--set side gives side no value; write --set side=VALUE, with one of: left, right."),
        ("sde", "There is no label 'sde'; there are: side."),
        ("=left", "There is no label ''; there are: side."),
    ],
)
def test_an_impossible_request_is_refused(
    trained: Study, run: Callable[..., Result], setting: str, sentence: str
) -> None:
    result = run(draw.main, RUN, "--set", setting)
    assert result.exit_code == 1 and sentence in result.output


def test_labels_that_no_training_image_has_together_are_called_out(project: Study, run: Callable[..., Result]) -> None:
    splits = {name: blocks(40, seed) for seed, name in enumerate(SPLITS)}
    alike = {name: replace(split, labels=split.labels.repeat(2, 1)) for name, split in splits.items()}
    facts = write_store(alike, ("side", "thick"))
    model = Model(project.variants["plain"], facts)
    model_files.save(Path("copy"), model, facts, identity(project, "plain", 0, Path("copy")))
    for words in (("--set", "side=right", "--set", "thick=no"), ("--set", "side=right", "--count", 30)):
        result = run(draw.main, "copy", *words)
        assert result.exit_code == 0
        assert result.output.startswith("Warning: No training image has side=right with thick=no; a model has learned")
    for words in ((), ("--set", "side=right", "--set", "thick=yes")):
        assert run(draw.main, "copy", *words).output == "16 images are in drawn.png.\n"


def test_a_folder_without_a_run_is_refused(trained: Study, run: Callable[..., Result]) -> None:
    result = run(draw.main, "data")
    assert result.exit_code == 1 and "There is no data/variant.yaml" in result.output
