"""Deal images to the train, validation and test splits."""

import re
from collections.abc import Iterable

import numpy as np

from vaeline.data.spelling import visible
from vaeline.study import schema
from vaeline.system.errors import UserError

SPLITS = ("train", "validation", "test")
# What tables and folders call them, in any case.
SPLIT_WORDS = {"train": "train", "training": "train", "validation": "validation", "val": "validation", "valid": "validation"} | {
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
FEWEST = 2  # images in a split; a single image has no variance


# What else may mean a split: such a folder or column is refused, because which split it means is a guess.
SEEMING = re.compile(
    r"(?:train|training|val|valid|validate|validation|dev|test|testing|eval|evaluation|hold[ _-]?out)"
    r"[ _-]?(?:images?|imgs?|sets?|data|split|\d+)?"
    r"|(?:trainings?|test|validierungs?)[ _-]?(?:daten|bilder|satz|menge)|validierung"
    r"|entra[iî]nement|apprentissage|entrenamiento|prueba|addestramento|treino|teste|valida(?:ci[oó]n|zione|ção)|(?:训练|测试|验证)集?"
)
FOLD = re.compile(r"fold[ _-]?\d+")  # may be a split, and no split is called so
SHORT = {"tr": "train", "trn": "train", "va": "validation", "vl": "validation", "te": "test", "ts": "test", "tst": "test"}  # fmt: skip
# Words for splits beside train, and words beside a split in the name of a column.
BESIDE = {"extra", "pred", "predict", "prediction", "predictions", "rest", "submission", "unlabeled", "unlabelled", "unused"}  # fmt: skip
FLAG_WORDS = {"is", "in", "of", "for", "the", "used", "flag", "mask", "set", "split", "data", "image", "images"}


def seems_split(word: str) -> bool:
    """Whether a word names a split, or may be meant to."""
    return SEEMING.fullmatch(visible(word).strip().lower()) is not None


def seems_flag(name: str) -> bool:
    """Whether a column of yes and no seems to say which images a split has: `test`, `is_train`, `isVal`, `train_flag`."""
    parts = [part for part in _parts_of(name) if part not in FLAG_WORDS]
    whole = re.sub(r"^(?:is|in)[ _-]?", "", name.strip().lower())
    return seems_split(whole) or (bool(parts) and all(map(seems_split, parts)))


def name_splits(words: Iterable[str]) -> bool:
    """Whether several words name different splits, and at least half of all do.

    A word may do so as a whole, by its end, as PublicTest, or by a part in which others differ from it, as in train_cat and
    test_cat. Beside a word that does, `extra` and `pred` are splits too.
    """
    words = list(words)
    found = _differing(words) | {word: end for word in words if (end := _end(word))}
    if found:
        found = {word: word for word in words if BESIDE.intersection(_parts_of(word)[-1:])} | found
    return len({split_of(part) or part for part in found.values()}) > 1 and 2 * len(found) >= len(words)


def _end(word: str) -> str:
    """What of a word seems to be a split: all of it or its end; empty if nothing does."""
    if FOLD.fullmatch(word.strip().lower()):
        return word
    *_, last = ["", *(part for part in _parts_of(word) if not part.isdecimal())]
    return next(filter(seems_split, (word, last)), "")


def _differing(words: list[str]) -> dict[str, str]:
    """The words that differ from others in a part alone that seems to be a split, and the split."""
    found: dict[tuple[tuple[str, ...], ...], dict[str, str]] = {}
    for word in words:
        parts = _parts_of(word)
        for at, part in enumerate(parts):
            if part in SHORT or seems_split(part):
                rest = tuple(parts[:at]), tuple(parts[at + 1 :])
                found.setdefault(rest, {})[word] = SHORT.get(part) or split_of(part) or part
    return {word: part for splits in found.values() if len(set(splits.values())) > 1 for word, part in splits.items()}


def _parts_of(word: str) -> list[str]:
    """The parts of a word, in lower case: `images`, `train` and `2017` of imagesTrain_2017."""
    return [part.lower() for part in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", word)]


def split_of(word: str) -> str | None:
    """The split that a word names; None if it names none."""
    return SPLIT_WORDS.get(word.strip().lower())


def deal(
    count: int,
    split: schema.Split,
    official: np.ndarray | None = None,
    limit: int | None = None,
    groups: np.ndarray | None = None,
    copies: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Deal images to splits. Each split is in a seeded random order, so that its first images are a fair sample of it.

    Args:
        count: of images.
        split: the method, its seed and its shares.
        official: the given split of each image, as text, (count,), or None.
        limit: the number of images to use, drawn at random; None for all.
        groups: the group of each image, (count,); the images of a group come into one split. None: no groups.
        copies: equal numbers for images with the same bytes, (count,), which come into one split unless
            it is given by the data or by a group. None: every image is another.

    Returns:
        The rows of each split. No row is in two splits.

    Raises:
        UserError: there is no given split or no group, or a split comes out empty.
    """
    order = np.random.default_rng(split.seed).permutation(count)[:limit]
    if split.method == "random":
        together = _repeated(copies, order) if split.group is None else _groups(groups, split)
        parts = _parts(order, [split.test, split.validation], together, split.seed)
        splits = dict(zip(("test", "validation", "train"), parts, strict=True))
    else:
        splits = _given(order, split, official, copies)
    for name in SPLITS:
        if len(splits[name]) < FEWEST:
            raise UserError(
                f"The {split.method} split of {len(order):,} images leaves {len(splits[name]) or 'none'} for {name}, which needs {FEWEST} at least; "
                f"{_remedy(split)}."
            )
    return {name: splits[name] for name in SPLITS}


def _given(
    order: np.ndarray, split: schema.Split, official: np.ndarray | None, copies: np.ndarray | None
) -> dict[str, np.ndarray]:
    """The splits that the data come with; a missing validation split is taken from train."""
    if official is None:
        raise UserError(
            f"dataset.split.method is {split.method!r}, but the data set has no split of its own; use 'random', or, for an image_folder, "
            "'folders' or 'column'."
        )
    splits = {name: order[official[order] == name] for name in SPLITS}
    if not len(splits["validation"]):
        train = splits["train"]
        splits["validation"], splits["train"] = _parts(train, [split.validation], _repeated(copies, train), split.seed)
    return splits


def _groups(groups: np.ndarray | None, split: schema.Split) -> np.ndarray:
    if groups is None:
        raise UserError(
            f"dataset.split.group is {split.group!r}, but the data set has no groups; set it to null, or describe the images in a table."
        )
    return groups


def _repeated(copies: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """The numbers of copies; None if no image of these rows is there twice."""
    return None if copies is None or len(np.unique(copies[rows])) == len(rows) else copies


def _parts(order: np.ndarray, shares: list[float], together: np.ndarray | None, seed: int) -> list[np.ndarray]:
    """Deal images to parts of these shares, and the rest to a last part.

    Groups of images that are equal in `together` are dealt whole, in a random order, so that each part is nearest to its share.
    """
    if together is None:
        return np.split(order, np.cumsum([round(share * len(order)) for share in shares]))
    _, group, sizes = np.unique(together[order], return_inverse=True, return_counts=True)
    turn = np.random.default_rng([seed, 1]).permutation(len(sizes))  # large groups are dealt as early as small ones
    middle = np.empty(len(sizes))
    middle[turn] = np.cumsum(sizes[turn]) - sizes[turn] / 2
    dealt = np.searchsorted(np.cumsum(shares) * len(order), middle, side="right")[group]
    return [order[dealt == part] for part in range(len(shares) + 1)]


def _remedy(split: schema.Split) -> str:
    if split.group is not None:
        return f"the groups of {split.group} are too few or too large; provide more of them, change the shares, or set group to null"
    return {
        "random": "provide more images or a larger share",
        "official": "set dataset.split.method to 'random'",
        "folders": "add images to its folder, or set dataset.split.method to 'random' and merge the folders",
        "column": f"name more rows {' or '.join(SPLITS)} in {split.column}, or set dataset.split.method to 'random'",
    }[split.method]
