"""A user's own images: folders of classes, tables of attributes, and mistakes in them."""

import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.sets.sources import encoded, picture, write_class_folders, write_files
from vaeline.data import class_folders, raw_images, store
from vaeline.data.preprocessing import preprocess
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
    assert raw.notes == [
        "attributes.csv: 3 rows; the columns are read as follows.",
        "round: yes/no: no (1), yes (2)",
        "dark: yes/no: no (1), yes (2)",
        "colour: 2 categories: blue (1), red (2)",
    ]


def test_unmatched_rows_and_images_are_counted(tmp_path: Path) -> None:
    table = b"file,x\na.png,1\nlost.png,0\nb.png,0\n"
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "c.png": PNG, "d.png": PNG, "t.csv": table})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.ids == ["a.png", "b.png"]
    assert raw.notes[2:] == [
        "1 of the 3 images in t.csv does not exist: lost.png (line 3).",
        "2 images have no row in t.csv and are left out: c.png, d.png.",
    ]


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
        ({"a/a.png": PNG, "b.png": PNG}, "images outside the folders of classes.* or set dataset.labels to none"),
        (
            {"a.png": PNG, "one.csv": b"f,x\na.png,1\n", "two.csv": b"f,x\na.png,1\n"},
            "tables one.csv, two.csv, where one is read; join them",
        ),
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
        ({"a.png": PNG, "t.csv": b"file,x,y\na.png,1\n"}, "has 2 values for 3 columns"),
        ({"a.png": PNG, "t.csv": b"file,\xff\xfe\na.png,1\n"}, "is not UTF-8"),
        (
            {"a/a.png": b"no image"},
            "a.png in .* cannot be decoded .*replace it, remove it, or set dataset.on_bad_image to skip",
        ),
        (
            {"notes.txt": b"?", "images.zip": b"PK", "a/1.heic": b"?", "a/2": b"?"},
            r"holds no image such as .*, but files of other kinds .1 .heic, 1 .txt, 1 .zip, 1 without a suffix.. Unpack",
        ),
        ({".DS_Store": b"?"}, "holds no image such as .*, but no files. Unpack"),
    ],
)
def test_mistakes_in_a_folder_are_named(tmp_path: Path, files: dict[str, bytes], sentence: str) -> None:
    write_files(tmp_path, files)
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


def names(count: int, folder: str = "img") -> dict[str, bytes]:
    return {f"{folder}/{row}.png": PNG for row in range(count)}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt", "TXT"])
@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
def test_a_table_beside_img_gives_labels_and_img_is_no_class(tmp_path: Path, suffix: str, mark: str) -> None:
    rows = [["file", "colour"], *([f"img/{row}.png", "red" if row % 2 else "blue"] for row in range(4))]
    table = "\n".join(map(mark.join, rows))
    write_files(
        tmp_path, names(4) | {f"table.{suffix}": table.encode(), "README.txt": b"Images of my own,\nin a folder."}
    )
    raw = raw_images.read(dataset(tmp_path))
    assert raw.labels.names == ["colour"] and raw.labels.codes[:, 0].tolist() == [0, 1, 0, 1]
    assert raw.notes[-1] == "Files that are not used: 1 .txt."


@pytest.mark.parametrize(
    ("written", "file"),
    [("./img/0.png", "img/0.png"), ("img\\0.png", "img/0.png"), ("IMG/0.PNG", "img/0.png"), ("0.png", "img/0.png"),
     (unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "img/é.png")), ("at 9.png", "img/at\u202f9.png"), ("a\u200b.png", "img/a.png")],
)  # fmt: skip
def test_a_row_finds_its_image_in_the_spelling_of_another_system(tmp_path: Path, written: str, file: str) -> None:
    write_files(tmp_path, {file: PNG, "img/other.png": PNG, "t.csv": f"file,x\n{written},1\nother.png,0\n".encode()})
    raw = raw_images.read(dataset(tmp_path))
    assert sorted(raw.ids) == sorted([file, "img/other.png"])


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("a.png,1\nin/a.png,1", "two rows for in/a.png, in lines 2 and 3"),
        ("a.png,1\nA.PNG,0", "two rows for in/a.png, in lines 2 and 3"),
        (
            "B.png,1",
            "line 2, has a row for B.png, which is either in/b.PNG or in/b.png; write its folders too, and upper and lower",
        ),
        (
            "7,a.png",
            "names no image that exists: its first name is '7'.* Its column 'x' names images; make it the first one",
        ),
    ],
)
def test_rows_that_mean_two_images_or_none_are_refused(tmp_path: Path, rows: str, sentence: str) -> None:
    write_files(tmp_path, {"in/a.png": PNG, "in/b.png": PNG, "in/b.PNG": PNG, "t.csv": f"file,x\n{rows}\n".encode()})
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("files", [("é.png", "e\u0301.png"), ("a.png", "a\u200b.png")])
def test_a_name_that_two_files_have_in_appearance_is_refused(tmp_path: Path, files: tuple[str, str]) -> None:
    write_files(tmp_path, dict.fromkeys(files, PNG) | {"t.csv": f"file,x\n{files[0]},1\n".encode()})
    with pytest.raises(UserError, match=r"which is either '.*' or '.*'; rename one of them"):
        raw_images.read(dataset(tmp_path))


def test_a_header_that_is_missing_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, names(2) | {"t.csv": b"0.png,1\n1.png,0\n"})
    with pytest.raises(UserError, match="has no header: its first row, line 1, is of the image '0.png'"):
        raw_images.read(dataset(tmp_path))


def test_a_table_that_names_no_image_is_not_used_beside_one_that_does(tmp_path: Path) -> None:
    write_files(tmp_path, names(2) | {"t.csv": b"file,x\n0.png,1\n1.png,0\n", "colours.csv": b"name,code\nred,1\n"})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.labels.names == ["x"] and raw.notes[-1] == "Files that are not used: 1 .csv."


TABLE = "file,gender,age,colour\n" + "".join(
    f"{row}.png,{'' if row == 3 else 'FM'[row % 2]},{row + 20.5},{'NaN' if row > 37 else ['red', 'blue'][row % 2]}\n"
    for row in range(40)
)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_files(tmp_path, names(40) | {"people.csv": TABLE.encode()})


def test_missing_values_are_refused_with_their_lines(people: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"gender lacks a value in 1 of 40 rows of .*people.csv \(img/3.png in line 5\); so do colour; .*drop or category",
    ):
        raw_images.read(dataset(people))
    with pytest.raises(UserError, match=r"colour lacks a value in 2 .*38.png in line 40, img/39.png in line 41"):
        raw_images.read(dataset(people, labels=["colour"]))


def test_images_with_missing_values_are_dropped_if_asked(people: Path) -> None:
    raw = raw_images.read(dataset(people, missing="drop"))
    assert len(raw.ids) == len(raw.labels.codes) == 37 and "img/3.png" not in raw.ids
    assert raw.labels.values == [["F", "M"], ["blue", "red"]] and (raw.labels.codes >= 0).all()
    assert raw.notes[1:] == [
        "gender: 2 categories: F (20), M (19); 1 missing",
        "age: 40 numbers from 20.5 to 59.5; not a label: it is continuous; to make it one, bin it, as in `dataset.bins: {age: 5}`, or with "
        "`each` for each number by itself.",
        "colour: 2 categories: blue (19), red (19); 2 missing",
        "Left out: 3 of 40 images, which lack gender, colour (dataset.missing: drop).",
    ]
    assert len(raw_images.read(dataset(people, missing="drop", labels=["gender"])).ids) == 39


def test_missing_is_a_category_if_asked(people: Path) -> None:
    raw = raw_images.read(dataset(people, missing="category"))
    assert raw.labels.values == [["F", "M", "missing"], ["blue", "red", "missing"]]
    assert raw.labels.codes[3].tolist() == [2, 0] and raw.labels.codes[39].tolist() == [1, 2]


def test_numbers_are_binned_if_asked(people: Path) -> None:
    raw = raw_images.read(dataset(people, labels=["age"], bins={"age": [30, 40]}))
    assert raw.labels.values == [["below 30", "30 to 40", "40 and above"]]
    assert np.bincount(raw.labels.codes[:, 0]).tolist() == [10, 10, 20]
    with pytest.raises(UserError, match="dataset.labels names 'age', which is no label: it is continuous"):
        raw_images.read(dataset(people, labels=["age"]))
    with pytest.raises(
        UserError, match="dataset.bins names 'aged', which is no column of .*there are: gender, age, colour"
    ):
        raw_images.read(dataset(people, bins={"aged": 3}))


SPLITS = ["train", "Val", "TEST", "training", "dev", "valid", "validation ", "testing"] * 3


@pytest.fixture
def given(tmp_path: Path) -> Path:
    rows = [f"{row}.png,{row % 3},{split}" for row, split in enumerate(SPLITS)]
    return write_files(tmp_path, names(24) | {"t.csv": "\n".join(["file,kind,part", *rows]).encode()})


def test_columns_are_found_in_either_way_to_compose_an_accent(tmp_path: Path) -> None:
    rows = "".join(f"{row}.png,{row % 2},{row / 7},p{row // 2},{('train', 'test')[row % 2]}\n" for row in range(12))
    composed = unicodedata.normalize("NFC", "file,größe,höhe,prüfling,teilmenü\n")
    write_files(tmp_path, names(12) | {"t.csv": (composed + rows).encode()})
    size, height, person, part = (
        unicodedata.normalize("NFD", name) for name in ("größe", "höhe", "prüfling", "teilmenü")
    )
    asked = {"labels": [size, height], "bins": {height: 2}}
    assert raw_images.read(dataset(tmp_path, **asked, split={"group": person})).groups is not None
    raw = raw_images.read(dataset(tmp_path, **asked, split={"method": "column", "column": part}))
    assert raw.official is not None and raw.labels.names == list(composed.strip().split(",")[1:3])


def test_a_column_gives_the_split(given: Path) -> None:
    raw = raw_images.read(dataset(given, split={"method": "column", "column": "part"}))
    assert raw.official is not None and raw.labels.names == ["kind"]
    assert (
        raw.official.tolist()
        == ["train", "validation", "test", "train"] * 1 + ["validation"] * 3 + ["test"] + raw.official[8:].tolist()
    )
    assert "part: the split of each image." in raw.notes


def test_a_column_of_splits_is_never_a_label_without_a_word(given: Path) -> None:
    with pytest.raises(
        UserError, match="has a column 'part' with the values .*set dataset.split to {method: column, column: part}"
    ):
        raw_images.read(dataset(given))
    with pytest.raises(UserError, match="has a column 'part'"):
        raw_images.read(dataset(given, labels=["kind", "part"]))
    raw = raw_images.read(dataset(given, labels=["kind"]))
    assert "part: not used; dataset.split.method is random." in raw.notes


@pytest.mark.parametrize("name", ["split", "Fold", "partition", "subset"])
def test_a_column_that_is_called_a_split_is_refused_unless_asked_for(tmp_path: Path, name: str) -> None:
    table = f"file,{name}\n" + "".join(f"{row}.png,{row % 3}\n" for row in range(12))
    write_files(tmp_path, names(12) | {"t.csv": table.encode()})
    with pytest.raises(UserError, match=f"has a column '{name}' with the values 0, 1, 2"):
        raw_images.read(dataset(tmp_path))
    assert raw_images.read(dataset(tmp_path, labels=[name])).labels.values == [["0", "1", "2"]]


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (
            {"method": "column", "column": "prat"},
            "dataset.split.column names 'prat', which is no column of .*; there are: kind, part. Correct it, or set method: random and column: null",
        ),
        ({"group": "who"}, "dataset.split.group names 'who', which is no column of .* Correct it, or set it to null"),
    ],
)
def test_a_column_that_gives_no_split_is_refused(given: Path, split: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(given, split=split))


def test_a_word_that_names_no_split_is_refused_with_its_line(tmp_path: Path) -> None:
    write_files(tmp_path, names(3) | {"t.csv": b"file,x,part\n0.png,1,train\n1.png,0,2\n2.png,0,test\n"})
    with pytest.raises(UserError, match="t.csv, line 3: part is '2'; allowed are train, training, validation"):
        raw_images.read(dataset(tmp_path, split={"method": "column", "column": "part"}))


def test_a_row_without_a_split_is_refused_or_dropped(tmp_path: Path) -> None:
    table = "file,x,part\n" + "".join(f"{row}.png,{row % 2},{'train' if row else ''}\n" for row in range(12))
    write_files(tmp_path, names(12) | {"t.csv": table.encode()})
    split = {"method": "column", "column": "part"}
    with pytest.raises(UserError, match="part lacks a value in 1 of 12 rows"):
        raw_images.read(dataset(tmp_path, split=split))
    assert len(raw_images.read(dataset(tmp_path, split=split, missing="drop")).ids) == 11


@pytest.mark.parametrize("header", [",mask,c", "index,neighbour,c"])
def test_row_numbers_that_may_be_names_of_images_are_refused(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{row},{(row + 1) % 24}.png,{row % 2}\n" for row in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f"{header}\n{rows}".encode()})
    other = header.split(",")[1]
    with pytest.raises(
        UserError, match=f"can be read in two ways: .*line 2, '0' .*img/0.png, and {other!r} names img/1.png.*remove"
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("header", [",file,c", "index,Image Name,c"])
def test_row_numbers_before_a_column_of_files_are_left_out(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{row},{(row + 1) % 24}.png,{row % 2}\n" for row in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f"{header}\n{rows}".encode()})
    assert raw_images.read(dataset(tmp_path)).ids[0] == "img/1.png"


def test_row_numbers_that_agree_with_the_names_are_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row}.png,{row % 2}\n" for row in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f",mask,c\n{rows}".encode()})
    assert raw_images.read(dataset(tmp_path)).labels.names == ["c"]


def test_folders_beside_a_table_are_told_unless_a_column_has_them(tmp_path: Path) -> None:
    files = {f"{'cat' if row % 2 else 'dog'}/{row}.png": PNG for row in range(8)}
    table = "file,x,kind\n" + "".join(f"{name},{row // 4},{name[:3]}\n" for row, name in enumerate(files))
    write_files(tmp_path, files | {"t.csv": table.encode()})
    assert not any("are not used" in note for note in raw_images.read(dataset(tmp_path)).notes)
    write_files(tmp_path, {"t.csv": table.replace(",cat", ",a").replace(",dog", ",b").encode()})
    assert any("The folders" in note for note in raw_images.read(dataset(tmp_path)).notes)
    write_files(tmp_path, {"t.csv": "\n".join(line.rpartition(",")[0] for line in table.splitlines()).encode()})
    assert raw_images.read(dataset(tmp_path)).notes[-1] == (
        "The folders cat, dog are not used, because there is a table; add a column for them if they are classes."
    )


def test_a_group_is_no_label_unless_asked_for(people: Path) -> None:
    options = {"split": {"group": "gender"}, "missing": "drop"}
    raw = raw_images.read(dataset(people, **options))
    assert raw.labels.names == ["colour"] and raw.groups is not None and raw.groups[:4].tolist() == ["F", "M", "F", "F"]
    assert raw_images.read(dataset(people, **options, labels=["gender"])).labels.names == ["gender"]


def trees(*folders: str) -> dict[str, bytes]:
    return {f"{folder}/{kind}/{row}.png": PNG for folder in folders for kind in ("cat", "dog") for row in range(3)}


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Dev"])
def test_folders_give_the_split_and_the_classes_below_them(tmp_path: Path, validation: str) -> None:
    write_files(tmp_path, trees("train", validation, "test"))
    raw = raw_images.read(dataset(tmp_path, split={"method": "folders"}))
    assert raw.labels.values == [["cat", "dog"]] and raw.official is not None
    where = {"train": "train", validation: "validation", "test": "test"}
    assert raw.official.tolist() == [where[name.split("/")[0]] for name in raw.ids]


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "test"),
        ("Train", "val"),
        ("cats/train", "cats/test"),
        ("a/train", "b/test"),
        ("Trainingsdaten", "Testdaten"),
        ("entrenamiento", "prueba"),
        ("训练", "测试集"),
    ],
)
@pytest.mark.parametrize("table", [False, True])
def test_folders_of_splits_are_never_classes_without_a_word(
    tmp_path: Path, folders: tuple[str, ...], table: bool
) -> None:
    write_files(
        tmp_path, trees(*folders) | ({"t.csv": f"file,x\n{folders[0]}/cat/0.png,1\n".encode()} if table else {})
    )
    with pytest.raises(
        UserError,
        match="holds folders called .*, which seem to be splits; set .*dataset.split.method to folders.*, or rename them",
    ):
        raw_images.read(dataset(tmp_path))


ALMOST_SPLITS = [
    "seg_train seg_test seg_pred", "asl_alphabet_train asl_alphabet_test", "images_train images_test", "train_x train_y test_x test_y",
    "train extra", "train pred", "seg_train seg_pred", "train more", "tr te va",
    "images_train_2017 images_val_2017", "PublicTest PrivateTest Training", "test cat dog bus", "fold_1 fold_2 fold_3", "imagesTr imagesTs",
]  # fmt: skip


@pytest.mark.parametrize("folders", ALMOST_SPLITS)
def test_folders_that_may_be_splits_are_classes_only_if_labels_say_so(tmp_path: Path, folders: str) -> None:
    write_files(tmp_path, trees(*folders.split()))
    with pytest.raises(
        UserError, match=r"may be (splits|a split); .*set dataset.split.method to folders.*dataset.labels to \[class\]"
    ):
        raw_images.read(dataset(tmp_path))
    assert raw_images.read(dataset(tmp_path, labels=["class"])).labels.values == [sorted(folders.split())]


@pytest.mark.parametrize(
    "folders", ["trainer tester", "test_tube train_station", "tr de fr", "contest bus", "pred extra", "latest detrain"]
)
def test_folders_that_only_resemble_splits_are_classes(tmp_path: Path, folders: str) -> None:
    write_files(tmp_path, trees(*folders.split()))
    assert raw_images.read(dataset(tmp_path)).labels.values == [sorted(folders.split())]


def test_vehicles_in_folders_of_splits_may_have_a_class_called_train(tmp_path: Path) -> None:
    files = {
        f"{split}/{kind}/{row}.png": PNG for split in ("train", "test") for kind in ("train", "bus") for row in "12"
    }
    write_files(tmp_path, files)
    with pytest.raises(UserError, match="may be a split"):
        raw_images.read(dataset(tmp_path, split={"method": "folders"}))
    raw = raw_images.read(dataset(tmp_path, split={"method": "folders"}, labels=["class"]))
    assert raw.labels.values == [["bus", "train"]]


def test_a_folder_called_train_beside_another_is_no_class_if_there_is_a_table(tmp_path: Path) -> None:
    files = {f"{folder}/{row}{folder}.png": PNG for folder in ("train", "more") for row in range(4)}
    table = "file,x\n" + "".join(f"{name},{row % 2}\n" for row, name in enumerate(files))
    write_files(tmp_path, files | {"t.csv": table.encode()})
    assert raw_images.read(dataset(tmp_path)).labels.names == ["x"]


def test_a_folder_in_no_split_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, trees("train", "test", "more"))
    with pytest.raises(UserError, match="more/cat/0.png in .* is in no folder of a split; allowed are train, training"):
        raw_images.read(dataset(tmp_path, split={"method": "folders"}))


def test_a_table_and_folders_of_splits_go_together(tmp_path: Path) -> None:
    files = {f"{split}/{row}.png": PNG for split in ("train", "test") for row in range(3)}
    table = "file,x\n" + "".join(f"{name},{row % 2}\n" for row, name in enumerate(files))
    write_files(tmp_path, files | {"t.csv": table.encode()})
    raw = raw_images.read(dataset(tmp_path, split={"method": "folders"}))
    assert raw.official is not None and raw.official.tolist() == ["train"] * 3 + ["test"] * 3
    assert raw.labels.codes[:, 0].tolist() == [0, 1] * 3


def test_a_folder_around_the_classes_is_no_class(tmp_path: Path) -> None:
    """Archives are often unpacked into a folder of their own."""
    root = write_files(
        tmp_path / "root", {f"pets/images/{name}/{row}.png": PNG for name in ("cat", "dog") for row in "12"}
    )
    raw = raw_images.read(dataset(root))
    assert raw.labels.values == [["cat", "dog"]]
    assert raw.notes[0] == "All images are in pets/images, and the folders in it are the classes."


def test_every_class_and_every_file_passed_over_is_told(tmp_path: Path) -> None:
    avif, jp2 = encoded(picture(0), "AVIF"), encoded(picture(0), "JPEG2000")
    write_files(tmp_path / "elsewhere", {"1.JFIF": encoded(picture(0)), "2.tga": encoded(picture(0), "TGA")})
    files = {
        "ant/1.avif": avif,
        "ant/2.jp2": jp2,
        "Ant/1.png": PNG,
        "bat/1.heic": b"?",
        "bat/2.heic": b"?",
        "notes": b"?",
    }
    root = write_files(tmp_path / "root", files)
    (root / "cow").symlink_to(tmp_path / "elsewhere")
    (root / "dog").mkdir()
    (root / "eel").symlink_to(tmp_path / "moved")
    raw = raw_images.read(dataset(root))
    assert raw.labels.values == [["Ant", "ant", "cow"]]
    assert raw.notes == [
        "class: 3 folders: Ant (1), ant (2), cow (2)",
        "'Ant' and 'ant' differ only in case or blanks, and are different classes.",
        "No image is in bat, dog.",
        "Files that are not used: 2 .heic, 1 without a suffix.",
        "Links that lead to no file: eel.",
    ]


def test_classes_that_look_the_same_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, {"cat/1.png": PNG, "c\u00adat/1.png": PNG, "dog/1.png": PNG})
    with pytest.raises(UserError, match=r"holds folders 'cat' and 'c\\xadat', which look the same; rename one"):
        raw_images.read(dataset(tmp_path))


def test_thousands_of_people_as_classes_get_advice_that_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_folders, "MOST_VALUES", 2)
    write_files(tmp_path, {f"{person}/1.png": PNG for person in range(3)})
    with pytest.raises(
        UserError, match="holds 3 folders of images.*put a table of other labels next to them.*dataset.split.group"
    ):
        raw_images.read(dataset(tmp_path))
    write_files(tmp_path, {"t.csv": b"file,x,person\n0/1.png,1,0\n1/1.png,0,1\n2/1.png,0,2\n"})
    raw = raw_images.read(dataset(tmp_path, split={"group": "person"}))
    assert raw.groups is not None and raw.labels.names == ["x"]


def test_a_list_of_images_is_no_table_but_odd_separators_are_refused(tmp_path: Path) -> None:
    write_files(write_class_folders(tmp_path), {"list.txt": b"cat/0.jpeg\ndog/1.png\n"})
    assert raw_images.read(dataset(tmp_path)).labels.names == ["class"]
    write_files(tmp_path, {"table.txt": b"file|x\ncat/0.jpeg|1\ndog/1.png|0\n"})
    with pytest.raises(UserError, match=r"table.txt holds no table of images: its first line is 'file\|x'"):
        raw_images.read(dataset(tmp_path))


def test_one_folder_beside_a_spreadsheet_is_no_class(tmp_path: Path) -> None:
    write_files(tmp_path, names(2) | {"labels.xlsx": b"PK"})
    with pytest.raises(
        UserError, match="one folder of images, img, and labels.xlsx, which is not read; save it as CSV"
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"split": {"group": "x"}}, "dataset.split.group needs a table, but .* or set it to null"),
        ({"split": {"method": "column", "column": "x"}}, "dataset.split.column needs a table, .* or set it to null and method to random"),
        ({"bins": {"x": 3}}, "dataset.bins needs a table, but .* or set it to {}"),
        ({"bins": {"x": 3}, "split": {"group": "x"}}, "dataset.split.group and dataset.bins need a table, .* or set them to null and {}"),
    ],
)  # fmt: skip
def test_keys_of_a_table_need_one(tmp_path: Path, options: dict[str, object], sentence: str) -> None:
    pets = write_class_folders(tmp_path / "pets")
    with pytest.raises(UserError, match=f"{sentence}[.]$"):
        raw_images.read(dataset(pets, **options))
    write_files(tmp_path, {"pets.csv": b"file,x\n"})
    with pytest.raises(UserError, match=f"{sentence}. pets.csv lies one folder above; move it"):
        raw_images.read(dataset(pets, **options))
    write_files(pets, {"pets.xlsx": b"PK"})
    with pytest.raises(UserError, match=f"{sentence}. pets.xlsx is not read; save it as CSV"):
        raw_images.read(dataset(pets, **options))


def test_images_of_several_frames_are_named(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), grey) for grey in (10, 200)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    write_files(tmp_path, {"a/1.gif": moving, "a/2.png": PNG})
    assert "Only the first frame or page is used of a/1.gif." in raw_images.read(dataset(tmp_path)).notes


def test_a_name_that_is_not_utf8_goes_as_far_as_the_store(tmp_path: Path) -> None:
    write_files(tmp_path / "own", {f"a/{row}.png": PNG for row in range(20)})
    with open(os.fsencode(tmp_path) + b"/own/a/caf\xe9.png", "wb") as file:
        file.write(PNG)
    wanted = dataset(tmp_path / "own")
    preprocess(wanted, json.loads(json.dumps(raw_images.fetch(wanted))), tmp_path / "own.h5")
    ids = [each for name in ("train", "validation", "test") for each in store.read_ids(tmp_path / "own.h5", name)]
    assert "a/caf\\xe9.png" in ids and len(ids) == 21


def test_an_image_folder_cannot_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="set dataset.source to a folder"):
        raw_images.fetch(dataset("download"))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_one_file_under_two_names_is_refused(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    write_class_folders(tmp_path)
    link(tmp_path / "cat/1.png", tmp_path / "dog/x.png")
    with pytest.raises(
        UserError, match=r"has two names for one file, by links, .*: cat/1.png and dog/x.png; remove one link"
    ):
        raw_images.read(dataset(tmp_path))


def copy(folder: Path, source: str, target: str) -> None:
    shutil.copy(folder / source, folder / target)


def test_copies_in_two_classes_are_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    copy(tmp_path, "cat/1.png", "dog/x.png")
    with pytest.raises(
        UserError, match=r"copies of one image that differ in class: cat/1.png .cat. and dog/x.png .dog."
    ):
        raw_images.read(dataset(tmp_path))


def test_copies_in_two_splits_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, trees("train", "test"))
    copy(tmp_path, "train/cat/1.png", "test/cat/9.png")
    with pytest.raises(UserError, match=r"differ in their split: test/cat/9.png .test. and train/cat/1.png .train."):
        raw_images.read(dataset(tmp_path, split={"method": "folders"}))


@pytest.mark.parametrize(
    ("options", "what"),
    [({}, "x"), ({"labels": ["y"]}, None), ({"labels": ["y"], "split": {"group": "x"}}, "their group")],
)
def test_copies_that_a_table_describes_differently_are_refused(
    tmp_path: Path, options: dict[str, object], what: str | None
) -> None:
    rows = "".join(f"{row}.png,{row % 3},{row % 2}\n" for row in range(12))
    write_files(tmp_path, names(12) | {"t.csv": f"file,x,y\n{rows}".encode()})
    copy(tmp_path, "img/0.png", "img/2.png")
    if what is None:
        raw_images.read(dataset(tmp_path, **options))
        return
    with pytest.raises(UserError, match=f"differ in {what}: img/0.png .0. and img/2.png .2."):
        raw_images.read(dataset(tmp_path, **options))


def test_copies_in_one_class_are_told_and_come_into_one_split(tmp_path: Path) -> None:
    pets = write_class_folders(tmp_path / "pets")
    for number in range(20, 24):
        copy(pets, "cat/1.png", f"cat/{number}.png")
    wanted = dataset(pets, split={"validation": 0.25})
    manifest = raw_images.fetch(wanted)
    assert manifest["notes"][1] == "4 of 24 images are exact copies of another one, such as cat/1.png and cat/20.png."
    preprocess(wanted, manifest, tmp_path / "own.h5")
    splits = [set(store.read_ids(tmp_path / "own.h5", name)) for name in ("train", "validation", "test")]
    copied = {"cat/1.png", *(f"cat/{number}.png" for number in range(20, 24))}
    assert sum(map(len, splits)) == 24 and [bool(copied & ids) for ids in splits].count(True) == 1


def test_damaged_files_are_no_copies_of_each_other(tmp_path: Path) -> None:
    write_files(write_class_folders(tmp_path), {"cat/none.png": b"", "dog/none.png": b""})
    assert len(raw_images.fetch(dataset(tmp_path, on_bad_image="skip"))["skipped"]) == 2


def test_an_image_that_is_skipped_says_nothing_of_the_others(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{row % 2}/{row}.png": encoded(picture(row, mode="L"), "PNG") for row in range(20)})
    write_files(tmp_path, {"0/damaged.png": PNG[: len(PNG) // 2]})
    wanted = dataset(tmp_path, on_bad_image="skip")
    manifest = raw_images.fetch(wanted)
    images = raw_images.without(raw_images.read(wanted), manifest["skipped"]).images
    assert isinstance(images, EncodedImages) and images.channels == 1
    assert images.summary is not None and images.summary.coloured == 0


def test_folders_inside_of_classes_are_told(tmp_path: Path) -> None:
    write_files(write_class_folders(tmp_path), {"cat/tabby/1.png": PNG, "cat/tabby/2.png": PNG, "dog/a/b/1.png": PNG})
    assert raw_images.read(dataset(tmp_path)).notes[1] == (
        "Folders inside of a class are no classes of their own: cat/tabby (2), dog/a/b (1). If they should be, put a table next to the folders."
    )


def test_splits_without_a_common_class_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, trees("train/images", "test"))
    with pytest.raises(
        UserError, match="folders in test and in train of .* have no class in common: cat, dog, and images"
    ):
        raw_images.read(dataset(tmp_path, split={"method": "folders"}))


@pytest.mark.parametrize("split", [{"method": "column", "column": "part"}, {"method": "folders"}])
def test_a_column_that_contradicts_the_folders_of_splits_is_refused(tmp_path: Path, split: dict[str, str]) -> None:
    files = {f"{split}/{row}.png": PNG for split in ("train", "test") for row in range(4)}
    table = "file,x,part\n" + "".join(
        f"{name},{row % 2},{'Test' if row > 1 else 'dev'}\n" for row, name in enumerate(files)
    )
    write_files(tmp_path, files | {"t.csv": table.encode()})
    with pytest.raises(
        UserError, match="contradicts the folders of 4 of 8 images: its column 'part' says dev of train/0.png"
    ):
        raw_images.read(dataset(tmp_path, split=split, labels=["x"]))
    right = "file,x,part\n" + "".join(f"{name},{row % 2},{name.split('/')[0]}\n" for row, name in enumerate(files))
    write_files(tmp_path, {"t.csv": right.encode()})
    assert raw_images.read(dataset(tmp_path, split=split, labels=["x"])).official is not None


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("/home/me/img/{}.png", "/home/me/ stands in front of all names in the table, and is left out."),
        ("C:\\me\\img\\{}.png", "C:/me/ stands in front of all names in the table, and is left out."),
        ("{}.jpg", "The names in the table have other suffixes than the images, or none: 0.jpg is img/0.png."),
        (
            "/home/me/img/{}.jpg",
            "The names in the table have other suffixes than the images, or none: img/0.jpg is img/0.png.",
        ),
        ("{}.PNG", "4 names in the table differ from those of the images in case, such as 0.PNG and img/0.png."),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_names_that_are_written_in_another_way_are_found_with_a_remark(
    tmp_path: Path, written: str, note: str, suffix: str
) -> None:
    table = "file,x\n" + "".join(f"{written.format(row)},{row % 2}\n" for row in range(4))
    raw = raw_images.read(dataset(write_files(tmp_path, names(4) | {f"t.{suffix}": table.encode()})))
    assert raw.ids == sorted(names(4)) and raw.labels.codes[:, 0].tolist() == [0, 1, 0, 1]
    assert raw.notes[-1] == note


@pytest.mark.parametrize(
    ("files", "rows", "sentence"),
    [
        (["train/0.png", "train/1.png"], "test/0.png,1\ntest/1.png,0", "names no image that exists: its first name is 'test/0.png'"),
        (["0.jpg", "0.png", "1.png"], "0,1\n1,0", "t.csv names 0, which may be 0.jpg or 0.png; write .* with their suffixes"),
        (["0.png", "1.png"], "a,0.png\na,1.png", "column 'x' names images, and the first column, 'file', does not; make 'x' the first"),
    ],
)  # fmt: skip
def test_names_that_might_be_of_other_images_are_refused(
    tmp_path: Path, files: list[str], rows: str, sentence: str
) -> None:
    write_files(tmp_path, dict.fromkeys(files, PNG) | {"t.csv": f"file,x\n{rows}\n".encode()})
    with pytest.raises(UserError, match=sentence):
        raw_images.read(dataset(tmp_path))


def test_names_without_suffixes_are_found_in_one_folder_if_each_row_has_an_image(tmp_path: Path) -> None:
    table = "file,x\n" + "".join(f"{row},{row % 2}\n" for row in range(4))
    write_files(tmp_path, names(4) | {"t.csv": table.encode()})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.notes[-1] == "The names in the table have other suffixes than the images, or none: 0 is img/0.png."
    (tmp_path / "img/3.png").unlink()
    with pytest.raises(UserError, match="t.csv has names without suffixes, and no image has the name 3; write the suf"):
        raw_images.read(dataset(tmp_path))


def test_numbers_are_no_names_beside_a_column_of_names(tmp_path: Path) -> None:
    table = "id,image,x\n" + "".join(f"{row},{3 - row}.png,{row % 2}\n" for row in range(4))
    write_files(tmp_path, names(4) | {"t.csv": table.encode()})
    with pytest.raises(
        UserError,
        match="line 2, '0' in the first column may mean img/0.png, and 'image' may mean img/3.png. .*make 'image' the first",
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,path,light", "{},/home/me/flowers/{}.png,{}"),
        ("nr,image,colour", "{},{},{}"),
        ("id,file,colour", "{},{}.jpg,{}"),
        ("id;pfad;licht", "{};bilder/{}.png;{}"),
        ("nr,colour,image", "{0},{2},{1}"),
        ("id,path,colour", "{},/home/me/{},{}"),
        ("id,image,colour", "{},{}.0,{}"),
        ("id,image,colour", "{},{:03},{}"),
        ("id,path,colour", "{},IN/{:03}.PNG,{}"),
        ("id,url,colour", "{},https://x.org/{}.png?raw=1,{}"),
        ("id,path,colour", "{},['{}.png'],{}"),
    ],
)
def test_numbers_of_rows_are_no_names_if_another_column_may_name_other_images(
    tmp_path: Path, header: str, row: str
) -> None:
    rows = "".join(row.format(number, 7 * number % 24, "ab"[number % 2]) + "\n" for number in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f"{header}\n{rows}".encode()})
    with pytest.raises(UserError, match="can be read in two ways: in line 3, '1' in the first column may mean .*1.png"):
        raw_images.read(dataset(tmp_path))


def test_gaps_in_a_column_that_may_name_images_do_not_hide_it(tmp_path: Path) -> None:
    rows = "".join(f"{row},{7 * row % 24 if row % 3 else ''},{row % 2}\n" for row in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f"nr,image,c\n{rows}".encode()})
    with pytest.raises(UserError, match="can be read in two ways: in line 3"):
        raw_images.read(dataset(tmp_path))


def test_a_column_that_agrees_with_bare_names_or_names_no_images_is_accepted(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row}.jpg,{row % 12},scan{row}.jpg,{row + 20},{row % 2}\n" for row in range(24))
    table = f"id,photo,age,original,weight,c\n{rows}".encode()
    raw = raw_images.read(dataset(write_files(tmp_path, names(24) | {"t.csv": table})))
    assert raw.labels.names == ["age", "c"] and len(raw.ids) == 24


def test_a_first_column_of_files_may_stand_beside_one_of_other_files(tmp_path: Path) -> None:
    rows = "".join(f"{row}.png,{7 * row % 24}.png,{row % 2}\n" for row in range(24))
    write_files(tmp_path, names(24) | {"t.csv": f"file,neighbour,c\n{rows}".encode()})
    assert raw_images.read(dataset(tmp_path)).labels.names == ["c"]


@pytest.mark.parametrize("inner", ["", "in/"])
def test_a_table_in_a_subfolder_never_labels_the_images_of_the_folder_above(tmp_path: Path, inner: str) -> None:
    both = {f"{folder}{inner}{row}.png": PNG for folder in ("", "second/") for row in range(6)}
    table = "file,x\n" + "".join(f"{inner}{row}.png,{row % 2}\n" for row in range(6))
    write_files(tmp_path, both | {"second/labels.csv": table.encode()})
    with pytest.raises(UserError, match=f"is either {inner}0.png or second/{inner}0.png; write its folders"):
        raw_images.read(dataset(tmp_path))
    for front, meant in (("second/", "second/"), ("../", ""), ("./../second/", "second/")):
        rows = "".join(f"{front}{inner}{row}.png,{row % 2}\n" for row in range(6))
        write_files(tmp_path, {"second/labels.csv": f"file,x\n{rows}".encode()})
        assert raw_images.read(dataset(tmp_path)).ids == [f"{meant}{inner}{row}.png" for row in range(6)]


def test_names_in_a_table_may_be_as_seen_from_its_folder(tmp_path: Path) -> None:
    files = {f"second/{kind}/{row}.png": PNG for kind in "ab" for row in range(3)}
    table = "file,x\n" + "".join(f"{name.removeprefix('second/')},{row % 2}\n" for row, name in enumerate(files))
    write_files(tmp_path, files | {"second/labels.csv": table.encode()})
    assert raw_images.read(dataset(tmp_path)).ids == list(files)


def test_a_numbered_list_beside_folders_of_classes_is_no_table(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{'cat' if row % 2 else 'dog'}/{row}.png": PNG for row in range(20)})
    write_files(tmp_path, {"notes.txt": "".join(f"{row} happy\n" for row in range(13)).encode()})
    raw = raw_images.read(dataset(tmp_path))
    assert raw.labels.names == ["class"] and len(raw.ids) == 20
    write_files(tmp_path, {"classes.csv": b"code,name\n0,dog\n1,cat\n"})
    with pytest.raises(
        UserError,
        match="classes.csv may be a table of the images, whose names have no suffixes, or no table; write the",
    ):
        raw_images.read(dataset(tmp_path))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_folders_in_front_of_all_names_are_left_out_where_images_lie_in_a_subfolder(
    tmp_path: Path, suffix: str
) -> None:
    table = "file,x\n" + "".join(f"/home/me/flowers/{row}.{suffix},{row % 2}\n" for row in range(4))
    write_files(tmp_path, names(4, "photos") | {"t.csv": table.encode()})
    assert raw_images.read(dataset(tmp_path)).ids == sorted(names(4, "photos"))


def test_a_name_with_another_suffix_means_no_image_if_other_names_are_right(tmp_path: Path) -> None:
    """The missing photo 1.jpg is not its mask 1.png."""
    photos = {f"{row}.jpg": encoded(picture(row)) for row in (0, 2)}
    masks = {f"{row}.png": PNG for row in range(3)}
    write_files(tmp_path, photos | masks | {"t.csv": b"file,x\n0.jpg,1\n1.jpg,0\n2.jpg,0\n"})
    assert raw_images.read(dataset(tmp_path)).ids == ["0.jpg", "2.jpg"]


def test_images_of_one_name_with_two_suffixes_are_told(tmp_path: Path) -> None:
    write_files(write_class_folders(tmp_path), {"cat/0.png": PNG})
    assert raw_images.read(dataset(tmp_path)).notes[-1] == (
        "Images whose name differs from another's in the suffix only: 1, such as cat/0.png beside cat/0.jpeg. All of them are used."
    )


@pytest.mark.parametrize("sheet", ["labels.xlsx", "labels.ods", "metadata.jsonl"])
def test_a_table_that_is_not_read_is_named(tmp_path: Path, sheet: str) -> None:
    write_files(tmp_path / "flat", {"1.png": PNG, sheet: b"PK"})
    with pytest.raises(UserError, match=f"holds one folder of images and {sheet}, which is not read; save it as CSV"):
        raw_images.read(dataset(tmp_path / "flat"))
    write_files(write_class_folders(tmp_path / "classes"), {sheet: b"PK"})
    notes = raw_images.read(dataset(tmp_path / "classes")).notes
    assert notes[-1] == f"{sheet}: not read; to use a table, save it as CSV."


def test_files_that_systems_add_are_no_files(tmp_path: Path) -> None:
    added = [
        ".DS_Store",
        "cat/._1.png",
        "Thumbs.db",
        "__MACOSX/cat/1.png",
        "cat/desktop.ini",
        ".hidden/1.png",
        "._t.csv",
    ]
    write_files(write_class_folders(tmp_path), dict.fromkeys(added, b"?"))
    (tmp_path / "cat/.#lock.png").symlink_to("nobody@nowhere")
    raw = raw_images.read(dataset(tmp_path))
    assert len(raw.notes) == 1 and len(raw.ids) == 20


FLAT = {"images": {"a.png": PNG, "b.png": PNG}, "a class": {"cat/a.png": PNG, "cat/b.png": PNG}}


@pytest.mark.parametrize("files", FLAT.values(), ids=FLAT)
def test_images_in_one_folder_have_no_labels(tmp_path: Path, files: dict[str, bytes]) -> None:
    raw = raw_images.read(dataset(write_files(tmp_path, files)))
    assert raw.labels.names == [] and raw.labels.codes.shape == (2, 0) and raw.labels.codes.dtype == np.int64
    assert "so that they have no labels" in raw.notes[0]
    with pytest.raises(UserError, match="The images have no label; set dataset.labels to none"):
        raw_images.read(dataset(tmp_path, labels=["class"]))


def test_labels_are_left_out_if_asked(people: Path) -> None:
    of_table = raw_images.read(dataset(people, labels="none"))
    assert of_table.labels.names == [] and of_table.labels.codes.shape == (40, 0) and len(of_table.ids) == 40
    (people / "people.csv").unlink()
    write_files(write_class_folders(people), {"loose.png": PNG})
    of_folders = raw_images.read(dataset(people, labels="none"))
    assert of_folders.labels.codes.shape == (61, 0) == (len(of_folders.ids), 0)


def test_a_column_without_a_choice_is_refused_or_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": PNG, "b.png": PNG, "t.csv": b"file,kind\na.png,x\nb.png,x\n"})
    with pytest.raises(UserError, match="set dataset.labels to none to use them without labels. kind: all images have"):
        raw_images.read(dataset(tmp_path))
    assert raw_images.read(dataset(tmp_path, labels="none")).labels.codes.shape == (2, 0)


def test_a_table_of_splits_alone_gives_no_labels(tmp_path: Path) -> None:
    table = "file,split\n" + "".join(f"{number}.png,{split}\n" for number, split in enumerate(["train", "val", "test"]))
    write_files(tmp_path, {f"{number}.png": PNG for number in range(3)} | {"t.csv": table.encode()})
    raw = raw_images.read(dataset(tmp_path, split={"method": "column", "column": "split"}))
    assert raw.labels.codes.shape == (3, 0) and np.array_equal(raw.official, ["train", "validation", "test"])


def test_images_in_folders_of_splits_alone_have_no_labels(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{split}/{number}.png": PNG for split in ("train", "val", "test") for number in range(2)})
    raw = raw_images.read(dataset(tmp_path, split={"method": "folders"}))
    assert raw.labels.names == [] and sorted(np.unique(raw.official)) == ["test", "train", "validation"]
