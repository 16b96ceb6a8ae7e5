"""The control groups of Linux that this process is in, and their limits, such as those of a container. Imports nothing slow."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# The groups of this process, and the folder with the limits of all groups.
GROUPS, LIMITS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def limits(controller: str, second: str, *first: str) -> Iterator[list[str]]:
    """The words of each limit of this process's groups and of the groups above them; missing files are skipped, as outside Linux.

    A line of /proc/self/cgroup is `0::/path` in version 2, and `number:controllers:/path` in version 1. Inside a container the path may
    be that of the machine, which is not there; the root of the container's own groups then has the limit.

    Args:
        controller: `cpu` or `memory`.
        second: the file of version 2.
        first: the files of version 1, whose words are put together.
    """
    files: tuple[str, ...]
    with suppress(OSError):
        for line in GROUPS.read_text(encoding="utf-8").splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                root, files = LIMITS, (second,)
            elif controller in controllers.split(","):
                root, files = LIMITS / controller, first
            else:
                continue
            group = root / path.strip("/")
            for each in (group, *group.parents):
                if each.is_relative_to(root):
                    with suppress(OSError, ValueError):
                        yield [word for file in files for word in (each / file).read_text(encoding="utf-8").split()]
