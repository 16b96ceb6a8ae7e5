"""Saved pictures: each PNG contains both sides and the settings that made them, so the page can open it again."""

import hashlib
import json
import os
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from vaeline.explorer.drawing import SideView
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import Settings
from vaeline.system.errors import UserError, reading, shown
from vaeline.system.files import written_aside

FOLDER = "explored"  # next to the runs of a study; neither engine reads it
KEY = "vaeline"  # name of the settings among the text chunks of a PNG
MARGIN, CAPTION = 12, 16  # pixels
MIN_HEIGHT = 300  # pixels; a side that is less high is enlarged without smoothing


def save(runs: Runs, settings: Settings, views: tuple[SideView, SideView]) -> Path:
    """Write both sides as one PNG. Its name follows from the study and the settings.

    Args:
        runs: runs of the study.
        settings: what the picture was made from.
        views: left and right side.

    Returns:
        Path of the PNG.

    Raises:
        UserError: the disk is full.
    """
    content = json.dumps({"study": runs.study, "settings": settings.model_dump(mode="json")}, sort_keys=True)
    sides = [f"{side.variant}_{side.seed}" for side in settings.sides.values()]
    name = "-".join([settings.show, *sides, hashlib.sha256(content.encode()).hexdigest()[:8]])
    path = runs.folder / FOLDER / f"{name}.png"
    text = PngImagePlugin.PngInfo()
    text.add_itxt(KEY, content)
    with written_aside(path) as aside:
        _join_sides(settings, views).save(aside, "PNG", pnginfo=text)
    return path


def names(runs: Runs) -> list[str]:
    """File names of the saved pictures of a study, newest first."""
    found = (runs.folder / FOLDER).glob("*.png")
    paths = [path for path in found if os.path.isfile(path)]  # a link may lead nowhere, or where we may not look
    return [path.name for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)]


def read(runs: Runs, name: str) -> Settings:
    """Read the settings of a saved picture.

    Args:
        runs: runs of the study.
        name: file name of the picture, as `names` lists it.

    Raises:
        UserError: the picture does not exist, has no settings, or belongs to another study.
    """
    if name not in names(runs):
        raise UserError(f"There is no picture {shown(name)} in {runs.folder / FOLDER}; choose one from the list.")
    path = runs.folder / FOLDER / name
    with reading(path, "choose another picture", "not a picture with settings of the explorer"):
        with Image.open(path, formats=["PNG"]) as image:
            content = json.loads(image.info[KEY])  # a text in front of the pixels, which are not decoded
        study, settings = str(content["study"]), Settings.model_validate(content["settings"])
    if study != runs.study:
        raise UserError(f"{path} belongs to the study {shown(study)}; open that study with --study.")
    return settings


def _join_sides(settings: Settings, views: tuple[SideView, SideView]) -> Image.Image:
    """Put both sides next to each other on white, each under the name of its run."""
    noise = ", with noise" if settings.show == "draws" and settings.pixels == "drawn" else ""
    titles = [f"{side.variant}, seed {side.seed}{noise}" for side in settings.sides.values()]
    rows = [
        _join_pictures([Image.open(BytesIO(png)).convert("RGB") for png in view.pictures.values()]) for view in views
    ]
    width = sum(row.width for row in rows) + 3 * MARGIN
    canvas = Image.new("RGB", (width, max(row.height for row in rows) + CAPTION + 3 * MARGIN), "white")
    pen, left = ImageDraw.Draw(canvas), MARGIN
    for title, row in zip(titles, rows, strict=True):
        pen.text((left, MARGIN), title, "black", ImageFont.load_default(CAPTION - 2))
        canvas.paste(row, (left, 2 * MARGIN + CAPTION))
        left += row.width + MARGIN
    return canvas


def _join_pictures(pictures: list[Image.Image]) -> Image.Image:
    """Put the pictures of one side in a row, enlarged by a whole number."""
    scale = max(1, -(-MIN_HEIGHT // max(len(pictures) * pictures[0].height, 1)))
    enlarged = [each.resize((each.width * scale, each.height * scale), Image.Resampling.NEAREST) for each in pictures]
    width = sum(each.width for each in enlarged) + MARGIN * (len(enlarged) - 1)
    row = Image.new("RGB", (width, enlarged[0].height), "white")
    left = 0
    for each in enlarged:
        row.paste(each, (left, 0))
        left += each.width + MARGIN
    return row
