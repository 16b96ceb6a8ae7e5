"""A user's own images: folders of classes, tables of attributes, and mistakes in them."""

from pathlib import Path

import pytest

from tests.data.sets.sources import encoded, picture, write_class_folders, write_files
from vaeline.data import raw_images
from vaeline.data.raw_images import EncodedImages
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

PNG = encoded(picture(0), "PNG")


def dataset(folder: Path | str, **options: object) -> Dataset:
    return Dataset.model_validate({"id": "own", "name": "image_folder", "size": 8, "source": str(folder)} | options)


def test_the_folder_name_is_the_class_of_its_images(tmp_path: Path) -> None:
    write_files(
        write_class_folders(tmp_path, each=3), {"dog/old/9.png": PNG, "cat/.DS_Store": b"?", "cat/notes.txt": b"?"}
    )
    raw = raw_images.read(dataset(tmp_path))
    assert raw.labels.names == ["class"] and raw.labels.values == [["cat", "dog"]]
    assert dict(zip(raw.ids, raw.labels.codes[:, 0], strict=True)) == {
        "cat/0.jpeg": 0, "cat/1.png": 0, "cat/2.bmp": 0, "dog/0.jpeg": 1, "dog/1.png": 1, "dog/2.bmp": 1, "dog/old/9.png": 1,
    }  # fmt: skip


def test_table_gives_attributes_and_categories(tmp_path: Path) -> None:
    table = "file,round,dark,colour\na.png,1,-1,red\nin/b.png,0,1,blue\nc.png,1,1,red\n"
    write_files(tmp_path, {"a.png": PNG, "in/b.png": PNG, "in/c.png": PNG, "attributes.csv": table.encode("utf-8-sig")})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.ids == ["a.png", "in/b.png", "in/c.png"]
    assert raw.labels.names == ["round", "dark", "colour"]
    assert raw.labels.values == [["no", "yes"], ["no", "yes"], ["blue", "red"]]
    assert raw.labels.codes.tolist() == [[1, 0, 1], [0, 1, 0], [1, 1, 1]]
    assert raw.notes == []


def test_unmatched_rows_and_images_are_counted(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "c.png": PNG, "t.csv": b"file,x\na.png,1\nlost.png,0\n"})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.ids == ["a.png"]
    assert raw.notes == ["1 of the 2 images in t.csv do not exist.", "2 images have no row in t.csv and are left out."]


@pytest.mark.parametrize(
    ("modes", "channels"), [(["L", "L"], 1), (["L", "1"], 1), (["L", "RGB"], 3), (["RGBA", "RGB"], 3)]
)
def test_a_folder_of_grey_images_has_one_channel(tmp_path: Path, modes: list[str], channels: int) -> None:
    for number, mode in enumerate(modes):
        write_files(tmp_path, {f"a/{number}.png": encoded(picture(0, mode=mode), "PNG")})
    images = raw_images.read(dataset(tmp_path)).images
    assert isinstance(images, EncodedImages) and images.channels == channels


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.png": PNG}, "images outside the folders of classes, and no CSV"),
        ({"a/a.png": PNG, "b.png": PNG}, "images outside the folders of classes"),
        ({"a.png": PNG, "one.csv": b"f,x\na.png,1\n", "two.csv": b"f,x\na.png,1\n"}, "tables one.csv, two.csv"),
        (
            {"a.png": PNG, "t.csv": b"file,x\nlost.png,1\n"},
            "names no image that exists: its first name is 'lost.png'.*'a.png'",
        ),
        ({"a.png": PNG, "t.csv": b"file,x\na.png,1\na.png,0\n"}, "two rows for a.png"),
        (
            {"x/a.png": PNG, "y/a.png": PNG, "t.csv": b"file,x\na.png,1\n"},
            "row for a.png, which is either x/a.png or y/a.png",
        ),
        ({"a.png": PNG, "t.csv": b"file,x\n"}, "holds no table of images"),
        ({"a.png": PNG, "t.csv": b"file,x,y\na.png,1\n"}, "has 1 values for 2 columns"),
        ({"a.png": PNG, "t.csv": b"file,\xff\xfe\na.png,1\n"}, "is not UTF-8"),
        ({"a/a.png": b"no image"}, "a.png cannot be decoded"),
        ({"notes.txt": b"?"}, "holds no image"),
    ],
)
def test_mistakes_in_a_folder_are_named(tmp_path: Path, files: dict[str, bytes], sentence: str) -> None:
    write_files(tmp_path, files)
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


def test_an_image_folder_cannot_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="set dataset.source to a folder"):
        raw_images.fetch(dataset("download"))
