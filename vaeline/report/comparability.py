"""Whether two results of one metric were defined alike, and in what they differ."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vaeline.evaluation.catalogue import DEFINING
from vaeline.report.results import Run

# How some values read in a sentence, by key.
PHRASES = {
    "told": {"the label": "an encoder that sees the label too", None: "an encoder that sees the image only"},
    "noise": {"drawn": "samples that have the noise of p(x|z)", None: "samples that are means of p(x|z)"},
}

Definition = dict[str, Any]


def definition_of(run: Run, name: str) -> Definition:
    """How a run's result of a metric is defined."""
    return {key: value for key, value in run.evaluation.get(name, {}).items() if key in DEFINING}


def distinct(definitions: Sequence[Definition]) -> list[Definition]:
    """Each definition once, in order."""
    return [each for index, each in enumerate(definitions) if each not in definitions[:index]]


def differing_keys(definitions: Sequence[Definition]) -> list[str]:
    """The keys in which definitions differ."""
    return [key for key in DEFINING if len(distinct([{key: each.get(key)} for each in definitions])) > 1]


def why_no_mean(definitions: Sequence[Definition], whose: str) -> str:
    """Why results have no mean: they were measured in different ways; empty if they were measured alike.

    Args:
        definitions: of the results.
        whose: they are, as the subject of the sentence.
    """
    keys = differing_keys(definitions)
    ways = [in_words({key: each.get(key) for key in keys}) for each in distinct(definitions)]
    return f"{whose} were measured in different ways: {'; '.join(dict.fromkeys(ways))}" if len(ways) > 1 else ""


def why_not_all(without: Collection[int]) -> str:
    """Why the mean over some runs ranks nothing: others, of these seeds, have no value; empty if there are none.

    Values are missing where an estimate failed, which is likelier for bad runs: those that are left would seem better than they are.
    """
    seeds = f"seed{'s' * (len(without) > 1)} {', '.join(map(str, sorted(without)))}"
    return f"there is no value for {seeds}" if without else ""


def measures(definitions: Mapping[str, Definition]) -> dict[str, str]:
    """What each variant's result is, in words, if it is a likelihood or if the variants were measured in different ways."""
    keys = differing_keys(list(definitions.values()))
    found = {}
    for variant, definition in definitions.items():
        others = {key: definition.get(key) for key in keys if key != "measure"}
        words = [definition["measure"]] if "measure" in definition else ["measured"] if others else []
        if words:
            found[variant] = " with ".join([*words, *([in_words(others)] if others else [])])
    return found


def in_words(definition: Definition) -> str:
    """A definition as text."""
    return ", ".join(_phrase(key, value) for key, value in definition.items())


def _phrase(key: str, value: Any) -> str:
    as_it_is = f"{key} {'none' if value is None else value}"
    return PHRASES[key].get(value, as_it_is) if key in PHRASES else as_it_is
