"""The base of every contract class, and the check of a part against its contract.

A contract declares by annotations the attributes, and by abstract methods the methods, that callers use. Both are checked
once, when a part is built: a part that lacks one might otherwise run for hours before a caller asks for it.
"""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError


class Part:
    """The base of every contract class: names its family, and says what a part breaks beyond types."""

    family: ClassVar[str]
    needs_whole_batch: str = ""  # why several processes cannot share a batch; empty if they can

    def broken_rule(self) -> str:
        """A rule of the contract that this part breaks, and what to do; empty if it breaks none."""
        return ""


def faults(contract: type[Part], part: Part) -> Iterator[str]:
    """Say what a part breaks of its contract, and what to do."""
    declaring = [each for each in contract.__mro__ if issubclass(each, Part)]
    for name, member in ((name, member) for each in declaring for name, member in vars(each).items()):
        if _is_abstract(member) and inspect.getattr_static(part, name) is member:
            yield f"it does not define {name}, which callers use; define it as the contract describes it"
        elif _is_abstract(member) and (fault := _fault_of_signature(part, name, member)):
            yield fault
    for name, declared in ((name, each) for of in declaring for name, each in inspect.get_annotations(of).items()):
        if not _is_class_variable(declared):
            yield from _fault_of_attribute(part, name, declared)
    if rule := part.broken_rule():
        yield rule


def _is_class_variable(declared: object) -> bool:
    origin: object = get_origin(declared)
    return origin is ClassVar


def _is_abstract(member: object) -> bool:
    return bool(getattr(member, "__isabstractmethod__", False))


def _fault_of_signature(part: Part, name: str, member: object) -> str:
    """Say how a method of a part differs from the contract in what it takes; empty if callers can call it."""
    assert callable(member)
    declared = [each for each in inspect.signature(member).parameters.values() if each.default is each.empty][1:]
    try:
        inspect.signature(getattr(part, name)).bind(*declared)
    except TypeError:
        wanted = ", ".join(each.name for each in declared)
        return f"{name} does not take ({wanted}); define it as the contract describes it"
    return ""


def _fault_of_attribute(part: Part, name: str, declared: object) -> Iterator[str]:
    try:
        value = getattr(part, name)
    except AttributeError:
        yield f"it has no attribute {name}; set it to a value of type {shown_type(declared)}, or call super().__init__(), which sets the defaults"
        return
    try:
        _adapter(declared).validate_python(value)
    except ValidationError:
        yield f"{name} is {value!r}, which is not of type {shown_type(declared)}; set it to a value of that type"


@cache
def _adapter(declared: Any) -> TypeAdapter[object]:
    return TypeAdapter(declared, config=ConfigDict(strict=True, arbitrary_types_allowed=True))


def shown_type(declared: object) -> str:
    """A class by its name, the choices of a Literal, another type as it is written."""
    if isinstance(declared, type) and get_origin(declared) is None:
        return declared.__name__
    if get_origin(declared) is Literal:
        return " or ".join(map(repr, get_args(declared)))
    return str(declared)
