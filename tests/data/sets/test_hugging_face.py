"""Sets of Hugging Face's library: saved to disk, loaded by the library, with the columns, splits and faults that they have."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data.sets.sources import encoded, picture, write_hugging_face
from vaeline.data import preprocessing, raw_images
from vaeline.data.raw_images import EncodedImages
from vaeline.data.sets import hugging_face
from vaeline.study.schema import Dataset, Split
from vaeline.system.errors import UserError

ROWS = 12


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(hugging_face, "unreachable", lambda address: False)
    return pytest.importorskip("datasets", reason="datasets is not installed")


def dataset(source: Path | str, **keys: object) -> Dataset:
    options = {key: keys.pop(key) for key in ("repository", "config", "image", "splits") if key in keys}
    return Dataset.model_validate(
        {"id": "tiny", "name": "hugging_face", "size": 8, "source": str(source), "options": options} | keys
    )


def save(folder: Path, library: Any, **columns: tuple[object, list[object]]) -> Path:
    """A set without splits: an image in each row, and other columns as (feature, values)."""
    given = {"image": (library.Image(), [{"bytes": encoded(picture(row), "PNG")} for row in range(ROWS)])} | columns
    values = {name: of for name, (_, of) in given.items()}
    library.Dataset.from_dict(values, library.Features({name: kind for name, (kind, _) in given.items()})).save_to_disk(
        folder
    )
    return folder


def test_images_labels_and_splits_are_read(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_hugging_face(tmp_path), split=Split(method="official")))
    assert isinstance(raw.images, EncodedImages) and raw.images.channels == 3
    assert raw.ids[11:13] == ["train-11", "test-0"]
    assert raw.images.archive.read("test-0") == encoded(picture(12), "PNG")
    assert raw.official is not None and raw.official.tolist() == ["train"] * 12 + ["test"] * 12
    assert raw.labels.names == ["animal"] and raw.labels.values == [["cat", "dog"]]
    assert raw.labels.codes[:3, 0].tolist() == [0, 1, 0]


def test_only_the_splits_that_are_named_are_used(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_hugging_face(tmp_path), splits=["test"]))
    assert raw.ids[0] == "test-0" and len(raw.ids) == 12
    with pytest.raises(
        UserError, match="splits names 'tset', which is no split of .*; did you mean test.* train, test"
    ):
        raw_images.read(dataset(tmp_path, splits=["tset"]))


def test_columns_become_labels_as_those_of_a_table(tmp_path: Path, library: Any) -> None:
    names = [str(number) for number in range(30)]
    columns = {
        "number": (library.ClassLabel(names=names), [row + 15 for row in range(ROWS)]),
        "smiling": (library.Value("bool"), [row % 2 == 0 for row in range(ROWS)]),
        "kinds": (library.List(library.ClassLabel(names=["red", "round"])), [[], [0], [1], [0, 1]] * 3),
        "box": (library.List(library.Value("float32")), [[0.0, 1.0]] * ROWS),
        "age": (library.Value("float64"), [row / 7 for row in range(ROWS)]),
    }
    raw = raw_images.read(dataset(save(tmp_path, library, **columns), bins={"age": 2}))
    assert raw.labels.names == ["number", "smiling", "kinds red", "kinds round", "age"]
    assert raw.labels.values[:4] == [names[15:27]] + [["no", "yes"]] * 3
    assert raw.labels.codes[:4, 1:4].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]]
    assert any(note.endswith("and are not used: box.") for note in raw.notes)


def test_missing_class_labels_are_missing_values(tmp_path: Path, library: Any) -> None:
    kind, codes = library.ClassLabel(names=["cat", "dog"]), [0, 1] * 5 + [-1, None]
    save(tmp_path, library, animal=(kind, codes))
    with pytest.raises(UserError, match="animal lacks a value in 2 of 12 rows"):
        raw_images.read(dataset(tmp_path))
    raw = raw_images.read(dataset(tmp_path, missing="drop"))
    assert raw.ids[-1] == "9" and len(raw.ids) == 10


def test_copies_are_told(tmp_path: Path, library: Any) -> None:
    images = [{"bytes": encoded(picture(row % 11), "PNG")} for row in range(ROWS)]
    raw = raw_images.read(dataset(save(tmp_path, library, image=(library.Image(), images)), labels="none"))
    assert raw.copies is not None and raw.copies[[0, 11]].tolist() == [0, 0]
    assert "1 of 12 images is an exact copy of another one, such as 0 and 11." in raw.notes


def test_a_set_has_the_same_store_wherever_it_lies(tmp_path: Path) -> None:
    stores = []
    for folder in (tmp_path / "one", tmp_path / "another"):
        wanted = dataset(write_hugging_face(folder))
        path = folder.with_suffix(".h5")
        preprocessing.preprocess(wanted, raw_images.fetch(wanted), path, threads=1)
        stores.append(path.read_bytes())
    assert stores[0] == stores[1]


@pytest.mark.parametrize("change", ["an image", "a label"])
def test_a_change_between_the_steps_is_refused(tmp_path: Path, library: Any, change: str) -> None:
    kind, codes, image = library.ClassLabel(names=["cat", "dog"]), [0, 1] * 6, library.Image()
    first, other = ([{"bytes": encoded(picture(row + start), "BMP")} for row in range(ROWS)] for start in (0, 50))
    wanted = dataset(tmp_path / "set")
    manifest = raw_images.fetch(dataset(save(tmp_path / "set", library, image=(image, first), animal=(kind, codes))))
    if change == "an image":
        save(tmp_path / "set", library, image=(image, other), animal=(kind, codes))
    else:
        save(tmp_path / "set", library, image=(image, first), animal=(kind, codes[::-1]))
    with pytest.raises(UserError, match="are not those that the download step saw"):
        preprocessing.preprocess(wanted, manifest, tmp_path / "tiny.h5", threads=1)


def test_the_library_loads_a_set_once(tmp_path: Path, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "set", library, animal=(library.ClassLabel(names=["cat", "dog"]), [0, 1] * 6))
    asked = []

    def load(name: str, config: str | None, revision: str) -> object:
        asked.append((name, config, revision))
        return library.load_from_disk(str(tmp_path / "set"))

    monkeypatch.setattr(library, "load_dataset", load)
    wanted = dataset("download", repository="somebody/animals", config="small")
    assert raw_images.fetch(wanted)["images"] == 12 and raw_images.fetch(wanted)["images"] == 12
    assert asked == [("somebody/animals", "small", "main")]
    left = {path.name for path in (tmp_path / "data/raw/hugging_face").iterdir()}
    assert left == {".lock", "somebody--animals--small--main"}


@pytest.mark.parametrize("inner", [False, True])
def test_files_that_a_set_did_not_bring_are_not_copied(
    tmp_path: Path, library: Any, monkeypatch: pytest.MonkeyPatch, inner: bool
) -> None:
    """Those in the library's cache are its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    for place in ("secret.png", "cache/own.png"):
        (tmp_path / place).write_bytes(encoded(picture(0), "PNG"))

    def fetch(name: str) -> object:
        values = [{"bytes": None, "path": name}]
        kind = library.List(library.Image()) if inner else library.Image()
        features = library.Features({"image": kind})
        made = library.Dataset.from_dict({"image": [values] if inner else values}, features)
        monkeypatch.setattr(library, "load_dataset", lambda *name, **keys: made)
        return raw_images.fetch(dataset("download", repository="somebody/animals"))

    for name in (str(tmp_path / "secret.png"), str(tmp_path / "cache/../secret.png"), "https://a.org/b.png"):
        with pytest.raises(UserError, match="somebody/animals asks for the file '.*', which is not its own"):
            fetch(name)
    if not inner:
        fetch(str(tmp_path / "cache/own.png"))
    assert (tmp_path / "data/raw/hugging_face/somebody--animals--main").is_dir() is not inner


def test_a_set_that_cannot_be_loaded_is_named(tmp_path: Path, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        assert os.environ["HF_HUB_OFFLINE"] == "1"  # so that it does not try for half a minute
        raise ConnectionError("Couldn't reach\nthe hub")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(hugging_face, "unreachable", lambda address: address == hugging_face.HUB)
    monkeypatch.setattr(library, "load_dataset", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError,
        match=r"somebody/animals could not be loaded .*Couldn't reach the hub\); check dataset.options and the",
    ):
        raw_images.fetch(dataset("download", repository="somebody/animals"))
    assert {path.name for path in (tmp_path / "data/raw/hugging_face").iterdir()} == {".lock"}


def test_a_library_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        UserError, match=r"needs the library datasets, which is not installed; run `pip install 'vaeline\[datasets\]'`"
    ):
        raw_images.read(dataset(tmp_path))


def test_a_set_without_images_is_refused(tmp_path: Path, library: Any) -> None:
    library.Dataset.from_dict({"text": ["a"] * ROWS}).save_to_disk(tmp_path)
    with pytest.raises(UserError, match=r"has no column of images, but text \(Value\); cast one"):
        raw_images.read(dataset(tmp_path))


def test_one_of_several_columns_of_images_is_named(tmp_path: Path, library: Any) -> None:
    mask = [{"bytes": encoded(picture(row + 50), "PNG")} for row in range(ROWS)]
    save(tmp_path, library, mask=(library.Image(), mask))
    with pytest.raises(UserError, match="several columns of images: image, mask; name one in dataset.options.image"):
        raw_images.read(dataset(tmp_path))
    with pytest.raises(UserError, match="'masc', which is no column of images of .*; did you mean mask"):
        raw_images.read(dataset(tmp_path, image="masc"))
    raw = raw_images.read(dataset(tmp_path, image="mask"))
    assert isinstance(raw.images, EncodedImages) and raw.images.archive.read("3") == encoded(picture(53), "PNG")


def test_an_image_that_is_a_path_is_not_opened(tmp_path: Path, library: Any) -> None:
    """The set of somebody else could name any file of this machine."""
    (tmp_path / "secret.png").write_bytes(encoded(picture(0), "PNG"))
    table = library.Dataset.from_dict({"image": [{"bytes": None, "path": str(tmp_path / "secret.png")}] * ROWS})
    features = library.Features({"image": {"bytes": library.Value("binary"), "path": library.Value("string")}})
    table.cast(features).save_to_disk(tmp_path / "set")
    info = tmp_path / "set" / "dataset_info.json"
    described = info.read_text()
    start, end = described.index('"image": {'), described.index("}", described.index('"path": {')) + 1
    info.write_text(described[:start] + '"image": {"_type": "Image"' + described[end:])
    with pytest.raises(UserError, match="12 of 12 images are not in the files of"):
        raw_images.read(dataset(tmp_path / "set", labels="none"))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"labels": ["anmal"]}, "anmal"),
        ({"split": Split(method="folders")}, "dataset.split.method is 'folders', and a set of Hugging Face has none"),
        ({"split": Split(method="column", column="fold")}, "split.column names 'fold', which is no column of"),
        ({"bins": {"age": 3}}, "dataset.bins names 'age', which is no column of"),
        ({"repository": "a/b"}, "repository 'a/b'; name a set of the hub and set source to `download`, or"),
    ],
)
def test_a_key_that_does_not_fit_is_named(tmp_path: Path, keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(write_hugging_face(tmp_path), **keys))


def test_splits_of_other_names_are_not_official(tmp_path: Path, library: Any) -> None:
    image = {"image": [{"bytes": encoded(picture(row), "PNG")} for row in range(ROWS)]}
    split = library.Dataset.from_dict(image, library.Features({"image": library.Image()}))
    library.DatasetDict({"train": split, "unlabeled": split}).save_to_disk(tmp_path)
    with pytest.raises(UserError, match="has a split 'unlabeled'; official splits are called train"):
        raw_images.read(dataset(tmp_path, labels="none", split=Split(method="official")))
    save(tmp_path / "alone", library)
    with pytest.raises(UserError, match="has no splits; official splits are called train"):
        raw_images.read(dataset(tmp_path / "alone", labels="none", split=Split(method="official")))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    [arrow] = (write_hugging_face(tmp_path) / "train").glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:300])
    with pytest.raises(UserError, match="or is damaged"):
        raw_images.read(dataset(tmp_path))


def test_a_damaged_image_is_skipped_or_named(tmp_path: Path, library: Any) -> None:
    images = [{"bytes": encoded(picture(row), "PNG") if row != 4 else b"PNG"} for row in range(ROWS)]
    save(tmp_path, library, image=(library.Image(), images))
    with pytest.raises(UserError, match=f"4 in {tmp_path} cannot be decoded"):
        raw_images.fetch(dataset(tmp_path, labels="none"))
    assert [*raw_images.fetch(dataset(tmp_path, labels="none", on_bad_image="skip"))["skipped"]] == ["4"]
