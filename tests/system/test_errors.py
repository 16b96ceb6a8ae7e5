"""Messages of a bounded length, and errors of libraries as sentences."""

import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from vaeline.system.errors import MOST_SAID, UserError, damaged, in_words, reading, reading_ours, reason, shown, some_of

PATH = Path("data/one.bin")


def test_a_long_message_keeps_its_begin_and_its_end() -> None:
    message = str(UserError(f"The name is {'x' * 100_000}; give a shorter one."))
    assert len(message) == MOST_SAID
    assert message.startswith("The name is xxx") and message.endswith("xxx; give a shorter one.")
    assert str(UserError("short")) == "short"


def test_a_value_that_cannot_be_shown_is_named_by_its_class() -> None:
    class Strange:
        def __repr__(self) -> str:
            raise ValueError

    assert shown(Strange()) == "a Strange that cannot be shown"


def test_a_long_value_is_shown_by_both_ends() -> None:
    assert shown("x") == "'x'"
    assert len(shown(list(range(10_000)))) == 120 and shown(list(range(10_000))).endswith("9998, 9999]")


def test_a_long_list_shows_its_first_names() -> None:
    assert some_of(["a", "b", "c"], 3) == "a, b, c"
    assert some_of(list("abcde"), 3) == "a, b, c and 2 more"


def test_what_is_missing_is_named_without_a_number_of_the_system() -> None:
    said = str(in_words(FileNotFoundError(2, "No such file or directory", "git")))
    assert said.startswith("There is no git, which is needed here;")


class Counted(BaseModel):
    epochs: int


@pytest.mark.parametrize(
    ("content", "said"),
    [({}, "epochs is missing"), ({"epochs": "many"}, "epochs is 'many', but should be a valid integer")],
)
def test_a_file_of_another_schema_is_named_by_its_first_mistake(content: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as caught, reading_ours(PATH, "run again"):
        Counted.model_validate(content)
    assert said in str(caught.value) and "http" not in str(caught.value)


def test_a_message_can_always_be_printed() -> None:
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    message = str(UserError(f"{name} is no image."))
    assert message.encode() == b"caf\\udce9.png is no image."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("y"), "(KeyError 'y')"),
        (EOFError(), "(EOFError)"),
        (zlib.error("bad\n  data"), "(bad data)"),
        (struct.error("short"), "(short)"),
        (OverflowError("large"), "(large)"),
        (RecursionError("maximum recursion depth exceeded"), "(RecursionError maximum recursion depth exceeded)"),
        (NotImplementedError("compression 99"), "(compression 99)"),
        (zipfile.BadZipFile("no zip"), "(no zip)"),
        (OSError("image file is truncated"), "(image file is truncated)"),
    ],
)
def test_any_error_of_a_reader_is_one_sentence(error: Exception, said: str) -> None:
    with pytest.raises(UserError) as refused, reading(PATH, "get it again"):
        raise error
    assert str(refused.value) == f"data/one.bin is damaged {said}; get it again."


def test_deep_json_is_damage() -> None:
    with pytest.raises(UserError, match="is damaged .RecursionError"), reading(PATH, "get it again"):
        json.loads("[" * 100_000)


def test_an_error_of_the_system_is_not_called_damage() -> None:
    with pytest.raises(PermissionError), reading(PATH, "get it again"):
        raise PermissionError(13, "Permission denied", str(PATH))
    with pytest.raises(UserError, match="^the reason$"), reading(PATH, "get it again"):
        raise UserError("the reason")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError(2, "No such file or directory"), "There is no data/one.bin; make it again."),
        (
            PermissionError(13, "Permission denied"),
            "data/one.bin cannot be read (Permission denied); check the path and its permissions, and run again.",
        ),
        (
            IsADirectoryError(21, "Is a directory"),
            "data/one.bin is a folder, where a file belongs; move the folder away, and run again.",
        ),
        (
            OSError("truncated"),
            "data/one.bin is damaged or of another version of vaeline (truncated); make it again.",
        ),
        (
            KeyError("skill"),
            "data/one.bin is damaged or of another version of vaeline (KeyError 'skill'); make it again.",
        ),
    ],
)
def test_every_error_of_a_file_of_ours_is_one_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(UserError) as refused, reading_ours(PATH, "make it again"):
        raise error
    assert str(refused.value) == sentence


def test_damage_that_we_found_ourselves_has_the_same_sentence() -> None:
    assert str(damaged(PATH, "it has no end", "make it again", "damaged")) == (
        "data/one.bin is damaged (it has no end); make it again."
    )


def test_too_little_memory_is_named() -> None:
    with (
        pytest.raises(
            UserError, match="needs more memory than this machine has left, or is damaged; free memory, or get"
        ),
        reading(PATH, "get it again"),
    ):
        raise MemoryError


def test_an_interrupt_is_no_damage() -> None:
    with pytest.raises(KeyboardInterrupt), reading(PATH, "get it again"):
        raise KeyboardInterrupt
    assert reason(KeyboardInterrupt()) == "KeyboardInterrupt"


@pytest.mark.parametrize("name", ["data/one.bin", b"data/one.bin", PATH])
def test_a_missing_permission_is_named_with_its_remedy(name: str | bytes | Path) -> None:
    assert str(in_words(PermissionError(13, "Permission denied", name))) == (
        "data/one.bin cannot be read or written (Permission denied); check the permissions of it and of the folders above it, and run again."
    )
