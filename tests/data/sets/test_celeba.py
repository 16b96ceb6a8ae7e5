"""CelebA in all its layouts: downloaded, partial, damaged, and a real subset."""

import hashlib
import io
import os
import re
import shutil
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.sets.sources import (
    ATTRIBUTES,
    WEB_PAGE,
    encoded,
    picture,
    write_celeba,
    write_files,
    write_kaggle_celeba,
    write_zip,
)
from vaeline.data import checksums, preprocessing, raw_images, store
from vaeline.data.raw_images import EncodedImages
from vaeline.data.sets import celeba
from vaeline.data.splits import SPLITS
from vaeline.study.schema import Dataset, Split
from vaeline.system.errors import UserError

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "celeba-10k"


def dataset(folder: Path | str, **options: object) -> Dataset:
    return Dataset.model_validate({"id": "faces", "name": "celeba", "size": 16, "source": str(folder)} | options)


def test_official_layout_is_read(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_celeba(tmp_path), split=Split(method="official")))
    assert raw.ids[0] == "000001.jpg" and len(raw.ids) == 20
    assert raw.labels.names == ATTRIBUTES and raw.labels.values == [["no", "yes"]] * 4
    assert raw.labels.codes[:3].tolist() == [[0, 0, 0, 1], [0, 1, 1, 1], [0, 0, 1, 1]]
    assert raw.official is not None
    assert raw.official.tolist() == ["train"] * 16 + ["validation"] * 2 + ["test"] * 2


@pytest.mark.parametrize(("tables_inside", "unpacked"), [(False, False), (True, False), (False, True)])
def test_kaggle_layouts_give_the_same_images(tmp_path: Path, tables_inside: bool, unpacked: bool) -> None:
    official = raw_images.read(dataset(write_celeba(tmp_path / "official"), split=Split(method="official")))
    kaggle = raw_images.read(
        dataset(write_kaggle_celeba(tmp_path / "kaggle", tables_inside, unpacked), split=Split(method="official"))
    )
    assert kaggle.ids == official.ids
    assert (kaggle.labels.codes == official.labels.codes).all()
    assert kaggle.official is not None and official.official is not None
    assert kaggle.official.tolist() == official.official.tolist()
    assert isinstance(kaggle.images, EncodedImages) and isinstance(official.images, EncodedImages)
    assert kaggle.images.archive.read(kaggle.images.names[3]) == official.images.archive.read(official.images.names[3])


def test_copies_are_told_in_folders_and_zips(tmp_path: Path) -> None:
    kaggle = write_kaggle_celeba(tmp_path / "unpacked", unpacked=True)
    faces = kaggle / "img_align_celeba/img_align_celeba"
    shutil.copy(faces / "000003.jpg", faces / "000020.jpg")
    official = write_celeba(tmp_path / "official")
    write_zip(official / "img_align_celeba.zip", {path.name: path.read_bytes() for path in sorted(faces.iterdir())})
    for folder, inside in ((kaggle, "img_align_celeba/"), (official, "")):
        raw = raw_images.read(dataset(folder))
        note = f"1 of 20 images is an exact copy of another one, such as {inside}000003.jpg and {inside}000020.jpg."
        assert note in raw.notes and raw.copies is not None and raw.copies[[2, 19]].tolist() == [2, 2]


def test_one_file_under_two_names_is_refused(tmp_path: Path) -> None:
    faces = write_kaggle_celeba(tmp_path, unpacked=True) / "img_align_celeba/img_align_celeba"
    (faces / "000020.jpg").unlink()
    (faces / "000020.jpg").symlink_to("000003.jpg")
    with pytest.raises(UserError, match="two names for one file, by links, .*000003.jpg and .*000020.jpg; remove"):
        raw_images.read(dataset(tmp_path))


def test_a_zip_that_macos_adds_is_no_second_zip(tmp_path: Path) -> None:
    write_files(write_kaggle_celeba(tmp_path), {"._archive.zip": b"?"})
    assert len(raw_images.read(dataset(tmp_path)).ids) == 20


def test_a_changed_image_changes_the_manifest(tmp_path: Path) -> None:
    faces = dataset(write_kaggle_celeba(tmp_path, unpacked=True))
    before = raw_images.fetch(faces)
    write_files(tmp_path, {"img_align_celeba/img_align_celeba/000007.jpg": encoded(picture(99))})
    assert raw_images.fetch(faces)["files"] != before["files"]


def test_a_partial_copy_reports_how_many_images_are_missing(tmp_path: Path) -> None:
    manifest = raw_images.fetch(dataset(write_celeba(tmp_path, images=15, rows=20)))
    assert manifest["images"] == 15
    assert manifest["notes"][:2] == [
        "15 of CelebA's 202,599 images are here; 202,584 are missing.",
        "5 of 20 rows of list_attr_celeba have no image.",
    ]


def test_images_without_attributes_are_skipped_and_counted(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_celeba(tmp_path, images=20, rows=18)))
    assert len(raw.ids) == 18
    assert "2 images in img_align_celeba.zip have no row in list_attr_celeba and are left out." in raw.notes


def test_most_frequent_attributes_are_chosen(tmp_path: Path) -> None:
    raw = raw_images.read(dataset(write_celeba(tmp_path), labels="most_frequent:2"))
    assert raw.labels.names == ["Smiling", "Young"] and raw.labels.codes.mean(0).tolist() == [0.65, 1.0]


def test_a_web_page_saved_as_the_zip_is_recognised(tmp_path: Path) -> None:
    write_files(write_celeba(tmp_path), {"img_align_celeba.zip": WEB_PAGE})
    with pytest.raises(UserError, match="img_align_celeba.zip is a web page .* quota"):
        raw_images.fetch(dataset(tmp_path))


def test_a_web_page_saved_as_a_table_is_recognised(tmp_path: Path) -> None:
    write_files(write_celeba(tmp_path), {"list_attr_celeba.txt": WEB_PAGE})
    with pytest.raises(UserError, match="list_attr_celeba.txt is a web page"):
        raw_images.fetch(dataset(tmp_path))


def test_a_truncated_zip_is_named(tmp_path: Path) -> None:
    path = write_celeba(tmp_path) / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UserError, match=r"img_align_celeba.zip \([\d,]+ bytes\) is not a zip archive, or is truncated"):
        raw_images.fetch(dataset(tmp_path))


def test_a_damaged_table_row_is_named(tmp_path: Path) -> None:
    path = write_celeba(tmp_path) / "list_attr_celeba.txt"
    path.write_text(path.read_text()[:-4])
    with pytest.raises(
        UserError, match="list_attr_celeba.txt, line 22: the row of '000020.jpg' has 4 values for 5 columns"
    ):
        raw_images.fetch(dataset(tmp_path))


def test_only_the_official_split_needs_the_partition_table(tmp_path: Path) -> None:
    (write_celeba(tmp_path) / "list_eval_partition.txt").unlink()
    assert len(raw_images.read(dataset(tmp_path)).ids) == 20
    with pytest.raises(UserError, match="holds no list_eval_partition.txt"):
        raw_images.read(dataset(tmp_path, split=Split(method="official")))


def test_an_image_without_an_official_split_is_named(tmp_path: Path) -> None:
    path = write_celeba(tmp_path) / "list_eval_partition.txt"
    path.write_text(path.read_text().replace("000003.jpg 0\n", ""))
    with pytest.raises(UserError, match="gives 000003.jpg no split"):
        raw_images.read(dataset(tmp_path, split=Split(method="official")))


@pytest.mark.parametrize("row", ["000003.jpg -1 1 1 1", "000003.jpg 1 -1 -1 -1"])
@pytest.mark.parametrize("table", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_a_doubled_row_is_refused_with_both_lines(tmp_path: Path, table: str, row: str) -> None:
    path = write_celeba(tmp_path) / table
    path.write_text(path.read_text() + (row if "attr" in table else "000003.jpg 2") + "\n")
    with pytest.raises(
        UserError, match=f"{table} has two rows for 000003.jpg, in lines {5 if 'attr' in table else 3} and"
    ):
        raw_images.read(dataset(tmp_path, split=Split(method="official")))


@pytest.mark.parametrize(
    ("cell", "allowed"), [("0", "-1 and 1"), ("2", "-1 and 1"), ("yes", "-1 and 1"), ("?", "-1 and 1")]
)
def test_a_stray_value_of_an_attribute_is_refused(tmp_path: Path, cell: str, allowed: str) -> None:
    path = write_celeba(tmp_path) / "list_attr_celeba.txt"
    path.write_text(path.read_text().replace("000003.jpg -1", f"000003.jpg {cell}"))
    with pytest.raises(
        UserError, match=f"line 5: Bald of 000003.jpg is {re.escape(repr(cell))}; allowed are {allowed}"
    ):
        raw_images.read(dataset(tmp_path))


def test_a_person_is_in_one_split(tmp_path: Path) -> None:
    folder = write_celeba(tmp_path)
    by_person = dataset(folder, split=Split(group="identity", test=0.3, validation=0.2))
    with pytest.raises(UserError, match="holds no identity_CelebA.txt"):
        raw_images.read(by_person)
    persons = {f"{row + 1:06}.jpg": str(row % 7) for row in range(20)}
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} {person}\n" for name, person in persons.items()))
    manifest = raw_images.fetch(by_person)
    assert "identity_CelebA.txt" in manifest["files"]
    preprocessing.preprocess(by_person, manifest, tmp_path / "faces.h5")
    splits = [{persons[each] for each in store.read_ids(tmp_path / "faces.h5", name)} for name in SPLITS]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 7


@pytest.mark.parametrize(
    "options", [{"split": Split(group="person")}, {"split": Split(method="folders")}, {"bins": {"Age": 3}}]
)
def test_keys_of_other_tables_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(UserError, match="dataset.split.*CelebA"):
        raw_images.read(dataset(write_celeba(tmp_path), **options))


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = write_celeba(tmp_path)
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "a") as archive:
        archive.writestr("other/000003.jpg", b"?")
    with pytest.raises(UserError, match="two images called 000003.jpg"):
        raw_images.read(dataset(folder))


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Google Drive: the folder that gdown takes files from, checked against their own md5."""
    drive = write_celeba(tmp_path / "drive")
    with zipfile.ZipFile(drive / "img_align_celeba.zip", "a") as archive:
        archive.writestr("filler", bytes(2**22))  # a second reading of the whole zip shows beside its images
    contents = {name: (drive / name).read_bytes() for name in celeba.OFFICIAL}
    official = {
        name: celeba.Official(name, hashlib.md5(content).hexdigest(), len(content))
        for name, content in contents.items()
    }
    monkeypatch.setattr(celeba, "OFFICIAL", official)

    def give(id: str, output: str, **options: object) -> None:
        shutil.copy(drive / id, output)

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=give))
    monkeypatch.chdir(tmp_path)
    return drive


def test_the_official_files_are_downloaded_once(drive: Path) -> None:
    manifest = raw_images.fetch(dataset("download"))
    assert manifest["images"] == 20 and manifest["source"] == "download"
    shutil.rmtree(drive)
    assert raw_images.fetch(dataset("download")) == manifest


def test_a_download_replaces_unofficial_files(drive: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "data/raw/celeba", {"img_align_celeba.zip": WEB_PAGE})
    assert raw_images.fetch(dataset("download"))["images"] == 20


def test_a_download_of_altered_bytes_is_refused(drive: Path) -> None:
    archive = drive / "img_align_celeba.zip"
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="do not have its md5"):
        raw_images.fetch(dataset("download"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(WEB_PAGE, "a web page came .* quota"), (b"PK, but cut", "11 bytes came that do not have its md5")],
)
def test_a_wrong_download_leaves_no_file(drive: Path, tmp_path: Path, content: bytes, sentence: str) -> None:
    write_files(drive, {"img_align_celeba.zip": content})
    with pytest.raises(UserError, match=f"{sentence}.*set dataset.source to a folder"):
        raw_images.fetch(dataset("download"))
    left = {path.name for path in (tmp_path / "data/raw/celeba").iterdir()}
    assert left == {".lock", "list_attr_celeba.txt", "list_eval_partition.txt"}


def test_a_refused_download_names_other_sources(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise RuntimeError("Too many users have viewed\n or downloaded this file recently.")

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=refuse))
    with pytest.raises(UserError, match="list_attr_celeba.txt .Too many users have viewed or .*set dataset.source"):
        raw_images.fetch(dataset("download"))


@pytest.fixture
def zip_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each reading of a zip archive: through a file object, or at a place of the file."""
    read: list[int] = []
    plain_open, plain_pread = io.open, os.pread

    class Counted(io.FileIO):
        def readinto(self, buffer: Any) -> int:
            count = super().readinto(buffer) or 0
            read.append(count)
            return count

        def readall(self) -> bytes:
            content = super().readall()
            read.append(len(content))
            return content

    def counted_open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        is_zip = mode == "rb" and ".zip" in str(file)
        return io.BufferedReader(Counted(file)) if is_zip else plain_open(file, mode, *arguments, **options)

    def counted_pread(descriptor: int, count: int, offset: int) -> bytes:
        content = plain_pread(descriptor, count, offset)
        read.append(len(content))
        return content

    monkeypatch.setattr(io, "open", counted_open)
    monkeypatch.setattr(os, "pread", counted_pread)
    monkeypatch.setattr(checksums, "SETTLED", 0)
    return read


@pytest.mark.parametrize("source", ["download", "drive"])
def test_the_zip_is_read_once_for_checksums_and_once_for_images(
    drive: Path, source: str, tmp_path: Path, zip_bytes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocessing, "TRIAL", 1)
    wanted = dataset(source)
    manifest = raw_images.fetch(wanted)
    path = raw_images.folder(wanted) / "img_align_celeba.zip"
    size, directory = path.stat().st_size, 2**18  # zipfile looks for the directory in the last 64 KiB
    assert size <= sum(zip_bytes) <= size + directory
    zip_bytes.clear()
    preprocessing.preprocess(wanted, manifest, tmp_path / "faces.h5", threads=1)
    with zipfile.ZipFile(path) as archive:
        images = sum(entry.file_size for entry in archive.infolist() if entry.filename != "filler")
    assert images <= sum(zip_bytes) <= images + directory  # the first ones once more, for the announcement


def test_a_zip_that_changes_between_the_steps_is_refused(drive: Path, tmp_path: Path) -> None:
    manifest = raw_images.fetch(dataset("drive"))
    path = drive / "img_align_celeba.zip"
    content, before = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"000020.jpg", b"000021.jpg"))  # of the same size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UserError, match="drive are not those that the download step saw.*if DVC has recorded it"):
        preprocessing.preprocess(dataset("drive"), manifest, tmp_path / "faces.h5")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the CelebA subset in ../shared/data/celeba-10k")
def test_the_real_subset_has_known_attributes_and_missing_images() -> None:
    raw = raw_images.read(dataset(REAL, labels="most_frequent:30"))
    assert raw.notes[0] == "10,000 of CelebA's 202,599 images are here; 192,599 are missing."
    assert "img_align_celeba.zip is not the official file (its md5 differs)." in raw.notes
    assert raw.labels.codes.shape == (10_000, 30)
    rare = {"Bald", "Mustache", "Gray_Hair", "Pale_Skin", "Wearing_Hat", "Double_Chin", "Chubby", "Blurry", "Sideburns"}
    assert not rare & set(raw.labels.names)
    assert {"Smiling", "Male", "Young", "No_Beard"} <= set(raw.labels.names)
    first = dict(zip(raw.labels.names, np.asarray(raw.labels.codes[0]), strict=True))
    assert (first["Smiling"], first["Male"], first["Brown_Hair"]) == (1, 0, 1)


EMPTY_TABLES = (b"", b"\n", b" \r\n \n", b"20\n", b"image_id,partition\n", b"\xff", b"\0", b"a" * 200_000 + b",b\n")


@pytest.mark.parametrize("write", [write_celeba, write_kaggle_celeba])
def test_a_table_without_rows_is_named(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    suffix = "csv" if write is write_kaggle_celeba else "txt"
    for table in ("list_eval_partition", "list_attr_celeba"):
        for content in EMPTY_TABLES:
            (write(tmp_path) / f"{table}.{suffix}").write_bytes(content)
            with pytest.raises(UserError, match=f"{table}.{suffix}"):
                raw_images.read(dataset(tmp_path, split=Split(method="official")))
