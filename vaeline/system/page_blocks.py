"""Blocks of a Markdown page that a command writes: the lines between `<!-- results: digits -->` and `<!-- end of results -->`."""

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from vaeline.system.errors import UserError, shown

MARK = re.compile(
    r"^<!--[ \t]*(?:end of (?P<end>\w+)|(?P<begin>\w+):(?P<name>.*?))[ \t]*-->[ \t]*(?:\n|\Z)", re.MULTILINE
)
# What reads like a mark: inside a line, in capital letters, without its colon.
LIKE_A_MARK = re.compile(
    r"<!-+\s*(?:end\s+of\s+(?P<end>\w+)|(?P<begin>\w+)(?:\s*:[\w ]*|\s+\w+)?)\s*-+>", re.IGNORECASE
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)  # of a page: what it shows, and does not mean


class Block(NamedTuple):
    """A block of a page."""

    kind: str  # as in `results`
    name: str  # as in `digits`
    start: int  # of its content in the text of the page
    content: str  # with the last line's end


def blocks(page: Path, text: str, kinds: Collection[str]) -> list[Block]:
    """The blocks of some kinds, in order.

    Args:
        page: the file, for errors.
        text: its content.
        kinds: of blocks; marks of other kinds are text.

    Raises:
        UserError: a block has no end, no begin or no name, two have the same name, or a comment is nearly a mark.
    """
    without_code = CODE.sub(lambda match: " " * len(match[0]), text)  # as long, so that places stay
    _refuse_nearly(page, without_code, kinds)
    found: list[Block] = []
    opened: Block | None = None
    for mark in MARK.finditer(without_code):
        begin, end = mark["begin"], mark["end"]
        if {begin, end}.isdisjoint(kinds):
            continue
        if end is None:
            _require_end(page, opened)
            opened = _begun(page, mark, found)
        elif opened is None or opened.kind != end:
            raise UserError(
                f"{page} ends a block of {end} that does not begin; write `<!-- {end}: NAME -->` above it, or remove `<!-- end of {end} -->`."
            )
        else:
            found.append(opened._replace(content=text[opened.start : mark.start()]))
            opened = None
    _require_end(page, opened)
    return found


def _refuse_nearly(page: Path, text: str, kinds: Collection[str]) -> None:
    """Refuse a comment that looks like a mark but is not one: its block would never be written."""
    marks = {mark.start() for mark in MARK.finditer(text) if not {mark["begin"], mark["end"]}.isdisjoint(kinds)}
    for comment in LIKE_A_MARK.finditer(text):
        kind = (comment["end"] or comment["begin"]).lower()
        if kind in kinds and comment.start() not in marks:
            raise UserError(
                f"{page} has {shown(comment[0])}, which is no mark of a block: write it in lower case, alone on its line and without indentation, as `<!-- {kind}: NAME -->` and `<!-- end of {kind} -->`, or put it in backticks if it is an example."
            )


def _require_end(page: Path, opened: Block | None) -> None:
    if opened:
        raise UserError(
            f"{page} has a block of {opened.kind} that does not end ({shown(opened.name)}); write `<!-- end of {opened.kind} -->` under it."
        )


def _begun(page: Path, mark: re.Match[str], before: Collection[Block]) -> Block:
    block = Block(mark["begin"], mark["name"].strip(), mark.end(), "")
    if not block.name:
        raise UserError(f"{page} has a block of {block.kind} without a name; write `<!-- {block.kind}: NAME -->`.")
    if any((each.kind, each.name) == (block.kind, block.name) for each in before):
        raise UserError(f"{page} has two blocks of the {block.kind} of {shown(block.name)}; remove one.")
    return block


def rewritten(text: str, of: Collection[Block], content: Callable[[Block], str]) -> str:
    """The text of a page with the content of each block anew.

    Args:
        text: of the page.
        of: its blocks, as `blocks` returns them.
        content: what a block shall hold.
    """
    parts, at = [], 0
    for block in of:
        parts += [text[at : block.start], content(block)]
        at = block.start + len(block.content)
    return "".join([*parts, text[at:]])
