"""What the runs of a variant say of it in words, such as `collapsed in 2 of 3 seeds`."""

from collections.abc import Mapping, Sequence
from typing import Any

from vaeline.report.comparison import VerdictInWords
from vaeline.report.table import number

WORST_FIRST = ("collapsed", "partly", "in use")

Entry = Mapping[str, Any]  # a metric of evaluation.json, with the run's `rate`


def over_seeds(entries: Sequence[Entry]) -> VerdictInWords | None:
    """The verdict on a variant, given those on its runs; the worst one if they differ; None if there is none."""
    entries = [each for each in entries if each.get("verdict")]
    if not entries:
        return None
    word = min((each["verdict"] for each in entries), key=WORST_FIRST.index)
    having = [each for each in entries if each["verdict"] == word]
    units = f"{_span([each['in_use'] for each in having])} of {having[0]['of_units']} {having[0]['unit']}"
    words = f"{word} ({units})" if word == "partly" else word
    if len(having) < len(entries):
        words = f"{words} in {len(having)} of {len(entries)} seeds"
    return VerdictInWords(words=words, evidence=_evidence(entries))


def _evidence(entries: Sequence[Entry]) -> str:
    causes = dict.fromkeys(each["cause"] for each in entries if each.get("cause"))
    used = f"{_span([each['in_use'] for each in entries])} of {entries[0]['of_units']} {entries[0]['unit']} in use"
    nats = {"a rate of {} nats": "rate", "z of another image costs {} nats": "shuffle_loss"}
    found = {text: [each[key] for each in entries if each.get(key) is not None] for text, key in nats.items()}
    return ", ".join([*causes, used, *(text.format(_span(values)) for text, values in found.items() if values)])


def _span(values: Sequence[float]) -> str:
    """The value that all runs have, or the least and the greatest."""
    return " to ".join(dict.fromkeys(number(value) for value in (min(values), max(values))))
