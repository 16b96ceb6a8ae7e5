"""What several judges measured, as one: means, with the value of each judge.

A judge is a classifier that measures runs. Its name is its seed.
"""

from collections.abc import Mapping
from itertools import chain
from statistics import fmean
from typing import Any

from vaeline.evaluation.record import Record

LEFT_OUT = ("left_out", "unlearned")  # labels that any judge leaves out


def over_judges(records: Mapping[str, Record]) -> Record:
    """The mean of each metric over judges. What else all of them say is averaged if it is a number, and listed by judge otherwise.

    A metric that one judge could not measure is a dash, since a mean over the others would depend on which judge failed. The mean of
    standard errors is at least the standard error of the mean.

    Args:
        records: of each judge, by its name; one record is returned as it is. A number that some of them lack is left out.
    """
    first, *others = records.values()
    if not others:
        return first
    found = Record(checksums=first.checksums, seed=first.seed)
    for name in [name for name in first.evaluation if all(name in other.evaluation for other in others)]:
        entries = {judge: record.evaluation[name] for judge, record in records.items()}
        found.evaluation[name] = _dashed(entries) or _mean(entries)
    return found


def together(values: Mapping[str, Any]) -> Any:
    """What several judges say of one thing: what all of them say, or the mean of numbers, or what each says."""
    first, *others = values.values()
    if all(other == first for other in others):
        return first
    if all(isinstance(each, float | int) and not isinstance(each, bool) for each in values.values()):
        return fmean(values.values())
    if all(isinstance(each, list) and len(each) == len(first) for each in values.values()):
        return [together(dict(zip(values, each, strict=True))) for each in zip(*values.values(), strict=True)]
    if all(isinstance(each, Mapping) and each.keys() == first.keys() for each in values.values()):
        return {key: together({judge: each[key] for judge, each in values.items()}) for key in first}
    return dict(values)


def _dashed(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A dash that names the judges that could not measure the metric; empty if all of them could."""
    reasons = {judge: entry["dash"] for judge, entry in entries.items() if "dash" in entry}
    if not reasons:
        return {}
    if len(reasons) == len(entries) and len(set(reasons.values())) == 1:
        return {"dash": next(iter(reasons.values()))}
    return {"dash": "; ".join(_of_judge(judge, reason) for judge, reason in reasons.items())}


def _of_judge(judge: str, reason: str) -> str:
    who, told = f"the classifier of seed {judge}", reason.removeprefix("the classifier ")
    return f"{who}: {reason}" if told == reason else f"{who} {told}"


def _mean(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = entries.values()
    if all(other == first for other in others):  # it does not depend on judges
        return dict(first)
    values = {judge: entry["value"] for judge, entry in entries.items()}
    keys = dict.fromkeys(key for entry in entries.values() for key in entry)
    found: dict[str, Any] = {}
    for key in keys:
        of = {judge: entry[key] for judge, entry in entries.items() if key in entry}
        if key in LEFT_OUT:
            found[key] = list(dict.fromkeys(chain.from_iterable(of.values())))
        elif key == "warning":
            found[key] = _warnings(of, len(entries))
        elif len(of) == len(entries):  # else a part of the judges would speak for all
            found[key] = together(of)
    return found | {"by_judge": values}


def _warnings(of: Mapping[str, str], judges: int) -> str:
    """What all judges warn of, or who warns of what."""
    first, *others = of.values()
    if len(of) == judges and all(other == first for other in others):
        return first
    return "; ".join(_of_judge(judge, warning) for judge, warning in of.items())
