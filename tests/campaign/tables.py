"""Mutated tables and folders of a user's own images: the labels that we read are those that the table means.

The oracle knows what each image was meant to show, from before the table was written. We may refuse a table, and leave
images out if we say so; we may not give two meanings one code, one meaning two codes, or yes to a no.
"""

import csv
import io
import os
import tempfile
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random
from types import MappingProxyType

import numpy as np

from tests.campaign.isolated import attempt
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Outcome, Verdict
from tests.campaign.studies import png
from vaeline.data import raw_images
from vaeline.study.schema import Dataset

IMAGES = 14
MEASURED, CONSTANT = "age", "site"  # the names of a column of measurements and of one with a single value: no labels
YES, NO = ("1", "yes", "true", "y", "t", "+1", "on"), ("0", "no", "false", "n", "f", "-1", "off")
Meaning = dict[str, dict[str, str]]  # column -> image -> what the image shows


@dataclass
class Table:
    """A table as cells, and how it is written."""

    header: list[str]
    rows: list[list[str]]
    separator: str = ","
    encoding: str = "utf-8"
    newline: str = "\n"
    name: str = "labels.csv"
    quoted: bool = False
    refused: str = ""  # why the table has no meaning, so that only a sentence is right
    told: dict[str, str] = field(default_factory=dict)  # what the note on a column must contain
    meaning: Meaning = field(default_factory=dict)
    smiling: int = 1  # the place of the column of yes and no
    folder: str = ""  # of the table, with other images under the same names; empty: beside the images

    def written(self) -> bytes:
        """The bytes of the file."""
        text = io.StringIO()
        quoting = csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL
        writer = csv.writer(text, delimiter=self.separator, lineterminator=self.newline, quoting=quoting)
        writer.writerows([self.header, *self.rows])
        try:
            return text.getvalue().encode(self.encoding)
        except UnicodeEncodeError:  # it cannot write these characters
            return text.getvalue().encode()


def prepare(grounds: Grounds) -> Judge:
    """The judge of tables and of folders of classes."""
    folder = grounds.folder / "tables"
    folder.mkdir(exist_ok=True)

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=folder) as name:
            make = _folders if random.random() < 0.25 else _table
            return make(random, Path(name))

    return judge


def _table(random: Random, folder: Path) -> Verdict:
    names = [f"{index:03}.png" for index in range(IMAGES)]
    for index, name in enumerate(names):
        _write(folder / name, index)
    table = Table(
        ["file", "smiling", "colour"],
        [[name, str(random.randrange(2)), random.choice(["red", "green", "blue"])] for name in names],
    )
    table.rows[0][1], table.rows[1][1] = "0", "1"
    for at, column in enumerate(table.header[1:], 1):
        table.meaning[column] = {row[0]: row[at] for row in table.rows}
    changes = list(set(random.choices(CHANGES, k=random.choice([1, 1, 1, 2, 3]))))
    changes.sort(key=CHANGES.index)  # the meaning goes last, so that no other change brings it back
    for change in changes:
        change(random, table)
    for index, name in enumerate(names if table.folder else []):
        _write(folder / table.folder / name, IMAGES + index)
    (folder / table.folder / table.name).write_bytes(table.written())
    what = " and ".join(change.__name__.strip("_") for change in changes)
    return judged(folder, table.meaning, what, table.refused, table.told)


def judged(
    folder: Path, meaning: Meaning, what: str, refused: str = "", told: Mapping[str, str] = MappingProxyType({})
) -> Verdict:
    """Read a folder, and compare the labels with what the images mean.

    Args:
        folder: that is read.
        meaning: of the images.
        what: was done to the folder.
        refused: why only a sentence is right; empty if labels are.
        told: what the note on a column must contain.
    """
    reply = attempt(lambda: _read(folder))
    if reply.outcome is not Outcome.RIGHT:
        return Verdict(reply.outcome, what, reply.said)
    labels, notes = reply.value
    found = _faults(labels, meaning, notes)
    for column, words in told.items():
        if not any(note.startswith(f"{column}: ") and words in note for note in notes):
            found.append(f"no note on {column} has {words!r}: {notes}")
    if refused:
        found = [f"{refused}, but it was accepted: {labels}, {notes}"]
    return Verdict(Outcome.SILENT if found else Outcome.RIGHT, what, "; ".join(found)[:600])


def _read(folder: Path) -> tuple[Meaning, list[str]]:
    """What the data set reads: labels by column and image, and its notes."""
    dataset = Dataset(id="mine", name="image_folder", source=str(folder), size=8)
    raw = raw_images.read(dataset)
    labels = {
        name: {image: values[code] for image, code in zip(raw.ids, codes, strict=True)}
        for name, values, codes in zip(raw.labels.names, raw.labels.values, raw.labels.codes.T, strict=True)
    }
    return labels, raw.notes


def _faults(labels: Meaning, meaning: Meaning, notes: list[str]) -> list[str]:
    """How labels differ from what they mean."""
    if labels.keys() != meaning.keys():
        return [f"columns {list(labels)} for {list(meaning)}"]
    found = []
    for column, meant in meaning.items():
        read = labels[column]
        if (left_out := meant.keys() - read.keys()) and not _told(left_out, read, notes):
            found.append(f"{len(left_out)} images are left out without a note")
        meanings = set(map(_canonical, meant.values()))
        third = bool(meanings & {"yes", "no"}) and not meanings <= {"yes", "no"}
        pairs = {(read[image], _canonical(meant[image])) for image in read if image in meant}
        # Beside a third value, each word for yes is a value of its own.
        if not third and len(pairs) > len({other for _, other in pairs}):
            found.append(f"{column}: {sorted(pairs)}")
        found += [f"{column}: {one!r} for {other!r}" for one, other in pairs if _canonical(one) != other]
        found += [f"{image} is no image" for image in read.keys() - meant.keys()][:1]
    return found


def _told(left_out: Collection[str], read: Collection[str], notes: list[str]) -> bool:
    """Whether the notes say how many images are left out, or name them, a folder or a suffix that only they have."""
    words, others = _words(left_out), _words(read)
    named = any(word in note for note in notes for word in words - others)
    return named or any(note.startswith(f"{len(left_out):,} ") for note in notes)


def _words(images: Collection[str]) -> set[str]:
    """Names, suffixes and folders of images."""
    paths = [PurePosixPath(image) for image in images]
    return {word for path in paths for word in (path.name, path.suffix, path.parent.name) if word}


def _canonical(word: str) -> str:
    word = unicodedata.normalize("NFC", word.strip())
    lower = word.lower().removesuffix(".0").replace("-0", "0")
    return "yes" if lower in YES else "no" if lower in NO else word


def _write(path: Path, index: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(np.full((8, 8), 9 * index, np.uint8)))


# Changes of how a table is written. The first ones leave its meaning as it is.

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u202a"  # marks of direction, places where a word may break
BLANKS = "\u3000\u2009"  # nobody sees them at the end of a cell


def _hide_characters(random: Random, table: Table) -> None:
    """Characters that nobody sees, in some cells or in the header; the words are the same."""
    for row in random.sample([table.header, *table.rows], 4):
        at, mark = random.randrange(3), random.choice(INVISIBLE)
        place = random.randrange(len(row[at]) + 1)
        row[at] = row[at][:place] + mark + row[at][place:] + random.choice(["", random.choice(BLANKS)])


def _compose(random: Random, table: Table) -> None:
    """An accent is one character in some rows, and two in others."""
    at = 3 - table.smiling
    accented = {"red": "r\u00e9d", "green": "gr\u00e9en", "blue": "bl\u00fce"}
    for row in table.rows:
        for plain, word in accented.items():
            row[at] = row[at].replace(plain, unicodedata.normalize(random.choice(["NFC", "NFD"]), word))
    colours = table.meaning["colour"]
    colours.update({image: accented.get(word, word) for image, word in colours.items()})


def _pad_cells(random: Random, table: Table) -> None:
    for row in table.rows:
        at = random.randrange(1, 3)
        row[at] = random.choice([" {}", "{} ", "\t{}", "{}\u00a0", "  {}  "]).format(row[at])


def _pad_header(random: Random, table: Table) -> None:
    table.header = [f"{name} " for name in table.header]


def _use_words(random: Random, table: Table) -> None:
    no, yes = random.choice(
        [("no", "yes"), ("No", "Yes"), ("FALSE", "TRUE"), ("false", "true"), ("-1", "1"), ("-1", "+1"), ("0.0", "1.0"), ("n", "y"), ("0", "+1"), ("N", "Y"), ("off", "on")]
    )  # fmt: skip
    for row in table.rows:
        row[table.smiling] = yes if _canonical(row[table.smiling]) == "yes" else no


def _mix_words(random: Random, table: Table) -> None:
    """Some cells say the same in another way; beside -1 and 1, a 0 could be a third value."""
    if any(row[table.smiling] == "-1" for row in table.rows):
        return
    for row in random.sample(table.rows, random.choice([1, 1, 2, 7])):
        yes = _canonical(row[table.smiling]) == "yes"
        row[table.smiling] = random.choice(
            ["1.0", "1", "True", "TRUE", "yes", "YES", "Yes", "+1", "1 ", "on", "On"]
            if yes
            else ["0.0", "0", "False", "FALSE", "no", "NO", "No", "-0", "0 ", "off", "Off"]
        )


def _shuffle(random: Random, table: Table) -> None:
    random.shuffle(table.rows)


def _turn_columns(random: Random, table: Table) -> None:
    for row in (table.header, *table.rows):
        row[1], row[2] = row[2], row[1]
    table.smiling = 3 - table.smiling


def _quote(random: Random, table: Table) -> None:
    table.quoted = True


def _separate(random: Random, table: Table) -> None:
    table.separator, table.name = random.choice(
        [
            (";", "labels.csv"),
            ("\t", "labels.csv"),
            ("\t", "labels.tsv"),
            (";", "labels.txt"),
            ("|", "labels.csv"),
            ("\t", "labels.txt"),
        ]
    )


def _encode(random: Random, table: Table) -> None:
    table.encoding = random.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])


def _end_lines(random: Random, table: Table) -> None:
    table.newline = random.choice(["\r\n", "\r", "\n\n"])


def _rename(random: Random, table: Table) -> None:
    table.name = random.choice(["LABELS.CSV", "labels.CSV", "a b.csv", "ä.csv", "labels.csv.txt"])


# The others take the meaning away, so that only a sentence is right.


def _miss_a_cell(random: Random, table: Table) -> None:
    random.choice(table.rows)[random.randrange(1, 3)] = random.choice(
        ["", " ", "NaN", "nan", "NA", "N/A", "null", "None"]
    )
    table.refused = "a value is missing"


def _contradict(random: Random, table: Table) -> None:
    row = list(random.choice(table.rows))
    row[table.smiling] = "1" if _canonical(row[table.smiling]) == "no" else "0"
    table.rows.insert(random.randrange(len(table.rows)), row)
    table.refused = "an image has two rows"


def _shorten_row(random: Random, table: Table) -> None:
    random.choice(table.rows).pop()
    table.refused = "a row is too short"


def _lengthen_row(random: Random, table: Table) -> None:
    random.choice(table.rows).append("red")
    table.refused = "a row is too long"


def _drop_header(random: Random, table: Table) -> None:
    table.header = table.rows.pop(0)
    table.refused = "there is no header"


def _repeat_header(random: Random, table: Table) -> None:
    table.header[2] = table.header[1]
    table.refused = "two columns have one name"


def _blank_header(random: Random, table: Table) -> None:
    table.header[random.randrange(1, 3)] = random.choice(["", " "])
    table.refused = "a column has no name"


def _stray_value(random: Random, table: Table) -> None:
    """One value of a column of yes and no is neither: it is a third value, and a note names it."""
    row, word = random.choice(table.rows), random.choice(["2", "maybe", "-", "1.5", "10"])
    row[table.smiling] = table.meaning["smiling"][row[0]] = word
    table.told["smiling"] = f"{word} (1)"


def _add_measurement(random: Random, table: Table) -> None:
    form, comma = random.choice(["{:.3f}", "{:.3f}", "{:.1f}%", "{:.2f} cm"]), random.random() < 0.5
    table.header.append(MEASURED)
    for row in table.rows:
        written = form.format(random.uniform(0, 90))
        row.append(written.replace(".", ",") if comma else written)
    table.told[MEASURED] = "not a label"


def _add_constant(random: Random, table: Table) -> None:
    """A column of which all images have one value teaches nothing."""
    value = random.choice(["x", "1", "yes", "2.5"])
    table.header.append(CONSTANT)
    for row in table.rows:
        row.append(value)
    table.told[CONSTANT] = "not a label"


def _number_rows(random: Random, table: Table) -> None:
    """Numbers of rows come first. They resemble the names of images, which are written in another way."""
    form = random.choice(["{}.png", "/home/me/{}.png", "{}.jpg", "{}", "in/{}"])
    table.header.insert(0, random.choice(["id", "nr", "index", "file", "", "level_0"]))
    for number, row in enumerate(table.rows):
        row[0] = form.format(row[0].removesuffix(".png"))
        row.insert(0, f"{number:03}")


def _move_table(random: Random, table: Table) -> None:
    """The table lies in a folder with other images under the same names."""
    table.folder = random.choice(["second", "a/b"])
    table.refused = "the images of either folder may be meant"


CHANGES: tuple[Callable[[Random, Table], None], ...] = (
    _pad_cells, _pad_header, _use_words, _mix_words, _stray_value, _compose, _hide_characters, _shuffle, _turn_columns, _quote, _separate, _encode, _end_lines, _rename, _add_measurement, _add_constant,
    _miss_a_cell, _contradict, _repeat_header, _blank_header, _drop_header, _shorten_row, _lengthen_row, _number_rows, _move_table,
)  # fmt: skip


# Folders of classes.


def _folders(random: Random, folder: Path) -> Verdict:
    """Images in folders of classes, arranged as people arrange them."""
    arrange = random.choice(ARRANGEMENTS)
    classes = random.sample(["cat", "dog", "1", "2", "10", "a b", "ä", "img", "test cases"], 3)
    what = f"folders {arrange.__name__.strip('_')}"
    meaning = {f"{name}/{index}.png": name for name in classes for index in range(5)}
    for index, image in enumerate(meaning):
        _write(folder / image, index)
    meant = arrange(random, folder, meaning)
    return judged(folder, {"class": meant}, what, "" if meant else "the classes cannot be told")


def _as_they_are(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    return meaning


def _split_above(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """`train` and `test` above the classes: the classes are still the classes."""
    moved = {}
    train, test = random.choice(
        [("train", "test"), ("training", "testing"), ("Train", "Test"), ("train", "val"), ("seg_train", "seg_test"), ("images_train", "images_test"), ("train", "extra"),
         ("Trainingsdaten", "Testdaten"), ("imagesTr", "imagesTs"), ("train", "more"), ("x_train_1", "x_val_1"), ("a_train", "a_pred")]
    )  # fmt: skip
    for image, name in meaning.items():
        place = f"{test if image.endswith('4.png') else train}/{image}"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).rename(folder / place)
        moved[place] = name
    for name in set(meaning.values()):
        (folder / name).rmdir()
    return moved


def _one_more_folder(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """All classes lie in one folder."""
    inside = {f"images/{image}": name for image, name in meaning.items()}
    (folder / "aside").mkdir()
    for name in set(meaning.values()):
        (folder / name).rename(folder / "aside" / name)
    (folder / "aside").rename(folder / "images")
    return inside


def _linked_class(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """The folder of a class is a symbolic link."""
    name = random.choice(sorted(set(meaning.values())))
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        there = Path(aside).with_name(f".{folder.name}-linked")
    (folder / name).rename(there)
    os.symlink(there, folder / name)
    return meaning


def _linked_image(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """An image is a link to an image of another class, and another file has two names in one class."""
    first = random.choice(sorted(meaning))
    second, third = random.sample([image for image in sorted(meaning) if meaning[image] != meaning[first]], 2)
    (folder / first).unlink()
    os.symlink(folder / second, folder / first)
    again = f"{meaning[third]}/again.png"
    os.link(folder / third, folder / again)
    return {**meaning, again: meaning[third]}


def _duplicates(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """One picture lies in two classes: the labels are still those of the folders."""
    first = random.choice(sorted(meaning))
    other = random.choice([image for image in sorted(meaning) if meaning[image] != meaning[first]])
    (folder / other).write_bytes((folder / first).read_bytes())
    return meaning


def _nested(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """Some images of a class, or all, lie in folders of their own below it: the class is the folder above."""
    moved = {}
    for image, name in meaning.items():
        number = image.rpartition("/")[2]
        place = f"{name}/{random.choice(['', 'a/', 'b/', 'a/b/', f'{name}/'])}{number}"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).rename(folder / place)
        moved[place] = name
    return moved


def _splits_below(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """`train` and `test` lie below the classes: the classes are still the classes."""
    moved = {}
    for image, name in meaning.items():
        place = f"{name}/{'test' if image.endswith('4.png') else 'train'}/{image.rpartition('/')[2]}"
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / image).rename(folder / place)
        moved[place] = name
    return moved


def _other_suffix(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """All images of one class have a suffix that few programs write."""
    name = random.choice(sorted(set(meaning.values())))
    suffix = random.choice([".avif", ".jfif", ".jp2", ".tga", ".PNG", ".apng", ".dib", ".pcx", ".jpe", ".ico", ""])
    moved = {}
    for image, of in meaning.items():
        place = image.removesuffix(".png") + suffix if of == name else image
        (folder / image).rename(folder / place)
        moved[place] = of
    return moved


def _stray_file(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """Files that are no images, and hidden ones, lie around."""
    name = random.choice(sorted(set(meaning.values())))
    for stray in (
        "Thumbs.db",
        ".DS_Store",
        "README.txt",
        f"{name}/notes.md",
        f"{name}/.hidden.png",
        "__MACOSX/._0.png",
    ):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).write_bytes(b"no image")
    (folder / "empty").mkdir()
    return meaning


def _loose_image(random: Random, folder: Path, meaning: dict[str, str]) -> dict[str, str]:
    """An image without a class lies beside the folders: it has no label, so that it has to be named."""
    _write(folder / "loose.png", 1)
    return {}


ARRANGEMENTS: tuple[Callable[[Random, Path, dict[str, str]], dict[str, str]], ...] = (
    _as_they_are, _split_above, _splits_below, _nested, _nested, _one_more_folder, _linked_class, _linked_image, _duplicates, _other_suffix, _stray_file, _loose_image,
)  # fmt: skip

KIND = Kind("tables", prepare, cases=2000, batch=20)
