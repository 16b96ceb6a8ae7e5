"""Every data set that is found on disk keeps the contract of `vaeline.data.raw_images`."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import every
from tests.data.sets.sources import OPTIONS, POINTS, SOURCES
from vaeline.data import labels, raw_images
from vaeline.data.on_demand import OnDemand
from vaeline.data.raw_images import EncodedImages, Loader, RawImages, loader
from vaeline.study import parts
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError


@pytest.fixture
def source(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A tiny data set. A new data set fails here until `sources.py` can write it."""
    folder = tmp_path / "source"
    if name in parts.own("sets"):
        folder.mkdir()
        write_own_source(name, folder)
    elif name in SOURCES:
        folder = SOURCES[name](folder, monkeypatch)
        folder.mkdir(exist_ok=True)
    else:
        pytest.fail(f"add a function that writes a tiny {name} to tests/data/sets/sources.py, and to its table SOURCES")
    size, options = None if name in POINTS else 8, OPTIONS.get(name, {})
    return Dataset(id="tiny", name=name, size=size, source=str(folder), options=options)


def write_own_source(name: str, folder: Path) -> None:
    """Let one of the project's own data sets write a tiny copy of itself."""
    example = vars(parts.module("sets", name)).get("example")
    if example is not None:
        example(folder)
    elif loader(name).download is not None:
        pytest.fail(
            f"{parts.shown_file('sets', name)} reads files; add example(folder), which writes a tiny copy of them"
        )


@every("sets")
def test_images_labels_and_ids_agree(source: Dataset) -> None:
    raw = raw_images.read(source)
    count = len(raw.ids)
    assert count == len(set(raw.ids)) > 10
    assert raw.labels.codes.shape == (count, len(raw.labels.names))
    assert raw.labels.codes.dtype == np.int64
    assert (raw.labels.codes >= 0).all() and (raw.labels.codes < [len(values) for values in raw.labels.values]).all()
    if isinstance(raw.images, EncodedImages):
        assert len(raw.images.names) == count and raw.images.channels in (1, 3)
    elif raw.levels is None:
        assert raw.images.dtype == np.float32 and raw.images.ndim == 2 and len(raw.images) == count
        assert np.isfinite(raw.images).all()
    else:
        assert raw.images.dtype == np.uint8 and raw.images.shape[:2] in {(count, 1), (count, 3)}
        assert isinstance(raw.images, OnDemand) or raw.images.flags.c_contiguous
        assert raw.images[:1000].max() < raw.levels
    assert (raw.levels is None) == (source.name in POINTS) or source.name in parts.own("sets")
    assert raw.official is None or (len(raw.official) == count and set(raw.official) <= {"train", "validation", "test"})


@every("sets")
def test_manifest_is_repeatable_and_holds_the_sha256_of_every_file(source: Dataset) -> None:
    manifest = raw_images.fetch(source)
    assert manifest == raw_images.fetch(source) == json.loads(json.dumps(manifest))
    assert manifest["files"] and all(len(str(file["sha256"])) == 64 for file in manifest["files"].values())


@every("sets")
def test_an_unknown_label_is_refused_with_the_known_labels(source: Dataset) -> None:
    first = raw_images.read(source).labels.names[0]
    with pytest.raises(UserError, match=f"'Simling'; there are: {first}"):
        raw_images.read(source.model_copy(update={"labels": ["Simling"]}))


@pytest.mark.parametrize("name", [name for name in parts.names("sets") if loader(name).download])
def test_a_folder_without_a_data_set_is_refused(name: str, tmp_path: Path) -> None:
    if name == "hugging_face":
        pytest.importorskip("datasets", reason="datasets is not installed")
    (tmp_path / "letter.txt").write_text("Dear reader")
    with pytest.raises(UserError, match=str(tmp_path)):
        raw_images.fetch(Dataset(id="tiny", name=name, size=8, source=str(tmp_path), options=OPTIONS.get(name, {})))


@pytest.mark.parametrize(
    ("offered", "came"),
    [
        ({}, "no LOADER"),
        ({"LOADER": print}, "the LOADER <built-in function print>"),
        ({"LOADER": Loader(read="digits")}, "the LOADER Loader.read='digits'"),  # type: ignore[arg-type]
        ({"LOADER": Loader(read=print, download=1)}, "the LOADER Loader"),  # type: ignore[arg-type]
    ],
)
def test_a_file_without_a_loader_is_refused(
    offered: dict[str, object], came: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "module", lambda family, name: SimpleNamespace(**offered))
    with pytest.raises(UserError, match=f"vaeline/data/sets/digits.py offers {came}.*; end the file with `LOADER"):
        raw_images.read(Dataset(id="tiny", name="digits", size=8))


def test_a_download_without_the_arguments_of_its_contract_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def bring(folder: Path) -> None: ...

    offered = {"LOADER": Loader(read=print, download=bring)}  # type: ignore[arg-type]
    monkeypatch.setattr(parts, "module", lambda family, name: SimpleNamespace(**offered))
    with pytest.raises(UserError, match="bring in vaeline/data/sets/digits.py does not take the 2 arguments"):
        raw_images.read(Dataset(id="tiny", name="digits", size=8))


RAW = RawImages(
    np.zeros((12, 1, 4, 4), np.uint8),
    labels.of_classes("kind", ["a"], np.zeros(12, np.int64)),
    list("abcdefghijkl"),
    {},
)
FLAWED = {
    "a dict": ({}, "an object of class dict"),
    "channels last": (
        replace(RAW, images=np.zeros((12, 4, 4, 1), np.uint8)),
        r"images of uint8, \(12, 4, 4, 1\), where uint8",
    ),
    "floats": (replace(RAW, images=np.zeros((12, 1, 4, 4))), "images of float64"),
    "points of doubles": (replace(RAW, images=np.zeros((12, 2)), levels=None), "points of float64"),
    "one id twice": (replace(RAW, ids=list("aabcdefghijk")), "ids of which 1 appear twice"),
    "an image too few": (replace(RAW, images=RAW.images[1:]), "11 images for 12 ids"),
    "a label too few": (
        replace(RAW, labels=labels.of_classes("kind", ["a"], np.zeros(11, np.int64))),
        "11 labels for 12 ids",
    ),
    "pixels above the levels": (
        replace(RAW, images=np.full((12, 1, 4, 4), 17, np.uint8), levels=17),
        "pixels up to 17, where 17",
    ),
    "levels in words": (replace(RAW, levels="256"), "levels '256', where a whole number"),
    "one level": (replace(RAW, levels=1), "levels 1, where a whole number from 2 to 256"),
    "ids that are numbers": (replace(RAW, ids=list(range(12))), "ids that are no list of text"),
    "no labels": (replace(RAW, labels=None), "labels of class NoneType"),
    "codes that are floats": (
        replace(RAW, labels=replace(RAW.labels, codes=np.zeros((12, 1)))),
        "codes of labels that are",
    ),
    "codes in one dimension": (
        replace(RAW, labels=replace(RAW.labels, codes=np.zeros(12, int))),
        "codes of labels that are",
    ),
    "codes without a name": (
        replace(RAW, labels=replace(RAW.labels, codes=np.ones((12, 1), int))),
        "codes of kind from 1 to 1, where 0 to 0",
    ),
    "values that are numbers": (replace(RAW, labels=replace(RAW.labels, values=[[0]])), "names of kind that are"),
    "two values of one name": (replace(RAW, labels=replace(RAW.labels, values=[["a", "a"]])), "names of kind that are"),
    "a column too few": (
        replace(RAW, labels=replace(RAW.labels, names=[], values=[])),
        "0 names for 1 columns of codes",
    ),
    "an unknown split": (replace(RAW, official=np.repeat(["training"], 12)), "an official split called 'training'"),
}


@pytest.mark.parametrize(("returned", "came"), FLAWED.values(), ids=FLAWED)
def test_a_flawed_data_set_is_refused(returned: object, came: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = {"LOADER": Loader(read=lambda dataset, folder: returned)}  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(parts, "module", lambda family, name: SimpleNamespace(**read))
    with pytest.raises(UserError, match=f"read in vaeline/data/sets/digits.py returned {came}"):
        raw_images.read(Dataset(id="tiny", name="digits", size=8))


def test_bins_of_a_data_set_without_numbers_are_refused() -> None:
    with pytest.raises(UserError, match="dataset.bins is {'digit': 3}, but digits has no columns of numbers"):
        raw_images.read(Dataset(id="tiny", name="digits", size=8, bins={"digit": 3}))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder .*nowhere"):
        raw_images.fetch(Dataset(id="tiny", name="celeba", size=8, source=str(tmp_path / "nowhere")))


def test_a_relative_source_is_found_from_a_temporary_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = tmp_path / ".dvc" / "tmp" / "exps" / "abc"
    experiment.mkdir(parents=True)
    monkeypatch.chdir(experiment)
    assert raw_images.folder(Dataset(id="tiny", name="celeba", size=8, source="../faces")) == tmp_path / "../faces"
    assert raw_images.folder(Dataset(id="tiny", name="celeba", size=8)) == tmp_path / "data/raw/celeba"
