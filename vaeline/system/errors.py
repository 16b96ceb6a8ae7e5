"""The one exception whose message is written for the user, and how errors of libraries become one."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from pydantic_core import ErrorDetails, ValidationError

MOST_SHOWN = 120  # characters of a value inside a sentence
MOST_SAID = 4000  # characters of a whole message
WRONG_KEYS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
}  # mistakes about a key, not about its value
OTHER_VERSION = "damaged or of another version of vaeline"


class UserError(Exception):
    """A mistake, or a state of the files or the machine, that the user can fix.

    The message is one sentence. It says what came, what is allowed, and what to do. Commands print it without a
    traceback. A message that is too long to read loses its middle: its end says what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_cut(_printable(message), MOST_SAID))


class Diverged(UserError):
    """A training or a fit whose terms or weights are no longer finite, or whose adversary is far worse than chance.

    Args:
        message: for the user, with what to do.
        what: happened, and where, as a sentence without its stop; the same on every machine.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


def shown(value: object) -> str:
    """A value as a sentence shows it: its `repr` on one line, of which a long one loses its middle."""
    try:
        said = repr(value)
    except Exception:  # a class of the caller's
        said = f"a {type(value).__name__} that cannot be shown"
    return _cut(" ".join(line.strip() for line in said.splitlines()), MOST_SHOWN)


def some_of(names: Sequence[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are, for a sentence."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def did_you_mean(came: str, known: Collection[str]) -> str:
    """A question that names the known names most like one that came, as in `did you mean epochs?`; empty if none is like it."""
    near = get_close_matches(came, known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else ""


def instead_of(came: str, known: Collection[str], heading: str = "allowed are") -> str:
    """The names that are allowed in place of one that came, those that are like it first, as the end of a sentence."""
    near, names = did_you_mean(came, known), ", ".join(known) or "none"
    return f"{near} {heading[0].upper()}{heading[1:]}: {names}" if near else f"{heading}: {names}"


def first_mistake(error: ValidationError) -> str:
    """The first mistake that a check has found, as the middle of a sentence."""
    mistake = error.errors()[0]
    where, message = place_and_message(mistake)
    if mistake["type"] in WRONG_KEYS:
        return f"{where} {WRONG_KEYS[mistake['type']]}"
    return f"{where} is {shown(mistake['input'])}, but {message}" if where else message


def place_and_message(mistake: ErrorDetails) -> tuple[str, str]:
    """The dotted key of a mistake, and what is wrong with its value, without the words that pydantic puts before."""
    where = ".".join(map(str, mistake["loc"]))
    return where, mistake["msg"].removeprefix("Value error, ").removeprefix("Input ")


def reason(error: BaseException) -> str:
    """What an error of a library says, on one line; the name of its class if it says nothing, or only names a key."""
    if isinstance(error, ValidationError):
        return first_mistake(error)
    said = " ".join(str(error).split())
    if not said or isinstance(error, LookupError | RecursionError | AttributeError):
        said = f"{type(error).__name__} {said}".strip()
    return _cut(said, 2 * MOST_SHOWN)


@contextmanager
def reading(path: Path, again: str, what: str = "damaged") -> Iterator[None]:
    """Turn every error of the block, which reads a file that may be damaged, into one sentence.

    Libraries raise more classes of errors on damaged bytes than they document: `RecursionError` for deep JSON, `zlib.error`
    inside a zip, `struct.error`, `OverflowError`. A list of them is never complete. An error of the operating system, such as
    a missing permission, says nothing about the content; it is raised again as it came.

    Args:
        path: of the file.
        again: what to do, as in "remove it and get it again".
        what: the file is if it cannot be read.

    Raises:
        UserError: the file cannot be read, or this machine has too little memory for it.
    """
    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(
            f"{path} needs more memory than this machine has left, or is {what}; free memory, or {again}."
        ) from error
    except Exception as error:
        if of_system(error):
            raise
        raise damaged(path, error, again, what) from error


@contextmanager
def reading_ours(path: Path, again: str) -> Iterator[None]:
    """The same for a file that vaeline wrote: errors of the operating system are sentences too.

    Args:
        path: of the file.
        again: what to do if it is missing or damaged, as in "run `...` again".

    Raises:
        UserError: the file is missing, cannot be read, or is damaged.
    """
    try:
        with reading(path, again, OTHER_VERSION):
            yield
    except FileNotFoundError as error:
        raise missing(path, again) from error
    except OSError as error:
        raise unreadable(path, error) from error


def missing(path: Path, again: str) -> UserError:
    """The error for a file that is not there."""
    return UserError(f"There is no {_name(path)}; {again}.")


def unreadable(path: Path, error: OSError) -> UserError:
    """The error for a file that is there, and that the operating system does not let us read."""
    if isinstance(error, IsADirectoryError):
        return UserError(f"{_name(path)} is a folder, where a file belongs; move the folder away, and run again.")
    said = os.strerror(error.errno) if error.errno else error
    return UserError(f"{_name(path)} cannot be read ({said}); check the path and its permissions, and run again.")


def in_words(error: UserError | OSError) -> UserError:
    """An error as a sentence of bounded length, for a file's name can be long, and not UTF-8."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, IsADirectoryError) and error.filename:
        return unreadable(Path(os.fsdecode(error.filename)), error)
    if isinstance(error, PermissionError) and error.filename:
        return UserError(
            f"{_name(Path(os.fsdecode(error.filename)))} cannot be read or written ({error.strerror}); check the permissions of it and of "
            "the folders above it, and run again."
        )
    if isinstance(error, FileNotFoundError) and error.filename:
        name = _name(Path(os.fsdecode(error.filename)))
        return UserError(
            f"There is no {name}, which is needed here; make or install it, or run the command in the folder of the project."
        )
    return UserError(f"{error}; fix this and run again.")


def damaged(path: Path, why: BaseException | str, again: str, what: str = OTHER_VERSION) -> UserError:
    """The error for a file of other content than was written, or than this version reads."""
    said = why if isinstance(why, str) else reason(why)
    return UserError(f"{_name(path)} is {what} ({said}); {again}.")


def of_system(error: BaseException) -> bool:
    """Whether the operating system raised an error. Libraries raise `OSError` without a number for damaged content."""
    return isinstance(error, OSError) and bool(error.errno)


def _name(path: Path) -> str:
    return _cut(str(path), 2 * MOST_SHOWN)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 5]} ... {text[-end:]}"


def _printable(text: str) -> str:
    """The text with `\\udcff` for a byte of a file's name that is not UTF-8, which no terminal could print."""
    return text.encode("utf-8", "backslashreplace").decode()
