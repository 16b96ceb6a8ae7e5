"""Comparisons of variants that differ in one part alone: what that part does."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from vaeline.report.comparison import Comparison
from vaeline.report.decisions import better_first, why_open
from vaeline.report.paired_differences import Pair
from vaeline.study.schema import Study


class Effect(NamedTuple):
    """What a change of one part does to one metric."""

    pair: Pair | None  # the changed variant first; None if the two are not compared in the metric
    better: bool  # whether the changed variant has the better mean
    why_open: str  # why the comparison decides nothing; empty if the study claims it


class OneFactor(NamedTuple):
    """Two variants that differ in one part, the changed one against the one it was changed from."""

    part: str  # such as `prior`
    to: str  # such as `conditional flow`
    instead_of: str
    changed: str  # variant
    original: str  # variant
    effects: dict[str, Effect]  # by metric


def one_factor(study: Study, comparison: Comparison) -> list[OneFactor]:
    """The pairs of variants that differ in one part, the variant that comes later in the study as the changed one.

    Args:
        study: whose variants they are.
        comparison: of the study; pairs that are compared in none of its primary metrics are left out.
    """
    entries = {name: study.variants[name].model_dump(mode="json") for name in comparison.variants}
    found = []
    for original, changed in combinations(comparison.variants, 2):
        one, other = entries[original], entries[changed]
        differing = [part for part in one if one[part] != other.get(part)]
        effects = {name: _effect(comparison, name, changed, original) for name in comparison.primary}
        if len(differing) == 1 and any(effect.pair for effect in effects.values()):
            part, to, instead_of = _in_words(differing[0], other[differing[0]], one[differing[0]])
            found.append(OneFactor(part, to, instead_of, changed, original, effects))
    return found


def _effect(comparison: Comparison, name: str, changed: str, original: str) -> Effect:
    pair = comparison.metrics[name].pair(changed, original)
    if pair is None:
        return Effect(None, False, "not compared")
    return Effect(pair, better_first(name, pair).first == changed, why_open(comparison, name, pair))


def _in_words(part: str, new: Any, old: Any) -> tuple[str, str, str]:
    """What differs, its new and its old value: the names of the parts, or the one option in which they differ."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        keys = [key for key in dict.fromkeys([*new, *old]) if new.get(key) != old.get(key)]
        if "name" not in keys and len(keys) == 1:
            of, to, instead_of = _in_words(keys[0], new.get(keys[0]), old.get(keys[0]))
            return f"{part} {of}", to, instead_of
        if "name" not in keys:
            return f"{part} ({', '.join(keys)})", "other options", "those before"
    elif (names := [each["name"] for each in _parts(new)]) and names == [each["name"] for each in _parts(old)]:
        differing = [pair for pair in zip(_parts(new), _parts(old), strict=True) if pair[0] != pair[1]]
        if len(differing) == 1:
            return _in_words(_spaced(differing[0][0]["name"]), *differing[0])
    return _spaced(part), _value(new, old), _value(old, new)


def _value(value: Any, other: Any) -> str:
    if parts := _parts(value):
        return " + ".join(_named(part, _parts(other)) for part in parts)
    if isinstance(value, Mapping):
        return "some"
    return "none" if value is None else _spaced(json.dumps(value).strip('"'))


def _parts(value: Any) -> list[Mapping[str, Any]]:
    """The parts that a value has: those of a list, those that a part combines, or the part itself."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, Mapping) and "name" in each]
    if not isinstance(value, Mapping) or "name" not in value:
        return []
    return [part for option in value.values() if isinstance(option, list) for part in _parts(option)] or [value]


def _named(part: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """The name of a part, with the options that it has otherwise than the part of that name among the others."""
    same = next((other for other in others if other["name"] == part["name"]), part)
    own = [f"{_spaced(key)} {_value(part[key], None)}" for key in part if part[key] != same.get(key)]
    return f"{_spaced(part['name'])} ({', '.join(own)})" if own else _spaced(part["name"])


def _spaced(name: str) -> str:
    return name.replace("_", " ")
