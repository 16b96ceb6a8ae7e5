"""Keys of a study that had another name, or another form, in an earlier version of vaeline."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple


class NewKey(NamedTuple):
    """What became of a key; the study means the same as before."""

    name: str  # dotted
    value: Callable[[Any], Any]  # of the value that the former key has

    def written(self, value: object) -> str:
        """The new key with its value, as it stands in a study: `classifier.seeds: [0]`."""
        return f"{self.name}: {json.dumps(self.value(value), default=str)}"


FORMER = {
    "classifier.seed": NewKey("classifier.seeds", lambda seed: [seed]),
    "evaluation.importance_samples": NewKey(
        "evaluation.likelihood", lambda samples: {"method": "posterior", "samples": samples}
    ),
}


def renewed(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The content of a study with today's keys, and what has changed: `classifier.seed is now classifier.seeds: [0]`.

    A former key beside the new one stays, and is refused as an unknown key.
    """
    found, changed = deepcopy(content), []
    for former, new in FORMER.items():
        (section, key), new_key = former.split("."), new.name.partition(".")[2]
        entries = found.get(section)
        if isinstance(entries, dict) and key in entries and new_key not in entries:
            value = entries.pop(key)
            entries[new_key] = new.value(value)
            changed.append(f"{former} is now {new.written(value)}")
    return found, changed
