"""Saved pictures: each PNG shows the runs with a caption, and contains the settings that made them, so the page can open it again."""

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.explorer.views import Picture, View
from vaeline.system.errors import UserError, reading, shown
from vaeline.system.files import written_aside

FOLDER = "explored"  # next to the runs of a study; neither engine reads it
KEY = "vaeline"  # name of the settings among the text chunks of a PNG
MARGIN, GAP, TEXT = 12, 4, 13  # pixels; TEXT is the height of letters
LEAST_TILE = 96  # pixels; a narrower image is enlarged without smoothing
LEAST_WIDTH = 480  # pixels of the whole picture
RUNS_IN_ROW = 3  # of draws; an edit or a path has a row of its own
MOST_OF_NAME = 100  # letters of a file's name that name its runs


def save(runs: Runs, settings: Settings, views: Sequence[View], caption: Sequence[str]) -> Path:
    """Write the runs as one PNG. Its name follows from the study and the settings.

    Args:
        runs: runs of the study.
        settings: what the picture was made from.
        views: of each run.
        caption: sentences to stand below.

    Returns:
        Path of the PNG.

    Raises:
        UserError: the disk is full.
    """
    content = json.dumps({"study": runs.study, "settings": settings.model_dump(mode="json")}, sort_keys=True)
    shown_runs = "-".join(f"{run.variant}_{run.seed}" for run in settings.runs)[:MOST_OF_NAME]
    name = "-".join([settings.show, shown_runs, hashlib.sha256(content.encode()).hexdigest()[:8]])
    path = runs.folder / FOLDER / f"{name}.png"
    text = PngImagePlugin.PngInfo()
    text.add_itxt(KEY, content)
    with written_aside(path) as aside:
        _compose(settings, views, [f"vaeline explorer, study {runs.study}.", *caption]).save(aside, "PNG", pnginfo=text)
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


def _compose(settings: Settings, views: Sequence[View], caption: Sequence[str]) -> Image.Image:
    """Put the runs on white, each under its name, and the caption below them."""
    draws = settings.show == "draws"
    blocks = [_block(run, view, draws) for run, view in zip(settings.runs, views, strict=True)]
    body = _arranged(blocks, RUNS_IN_ROW if draws else 1, 2 * MARGIN)
    width = max(body.width, LEAST_WIDTH)
    whole = _arranged([body, _text(" ".join(caption), width, "#444444")], 1, 2 * MARGIN)
    canvas = Image.new("RGB", (width + 2 * MARGIN, whole.height + 2 * MARGIN), "white")
    canvas.paste(whole, (MARGIN, MARGIN))
    return canvas


def _block(run: ChosenRun, view: View, square: bool) -> Image.Image:
    """The pictures of a run between its name and what is particular to it."""
    tiles = [_tile(each) for each in view.pictures]
    shown = _arranged(tiles, ceil(sqrt(len(tiles))) if square else len(tiles), GAP) if tiles else None
    width = shown.width if shown else LEAST_WIDTH
    notes = " ".join(filter(None, [view.error, *view.notes]))
    parts = [_text(str(run), width, "black"), shown, _text(notes, width, "#444444") if notes else None]
    return _arranged([part for part in parts if part], 1, MARGIN // 2)


def _tile(picture: Picture) -> Image.Image:
    """A picture over its caption, of which as much is shown as fits in two lines."""
    image = Image.open(BytesIO(picture.png)).convert("RGB")
    scale = -(-LEAST_TILE // image.width)
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return _arranged([image, _text(picture.caption, image.width, "#444444", 2)], 1, 2) if picture.caption else image


def _arranged(parts: Sequence[Image.Image], columns: int, gap: int) -> Image.Image:
    """Images row by row on white, in columns of the same width."""
    rows = [parts[start : start + columns] for start in range(0, len(parts), columns)]
    width, heights = max(part.width for part in parts), [max(part.height for part in row) for row in rows]
    size = (min(columns, len(parts)) * (width + gap) - gap, sum(heights) + gap * (len(rows) - 1))
    canvas, top = Image.new("RGB", size, "white"), 0
    for row, height in zip(rows, heights, strict=True):
        for place, part in enumerate(row):
            canvas.paste(part, (place * (width + gap), top))
        top += height + gap
    return canvas


def _text(words: str, width: int, ink: str, most: int | None = None) -> Image.Image:
    """A text in lines that fit a width, at most so many."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if _font().getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if most and len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} ..."]
    image = Image.new("RGB", (width, len(lines) * (TEXT + 4)), "white")
    ImageDraw.Draw(image).multiline_text((0, 0), "\n".join(lines), ink, _font(), spacing=4)
    return image


@cache
def _font() -> ImageFont.FreeTypeFont:
    """The font of plots, which has Greek and Cyrillic letters too."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", TEXT - 1)
