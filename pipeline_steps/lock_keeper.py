"""The process that removes the entry of a run of Snakemake from DVC's table of locks when the run has ended, however it ended.

It imports nothing of DVC, which would take a second, in which DVC would still refuse to start. Arguments: the table, and the entry.
"""

import fcntl
import json
import os
import sys
from pathlib import Path


def main(table: Path, entry: str) -> None:
    """Wait until the process ends that holds standard input, and remove the entry under DVC's own lock."""
    sys.stdin.read()
    with Path(f"{table}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            content = json.loads(table.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        aside = Path(f"{table}.{os.getpid()}")
        aside.write_text(json.dumps(without(content, entry)), encoding="utf-8")
        aside.replace(table)


def without(content: dict[str, dict[str, list[dict[str, object]]]], entry: str) -> dict[str, object]:
    """The content of the table, in which nobody reads a path under the entry."""
    readers = {path: [each for each in of if each["cmd"] != entry] for path, of in content.get("read", {}).items()}
    return {**content, "read": {path: of for path, of in readers.items() if of}}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
