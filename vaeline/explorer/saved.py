"""What was seen, kept as a PNG that holds its settings, so that picture and settings are never parted."""

import hashlib
import json
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from pydantic import ValidationError

from vaeline.explorer.drawing import Seen
from vaeline.explorer.runs import Runs
from vaeline.explorer.settings import Settings
from vaeline.system.errors import UserError
from vaeline.system.files import written_aside

FOLDER = "explored"  # beside a study's runs, where no engine looks
KEY = "vaeline"  # of the settings in a PNG's text
MARGIN, CAPTION = 12, 16  # pixels
LEAST = 300  # pixels that a side is high at least: smaller ones are enlarged without smoothing


def save(runs: Runs, settings: Settings, seen: tuple[Seen, Seen]) -> Path:
    """Keep what both sides show in one picture; the same settings have the same name.

    Raises:
        UserError: the disk is full.
    """
    content = json.dumps({"study": runs.study, "settings": settings.model_dump(mode="json")}, sort_keys=True)
    sides = [f"{side.variant}_{side.seed}" for side in (settings.left, settings.right)]
    name = "-".join([settings.show, *sides, hashlib.sha256(content.encode()).hexdigest()[:8]])
    path = runs.folder / FOLDER / f"{name}.png"
    text = PngImagePlugin.PngInfo()
    text.add_itxt(KEY, content)
    with written_aside(path) as aside:
        _both(settings, seen).save(aside, "PNG", pnginfo=text)
    return path


def names(runs: Runs) -> list[str]:
    """The pictures that were kept of a study, the newest first."""
    there = sorted((runs.folder / FOLDER).glob("*.png"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [path.name for path in there]


def read(runs: Runs, name: str) -> Settings:
    """The settings of a picture that was kept.

    Raises:
        UserError: there is none of that name among the study's, or it holds no settings of this study.
    """
    if name not in names(runs):
        raise UserError(f"There is no {name!r} in {runs.folder / FOLDER}; choose one that is listed.")
    path = runs.folder / FOLDER / name
    try:
        with Image.open(path, formats=["PNG"]) as image:
            content = json.loads(image.text[KEY])  # type: ignore[attr-defined]
        settings = Settings.model_validate(content["settings"])
    except (OSError, SyntaxError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise UserError(f"{path} holds no settings of the explorer; choose another.") from error
    if content["study"] != runs.study:
        raise UserError(f"{path} is of the study {content['study']}; open that with --study {content['study']}.")
    return settings


def _both(settings: Settings, seen: tuple[Seen, Seen]) -> Image.Image:
    """Both sides on white, each under the name of its run."""
    titles = [f"{side.variant}, seed {side.seed}" for side in (settings.left, settings.right)]
    sides = [_row([Image.open(BytesIO(png)).convert("RGB") for png in each.pictures.values()]) for each in seen]
    width = sum(side.width for side in sides) + 3 * MARGIN
    canvas = Image.new("RGB", (width, max(side.height for side in sides) + CAPTION + 3 * MARGIN), "white")
    pen, left = ImageDraw.Draw(canvas), MARGIN
    for title, side in zip(titles, sides, strict=True):
        pen.text((left, MARGIN), title, "black", ImageFont.load_default(CAPTION - 2))
        canvas.paste(side, (left, 2 * MARGIN + CAPTION))
        left += side.width + MARGIN
    return canvas


def _row(pictures: list[Image.Image]) -> Image.Image:
    scale = max(1, -(-LEAST // max(len(pictures) * pictures[0].height, 1)))
    shown = [each.resize((each.width * scale, each.height * scale), Image.Resampling.NEAREST) for each in pictures]
    row = Image.new("RGB", (sum(each.width for each in shown) + MARGIN * (len(shown) - 1), shown[0].height), "white")
    left = 0
    for each in shown:
        row.paste(each, (left, 0))
        left += each.width + MARGIN
    return row
