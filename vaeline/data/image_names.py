"""The rows of a table matched with image files by their names."""

from pathlib import PurePosixPath

from vaeline.data.spelling import visible
from vaeline.data.tables import Table, check_once
from vaeline.system.errors import UserError

LINES = 50  # of a file that are searched for a name
MARKS = ",;\t|:"  # between cells; a table with the last two is refused, not overlooked


class ImageNames:
    """The images of a folder, found by the names that a table gives them.

    A table may leave out the folders of an image, write them with backslashes, compose accents in another way, or lack characters
    that cannot be seen. Case counts only if names differ in nothing else.
    """

    def __init__(self, images: list[str]) -> None:
        self.images = images
        self._found: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        for image in images:
            for name in dict.fromkeys((visible(image), PurePosixPath(visible(image)).name)):
                self._found.setdefault(name, []).append(image)
                self._folded.setdefault(name.casefold(), []).append(image)
        self._whole: dict[str, list[str]] = {}
        for image in images:
            self._whole.setdefault(visible(image), []).append(image)

    def candidates(self, name: str) -> list[str]:
        """The images that a name in a table may mean."""
        plain = visible(name.replace("\\", "/").removeprefix("./"))
        for key in (visible(name), plain):
            if key in self._whole:
                return self._whole[key]
        return self._found.get(plain) or self._folded.get(plain.casefold(), [])

    def match(self, table: Table, where: str) -> list[str | None]:
        """The image of each row; None if it does not exist.

        Raises:
            UserError: a name may mean several images, two rows mean one image, or no row names an image.
        """
        found = [self._only(name, line, where) for name, line in zip(table.ids, table.lines, strict=True)]
        check_once(((name, line) for name, line in zip(found, table.lines, strict=True) if name is not None), where)
        if not any(found):
            raise UserError(
                f"{where} names no image that exists: its first name is {table.ids[0]!r}, and the first image is {self.images[0]!r}."
                + self._hint(table)
            )
        return found

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
        naming = [name for name in table.names if any(map(self.candidates, table.column(name)))]
        return f" Its column {naming[0]!r} names images; make it the first one." if naming else ""


def names_an_image(content: bytes, images: ImageNames) -> bool:
    """Whether one of the first lines of a file begins with the name of an image and goes on, as the rows of a table do."""
    for encoding in ("utf-8-sig", "utf-16"):
        lines = content.decode(encoding, "ignore").splitlines()[:LINES]
        if any(images.candidates(word) for line in lines for word in _beginnings(line) if word):
            return True
    return False


def _beginnings(line: str) -> list[str]:
    """The first cell of a line, in whatever way its cells may be separated; none if it has one cell only."""
    cells = [*(line.split(mark) for mark in MARKS), line.split()]
    return [each[0].strip(" \"'") for each in cells if len(each) > 1]
