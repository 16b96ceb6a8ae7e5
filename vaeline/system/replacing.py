"""A function of another library that is replaced for a while, where the library offers no other way in."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def replaced(module: ModuleType, name: str, by: object) -> Iterator[None]:
    """Within the block, a module has another object of a name; it affects all threads.

    Raises:
        KeyError: the module has no such name, as after an update of the library.
    """
    before = vars(module)[name]
    setattr(module, name, by)
    try:
        yield
    finally:
        setattr(module, name, before)
