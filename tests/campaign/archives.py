"""Damaged and odd zip archives: of CelebA's photographs, and read file by file.

The oracle is the undamaged archive: an image that is read has the pixels and the labels that it had before, and images
that are missing are named in a note.
"""

import hashlib
import io
import shutil
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.campaign import mutations
from tests.campaign.isolated import attempt
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Outcome, Verdict
from tests.data.sets import sources
from vaeline.data import raw_images
from vaeline.data.decoding import decode
from vaeline.study.schema import Dataset, Split
from vaeline.system.errors import UserError

ARCHIVE = "img_align_celeba.zip"
Files = dict[str, bytes]


def prepare(grounds: Grounds) -> Judge:
    """The judge of archives."""
    folder = grounds.folder / "archives"
    right_folder = sources.write_celeba(folder / "right")
    right, _ = _read(right_folder)
    with zipfile.ZipFile(right_folder / ARCHIVE) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=folder) as name:
            there = Path(name, "celeba")
            shutil.copytree(right_folder, there)
            if random.random() < 0.2:
                table = random.choice(["list_attr_celeba.txt", "list_eval_partition.txt"])
                return _of_table(random, there / table, right)
            change = random.choice(CHANGES)
            (there / ARCHIVE).write_bytes(change(random, files))
            verdict = judged(there, right, change.__name__.strip("_"))
            if verdict.outcome is Outcome.RIGHT and change in AMBIGUOUS:
                return Verdict(Outcome.SILENT, verdict.what, "one of two contents of an image was chosen")
            return verdict

    return judge


def judged(folder: Path, right: dict[str, Any], what: str) -> Verdict:
    """Read a folder, and compare every image with what it was."""
    reply = attempt(lambda: _read(folder))
    if reply.outcome is not Outcome.RIGHT:
        return Verdict(reply.outcome, what, reply.said)
    found, notes = reply.value
    wrong = [name for name in found if found[name] != right.get(name)]
    missing = len(right) - len(found)
    if missing and not any(note.startswith(f"{missing:,} ") for note in notes):
        wrong.append(f"{missing} are missing without a note of their number: {notes}")
    return Verdict(Outcome.SILENT if wrong else Outcome.RIGHT, what, ", ".join(wrong)[:500])


def _read(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The pixels, labels and split of each image."""
    raw = raw_images.read(
        Dataset(id="faces", name="celeba", source=str(folder), size=16, split=Split(method="official"))
    )
    assert isinstance(raw.images, raw_images.EncodedImages) and raw.official is not None
    found = {}
    for image, name, codes, split in zip(raw.ids, raw.images.names, raw.labels.codes, raw.official, strict=True):
        try:
            pixels = decode(raw.images.archive.read(name), raw.images.channels)
        except ValueError as error:
            raise UserError(f"{name} cannot be decoded: {error}") from error
        labels = dict(
            zip(
                raw.labels.names,
                (values[code] for values, code in zip(raw.labels.values, codes, strict=True)),
                strict=True,
            )
        )
        found[image] = hashlib.sha256(pixels.tobytes()).hexdigest()[:16], labels, str(split)
    return found, raw.notes


def _of_table(random: Random, path: Path, right: dict[str, Any]) -> Verdict:
    """Rows twice, contradicting rows, stray values, missing rows in one of CelebA's tables."""
    lines = path.read_text().splitlines()
    at = random.randrange(len(lines) - 10, len(lines))
    words = lines[at].split()
    change = random.choice(["twice", "contradiction", "stray", "short", "blank lines", "tabs", "windows"])
    if change == "twice":
        lines.insert(random.randrange(5, len(lines)), lines[at])
    elif change == "contradiction":
        words[-1] = {"1": "-1", "-1": "1"}.get(words[-1], "1" if words[-1] != "1" else "2")
        lines.append(" ".join(words))
    elif change == "stray":
        lines[at] = " ".join([*words[:-1], random.choice(["2x", "7", "yes", "x", "1.5", "-", "3"])])
    elif change == "short":
        lines[at] = words[0]
    elif change == "blank lines":
        lines = [each for line in lines for each in (line, "")]
    elif change == "tabs":
        lines = [line.replace("  ", "\t") for line in lines]
    path.write_text("\n".join(lines) + "\n", newline="\r\n" if change == "windows" else "\n")
    verdict = judged(path.parent, right, f"{change} in {path.name}")
    if verdict.outcome is Outcome.RIGHT and change in ("stray", "short", "contradiction"):
        return Verdict(Outcome.SILENT, verdict.what, "a row without a meaning was accepted")
    return verdict


def packed(files: Files, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of some files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def _damaged(random: Random, files: Files) -> bytes:
    compression = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    return mutations.bytes_of(random, packed(files, compression))


def _damaged_end(random: Random, files: Files) -> bytes:
    """Bits are flipped in the directory at the end, where names, sizes and checksums are."""
    content = packed(files, random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    start = content.index(b"PK\x01\x02")
    return content[:start] + mutations.flip_bits(random, content[start:])


def _other_compression(random: Random, files: Files) -> bytes:
    return packed(files, random.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))


def _with_paths(random: Random, files: Files) -> bytes:
    """Files with names that would lie outside, and in folders."""
    strange = random.choice(
        [
            "../outside.jpg",
            "/etc/outside.jpg",
            "a/../../b.jpg",
            "C:\\x.jpg",
            "a\\b.jpg",
            "." * 200 + ".jpg",
            "img_align_celeba/",
            "__MACOSX/a.jpg",
        ]
    )
    return packed({strange: b"x", **files})


def _twice(random: Random, files: Files) -> bytes:
    """One name twice, with two contents."""
    first, second = random.sample(sorted(files), 2)
    content = io.BytesIO(packed(files))
    with zipfile.ZipFile(content, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(first, files[second])
    return content.getvalue()


def _twice_in_folders(random: Random, files: Files) -> bytes:
    """One image under its name in two folders, with two contents."""
    first, second = random.sample(sorted(files), 2)
    return packed({**files, f"other/{Path(first).name}": files[second]})


def _encrypted(random: Random, files: Files) -> bytes:
    """The flag of encryption is set on some files."""
    content = bytearray(packed(files))
    place = 0
    while (place := content.find(b"PK\x01\x02", place)) >= 0:
        if random.random() < 0.3:
            content[place + 8] |= 1
        place += 4
    return bytes(content)


def _nested(random: Random, files: Files) -> bytes:
    return packed({ARCHIVE: packed(files)})


def _linked(random: Random, files: Files) -> bytes:
    """One image is a symbolic link."""
    content = io.BytesIO()
    target = random.choice(sorted(files))
    with zipfile.ZipFile(content, "w") as archive:
        for name, each in files.items():
            entry = zipfile.ZipInfo(name)
            if name == target:
                entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, b"/etc/passwd" if name == target else each)
    return content.getvalue()


def _web_page(random: Random, files: Files) -> bytes:
    page = sources.WEB_PAGE
    return random.choice(
        [page, b"\xef\xbb\xbf  " + page, page + packed(files), b"", b"PK", packed({}), b"\x1f\x8b" + bytes(40)]
    )


def _fewer(random: Random, files: Files) -> bytes:
    return packed(dict(random.sample(sorted(files.items()), len(files) - 3)))


def _prepended(random: Random, files: Files) -> bytes:
    return random.randbytes(random.choice([1, 500])) + packed(files)


def _commented(random: Random, files: Files) -> bytes:
    content = io.BytesIO(packed(files))
    with zipfile.ZipFile(content, "a") as archive:
        archive.comment = random.randbytes(1000)
    return content.getvalue()


CHANGES: tuple[Callable[[Random, Files], bytes], ...] = (
    _damaged, _damaged, _damaged, _damaged_end, _damaged_end, _damaged_end, _other_compression, _with_paths, _twice, _twice_in_folders, _encrypted, _nested, _linked,
    _web_page, _fewer, _prepended, _commented,
)  # fmt: skip

AMBIGUOUS = (_twice, _twice_in_folders)  # one image has two contents, so that only a sentence is right

KIND = Kind("archives", prepare, cases=900, batch=10)
