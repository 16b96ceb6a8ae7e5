"""A function of a library is itself again after the block, also after an error."""

from types import ModuleType

import pytest

from vaeline.system.replacing import replaced


def test_a_function_is_replaced_within_the_block_alone() -> None:
    module = ModuleType("library")
    module.answer = 1  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError), replaced(module, "answer", 2):
        assert module.answer == 2
        raise ZeroDivisionError
    assert module.answer == 1


def test_a_name_that_the_library_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="answer"), replaced(ModuleType("library"), "answer", 2):
        pass
