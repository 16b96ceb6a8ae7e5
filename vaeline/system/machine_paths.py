"""Values without the paths of this machine, for files that others get."""

from pathlib import PurePath
from typing import Any

BEGINS = ("/", "~", "../")  # what a path of this machine begins with; `a/b` may be a repository of a hub


# Keys of names from a data set, which are no paths: a label's value may be `/m/01g317`, as in Open Images.
NAMES = frozenset(
    {"label_names", "label_values", "labels", "held_out", "bins", "column", "group", "left_out", "unlearned"}
)


def without_machine_paths(content: Any) -> Any:
    """Values with the last name of a path in place of each path of this machine; dicts, lists and tuples are searched.

    The values of NAMES are left as they are.
    """
    if isinstance(content, dict):
        return {key: value if key in NAMES else without_machine_paths(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_machine_paths(value) for value in content]
    return PurePath(content).name if isinstance(content, str) and content.startswith(BEGINS) else content
