"""The rows of a table matched with image files by their names."""

from functools import cached_property
from itertools import takewhile
from pathlib import PurePosixPath
from posixpath import normpath
from typing import NamedTuple

from vaeline.data.columns import is_missing
from vaeline.data.decoding import suffixes
from vaeline.data.spelling import visible
from vaeline.data.splits import seems_split
from vaeline.data.tables import Table, check_once
from vaeline.system.errors import UserError, some_of

LINES = 50  # of a file that are searched for a name
MARKS = ",;\t|:"  # between cells; a table with the last two is refused, not overlooked


class Matched(NamedTuple):
    """The image of each row of a table, None if it does not exist; and sentences on names that are written in another way."""

    images: list[str | None]
    notes: list[str]


class ImageNames:
    """The images of a folder, found by the names that a table gives them.

    A table may leave out the folders of an image, write them with backslashes, compose accents in another way, or lack characters
    that cannot be seen. Case counts only if names differ in nothing else. If no row names an image, folders in front of all names may
    be what is different, or suffixes, or both. Names may also be as seen from the folder of the table.

    Args:
        images: their names.
        folder: of the table; empty for the folder that contains all images.
    """

    def __init__(self, images: list[str], folder: str = "") -> None:
        self.images, self.folder = images, folder
        self._found: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        for image in images:
            for name in dict.fromkeys((visible(image), PurePosixPath(visible(image)).name)):
                self._found.setdefault(name, []).append(image)
                self._folded.setdefault(name.casefold(), []).append(image)
        self._whole: dict[str, list[str]] = {}
        for image in images:
            self._whole.setdefault(visible(image), []).append(image)
        self._stems: dict[str, list[str]] = {}
        for image in images:
            for name in dict.fromkeys((_stem(image), _stem(PurePosixPath(image).name))):
                self._stems.setdefault(name, []).append(image)

    @cached_property
    def _of_core(self) -> dict[str, list[str]]:
        """The images by what is left of their names without folders, suffixes, case and zeros in front."""
        found: dict[str, list[str]] = {}
        for image in self.images:
            found.setdefault(_core(image), []).append(image)
        return found

    def candidates(self, name: str) -> list[str]:
        """The images that a name in a table may mean."""
        plain = _slashes(name)
        written = self._whole.get(visible(name)) or self._whole.get(plain, [])
        seen = self._whole.get(visible(normpath(f"{self.folder}/{plain}")), []) if self.folder else []
        whole = list(dict.fromkeys([*written, *seen]))
        return whole or self._found.get(plain) or self._folded.get(plain.casefold(), [])

    def of_stem(self, name: str) -> list[str]:
        """The images that have this name but for their folders and their suffix."""
        return self._stems.get(visible(name), [])

    def may_mean(self, name: str, bare: bool) -> bool:
        """Whether a name is that of an image but for its folders and its suffix; `bare` names have none."""
        return (bare or _has_suffix(name)) and _stem(PurePosixPath(_slashes(name)).name) in self._stems

    def match(self, table: Table, where: str) -> Matched:
        """Find the image of each row.

        Raises:
            UserError: a name may mean several images, two rows mean one image, or no row names an image.
        """
        asked, notes = list(table.ids), list[str]()
        if not any(map(self.candidates, asked)):
            asked, notes = self._otherwise(table, where)
        found = [self._only(name, line, where) for name, line in zip(asked, table.lines, strict=True)]
        check_once(((name, line) for name, line in zip(found, table.lines, strict=True) if name is not None), where)
        if not any(found):
            raise UserError(
                f"{where} names no image that exists: its first name is {table.ids[0]!r}, and the first image is {self.images[0]!r}."
                + self._hint(table)
            )
        return Matched(found, notes + self._note_on_case(asked, found))

    def _otherwise(self, table: Table, where: str) -> tuple[list[str], list[str]]:
        """Names without the folders in front of all of them, or with the suffixes of the images; and sentences that say so.

        The names as they are if no image has such a name.
        """
        shortened = _shortened(table.ids)
        for front, names in shortened:
            if any(visible(name) in self._whole if _of_split(front) else self.candidates(name) for name in names):
                return names, _note_on_front(front)
        for front, names in shortened:
            if not _of_split(front) and (renamed := self._with_suffixes(names, table, where)):
                row = next(row for row, (name, image) in enumerate(zip(names, renamed, strict=True)) if name != image)
                note = f"The names in the table have other suffixes than the images, or none: {names[row]} is {renamed[row]}."
                return renamed, [*_note_on_front(front), note]
        return table.ids, []

    def _with_suffixes(self, names: list[str], table: Table, where: str) -> list[str]:
        """The images that have these names but for the suffix, and the names that no image has; empty if all are such names.

        Args:
            names: of the table's images, without folders in front of all of them.
            table: as it is.
            where: the table's name.

        Raises:
            UserError: a name may mean several images, or the names are words that need not mean images at all.
        """
        meant = [self._stems.get(_stem(name), []) for name in names]
        if not any(meant):
            return []
        for name, images in zip(table.ids, meant, strict=True):
            if len(images) > 1:
                raise UserError(
                    f"{where} names {name}, which may be {images[0]} or {images[1]}; write the names as those of the files, with their suffixes."
                )
        if any(not _has_suffix(name) and "/" not in _slashes(name) for name in table.ids):
            self._check_no_other_column(table, meant, where)
            self._check_bare(table.ids, meant, where)
        return [images[0] if images else name for name, images in zip(names, meant, strict=True)]

    def _check_no_other_column(self, table: Table, meant: list[list[str]], where: str) -> None:
        """Check that no other column names other images than names without suffixes, which may number the rows.

        Args:
            table: as it is.
            meant: the images that the first column may mean.
            where: the table's name.

        Raises:
            UserError: one may.
        """
        for column in table.names:
            others = self._named_by(table.column(column))
            for name, line, images, named in zip(table.ids, table.lines, meant, others, strict=True):
                if images and named and not {*images} & {*named}:
                    raise UserError(
                        f"{where} can be read in two ways: in line {line}, {name!r} in the first column may mean {images[0]}, and {column!r} may mean "
                        f"{named[0]}. Write the first column as names of files if it names the images, or make {column!r} the first one."
                    )

    def _named_by(self, cells: list[str]) -> list[list[str]]:
        """The images that the cells of a column may mean, whatever their folders and suffixes.

        Cells without suffixes may be any words. They are taken for names if all differ and half of them are names of images.
        """
        named = {cell: self._of_core.get(_core(cell), []) for cell in {*cells}}
        meant = [named[cell] for cell in cells]
        suffixed = any(_has_suffix(_file(cell)) for cell in named)
        present = [cell for cell in cells if not is_missing(cell)]
        names = 2 < len({*present}) == len(present) <= 2 * sum(map(bool, meant))
        return meant if suffixed or names else [[] for _ in cells]

    def _check_bare(self, names: list[str], meant: list[list[str]], where: str) -> None:
        """Check that names without suffixes, which may be any words or numbers, are those of images."""
        if len({PurePosixPath(image).parent for image in self.images}) > 1:
            raise UserError(
                f"{where} may be a table of the images, whose names have no suffixes, or no table; write the suffixes, or remove the file."
            )
        if absent := [name for name, images in zip(names, meant, strict=True) if not images]:
            raise UserError(
                f"{where} has names without suffixes, and no image has the name {some_of(absent)}; write the suffixes, or remove these rows."
            )

    @staticmethod
    def _note_on_case(asked: list[str], found: list[str | None]) -> list[str]:
        differing = [
            (name, image)
            for name, image in zip(asked, found, strict=True)
            if image and not visible(image).endswith(_slashes(name))
        ]
        if not differing:
            return []
        name, image = differing[0]
        return [
            f"{len(differing):,} names in the table differ from those of the images in case, such as {name} and {image}."
        ]

    def _only(self, name: str, line: int, where: str) -> str | None:
        candidates = self.candidates(name)
        if len(candidates) > 1:
            one, other = candidates[:2]
            same = visible(one) == visible(other)
            either = f"{one!a} or {other!a}" if same else f"{one} or {other}"
            todo = (
                "rename one of them"
                if same
                else "write its folders too, and upper and lower case as in the file's name"
            )
            raise UserError(f"{where}, line {line}, has a row for {name}, which is either {either}; {todo}.")
        return candidates[0] if candidates else None

    def _hint(self, table: Table) -> str:
        naming = [
            name
            for name in table.names
            if any(self.candidates(cell) or self.may_mean(cell, bare=False) for cell in table.column(name))
        ]
        return f" Its column {naming[0]!r} names images; make it the first one." if naming else ""


def names_an_image(content: bytes, images: ImageNames, bare: bool) -> bool:
    """Whether lines of a file begin with the names of images and go on, as the rows of a table do.

    Among its first lines, one with the name of an image is enough. Names with other folders or suffixes must be those of half of
    the lines, and of two at least.

    Args:
        content: of the file.
        images: that it may name.
        bare: whether names may lack a suffix.
    """
    for encoding in ("utf-8-sig", "utf-16"):
        lines = content.decode(encoding, "ignore").splitlines()[:LINES]
        if any(images.candidates(word) for line in lines for word in _beginnings(line) if word):
            return True
        naming = sum(any(images.may_mean(word, bare) for word in _beginnings(line)) for line in lines)
        if naming >= max(2, len(lines) / 2):
            return True
    return False


def _shortened(asked: list[str]) -> list[tuple[str, list[str]]]:
    """Names with more and more of the folders left out that all of them begin with, and these folders."""
    steps = [_slashes(name).split("/") for name in asked]
    front = _front([folders for *folders, _ in steps])
    return [("/".join(front[:count]), ["/".join(each[count:]) for each in steps]) for count in range(len(front) + 1)]


def _of_split(front: str) -> bool:
    """Whether a folder in front of names may be one of a split: an image of test is not that of the same name in train."""
    return any(map(seems_split, front.split("/")))


def _note_on_front(front: str) -> list[str]:
    return [f"{front}/ stands in front of all names in the table, and is left out."] if front else []


def _front(folders: list[list[str]]) -> list[str]:
    """The folders that all names begin with."""
    return [steps[0] for steps in takewhile(lambda steps: len(set(steps)) == 1, zip(*folders, strict=False))]


def _beginnings(line: str) -> list[str]:
    """The first cell of a line, in whatever way its cells may be separated; none if it has one cell only."""
    cells = [*(line.split(mark) for mark in MARKS), line.split()]
    return [each[0].strip(" \"'") for each in cells if len(each) > 1]


def _slashes(name: str) -> str:
    return visible(name.replace("\\", "/").removeprefix("./"))


def _has_suffix(name: str) -> bool:
    return PurePosixPath(visible(name)).suffix.lower() in suffixes()


def _file(cell: str) -> str:
    """The name of a file in a cell, without its folders, the marks around it, and the end of a web address."""
    return PurePosixPath(_slashes(cell.strip("'\"[]() ")).partition("?")[0]).name


def _core(cell: str) -> str:
    """What a name and the number of an image have in common: `7` of /home/me/007.PNG and of 7.0."""
    stem = _stem(_file(cell)).casefold().removesuffix(".0")
    return stem.lstrip("0") or stem[:1]


def _stem(name: str) -> str:
    """A name without the suffix of an image, if it has one."""
    plain = visible(name)
    suffix = PurePosixPath(plain).suffix
    return plain.removesuffix(suffix) if suffix.lower() in suffixes() else plain
