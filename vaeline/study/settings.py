"""The values of a study at dotted keys, as the files that were made with them name them."""

import functools
import operator
from collections.abc import Iterable
from typing import Any

from vaeline.study.schema import Study


def values(study: Study, keys: Iterable[str]) -> dict[str, Any]:
    """The values at dotted keys, such as `training.epochs` or `variants.cvae`, as JSON gives them back.

    A key that the study does not have is None.
    """
    content = study.model_dump(mode="json")
    return {key: _value(content, key) for key in keys}


def _value(content: dict[str, Any], key: str) -> object:
    try:
        return functools.reduce(operator.getitem, key.split("."), content)
    except (KeyError, TypeError):  # a list or a number has no keys
        return None
