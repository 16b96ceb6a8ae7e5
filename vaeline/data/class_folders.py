"""Folders of images, each of which is a class."""

from collections import Counter
from pathlib import Path

import numpy as np

from vaeline.data.archive import Archive, is_hidden, shown_name
from vaeline.data.columns import MOST_VALUES, shown_counts
from vaeline.data.labels import Labels, of_classes, unlabelled
from vaeline.data.spelling import alike, same_looking
from vaeline.system.errors import UserError, some_of


def read_classes(archive: Archive, images: list[str], depth: int) -> tuple[Labels, list[str]]:
    """Read the class of each image from the name of its folder.

    Args:
        archive: the folder that contains the folders of classes.
        images: their names in it.
        depth: how many folders are above those of the classes. A single folder with all others in it, as archives often
            have, is above them too.

    Returns:
        The labels, and notes: the classes with their counts, classes that are called almost alike, folders without an image.

        Images in no folder, or all in one, have no labels.

    Raises:
        UserError: an image is outside of the folders, or the folders cannot be classes.
    """
    if all(name.count("/") <= depth for name in images):
        return unlabelled(len(images)), ["The images are in no folders of classes, so that they have no labels."]
    if outside := [name for name in images if name.count("/") <= depth]:
        raise UserError(
            f"{archive.path} holds images outside the folders of classes, and no table: {some_of(outside)}; move them into the folder of a "
            "class, put a table next to them whose first column names them, or set dataset.labels to none."
        )
    top, depth = depth, _depth_of_classes(images, depth)
    above = "/".join(images[0].split("/")[top:depth])
    classes, codes = np.unique([name.split("/")[depth] for name in images], return_inverse=True)
    values = [str(each) for each in classes]
    if len(values) == 1:
        return unlabelled(len(images)), [f"All images are in the folder {values[0]}, so that they have no labels."]
    _check_classes(archive, values)
    notes = [f"All images are in {above}, and the folders in it are the classes."] if above else []
    notes.append(f"class: {len(values):,} folders{shown_counts(values, codes)}")
    notes += _inner_folders(images, depth)
    notes += [
        f"{' and '.join(map(repr, group))} differ only in case or blanks, and are different classes."
        for group in alike(values)
    ]
    if empty := _without_images(archive.path, images, depth):
        notes.append(f"No image is in {some_of(empty)}.")
    return of_classes("class", values, codes), notes


def _depth_of_classes(images: list[str], depth: int) -> int:
    """The first depth with several folders if all images are in the folders there; `depth` itself if there is none."""
    folders = [name.split("/")[:-1] for name in images]
    for deeper in range(depth, min(map(len, folders))):
        if len({steps[deeper] for steps in folders}) > 1:
            return deeper
    return depth


def _check_classes(archive: Archive, classes: list[str]) -> None:
    folder = archive.path
    if len(classes) > MOST_VALUES:
        raise UserError(
            f"{folder} holds {len(classes):,} folders of images, and a label has at most {MOST_VALUES:,} values; put a table of other labels "
            "next to them. If a folder is one person or one object, name it in a column of the table, and in dataset.split.group."
        )
    if same := same_looking(classes):
        raise UserError(
            f"{folder} holds folders {same[0]!a} and {same[1]!a}, which look the same; rename one or merge them."
        )


def _inner_folders(images: list[str], depth: int) -> list[str]:
    """A sentence on folders inside of the classes, with their images; none if there are none."""
    inner = Counter(name.rpartition("/")[0] for name in images if name.count("/") > depth + 1)
    if not inner:
        return []
    shown = [f"{folder} ({count:,})" for folder, count in sorted(inner.items())]
    return [
        f"Folders inside of a class are no classes of their own: {some_of(shown)}. If they should be, put a table next to the folders."
    ]


def _without_images(folder: Path, images: list[str], depth: int) -> list[str]:
    """Folders that would be classes but have no image."""
    above = {folder.joinpath(*name.split("/")[:depth]) for name in images}
    with_images = {tuple(name.split("/")[: depth + 1]) for name in images}
    found = [
        path.relative_to(folder)
        for parent in above
        for path in parent.iterdir()
        if path.is_dir() and not is_hidden(path.name)
    ]
    return sorted(shown_name(str(path)) for path in found if tuple(shown_name(str(path)).split("/")) not in with_images)
