"""The section "How each number was made": definitions of metrics, of their errors, and of the references of the data set."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean
from typing import Any

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Record
from vaeline.report import table
from vaeline.report.comparison import ReferenceValue
from vaeline.report.results import Results, Run
from vaeline.report.sections.section import Section

SHOWN_ELSEWHERE = (
    "value",
    "definition",
    "by_label",
    "by_judge",
    "curve",
    "parts",
    "halves",
    "verdict",
    "cause",
    "descriptive",
)  # keys of an entry of evaluation.json
SHOWN_AS = {"told": "encoder also sees"}  # keys that would not be understood as they are
MOST_SHOWN = 12  # names of a list
CHECKSUM = re.compile(r"[0-9a-f]{64}")
SHOWN_OF_CHECKSUM = 12  # letters


@dataclass(frozen=True)
class Definition:
    """How a metric was made, for the variants that made it so."""

    variants: list[str]  # empty: all of them
    text: str
    how: dict[str, str]  # key of evaluation.json -> the value that the runs share, or their values


@dataclass(frozen=True)
class DefinedMetric:
    """How a metric was made."""

    name: str
    definitions: list[Definition]
    by_label: dict[str, list[str]]  # label -> the mean of each variant, if the metric is a mean over labels
    by_judge: dict[
        str, list[str]
    ]  # seed of a classifier -> the mean of each variant, if the metric is a mean over classifiers


@dataclass(frozen=True)
class DefinedReference:
    """A number of the data set, and how it was made."""

    name: str
    value: str
    definition: Definition


@dataclass(frozen=True)
class DefinitionsSection(Section):
    """How each number was made."""

    id, title, template = "how", "How each number was made", "definitions.html.j2"

    variants: list[str]
    metrics: list[DefinedMetric]
    companions: list[tuple[table.Row, list[Definition]]]  # errors and the like
    references: list[DefinedReference]


def definitions_section(results: Results, rows: list[table.Row], companions: list[table.Row]) -> DefinitionsSection:
    """How each number was made.

    Args:
        results: the runs.
        rows: the table of results.
        companions: the rows of errors and the like.
    """
    names = dict.fromkeys(row.name for row in rows)
    return DefinitionsSection(
        variants=results.study.variants,
        metrics=[
            DefinedMetric(
                name, _definitions(results, name), *(_by(results, name, key) for key in ("by_label", "by_judge"))
            )
            for name in names
        ],
        companions=[(row, _definitions(results, row.name)) for row in companions],
        references=_references(results.reference),
    )


def _references(record: Record) -> list[DefinedReference]:
    """The numbers of the data set, each with its spread or error if it has one."""
    return [
        DefinedReference(name, table.scale(ReferenceValue.of(record, name)), _made_of_reference(entry))
        for name, entry in record.evaluation.items()
        if name in catalogue().references and "value" in entry
    ]


def _made_of_reference(entry: dict[str, Any]) -> Definition:
    made, by_judge = _made([], [entry]), entry.get("by_judge", {})
    return replace(made, how=made.how | ({"by seed of the classifier": _value(by_judge)} if by_judge else {}))


def _definitions(results: Results, name: str) -> list[Definition]:
    """How a metric was made; variants that made it in the same way are together."""
    by_text: dict[str, list[Run]] = defaultdict(list)
    for run in results.runs:
        if "definition" in (entry := run.evaluation.get(name, {})):
            by_text[entry["definition"]].append(run)
    return [_definition(name, runs, alone=len(by_text) == 1) for runs in by_text.values()]


def _definition(name: str, runs: list[Run], alone: bool) -> Definition:
    variants = [] if alone else list(dict.fromkeys(run.variant for run in runs))
    return _made(variants, [run.evaluation[name] for run in runs])


def _made(variants: list[str], entries: list[dict[str, Any]]) -> Definition:
    """How results of one definition were made, as evaluation.json has it."""
    keys = dict.fromkeys(key for entry in entries for key in entry if key not in SHOWN_ELSEWHERE)
    how = {
        SHOWN_AS.get(key, key.replace("_", " ")): _values([entry[key] for entry in entries if key in entry])
        for key in keys
    }
    return Definition(variants, entries[0]["definition"], how)


def _by(results: Results, name: str, key: str) -> dict[str, list[str]]:
    """A metric that is a mean over labels or classifiers, by these: for each variant the mean over its runs, `-` if it has none."""
    found: dict[str, list[str]] = defaultdict(list)
    members = dict.fromkeys(member for run in results.runs for member in _values_by(run, name, key))
    for member, variant in product(members, results.study.variants):
        entries = [_values_by(run, name, key) for run in results.of(variant)]
        values = [entry[member] for entry in entries if member in entry]
        found[member].append(table.number(fmean(values)) if values else "-")
    return dict(found)


def _values_by(run: Run, name: str, key: str) -> dict[str, float]:
    found: dict[str, float] = run.evaluation.get(name, {}).get(key, {})
    return found


def _values(values: list[Any]) -> str:
    """A value that all runs share, or the range or list of their values."""
    if any(isinstance(value, list) for value in values):
        return _listed([each for value in values if isinstance(value, list) for each in value])
    if all(type(value) in (int, float) for value in values) and len(set(values)) > 1:
        return f"{table.number(min(values))} to {table.number(max(values))}"
    return ", ".join(dict.fromkeys(map(_value, values)))


def _listed(values: list[Any]) -> str:
    """The values of lists of all runs together: their range if they are numbers, the first few if they are names."""
    if not values:
        return "none"
    if all(type(value) in (int, float) for value in values) and len(set(values)) > 1:
        return f"{table.number(min(values))} to {table.number(max(values))}, each in evaluation.json"
    names = list(dict.fromkeys(map(_value, values)))
    return ", ".join(names) if len(names) <= MOST_SHOWN else f"{len(names)} values, in evaluation.json"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, str) and CHECKSUM.fullmatch(value):
        return f"{value[:SHOWN_OF_CHECKSUM]}…"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(each)}" for key, each in value.items())
    return value if isinstance(value, str) else table.number(value) if isinstance(value, float) else json.dumps(value)
