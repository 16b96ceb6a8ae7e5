"""The numbers of a reference as a file: floors, ceilings and other scales of a data set."""

import json
from pathlib import Path
from typing import Any

from vaeline.evaluation.record import Record, parse
from vaeline.system.errors import UserError

AGAIN = "make it again with `python -m pipeline_steps.reference`"


def read_numbers(path: Path) -> tuple[Record, dict[str, Any]]:
    """Read the numbers of a reference, and the rest of the file.

    Returns:
        The numbers, none if the data set has no reference; and the content of the file.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return (Record() if "skipped" in content else parse(json.dumps(content["metrics"]))), content
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; {AGAIN}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged or of another version of vaeline; {AGAIN}.") from error
