"""Values without the paths of this machine, for files that others get."""

from pathlib import PurePath
from typing import Any

BEGINS = ("/", "~", "../")  # what a path of this machine begins with; `a/b` may be a repository of a hub


def without_machine_paths(content: Any) -> Any:
    """Values with the last name of a path in place of each path of this machine; dicts, lists and tuples are searched."""
    if isinstance(content, dict):
        return {key: without_machine_paths(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_machine_paths(value) for value in content]
    return PurePath(content).name if isinstance(content, str) and content.startswith(BEGINS) else content
