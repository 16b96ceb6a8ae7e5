"""Read and check a study; an error has one line for each mistake and names its key."""

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, NodeEvent

from vaeline.study.former_keys import FORMER
from vaeline.study.parts import PartOptions, check_own
from vaeline.study.recipe import check_tuning
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, instead_of, missing, place_and_message, reason, shown, unreadable

Content = dict[str, Any]  # of a study, as YAML holds it
PARAMS = Path("params.yaml")  # the active study
MOST_BYTES = 1_000_000  # of a study
MOST_VALUES = 100_000  # with those that aliases repeat
DEEPEST = 30  # a list in a list in a key; the schema has a quarter of that
OF_COLONS = {  # what the parser finds if a blank is missing after a colon
    "mapping values are not allowed in this context", "could not find expected ':'", "found unexpected ':'",
}  # fmt: skip
MOST_MISTAKES = 20  # that are listed


def load(path: Path = PARAMS) -> Study:
    """Read and check a study. A file is parsed again only if its bytes have changed: otherwise the same object is returned.

    Raises:
        UserError: the file is missing, is not YAML, or does not fit the schema; one line for each mistake.
    """
    return _parsed(path, _read(path))


@lru_cache(maxsize=1)
def _parsed(path: Path, content: bytes) -> Study:
    return check(_parse(path, content), path)


def check_resolved(content: Content, path: Path) -> Study:
    """Check a study that spells out every key; both engines compare the values of keys to tell what has changed.

    Raises:
        UserError: the content does not fit the schema, or leaves out a key that has a default.
    """
    study = check(content, path)
    if lacking := left_out(content, study):
        raise UserError(
            f"{path} lacks {', '.join(lacking)}; add {'it' if len(lacking) == 1 else 'them'}, or run `make update`, which does: a study that "
            "runs contains every key."
        )
    return study


def left_out(content: Content, study: Study) -> list[str]:
    """The keys that the content of a study leaves out, with their defaults, as `key: value`."""
    return list(_left_out(content, study.model_dump(mode="json")))


def _left_out(content: object, whole: object, path: str = "") -> Iterator[str]:
    """The dotted keys of `whole` that `content` leaves out, with their default values."""
    if isinstance(whole, list) and isinstance(content, list):
        for index, (one, other) in enumerate(zip(content, whole, strict=True)):
            yield from _left_out(one, other, f"{path}{index}.")
    if isinstance(whole, dict) and isinstance(content, dict):
        for key, value in whole.items():
            if key not in content:
                yield f"`{path}{key}: {json.dumps(value)}`"
            else:
                yield from _left_out(content[key], value, f"{path}{key}.")


def read_yaml(path: Path) -> Content:
    """Read a mapping out of a YAML file.

    Raises:
        UserError: the file is missing, is not YAML, or holds no mapping.
    """
    return parse_yaml(path, _read(path))


def parse_yaml(path: Path, content: bytes) -> Content:
    """Read a mapping out of the bytes of a YAML file, with the parser of DVC, so that both engines see the same values.

    Args:
        path: of the file, for errors.
        content: of the file.

    Raises:
        UserError: the content is not YAML, holds no mapping, or uses what only one of two readers may understand.
    """
    return deepcopy(_parse(path, content))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise missing(path, "run from the project's root") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder; a study is a YAML file.") from error
    except OSError as error:
        raise unreadable(path, error) from error


@lru_cache(maxsize=1)
def _parse(path: Path, content: bytes) -> Content:
    """The content of a study; shared by all callers, which must not change it."""
    if len(content) > MOST_BYTES:
        raise UserError(f"{path} has {len(content):,} bytes, but a study has at most {MOST_BYTES:,}.")
    try:
        text = content.decode("utf-8")
        _check_plain(path, YAML(typ="safe").parse(text))
        parsed = YAML(typ="safe").load(text)
    except UserError:
        raise
    except Exception as error:  # of the parser, or of Python, such as for a number of 5,000 digits
        raise UserError(f"{path} is not valid YAML: {_why(error)}.") from error
    if not isinstance(parsed, dict):
        raise UserError(f"{path} holds no keys; a study has study, dataset, training, evaluation and variants.")
    return parsed


def _check_plain(path: Path, events: Iterable[Event]) -> None:
    """Refuse tags, deep nesting, and aliases by which a short text stands for millions of values, before they are built."""
    anchored: dict[str | None, int] = {}  # anchor -> number of values below it
    open_collections: list[tuple[str | None, int]] = [(None, 0)]  # the anchor and the number of values so far
    for event in events:
        line = f"{path}, line {event.start_mark.line + 1}"
        if tag := getattr(event, "tag", None):
            raise UserError(f"{line} has the YAML tag {shown(tag)}; write the value without it, and a text in quotes.")
        if isinstance(event, CollectionStartEvent):
            open_collections.append((event.anchor, 1))
            if len(open_collections) > DEEPEST:
                raise UserError(f"{line} is nested {DEEPEST} deep; a study is at most 8 deep.")
        elif isinstance(event, AliasEvent) and event.anchor not in anchored:
            raise UserError(
                f"{line} refers to {shown(event.anchor)}, which no line before it has finished; write it out."
            )
        elif isinstance(event, CollectionEndEvent | NodeEvent):
            anchor, values = open_collections.pop() if isinstance(event, CollectionEndEvent) else (event.anchor, 1)
            values = anchored[event.anchor] if isinstance(event, AliasEvent) else values
            anchored |= {anchor: values} if anchor else {}
            outer, before = open_collections.pop()
            open_collections.append((outer, before + values))
            if before + values > MOST_VALUES:
                raise UserError(f"{line}: the aliases stand for over {MOST_VALUES:,} values; write out what is meant.")


def _why(error: Exception) -> str:
    """The problem that a parser has found, with its line, and what to do about one of colons."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if not (problem and mark):
        return str(problem or reason(error))
    line = mark.line + 1
    remedy = (
        f"; put a blank after each colon of line {line} and of the line above, and a text with a colon in quotes"
        if problem in OF_COLONS
        else ""
    )
    return f"{problem}, line {line}{remedy}"


def check(content: Content, path: Path) -> Study:
    """Check the content of a study.

    Args:
        content: a mapping, as `read_yaml` returns it.
        path: of the study, for errors.

    Raises:
        UserError: the content does not fit the schema, one line for each mistake; or an own part of the project lies where no study
            finds it.
    """
    check_own()
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        raise UserError(sentences(path, error, Study)) from error
    try:
        check_tuning(study)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return study


def sentences(path: Path, error: ValidationError, root: type[BaseModel]) -> str:
    """A line for each mistake that a check has found, up to 20.

    Args:
        path: of the file.
        error: of the check.
        root: the schema of the whole file.
    """
    mistakes = [_sentence(path, mistake, root) for mistake in error.errors()[:MOST_MISTAKES]]
    more = error.error_count() - len(mistakes)
    return "\n".join(mistakes + [f"{path} has {more:,} more mistakes."] * (more > 0))


def _sentence(path: Path, mistake: ErrorDetails, root: type[BaseModel]) -> str:
    where, message = place_and_message(mistake)
    if mistake["type"] == "extra_forbidden" and where in FORMER:
        now = FORMER[where].written(mistake["input"])
        return f"{path}: {where} is a key of before; write `{now}`, or run `make update`, which does."
    if mistake["type"] == "extra_forbidden":
        return f"{path}: {where} is not a known key; {_allowed_beside(mistake['loc'], root)}."
    if mistake["type"] == "missing":
        return f"{path}: {where} is missing."
    if mistake["type"] == "too_long":
        return f"{path}: {where} holds {mistake['ctx']['actual_length']:,}, but should hold at most {mistake['ctx']['max_length']}."
    if mistake["type"] == "too_short":
        return f"{path}: {where} holds {mistake['ctx']['actual_length']}, but should hold at least {mistake['ctx']['min_length']}."
    came = [] if isinstance(mistake["input"], dict | PartOptions) else [f"is {shown(mistake['input'])}, but"]
    return " ".join([f"{path}:", *([where] if where else []), *came, message]) + "."


def _allowed_beside(loc: tuple[int | str, ...], root: type[BaseModel]) -> str:
    """The keys that are allowed in place of an unknown one, in words."""
    node: Any = root
    for step in loc[:-1]:
        if get_origin(node) is dict:
            node = get_args(node)[1]
        else:
            node = node.model_fields[step].annotation
            node = next(
                (each for each in get_args(node) if get_origin(node) is not dict and each is not NoneType), node
            )
    return instead_of(str(loc[-1]), node.model_fields)
