"""The values of a study at dotted keys, as the files that were made with them name them."""

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vaeline.study.schema import Study
from vaeline.system.files import plain_json

ABSENT = "absent"


def values(study: Study, keys: Iterable[str]) -> dict[str, Any]:
    """The values at dotted keys, such as `training.epochs` or `variants.cvae`, as JSON gives them back.

    A key that the study does not have is None.
    """
    keys = list(keys)
    content = study.model_dump(mode="json", include=_parts(keys))  # the whole of 200 variants would take long
    return {key: value_at_key(content, key) for key in keys}


def value_at_key(content: Mapping[str, Any], key: str) -> object:
    """The value at a dotted key of nested mappings; None if the key is missing."""
    try:
        return functools.reduce(operator.getitem, key.split("."), content)
    except (KeyError, TypeError):  # a list or a number has no keys
        return None


def _parts(keys: Iterable[str]) -> dict[str, Any]:
    """The sections of the study, and the entries in them, that dotted keys lie in, as pydantic's `include`."""
    found: dict[str, Any] = {}
    for section, _, rest in (key.partition(".") for key in keys):
        entries = found.setdefault(section, set())
        if rest and entries is not True:
            entries.add(rest.split(".")[0])
        else:
            found[section] = True
    return found


def differences(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """How settings that a file names differ from others: `classifier.epochs 20, now 30` for each that differs."""
    before, now = dict(_leaves(made)), dict(_leaves(wanted))
    return [
        f"{key} {_shown(before, key)}, now {_shown(now, key)}"
        for key in before | now
        if (key in before) != (key in now) or plain_json(before.get(key)) != plain_json(now.get(key))
    ]


def _leaves(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """The values inside nested mappings, by dotted keys."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _shown(values: Mapping[str, object], key: str) -> str:
    return f"{values[key]!r}" if key in values else ABSENT
